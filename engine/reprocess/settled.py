"""The policy under which stored events are read again: what was masked once is not masked a second time.

Nearly all rules leave what they made as it is. Templates of errors are the exception: they end with a fingerprint of
what was there, which a second time would be another one.
"""

from engine.masking.levels import Level
from engine.masking.masker import Masker
from engine.masking.policy import Policy


class SettledMasker(Masker):
    """A masker for values that were masked before."""

    def error_message(self, message: str) -> str:
        """Leave an error's message as it was stored."""
        return message


class SettledPolicy(Policy):
    """A policy whose maskers know that all was masked before; nothing of what they make is stored as a bundle."""

    def _made(self, level: Level, key: bytes | None) -> Masker:
        return SettledMasker(level, key, self._tables, self.version, self.custom_events)
