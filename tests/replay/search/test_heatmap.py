"""Clicks are found where they were on the page, whatever scrolled, and drawn over what was there."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.search.clicks import PageClicks, Span, read_clicks
from replay.search.heatmap import CELLS_MAX, draw, visits_of
from schemas.session_record import PageVisit
from tests.replay.samples import T0, record, signal

ALL = [Span(0, 1 << 60)]


def line(kind: int, t: int, **data: object) -> bytes:
    return msgspec.json.encode({"type": kind, "timestamp": T0 + t, "data": data})


def meta(t: int, width: int = 1_000, height: int = 500, href: str = "https://shop.test/") -> bytes:
    return line(4, t, href=href, width=width, height=height)


def snapshot(t: int, left: float = 0, top: float = 0) -> bytes:
    return line(2, t, node={"type": 0, "id": 1, "childNodes": []}, initialOffset={"left": left, "top": top})


def scroll(t: int, y: float, node_id: int = 1) -> bytes:
    return line(3, t, source=3, id=node_id, x=0, y=y)


def click(t: int, x: float, y: float, node_id: int = 9) -> bytes:
    return line(3, t, source=2, type=2, id=node_id, x=x, y=y)


def read(*lines: bytes, spans: list[Span] | None = None, until_t: int = 1 << 60) -> PageClicks:
    found = PageClicks("s", "w", [])
    read_clicks(found, lines, spans or ALL, until_t)
    return found


def test_clicks_are_found_in_page_coordinates() -> None:
    found = read(
        meta(0), snapshot(1, top=40), click(2, 10, 20), scroll(3, 700), scroll(3, 5_000, node_id=8), click(4, 10.5, 20)
    )
    assert found.points == [(10, 60), (10.5, 720)]
    assert (found.width, found.height, found.bottom, found.shown_t) == (1_000, 500, 1_200, T0 + 4)


def test_only_what_is_meant_is_found() -> None:
    spans = [Span(T0 + 10, T0 + 20), Span(T0 + 30, T0 + 30, node_id=7)]
    lines = [click(9, 1, 1), click(10, 2, 2), click(20, 3, 3), click(30, 4, 4), click(30, 5, 5, node_id=7)]
    assert read(*lines, spans=spans).points == [(2, 2), (3, 3), (5, 5)]
    assert read(*lines, until_t=T0 + 10).points == [(1, 1), (2, 2)]


def test_what_was_seen_of_the_page_before_does_not_matter() -> None:
    found = read(
        meta(0, href="https://shop.test/a"), snapshot(0), scroll(1, 9_000), meta(2, href="https://shop.test/b")
    )
    assert (found.bottom, found.shown_t) == (0, -1)


def test_interaction_events_are_read_too() -> None:
    told = {"kind": "click", "t": T0, "x": 5, "y": 6, "target": {"id": "save", "tag": "button"}}
    assert read(msgspec.json.encode(told), msgspec.json.encode(told | {"page_x": 7, "page_y": 8})).points == [
        (5, 6), (7, 8),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"{", b'{"type":"x"}', click(1, -5, 5), click(1, 1e9, 5), line(3, 1, source=2, type=2, x=None, y=1),
        line(3, 1, source="x"), b"[" * 5_000, b"\xff", line(4, 1, width=1e9, height=5),
    ],
)  # fmt: skip
def test_what_is_no_event_or_lies_nowhere_is_passed_over(text: bytes) -> None:
    assert read(text, click(2, 1, 1)).points == [(1, 1)]


def test_visits_are_of_the_page_until_the_window_goes_on() -> None:
    pages = [("/product/1", "w1", 0), ("/cart", "w2", 1), ("/cart", "w1", 5), ("/product/2?x", "w1", 9)]
    made = record(
        pages=[PageVisit(f"https://shop.test{path}", window, T0 + t) for path, window, t in pages],
        last_event_at=T0 + 20,
    )
    folded = [visit[1:4] for visit in visits_of(made, "https://shop.test/product/*", None)]
    assert folded == [("w1", T0, T0 + 4), ("w1", T0 + 9, T0 + 20)]
    assert [visit[1:4] for visit in visits_of(made, "https://shop.test/cart", None)] == [
        ("w2", T0 + 1, T0 + 20), ("w1", T0 + 5, T0 + 8),
    ]  # fmt: skip
    assert [visit[1:4] for visit in visits_of(made, "https://shop.test/product/2", None)] == [("w1", T0 + 9, T0 + 20)]


def test_signals_choose_visits_and_clicks() -> None:
    made = record(pages=[PageVisit("https://shop.test/cart", "w1", T0)], last_event_at=T0 + 9_000)
    burst = signal(t=1_000)
    dead = msgspec.structs.replace(burst, detector="dead_click", t=T0 + 50, end_t=T0 + 60)
    (visit,) = visits_of(made, "https://shop.test/cart", [burst])
    assert visit.spans == [Span(T0 + 1_000, T0 + 1_500)]
    (visit,) = visits_of(made, "https://shop.test/cart", [dead])
    assert visit.spans == [Span(T0 + 50, T0 + 60, 7)]
    assert list(visits_of(made, "https://shop.test/cart", [])) == []


def visit(width: int, *points: tuple[float, float], name: str = "s", shown_t: int = T0) -> PageClicks:
    return PageClicks(name, "w", list(points), width, 800, 800, shown_t)


def test_it_is_drawn_over_the_width_most_clicks_were_in() -> None:
    visits = [
        visit(1_200, (600, 10), (600, 20), name="wide"),
        visit(1_400, (700, 10), name="wider"),
        visit(390, (30, 30), name="phone"),
        visit(1_200, name="empty"),
        visit(1_200, (1, 1), (2, 2), (3, 3), name="unseen", shown_t=-1),
    ]
    drawn = draw(visits, is_partial=False)
    assert (drawn.session_id, drawn.viewport, drawn.points, drawn.sessions) == ("wide", (1_200, 800), 6, 3)
    middle = drawn.counts[(10 // drawn.cell_px) * drawn.columns + 600 // drawn.cell_px]
    # The click of the wider one is moved to the same place.
    assert middle >= 2
    assert sum(drawn.counts) == 6


def test_without_anything_to_show_it_is_empty() -> None:
    for visits in ([], [visit(1_000, (1, 1), shown_t=-1)], [visit(0, (1, 1))]):
        drawn = draw(visits, is_partial=True)
        assert (drawn.session_id, drawn.points, drawn.counts, drawn.is_partial) == ("", 0, [], True)


@given(
    st.lists(
        st.builds(
            lambda width, points, bottom: PageClicks("s", "w", points, width, 700, bottom, T0),
            st.integers(1, 100_000),
            st.lists(st.tuples(st.floats(0, 100_000), st.floats(0, 100_000)), max_size=20),
            st.floats(0, 200_000),
        ),
        max_size=5,
    )
)
def test_the_grid_holds_every_point_that_is_counted(visits: list[PageClicks]) -> None:
    drawn = draw(visits, is_partial=False)
    assert len(drawn.counts) == drawn.columns * drawn.rows <= 2 * CELLS_MAX + 200_000 // drawn.cell_px
    assert sum(drawn.counts) == drawn.points <= sum(len(each.points) for each in visits)
    assert drawn.columns * drawn.cell_px >= drawn.page_size[0]
    assert drawn.rows * drawn.cell_px >= drawn.page_size[1]
