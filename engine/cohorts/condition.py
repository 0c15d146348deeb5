"""The condition of a cohort: filters of the list of sessions, read as the list reads them."""

from urllib.parse import parse_qsl

import msgspec

from replay.api.parameters import read_parameters
from replay.errors import Poison
from replay.search.filters import PRIVATE, SessionFilter


def read_condition(text: str) -> SessionFilter:
    """Read filters as they stand in the address of a list. Raises Poison with what is wrong."""
    try:
        items = parse_qsl(text.removeprefix("?"), keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    except ValueError:
        raise Poison("this is no query such as tag=rage_click&min_score=40") from None
    wanted = read_parameters(items, SessionFilter)
    for name in PRIVATE:
        if getattr(wanted, name):
            raise Poison(f"a cohort cannot be made by {name}: it may name a person")
    if not wanted.values() and not wanted.ranges():
        raise Poison("there is no filter: every user would be a member")
    return wanted


def within(wanted: SessionFilter, window_ms: int, now_ms: int) -> SessionFilter:
    """Narrow filters to sessions that began less than `window_ms` before `now_ms` (epoch ms)."""
    earliest = now_ms - window_ms + 1
    from_ms = earliest if wanted.from_ms is None else max(wanted.from_ms, earliest)
    return msgspec.structs.replace(wanted, from_ms=from_ms)
