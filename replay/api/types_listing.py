"""What the API says of many sessions: lists, counts, projects, saved filters."""

from typing import Annotated

import msgspec

from schemas.session_record import SessionRecord


class SessionsPage(msgspec.Struct, frozen=True):
    """Sessions in the order asked for; `cursor` leads to more, and is empty at the end.

    `total` is how many are listed in all, some of which may be gone, where it is known. With `is_partial` only so many
    were looked at, and there may be more between the last one and the end: go on from the cursor.
    """

    sessions: list[SessionRecord]
    cursor: str
    total: int | None
    is_partial: bool


class Facets(msgspec.Struct, frozen=True):
    """How many of the sessions have what, most frequent first; of `pages`, folded, and of `errors` the first 50.

    `counted` sessions were looked at: all that match or, with `is_partial`, the latest.
    """

    tags: dict[str, int]
    pages: dict[str, int]
    devices: dict[str, int]
    releases: dict[str, int]
    countries: dict[str, int]
    errors: dict[str, int]
    status: dict[str, int]
    counted: int
    is_partial: bool


class ProjectSize(msgspec.Struct, frozen=True):
    """A project, and how many sessions are listed in it."""

    project_id: str
    sessions: int


class ProjectList(msgspec.Struct, frozen=True):
    """The projects a token may see."""

    projects: list[ProjectSize]


class SavedFilter(msgspec.Struct, frozen=True):
    """A filter: what it is called, and the query of the list it stands for. Saved at `created_at` (epoch ms)."""

    id: str
    name: str
    query: str
    created_at: int


class FilterList(msgspec.Struct, frozen=True):
    """The filters saved in a project, by name."""

    filters: list[SavedFilter]


class NewFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A filter to save: a name, and the query of a list of sessions (`tag=rage_click&min_score=50`)."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    query: Annotated[str, msgspec.Meta(max_length=2_000)]
