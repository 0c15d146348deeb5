"""Which classes turn the pointer into a hand: the one thing of looks that says "click me" whatever the markup is.

A recording holds no computed styles, but style sheets. Only rules for one class are read (`.card`, `td.owner`,
`.card:hover`), as components and utilities write them; what else would have to be worked out is left alone.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

POINTER: Final = re.compile(r"cursor:\s*pointer\b")
ONE_CLASS: Final = re.compile(r"(?:[a-z][a-z0-9]*)?\.(-?[A-Za-z_][\w-]{0,63})(?::hover)?", re.ASCII)

MAX_POINTER_CLASSES: Final = 512
"""Classes remembered of one page."""

MAX_RULES: Final = 1_000
"""Rules with such a cursor read of one sheet."""

MAX_SELECTOR_CHARACTERS: Final = 1_000
MAX_BODY_CHARACTERS: Final = 4_000
"""Longer selectors and rules are no components' own."""


def pointer_classes(css: str) -> Iterator[str]:
    """Yield the classes to which a style sheet, or one rule of it, gives the cursor `pointer`."""
    read = -1
    for number, found in enumerate(POINTER.finditer(css)):
        if number == MAX_RULES:
            return
        begin = css.rfind("{", max(found.start() - MAX_BODY_CHARACTERS, 0), found.start())
        # A rule that says it again and again is read once: its selectors may be many.
        if begin in {-1, read} or css.find("}", begin, found.start()) >= 0:
            continue
        read = begin
        before = css[max(begin - MAX_SELECTOR_CHARACTERS, 0) : begin]
        selectors = re.split(r"[{};]|\*/", before)[-1]
        for selector in selectors.split(","):
            one = ONE_CLASS.fullmatch(selector.strip())
            if one is not None:
                yield one[1]


def learn(known: dict[str, None], css: str) -> bool:
    """Add the classes of a style sheet, or of one rule of it, while there is room; tell whether any is new."""
    before = len(known)
    if "cursor" in css and before < MAX_POINTER_CLASSES:
        known |= dict.fromkeys(islice(pointer_classes(css), MAX_POINTER_CLASSES - before))
    return len(known) > before
