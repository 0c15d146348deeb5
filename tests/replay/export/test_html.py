"""Exported files, opened from disk in a real Chromium: they play, say of whom and when they are, and load nothing."""

import asyncio
import base64
import gzip
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from replay.directory_store import DirectoryStore
from replay.export import html as module
from replay.export.scripts import player_script
from replay.store import Store, StoreSettings
from schemas.session_record import PageVisit
from tests.e2e_viewer.hostile import Canary, changes, mixed_case
from tests.e2e_viewer.hostile import snapshot as hostile_page
from tests.replay.export.conftest import SAMPLES
from tests.replay.export.recordings import Tree, change, draft, export, meta, put, snapshot
from tests.replay.samples import T0

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = re.compile(rb'<script type="application/gzip" data-window="([0-9]+)">([A-Za-z0-9+/=]*)</script>')


PATIENCE_SECONDS = 60
SETTLE_MS = 500
AXE = Path(__file__).parents[2] / "e2e_viewer" / "vendor" / "axe" / "axe.min.js"


@dataclass
class Opened:
    """A page, and what it did that it should not."""

    page: Page
    requests: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def complain(self, error: str) -> None:
        # A recorded film that may not start by itself is as it should be.
        if "play()" not in error:
            self.complaints.append(error)

    async def seek(self, t: int) -> None:
        await self.page.evaluate("t => winceFilm.seek(t)", t)

    async def until(self, condition: str) -> None:
        """Wait until a condition holds; not by a function of the browser's driver, which takes `eval`."""
        looking = self.page.evaluate(
            f"() => new Promise(done => {{ const look = () => {{ if ({condition}) done(); "
            f"else requestAnimationFrame(look); }}; look(); }})"
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            await looking

    async def replayed(self, expression: str) -> Any:
        """Evaluate in the replayed document."""
        return await self.page.evaluate(f"(() => {{ const d = document.querySelector('#sheet iframe').contentDocument;"
                                        f" return {expression}; }})()")  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module")
async def open_file(browser: Browser) -> AsyncIterator[Any]:
    contexts = []

    async def open_it(path: Path, suffix: str = "") -> Opened:
        context = await browser.new_context(viewport={"width": 1000, "height": 700})
        contexts.append(context)
        opened = Opened(await context.new_page())
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.on("requestfinished", lambda request: opened.loaded.append(request.url))
        opened.page.on("pageerror", lambda error: opened.complain(str(error)))
        opened.page.on("dialog", lambda dialog: opened.complaints.append(f"dialog {dialog.message}"))
        context.on("page", lambda page: opened.complaints.append(f"opened {page.url}"))
        await opened.page.goto(path.as_uri() + suffix)
        await opened.page.wait_for_selector("html[data-ready]", state="attached")
        return opened

    yield open_it
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = DirectoryStore(tmp_path / "store", StoreSettings())
    yield made
    made.discard()


def events_in(file: bytes) -> list[dict[str, Any]]:
    packed = [base64.b64decode(data) for _, data in EVENTS.findall(file)]
    return [json.loads(line) for piece in packed for line in gzip.decompress(piece).splitlines()]


async def test_a_recording_plays_from_disk_and_loads_nothing(samples: Store, open_file: Any, tmp_path: Path) -> None:
    path = tmp_path / "export.html"
    await export(samples, SAMPLES[0], path)
    opened = await open_file(path)
    assert await opened.replayed("d.querySelector('#btn-coupon').textContent") == "Use coupon"
    await opened.page.get_by_role("button", name="Play").click()
    await opened.until("document.querySelector('#seek').valueAsNumber > 300")
    assert await opened.page.locator("#play").text_content() == "Pause"
    mark = await opened.page.locator(".mark").inner_text()
    assert f"fjordline-web · {SAMPLES[0]}" in mark
    assert "2026-11-21 21:17:50 UTC to 2026-11-21 21:17:57 UTC" in mark
    assert (opened.requests, opened.complaints) == ([path.as_uri()], [])


async def test_a_sentence_leads_to_its_moment(samples: Store, open_file: Any, tmp_path: Path) -> None:
    await export(samples, SAMPLES[0], tmp_path / "export.html")
    opened = await open_file(tmp_path / "export.html")
    await opened.page.get_by_role("button", name="5 times in 1.1 s without any answer").click()
    at = await opened.page.locator("#seek").evaluate("seek => seek.valueAsNumber")
    assert 3_400 <= at <= 7_000


async def test_one_tab_is_no_choice(samples: Store, open_file: Any, tmp_path: Path) -> None:
    await export(samples, SAMPLES[1], tmp_path / "export.html")
    opened = await open_file(tmp_path / "export.html")
    assert await opened.page.locator("#tab option").count() == 1
    assert not await opened.page.locator("#tabs").is_visible()


async def test_a_range_begins_where_it_begins_with_what_had_become_of_the_page(
    store: Store, open_file: Any, tmp_path: Path
) -> None:
    tree = Tree()
    label = tree.text("first")
    page = tree.document([], [tree.element("p", {"id": "p"}, label)])
    texts = [change(t, texts=[{"id": label["id"], "value": f"at {t}"}]) for t in (1_000, 4_000, 8_000)]
    moves = [change(2_000, 1, positions=[{"x": 1, "y": 1, "id": 1, "timeOffset": 0}])]
    await put(store, draft([meta(), snapshot(page), *texts[:1], *moves, *texts[1:]]))
    file = await export(store, "a", tmp_path / "export.html", 3_000, 6_000)
    assert [event["timestamp"] - T0 for event in events_in(file)] == [3_000, 3_000, 3_000, 4_000]
    opened = await open_file(tmp_path / "export.html")
    assert await opened.page.locator("#clock").text_content() == "0:00.0 / 0:03.0"
    shown = []
    for t in (0, 900, 1_100, 3_000, 0):
        await opened.seek(t)
        shown.append(await opened.replayed("d.querySelector('#p').textContent"))
    assert shown == ["at 1000", "at 1000", "at 4000", "at 4000", "at 1000"]


async def test_windows_are_told_apart_and_changed_between(store: Store, open_file: Any, tmp_path: Path) -> None:
    drafts = []
    for window in ("w1", "w2"):
        tree = Tree()
        page = tree.document([], [tree.element("p", {"id": "p"}, tree.text(f"page of {window}"))])
        drafts.append(draft([meta(), snapshot(page), change(9_000)], window=window))
    await put(store, *drafts)
    await export(store, "a", tmp_path / "export.html")
    opened = await open_file(tmp_path / "export.html")
    assert await opened.page.locator("#tab option").all_text_contents() == ["1", "2"]
    await opened.page.locator("#tab").select_option(index=1)
    await opened.until(
        "document.querySelector('#sheet iframe')?.contentDocument?.querySelector('#p')?.textContent === 'page of w2'"
    )
    assert opened.complaints == []


async def test_memory_is_bounded_by_pieces(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PIECE_BYTES", 1_000)
    tree = Tree()
    changes = [change(t, texts=[{"id": 3, "value": "x" * 100}]) for t in range(50)]
    await put(store, draft([meta(), snapshot(tree.document([], [tree.text("a")])), *changes]))
    file = await export(store, "a", tmp_path / "export.html")
    pieces = [gzip.decompress(base64.b64decode(data)) for _, data in EVENTS.findall(file)]
    assert len(pieces) > 5
    assert max(map(len, pieces)) < 1_300
    assert len(events_in(file)) == 52


async def test_a_file_that_was_cut_off_says_so(samples: Store, browser: Browser, tmp_path: Path) -> None:
    file = await export(samples, SAMPLES[0], tmp_path / "export.html")
    (tmp_path / "cut.html").write_bytes(file[: len(file) // 2])
    page = await browser.new_page()
    await page.goto((tmp_path / "cut.html").as_uri())
    assert await page.locator("#note").text_content() == "This file is not whole: export it again."
    await page.close()


STRINGS = (
    "</script><script>top.hacked=1</script>",
    "<!--<script>",
    "]]><img src=x onerror=top.hacked=1>",
    "'\"><svg onload=top.hacked=1>",
    "\u202egnp.exe\u2066",
    "${top.hacked=1}{{constructor.constructor('top.hacked=1')()}}",
)


@pytest.mark.parametrize("hostile", STRINGS)
async def test_no_string_breaks_out(hostile: str, store: Store, open_file: Any, tmp_path: Path) -> None:
    tree = Tree()
    page = tree.document(
        [tree.element("style", {}, tree.text(f"p {{ color: red }} /* {hostile} */", isStyle=True))],
        [tree.element("p", {"id": "p", "title": hostile, "class": hostile}, tree.text(hostile))],
    )
    pages = [PageVisit(url=f"https://shop.test/{hostile}", window_id="w1", t=T0)]
    drafts = draft([meta(href=f"https://shop.test/{hostile}"), snapshot(page), change(9_000)])
    await put(store, drafts, session_id=hostile, project_id=hostile, pages=pages, privacy_level=hostile)
    file = await export(store, hostile, tmp_path / "export.html")
    assert "<" not in hostile or hostile.encode() not in file
    opened = await open_file(tmp_path / "export.html")
    assert await opened.replayed("d.querySelector('#p').textContent") == hostile
    assert "Landed on /" in await opened.page.locator("#moments").inner_text()
    assert await opened.page.evaluate("globalThis.hacked") is None
    assert (opened.requests, opened.complaints) == ([(tmp_path / "export.html").as_uri()], [])


SHAPES: dict[str, Callable[[str, Callable[[str], str]], list[dict[str, Any]]]] = {
    "page": hostile_page,
    "changes": changes,
}


async def assert_harmless(opened: Opened, path: Path, canary: Canary) -> None:
    """Look at a file as a visitor may, to and fro and playing, and see that nothing came of it."""
    for t in (10_000, 0, 5_000):
        await opened.seek(t)
    await opened.page.get_by_role("button", name="Play").click()
    await opened.until("document.querySelector('#seek').valueAsNumber > 5_400")
    await opened.page.wait_for_timeout(SETTLE_MS)
    assert "The end of the page was reached" in await opened.replayed("d.body.textContent")
    for frame in opened.page.frames:
        assert not await frame.evaluate("window.hurt")
    assert opened.complaints == []
    assert [sung for sung in canary.sung if sung != "a connection"] == []
    assert {each for each in opened.loaded if not each.startswith(("data:", "blob:"))} == {path.as_uri()}


@pytest.mark.parametrize("case", [str, mixed_case])
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_hostile_recording_runs_nothing_and_loads_nothing(
    store: Store, open_file: Any, canary: Canary, tmp_path: Path, shape: str, case: Callable[[str], str]
) -> None:
    await put(store, draft([*SHAPES[shape](canary.address, case), change(9_000)]))
    await export(store, "a", tmp_path / "export.html")
    await assert_harmless(await open_file(tmp_path / "export.html"), tmp_path / "export.html", canary)
    assert canary.sung == []


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_policy_alone_is_enough_to_keep_script_from_running(
    store: Store, open_file: Any, canary: Canary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    uncleaned = player_script().replace("if (cleaner.clean(event)) ", "")
    assert uncleaned != player_script()
    monkeypatch.setattr(module, "player_script", lambda: uncleaned)
    await put(store, draft([*SHAPES[shape](canary.address, str), change(9_000)]))
    await export(store, "a", tmp_path / "export.html")
    opened = await open_file(tmp_path / "export.html")
    await opened.seek(9_000)
    await opened.page.wait_for_timeout(SETTLE_MS)
    for frame in opened.page.frames:
        assert not await frame.evaluate("window.hurt")
    # Chromium opens connections for hints before it asks any policy, and sends nothing over them.
    assert [sung for sung in canary.sung if sung != "a connection"] == []


async def test_odd_events_are_left_out_and_the_rest_is_played(store: Store, open_file: Any, tmp_path: Path) -> None:
    tree = Tree()
    page = tree.document([], [tree.element("p", {}, tree.text("alive"))])
    body = page["childNodes"][0]["childNodes"][1]["id"]
    last = {"parentId": body, "nextId": None, "node": {"type": 3, "textContent": "end", "id": 5_000}}
    odd = [
        {"type": 3, "data": None, "timestamp": T0 + 2_400},
        change(2_500, removes=[{"parentId": 77_777, "id": 88_888}]),
        change(2_600, adds=[{"parentId": body, "nextId": None, "node": {"type": 99, "id": 6_000}}]),
        change(2_700, 5, id=1, text=None),
    ]
    await put(store, draft([meta(), snapshot(page), *odd, change(3_000, adds=[last])]))
    await export(store, "a", tmp_path / "export.html")
    opened = await open_file(tmp_path / "export.html")
    await opened.seek(9_000)
    assert "aliveend" in await opened.replayed("d.body.textContent")


async def test_what_cannot_be_played_is_said(store: Store, open_file: Any, tmp_path: Path) -> None:
    await put(store, draft([{"type": 2, "data": {"node": 7}, "timestamp": T0}]))
    await export(store, "a", tmp_path / "export.html")
    opened = await open_file(tmp_path / "export.html")
    assert await opened.page.locator("#note").text_content() == "Nothing of this tab can be shown."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1_280, 360])
async def test_everybody_can_use_it(
    samples: Store, browser: Browser, tmp_path: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    await export(samples, SAMPLES[0], tmp_path / "export.html")
    context = await browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
    page = await context.new_page()
    await page.goto((tmp_path / "export.html").as_uri())
    await page.wait_for_selector("html[data-ready]", state="attached")
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate(
        "() => axe.run({exclude: [['#sheet']]}, {iframes: false}).then(all => all.violations.map("
        "each => `${each.id}: ${each.nodes.map(node => node.html).join(' ')}`))"
    )
    assert found == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.keyboard.press("Space")
    assert await page.locator("#play").text_content() == "Pause"
    await context.close()
