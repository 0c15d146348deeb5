"""The echo rule: what was typed into masked fields is masked where the page shows it again.

Of what was typed only keyed hashes are held, over its words: so a repeat is found whatever stands between and around
the words, and a state that is stored gives nothing away without the project's secret.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.masking.decisions import MASK
from engine.masking.levels import Level
from engine.masking.masker import Masker
from engine.masking.text import mask_text
from engine.masking.urls import decode_percent, mask_origin
from engine.masking.values import normalise
from schemas.rrweb_nodes import AttributeValue

MIN_CHARACTERS: Final = 6
MAX_WORDS: Final = 12
MAX_VALUES: Final = 256
"""So many values of a window are known; the oldest are forgotten first."""
MAX_FIELDS: Final = 64
MAX_TEXT_WORDS: Final = 20_000
"""Longer texts are masked as a whole once there is something to look for."""

_WORD: Final = re.compile(r"[^\W_]+")
_HASH_BYTES: Final = 7
_NAMING: Final = frozenset({"class", "style", "id", "name", "for", "type", "role"})


class EchoState(msgspec.Struct, array_like=True):
    """Hashes of values with their numbers of words; and by field the hash and length of what is being typed there."""

    known: dict[int, int] = {}
    typing: dict[int, tuple[int, int]] = {}


class Echo:
    """What was typed in one window, and where it comes again."""

    __slots__ = ("_key", "state")

    def __init__(self, key: bytes, state: EchoState | None = None) -> None:
        self._key = key
        self.state = state or EchoState()

    def note(self, node_id: int, value: str) -> None:
        """Take note of a masked field's value; one that grows takes the place of what it was before."""
        words = _WORD.findall(normalise(value).casefold())[:MAX_WORDS]
        joined = " ".join(words)
        if len(joined) < MIN_CHARACTERS:
            return
        known, typing = self.state.known, self.state.typing
        hashed = self._hash(joined)
        before, length = typing.pop(node_id, (0, 0))
        if length < len(joined):
            known.pop(before, None)
        known.pop(hashed, None)
        known[hashed] = len(words)
        typing[node_id] = hashed, len(joined)
        for held, most in ((known, MAX_VALUES), (typing, MAX_FIELDS)):
            if len(held) > most:
                del held[next(iter(held))]

    def settle(self) -> None:
        """Another page begins: its fields are others."""
        self.state.typing.clear()

    def repeats(self, text: str) -> bool:
        """Tell whether a text holds a value again."""
        return self.mask(text) != text

    def mask(self, text: str) -> str:
        """Put `*` in place of the values that a text holds again."""
        if not self.state.known or len(text) < MIN_CHARACTERS:
            return text
        found = [(match.start(), match.end(), match[0].casefold()) for match in _WORD.finditer(text)]
        if len(found) > MAX_TEXT_WORDS:
            return mask_text(text)
        shown, position = [], 0
        while found_here := self._next(found, position):
            first, last = found_here
            shown.append((found[first][0], found[last][1]))
            position = last + 1
        for start, end in reversed(shown):
            text = text[:start] + mask_text(text[start:end]) + text[end:]
        return text

    def _next(self, found: list[tuple[int, int, str]], position: int) -> tuple[int, int] | None:
        """Return the first and last word of the next value in a text."""
        known = self.state.known
        for first in range(position, len(found)):
            for count in sorted(set(known.values()), reverse=True):
                last = first + count - 1
                if last >= len(found):
                    continue
                joined = " ".join(normalise(word) for _, _, word in found[first : last + 1])
                if len(joined) >= MIN_CHARACTERS and known.get(self._hash(joined)) == count:
                    return first, last
        return None

    def _hash(self, joined: str) -> int:
        digest = hmac.digest(self._key, joined.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return int.from_bytes(digest[:_HASH_BYTES])


class EchoMasker(Masker):
    """A masker of one window: what its level keeps is looked through for what was typed there."""

    def __init__(self, like: Masker, echo: Echo) -> None:
        # It is the shared masker in all but what it adds, so it takes over what that one has made.
        self.__dict__.update(like.__dict__)
        self._echo = echo

    def attributes(self, tag: str, flags: int, attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
        """Rebuild an element's attributes, see `Masker`; one that repeats a value is masked."""
        kept = super().attributes(tag, flags, attributes)
        for name, value in kept.items():
            if isinstance(value, str) and name.lower() not in _NAMING and self._is_echo(value):
                kept[name] = mask_origin(value) if "/" in value else MASK
        return kept

    def text(self, value: str, flags: int) -> str:
        """Mask a text node's content, see `Masker`; what repeats a value is masked."""
        return self._echo.mask(super().text(value, flags))

    def free_text(self, value: str) -> str:
        """Mask a text that no page shows."""
        return self._echo.mask(super().free_text(value))

    def url(self, value: str) -> str:
        """Apply rule u; of an address that repeats a value the host is left."""
        shown = super().url(value)
        return mask_origin(shown) if self._is_echo(shown) else shown

    def error_message(self, message: str) -> str:
        """Reduce an error's message."""
        return self._echo.mask(super().error_message(message))

    def custom(self, tag: str, payload: bytes) -> bytes | None:
        """Rebuild a custom event's payload."""
        return self._within(super().custom(tag, payload))

    def plugin(self, name: str, payload: bytes) -> bytes | None:
        """Rebuild a plugin event's payload."""
        return self._within(super().plugin(name, payload))

    def log(self, level: str, trace: list[str], payload: list[str]) -> tuple[str, list[str], list[str]]:
        """Mask console output."""
        level, trace, payload = super().log(level, trace, payload)
        return level, [self._echo.mask(line) for line in trace], [self._echo.mask(part) for part in payload]

    def _is_echo(self, value: str) -> bool:
        plain = decode_percent(value)
        return bool(self._echo.state.known) and (plain is None or self._echo.repeats(plain))

    def _within(self, payload: bytes | None) -> bytes | None:
        if payload is None or not self._echo.state.known:
            return payload
        return msgspec.json.encode(self._masked(msgspec.json.decode(payload)))

    def _masked(self, value: object) -> object:
        if isinstance(value, str):
            return self._echo.mask(value)
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        return {name: self._masked(item) for name, item in value.items()} if isinstance(value, dict) else value


def echo_masker(masker: Masker, echo: Echo | None) -> Masker:
    """Return the masker of a level for a window."""
    return masker if echo is None or masker.level is Level.CONSERVATIVE else EchoMasker(masker, echo)
