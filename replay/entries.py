"""Under which names a session is listed."""

from typing import Final

from replay.names import encode_name
from schemas.session_record import SessionRecord

MAX_PAGES: Final = 50
"""Pages a session is listed under; the record holds them all."""


def listing_name(by: str, value: str) -> str:
    """Name a listing: `tag:rage_click`, `user:u1`, `page:https%3A%2F%2Fshop%2Etest%2F`, or `time` and `score`."""
    return by if by in {"time", "score"} else f"{by}:{encode_name(value)}"


def page_of(url: str) -> str:
    """Cut query and fragment off a URL: a page is found without them."""
    return url.partition("#")[0].partition("?")[0]


def listing_names(record: SessionRecord) -> list[str]:
    """Name the listings of values a session belongs to: its tags, its users, the first 50 different pages."""
    users = dict.fromkeys(user for user in (record.user_id, record.anonymous_id) if user)
    pages = list(dict.fromkeys(page_of(visit.url) for visit in record.pages))
    return [
        *(listing_name("tag", tag) for tag, count in record.tags.items() if count),
        *(listing_name("user", user) for user in users),
        *(listing_name("page", page) for page in pages[:MAX_PAGES]),
    ]
