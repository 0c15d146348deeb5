"""Decisions about values, remembered by content.

Real pages repeat themselves: a seat map has ten thousand paths and twenty colours. A decision is made once, kept in a
bounded dictionary, and later costs one look-up. Decisions do not depend on the session, so all sessions share them;
what does depend on it (the replacement of an identifier) is left open as a `Deferred`.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MASK: Final = "***"
"""What masked fields and attributes hold; a constant, so that no length leaks."""

MAX_CACHED_CHARACTERS: Final = 2_000
MAX_CACHED_VALUES: Final = 5_000
MAX_HELD_CHARACTERS: Final = 400_000


class Deferred:
    """A value with names in it that each session replaces by its own tokens.

    `parts` are literal text and names in turn, literal text first and last.
    """

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[str, ...]) -> None:
        self.parts = parts

    def resolve(self, token: Callable[[str], str]) -> str:
        """Put the text together, each name replaced by what `token` makes of it."""
        return "".join([token(part) if odd % 2 else part for odd, part in enumerate(self.parts)])


Decision = str | Deferred | None
"""A value to show, a value with open names, or `None` to drop it."""

Scalar = int | float | bool
ScalarRule = Callable[[Scalar], Scalar | str | None]


def drop_scalar(_value: Scalar) -> None:
    """Drop a number or boolean where only text belongs."""


class Decisions(dict[str, Decision]):
    """One rule and its decisions so far: `decisions[value]` is at most one call of `decide`.

    `scalar` says what to do with numbers and booleans, which are never cached (`1 == True` would mix them up).
    """

    __slots__ = ("_characters", "_decide", "scalar")

    def __init__(self, decide: Callable[[str], Decision], scalar: ScalarRule = drop_scalar) -> None:
        super().__init__()
        self._decide = decide
        self._characters = 0
        self.scalar = scalar

    def __missing__(self, value: str) -> Decision:
        decision = self._decide(value)
        if len(value) <= MAX_CACHED_CHARACTERS:
            self._characters += len(value)
            if len(self) >= MAX_CACHED_VALUES or self._characters > MAX_HELD_CHARACTERS:
                self.clear()
                self._characters = len(value)
            self[value] = decision
        return decision


class SheetCache:
    """Scrubbed style sheets by content, the oldest forgotten first once `max_characters` are held."""

    def __init__(self, decide: Callable[[str], Decision], max_characters: int = 32_000_000) -> None:
        self._decide = decide
        self._max_characters = max_characters
        self._characters = 0
        self._held: OrderedDict[str, Decision] = OrderedDict()

    def __getitem__(self, text: str) -> Decision:
        if text in self._held:
            self._held.move_to_end(text)
            return self._held[text]
        decision = self._decide(text)
        self._held[text] = decision
        # The scrubbed sheet is about as long as the sheet, so twice the key is what an entry costs.
        self._characters += 2 * len(text)
        while self._characters > self._max_characters and self._held:
            forgotten, _ = self._held.popitem(last=False)
            self._characters -= 2 * len(forgotten)
        return decision

    @property
    def characters(self) -> int:
        """How much is held, keys and values."""
        return self._characters
