"""Makes signals of what detectors found: each incident once, under an id that is always the same."""

from collections import deque
from hashlib import blake2b
from typing import Final

from detectors.protocol import Finding
from engine.core.attributes import Attributes
from engine.core.ledger import Ledger
from schemas.signals import Signal

RECENT_SIGNALS: Final = 64
"""Signals remembered: an incident told twice, by clicks of the very same moment, is one."""


class Findings:
    """The signals of one session since they were last taken; `recent` are numbers of the latest before."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._signals: list[Signal] = []
        self.recent: deque[int] = deque(maxlen=RECENT_SIGNALS)

    def add(self, window_id: str, finding: Finding, attributes: Attributes) -> bool:
        """Make a signal, of a window with these attributes; return whether it is a new one."""
        signal = make_signal(self._ledger.project_id, self._ledger.session_id, window_id, finding, attributes)
        number = int(signal.id[:16], 16)
        if number in self.recent:
            return False
        self.recent.append(number)
        self._signals.append(signal)
        return True

    def take(self) -> tuple[Signal, ...]:
        """Give the signals since the last call."""
        signals, self._signals = self._signals, []
        return tuple(signals)


def make_signal(
    project_id: str, session_id: str, window_id: str, finding: Finding, attributes: Attributes | None = None
) -> Signal:
    """Make the signal of a finding: its id is a hash of what, where and when, so that a repetition has the same.

    `attributes` say what its window runs on, as far as that is known.
    """
    node = "" if finding.target is None else finding.target.node_id
    parts = (
        project_id,
        session_id,
        window_id,
        finding.detector,
        finding.rule,
        finding.t,
        finding.end_t,
        node,
        finding.key,
    )
    identity = blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return Signal(
        id=identity,
        detector=finding.detector,
        session_id=session_id,
        window_id=window_id,
        project_id=project_id,
        t=finding.t,
        end_t=finding.end_t,
        page=finding.page,
        target=finding.target,
        rule=finding.rule,
        evidence=finding.evidence,
        count=finding.count,
        attributes=attributes or {},
    )
