"""Where it hurts, over HTTP: over stored sessions, bundles and signals as they are."""

import asyncio
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from replay.api.types_overview import Heatmap
from replay.blocks import encode_block, join_lines
from replay.search import heatmap, pain
from replay.server import ServeOptions, Services, create_app
from replay.writes import BlockDraft
from schemas.session_record import PageVisit
from schemas.signals import Signal, Target
from tests.replay.samples import T0, record, write
from tests.replay.search.test_heatmap import click, meta, scroll, snapshot
from tests.replay.server.asking import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOP = "/api/v1/projects/shop"
PRODUCT = "https://shop.test/product/*"


def blocks_of(*lines: bytes) -> list[BlockDraft]:
    text = join_lines(lines)
    return [
        BlockDraft("w1", 0, encode_block(text), len(text), len(lines), T0, T0 + 9_000, keyframe=True),
    ]


def told(session_id: str, detector: str, t: int, page: str, selector: str = "button.pay", node_id: int = 9) -> Signal:
    return Signal(
        id=f"{session_id}-{detector}-{t}", detector=detector, session_id=session_id, window_id="w1", project_id="shop",
        t=T0 + t, end_t=T0 + t + 100, page=page, target=Target(node_id, selector, "button", "Pay"),
        rule=f"wince/{detector}@1", evidence={},
    )  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def app(services: Services) -> ASGIApp:
    """Eight sessions on two pages: of those on products, two rage and one clicks in vain."""
    for number in range(8):
        name, url = (
            f"s{number}",
            f"https://shop.test/product/{number}?q=***" if number < 4 else "https://shop.test/cart",
        )
        signals = [told(name, "rage_click", 1_000, url)] if number < 2 else []
        signals += [told(name, "dead_click", 5_000, url, "a.more", 4)] if number == 2 else []
        signals += [told(name, "rage_click", at, url, "b") for at in range(0, 300, 100)] if number == 7 else []
        made = record(
            name,
            started_at=T0 + number,
            last_event_at=T0 + 9_000,
            pages=[PageVisit(url, "w1", T0)],
            tags={signal.detector: 1 for signal in signals},
        )
        lines = [
            meta(0, width=1_000), snapshot(1), click(1_000, 100, 50), click(1_050, 100, 50), scroll(2_000, 900),
            click(5_000, 300, 10, node_id=4), click(5_050, 500, 10, node_id=5),
        ]  # fmt: skip
        await services.store.apply(write(name, record_of=made, blocks=blocks_of(*lines), signals=signals))
    return create_app(services, ServeOptions(login="none"))


async def give(app: ASGIApp, path: str) -> Any:
    answer = await ask(app, f"{SHOP}/{path}")
    assert answer.status == 200, answer.body
    return answer.json()


async def test_pages_and_elements_are_ranked_by_what_hurts(app: ASGIApp) -> None:
    found = await give(app, "overview")
    assert found["pages"] == [
        {"page": "https://shop.test/cart", "sessions": 4, "signals": {"rage_click": 3}, "per_1000_sessions": 750.0},
        {"page": PRODUCT, "sessions": 4, "signals": {"rage_click": 2, "dead_click": 1}, "per_1000_sessions": 750.0},
    ]
    assert [(each["page"], each["selector"], each["text"], each["signals"]) for each in found["elements"]] == [
        ("https://shop.test/cart", "b", "Pay", {"rage_click": 3}),
        (PRODUCT, "button.pay", "Pay", {"rage_click": 2}),
        (PRODUCT, "a.more", "Pay", {"dead_click": 1}),
    ]
    assert (found["counted"], found["is_partial"]) == (8, False)


async def test_a_range_of_time_is_kept_to(app: ASGIApp) -> None:
    found = await give(app, f"overview?from={T0 + 1}&to={T0 + 3}")
    assert found["counted"] == 2
    assert found["pages"] == [
        {"page": PRODUCT, "sessions": 2, "signals": {"dead_click": 1, "rage_click": 1}, "per_1000_sessions": 1000.0}
    ]
    assert (await give(app, f"overview?from={T0 + 50}"))["pages"] == []
    assert (await give(app, f"overview?from={T0 + 50}&to={T0}"))["counted"] == 0


async def test_many_sessions_are_sampled_evenly(app: ASGIApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pain, "SESSIONS_MAX", 4)
    found = await give(app, "overview")
    assert (found["counted"], found["is_partial"]) == (4, True)
    # Every second one, from the latest on: 7, 5, 3, 1.
    assert {page["page"]: page["sessions"] for page in found["pages"]} == {"https://shop.test/cart": 2, PRODUCT: 2}


