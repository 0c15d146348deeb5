"""What sessions are looked for by, and in which order."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec

from replay.entries import ATTRIBUTES, VALUES, listing_numbers
from schemas.page_paths import page_of
from schemas.session_record import SessionRecord

MAX_TAGS: Final = 20
MAX_LIMIT: Final = 200
"""Sessions of one answer."""

_BIGGEST: Final = 2**53

Text = Annotated[str, msgspec.Meta(max_length=2_048)]
Moment = Annotated[int, msgspec.Meta(ge=-_BIGGEST, le=_BIGGEST)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=_BIGGEST)]
Score = Annotated[float, msgspec.Meta(ge=0, le=100)]

Sort = Literal["time", "score", "duration"]

PRIVATE: Final = ("user", "q")
"""Filters that may name a person: they are not saved."""


class SessionFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be true of a session: all that is given here; what is empty or `None` does not matter.

    The names in a query are those of the fields, but `tag` (may be repeated: all of them), `from` and `to`. Times are
    epoch ms of the start, the first included, the second not; other bounds are included. `page` is a URL (its query
    and fragment do not matter) or a folded one (`https://shop.example/product/*`); `user` a user id or anonymous id;
    `error` the fingerprint of a script error.

    `q` is a user id, an anonymous id or the start of a session id; if no session is found so, or it has a slash in it,
    it is a part of the address of a page.
    """

    tags: Annotated[tuple[Text, ...], msgspec.Meta(max_length=MAX_TAGS)] = msgspec.field(default=(), name="tag")
    min_score: Score | None = None
    max_score: Score | None = None
    from_ms: Moment | None = msgspec.field(default=None, name="from")
    to_ms: Moment | None = msgspec.field(default=None, name="to")
    page: Text = ""
    user: Text = ""
    device: Text = ""
    release: Text = ""
    country: Text = ""
    error: Text = ""
    min_duration_ms: Amount | None = None
    max_duration_ms: Amount | None = None
    status: Literal["", "open", "ended"] = ""
    q: Annotated[str, msgspec.Meta(max_length=300)] = ""

    def values(self) -> list[tuple[str, str]]:
        """Name the listings of values a session has to be in: kind and value."""
        one = (("page", page_of(self.page)), ("user", self.user), ("error", self.error))
        attributes = ((name, str(getattr(self, name))) for name in ATTRIBUTES)
        return [
            *(("tag", tag) for tag in dict.fromkeys(self.tags) if tag),
            *((by, value) for by, value in (*one, *attributes) if value),
        ]

    def ranges(self) -> dict[str, tuple[float | None, float | None]]:
        """Give the bounds of numbers, lowest and highest, both included, by listing; those that are bounded."""
        status = {"": None, "open": 1, "ended": 0}[self.status]
        ranges: dict[str, tuple[float | None, float | None]] = {
            "time": (self.from_ms, None if self.to_ms is None else self.to_ms - 1),
            "score": (self.min_score, self.max_score),
            "duration": (self.min_duration_ms, self.max_duration_ms),
            "status": (status, status),
        }
        return {name: bounds for name, bounds in ranges.items() if bounds != (None, None)}

    def matcher(self) -> Callable[[SessionRecord], bool]:
        """Make what says whether all but `q` is true of a record: listings may be a little behind or ahead of it."""
        ranges, values = list(self.ranges().items()), [(VALUES[by], value) for by, value in self.values()]

        def matches(record: SessionRecord) -> bool:
            numbers = listing_numbers(record) if ranges else {}
            return all(
                (low is None or numbers[name] >= low) and (high is None or numbers[name] <= high)
                for name, (low, high) in ranges
            ) and all(value in values_of(record) for values_of, value in values)

        return matches

    def digest(self, project_id: str, sort: str) -> str:
        """Make a short text that is another one for other sessions, or another order."""
        text = msgspec.json.encode((project_id, sort, self))
        return hashlib.blake2b(text, digest_size=6).hexdigest()
