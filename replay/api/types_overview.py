"""What the API says of where it hurts: pages, elements, places."""

from typing import Annotated, Final, Literal

import msgspec

_BIGGEST: Final = 2**53

Moment = Annotated[int, msgspec.Meta(ge=-_BIGGEST, le=_BIGGEST)]
Kind = Literal["click", "rage", "dead"]


class OverviewQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sessions that started from a moment on and before another (epoch ms)."""

    from_ms: Moment = msgspec.field(default=-_BIGGEST, name="from")
    to_ms: Moment = msgspec.field(default=_BIGGEST, name="to")


class HeatmapQuery(OverviewQuery, frozen=True, kw_only=True):
    """Which page, its address or what that folds to, and which clicks on it."""

    page: Annotated[str, msgspec.Meta(min_length=1, max_length=2_048)]
    kind: Kind = "click"


class PagePain(msgspec.Struct, frozen=True):
    """Signals on a page (folded) by detector, in the `sessions` that were on it."""

    page: str
    sessions: int
    signals: dict[str, int]
    per_1000_sessions: float


class ElementPain(msgspec.Struct, frozen=True):
    """Signals of an element by detector; rates are of the sessions on its page. `text` is its masked label."""

    page: str
    selector: str
    text: str | None
    signals: dict[str, int]
    per_1000_sessions: float


class Overview(msgspec.Struct, frozen=True):
    """The pages and elements that hurt most, worst first, up to 50 each.

    Order is by signals per session, few sessions counting less. `counted` sessions were looked at: all of that time or,
    with `is_partial`, some of them, evenly taken.
    """

    pages: list[PagePain]
    elements: list[ElementPain]
    counted: int
    is_partial: bool


class Heatmap(msgspec.Struct, frozen=True):
    """Where on a page clicks were: `counts` of cells of `cell_px`, row by row, in page coordinates.

    It is drawn over what `session_id` shows in `window_id` at `t` (epoch ms); empty if no session can show the page.
    Clicks of other widths are moved to their place in its width; only those of the same kind of device are counted.
    `points` clicks of `sessions` sessions are in it. With `is_partial` not all sessions were looked at.
    """

    session_id: str
    window_id: str
    t: int
    viewport: tuple[int, int]
    page_size: tuple[int, int]
    cell_px: int
    columns: int
    rows: int
    counts: list[int]
    points: int
    sessions: int
    is_partial: bool
