"""Under which names a session is listed."""

from collections.abc import Callable, Mapping
from typing import Final

from replay.names import encode_name
from schemas.page_paths import fold_page, page_of
from schemas.session_record import SessionRecord

MAX_PAGES: Final = 50
"""Pages a session is listed under; the record holds them all."""

NUMBERS: Final = ("time", "score", "duration", "status")
"""Listings of all sessions of a project, by a number each."""

CHANGING: Final = ("duration", "status")
"""Those of them that change while a session is under way."""

ATTRIBUTES: Final = ("release", "device", "country")
"""Attributes by which sessions are listed."""


def listing_name(by: str, value: str) -> str:
    """Name a listing: `tag:rage_click`, `user:u1`, `page:https%3A%2F%2Fshop%2Etest%2F`, or one of `NUMBERS`."""
    return by if by in NUMBERS else f"{by}:{encode_name(value)}"


def duration_ms(record: SessionRecord) -> int:
    """Say how long a session has lasted, by its events."""
    return max(0, record.last_event_at - record.started_at)


def listing_numbers(record: SessionRecord) -> Mapping[str, float]:
    """Give the numbers by which a session is listed; `status` is 1 while it is open, then 0."""
    numbers = (record.started_at, record.score, duration_ms(record), int(record.status == "open"))
    return dict(zip(NUMBERS, numbers, strict=True))


def _tags(record: SessionRecord) -> list[str]:
    return [tag for tag, count in record.tags.items() if count]


def _users(record: SessionRecord) -> list[str]:
    return list(dict.fromkeys(user for user in (record.user_id, record.anonymous_id) if user))


def _pages(record: SessionRecord) -> list[str]:
    pages = list(dict.fromkeys(page_of(visit.url) for visit in record.pages))[:MAX_PAGES]
    return list(dict.fromkeys([*pages, *map(fold_page, pages)]))


def _attribute(name: str) -> Callable[[SessionRecord], list[str]]:
    def values(record: SessionRecord) -> list[str]:
        value = record.attributes.get(name)
        return [value] if value else []

    return values


VALUES: Final[Mapping[str, Callable[[SessionRecord], list[str]]]] = {
    "tag": _tags,
    "user": _users,
    "page": _pages,
    **{name: _attribute(name) for name in ATTRIBUTES},
    "error": lambda record: list(record.errors),
}
"""The values by which a session is listed, by kind of listing.

Tags, users, release, device, country, fingerprints of errors; and of the first 50 different pages both the address
without query and fragment, and the page it is folded to (`schemas.page_paths`).
"""


def listing_names(record: SessionRecord) -> list[str]:
    """Name the listings of values a session belongs to; see `VALUES`."""
    return [listing_name(by, value) for by, values in VALUES.items() for value in values(record)]