async def test_what_was_deleted_does_not_count(app: ASGIApp, services: Services) -> None:
    await services.store.withdraw("s7", "session_deleted")
    found = await give(app, "overview")
    assert found["counted"] == 7
    assert [each["page"] for each in found["pages"]] == [PRODUCT]


def points(found: Any) -> dict[tuple[int, int], int]:
    """Say how many clicks there were in which cell: column and row."""
    columns = found["columns"]
    return {(at % columns, at // columns): count for at, count in enumerate(found["counts"]) if count}


async def test_clicks_are_drawn_over_a_session(app: ASGIApp) -> None:
    found = await give(app, f"heatmap?page={quote(PRODUCT, safe='')}")
    cell = found["cell_px"]
    assert points(found) == {
        (100 // cell, 50 // cell): 8, (300 // cell, 910 // cell): 4, (500 // cell, 910 // cell): 4,
    }  # fmt: skip
    assert (found["points"], found["sessions"], found["is_partial"]) == (16, 4, False)
    assert (found["viewport"], found["page_size"]) == ([1_000, 500], [1_000, 1_400])
    assert (found["session_id"], found["window_id"], found["t"]) == ("s3", "w1", T0 + 5_050)


async def test_only_the_clicks_of_signals_are_drawn(app: ASGIApp) -> None:
    page = quote(PRODUCT, safe="")
    rage = await give(app, f"heatmap?page={page}&kind=rage")
    assert points(rage) == {(100 // rage["cell_px"], 50 // rage["cell_px"]): 4}
    assert (rage["sessions"], rage["session_id"]) == (2, "s1")
    dead = await give(app, f"heatmap?page={page}&kind=dead")
    assert points(dead) == {(300 // dead["cell_px"], 910 // dead["cell_px"]): 1}
    assert dead["t"] == T0 + 5_000
    one = await give(app, f"heatmap?page={quote('https://shop.test/product/1', safe='')}&kind=rage")
    assert (one["sessions"], one["session_id"]) == (1, "s1")


async def test_no_clicks_and_no_page(app: ASGIApp) -> None:
    for query in ("page=nowhere", f"page={quote(PRODUCT, safe='')}&from={T0 + 50}"):
        found = await give(app, f"heatmap?{query}")
        assert (found["session_id"], found["points"], found["counts"]) == ("", 0, [])


async def test_work_is_bounded(app: ASGIApp, monkeypatch: pytest.MonkeyPatch) -> None:
    page = quote(PRODUCT, safe="")
    monkeypatch.setattr(heatmap, "SESSIONS_MAX", 3)
    found = await give(app, f"heatmap?page={page}")
    assert (found["sessions"], found["is_partial"]) == (3, True)
    monkeypatch.setattr(heatmap, "BYTES_MAX", 1_500)
    found = await give(app, f"heatmap?page={page}")
    assert (found["sessions"], found["is_partial"]) == (2, True)
    monkeypatch.setattr(heatmap, "VISIT_BYTES_MAX", 100)
    found = await give(app, f"heatmap?page={page}")
    assert (found["sessions"], found["is_partial"]) == (0, True)


@pytest.mark.parametrize(
    "path", ["heatmap", "heatmap?page=", "heatmap?page=x&kind=hot", "overview?from=x", "overview?page=x"]
)
async def test_wrong_parameters_are_told(app: ASGIApp, path: str) -> None:
    assert (await ask(app, f"{SHOP}/{path}")).status == 400


async def test_damaged_bundles_are_passed_over(app: ASGIApp, services: Services) -> None:
    damaged = msgspec.structs.replace(blocks_of(meta(0))[0], data=b"no frame", first_t=T0 + 8_000, last_t=T0 + 8_001)
    same = record("s3", pages=[PageVisit("https://shop.test/product/3", "w1", T0)], last_event_at=T0 + 9_000)
    await services.store.apply(write("s3", base=1, blocks=[damaged], record_of=same))
    found = await give(app, f"heatmap?page={quote(PRODUCT, safe='')}")
    assert (found["sessions"], found["is_partial"]) == (3, True)


async def test_each_who_asks_gets_one_heatmap_at_a_time(app: ASGIApp, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[int] = []
    usual = heatmap.HeatmapReader.heatmap

    async def watched(*asked: Any) -> Heatmap:
        running.append(1 + (running[-1] if running else 0))
        made = await usual(*asked)
        running.append(running[-1] - 1)
        return made

    monkeypatch.setattr(heatmap.HeatmapReader, "heatmap", watched)
    path = f"{SHOP}/heatmap?page={quote(PRODUCT)}&kind=rage"
    answers = await asyncio.gather(*(ask(app, path) for _ in range(4)))
    assert ({each.status for each in answers}, max(running), len(running)) == ({200}, 1, 8)
