"""Hostile recordings run nothing and load nothing: through the engine, past it, and past the viewer's own look."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from engine.core.core import Core
from engine.input.files import read_batches
from engine.runtime.recorded import RecordedRun
from engine.runtime.writer import Writer
from engine.settings import Settings
from replay.blocks import encode_block, join_lines
from schemas.signals import Target
from tests.e2e_viewer.conftest import Open, Visit
from tests.e2e_viewer.hostile import PAYLOADS, RELATIVE, Canary, bait, changes, mixed_case, recased, snapshot
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.recordings import Event, Nodes, draft, keyframe, move, mutation, session_record, visits
from tests.replay.samples import T0, signal, write

SETTLE_MS: Final = 1_500
CASES: Final[dict[str, Callable[[str], str]]] = {"as usual": str, "upper": str.upper, "mixed": mixed_case}
SHAPES: Final = {"snapshot": snapshot, "changes": changes}
NO_CLEANING: Final = """
export class Cleaner {
  withheld = 0;
  clean(event) { return typeof event === "object" && event !== null; }
}
"""


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary() as listening:
        yield listening


def store(site: Site, session_id: str, events: Sequence[Event]) -> None:
    """Store events as they are, as if no engine had looked at them."""
    last = move(30_000, 5, 5)
    drafts = [draft([*events, last], is_keyframe=True)]
    site.run(site.store.apply(write(session_id, blocks=drafts, record_of=session_record(session_id, seconds=30))))


def watch(visit: Visit) -> None:
    """Look at it as a visitor may: jump to and fro, then play."""
    visit.shown()
    visit.page.wait_for_timeout(SETTLE_MS)
    for key in ("End", "5", "Home", ">", ">", " "):
        visit.page.keyboard.press(key)
    visit.page.wait_for_timeout(SETTLE_MS)


def is_hurt(page: Page) -> list[str]:
    """Ask every document, and those inside documents that replay, whether script ran in it."""
    read = (
        "() => [window.hurt, ...[...document.querySelectorAll('iframe')].flatMap((frame) => {"
        " try { return [frame.contentWindow.hurt, ...[...frame.contentDocument.querySelectorAll('iframe')]"
        ".map((inner) => inner.contentWindow?.hurt)] } catch { return [] } })].filter(Boolean)"
    )
    found: list[str] = []
    for frame in page.frames:
        # A frame that has gone meanwhile has nothing to tell.
        with contextlib.suppress(Exception):
            found += frame.evaluate(read)
    return found


def answered(visit: Visit) -> list[str]:
    """List the relative addresses of a recording that our own server is asked for, from now on."""
    urls: list[str] = []
    visit.page.on("response", lambda response: urls.append(response.url) if RELATIVE in response.url else None)
    return urls


def assert_harmless(visit: Visit, canary: Canary, responses: Sequence[str]) -> None:
    assert is_hurt(visit.page) == []
    assert canary.sung == []
    assert list(responses) == []
    assert visit.page.url.partition("?")[0].rpartition("/")[2].startswith("hostile"), "it led nowhere"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_no_engine_looked_at_does_nothing(
    site: Site, open_any: Open, canary: Canary, shape: str, case: str
) -> None:
    name = f"hostile-{shape}-{case.replace(' ', '-')}"
    store(site, name, SHAPES[shape](canary.address, CASES[case]))
    visit = open_any(f"/s/{name}")
    responses = answered(visit)
    watch(visit)
    assert_harmless(visit, canary, responses)
    visit.until_replayed("The end of the page was reached")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_policy_alone_is_enough(site: Site, open_any: Open, canary: Canary, shape: str) -> None:
    name = f"hostile-{shape}-uncleaned"
    store(site, name, SHAPES[shape](canary.address, str))
    visit = open_any("/")
    visit.page.route("**/frame/clean.js", lambda route: route.fulfill(body=NO_CLEANING, content_type="text/javascript"))
    visit.page.goto(f"{site.origin}/s/{name}")
    responses = answered(visit)
    watch(visit)
    # Chromium opens connections for hints and frames before it asks any policy. It sends nothing over them, and the
    # viewer's own look takes them away; what counts here is that nothing was asked for.
    canary.sung[:] = [path for path in canary.sung if path != "a connection"]
    assert_harmless(visit, canary, responses)


def test_what_the_engine_masked_does_nothing(site: Site, open_any: Open, canary: Canary, tmp_path: Any) -> None:
    events = [*snapshot(canary.address, mixed_case), *changes(canary.address, str)[2:], move(30_000, 5, 5)]
    batch = {
        "v": 1, "project_id": "shop", "session_id": "hostile-masked", "window_id": "w1", "seq": 0,
        "sent_at": T0 + 30_000, "events": events,
    }  # fmt: skip
    path = tmp_path / "hostile.jsonl"
    path.write_bytes(msgspec.json.encode(batch) + b"\n")
    settings = Settings()

    async def feed() -> None:
        run = RecordedRun(Core(settings), Writer(site.store, "hostile", "tests", keep_state=True), bury=_no_letter)
        await run.run(read_batches([path], settings.limits, run.unreadable))

    site.run(feed())
    assert site.run(site.store.record("hostile-masked")) is not None
    visit = open_any("/s/hostile-masked")
    responses = answered(visit)
    watch(visit)
    assert_harmless(visit, canary, responses)
    visit.until_replayed("The end of the page was reached")


def _no_letter(letter: object) -> None:
    raise AssertionError(letter)


def test_the_payloads_do_harm_where_nothing_stops_them(browser: Browser, canary: Canary) -> None:
    """Otherwise the tests above would prove nothing."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{canary.address}/start")
    canary.sung.clear()
    for name in ("image", "style-url", "script", "onerror", "link-sheet", "media", "frame", "svg-image"):
        nodes = Nodes()
        made = [recased(node, str) for node in PAYLOADS[name](nodes, bait(canary.address, name))]
        page.evaluate(BUILD, made)
    page.wait_for_timeout(SETTLE_MS)
    harmed = {name for name in PAYLOADS if any(f"/{name}" in path for path in canary.sung)}
    assert {"image", "style-url", "script", "onerror", "link-sheet", "media", "frame", "svg-image"} <= harmed
    assert page.evaluate("window.hurt")
    context.close()


BUILD: Final = """
(nodes) => {
  const build = (node, inSvg) => {
    if (node.type === 3) return document.createTextNode(node.textContent);
    const isSvg = Boolean(node.isSVG);
    const space = isSvg ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
    const element = document.createElementNS(space, node.tagName);
    for (const [name, value] of Object.entries(node.attributes)) element.setAttribute(name, value);
    element.append(...node.childNodes.map((child) => build(child, isSvg)));
    return element;
  };
  document.body.append(...nodes.map((node) => build(node, false)));
}
"""

LONE: Final = Nodes(500).element("p")
NONSENSE: Final[dict[str, Sequence[Any]]] = {
    "no data": [{"type": 3, "data": None, "timestamp": T0 + 10}, {"type": 2, "data": {}, "timestamp": T0 + 11}],
    "no node": [{"type": 2, "data": {"node": None}, "timestamp": T0 + 12}],
    "unknown": [{"type": 99, "data": {"x": 1}, "timestamp": T0 + 13}, 7, None, "text", [1]],
    "no time": [{"type": 3, "data": {"source": 0}}],
    "odd changes": [
        {
            "type": 3,
            "data": {"source": 0, "adds": None, "removes": {}, "texts": 3, "attributes": [None]},
            "timestamp": T0 + 14,
        },
        {
            "type": 3,
            "data": {"source": 0, "adds": [{"parentId": 9999, "nextId": None, "node": LONE}]},
            "timestamp": T0 + 15,
        },
        {"type": 3, "data": {"source": 5, "id": 12345}, "timestamp": T0 + 16},
        {"type": 3, "data": {"source": 4}, "timestamp": T0 + 17},
        {"type": 3, "data": {"source": 7, "id": 1, "type": 2, "currentTime": -5}, "timestamp": T0 + 18},
        {"type": 3, "data": {"source": 1, "positions": []}, "timestamp": T0 + 19},
        {"type": 3, "data": {"source": 1}, "timestamp": T0 + 20},
        {"type": 3, "data": {"source": 2, "type": 2, "id": 1}, "timestamp": T0 + 21},
        {"type": 3, "data": {"source": 14, "ranges": [{"start": 1}]}, "timestamp": T0 + 22},
        {"type": 3, "data": {"source": 16, "define": {"name": "no name"}}, "timestamp": T0 + 23},
    ],
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_left_out_and_the_rest_is_shown(site: Site, open_any: Open, name: str) -> None:
    nodes = Nodes()
    title = nodes.text("before")
    events = [*keyframe(0, nodes.page(nodes.element("h1", {}, title))), *NONSENSE[name]]
    after = mutation(5_000, texts=[{"id": title["id"], "value": "the rest of it"}])
    lines = [*events, after, move(30_000, 5, 5)]
    sane = draft([*events[:2], after, move(30_000, 5, 5)], is_keyframe=True)
    odd = msgspec.structs.replace(sane, **_packed(lines))
    session_id = f"hostile-nonsense-{name.replace(' ', '-')}"
    site.run(site.store.apply(write(session_id, blocks=[odd], record_of=session_record(session_id, seconds=30))))
    visit = open_any(f"/s/{session_id}?t=%2B10")
    visit.shown()
    visit.until_replayed("the rest of it")
    visit.page.keyboard.press("Home")
    visit.until_replayed("before")
    for key in (">", ">", ">", " "):
        visit.page.keyboard.press(key)
    visit.until_replayed("the rest of it")


def _packed(lines: Sequence[Any]) -> dict[str, Any]:
    joined = join_lines([msgspec.json.encode(line) for line in lines])
    return {"data": encode_block(joined), "raw_length": len(joined), "events": len(lines)}


ODD_NODES: Final[dict[str, dict[str, Any]]] = {
    "deep": {"depth": 10_000},
    "cdata": {"node": {"type": 4, "textContent": "x", "id": 900}},
    "doctype in the body": {"node": {"type": 1, "name": "a b<", "publicId": 3, "systemId": None, "id": 901}},
    "shadow of an input": {
        "node": Nodes(910).element("input", {}, Nodes(920).element("p", isShadow=True), isShadowHost=True)
    },
    "volume": {
        "node": Nodes(930).element(
            "video", {"rr_mediaVolume": 7, "rr_mediaPlaybackRate": -1, "rr_mediaCurrentTime": 1e300}
        )
    },
    "no children": {"node": {"type": 2, "tagName": "p", "attributes": None, "childNodes": None, "id": 940}},
    "no type": {"node": {"id": 950}},
}


@pytest.mark.parametrize("name", ODD_NODES)
def test_one_odd_node_does_not_end_a_replay(site: Site, open_any: Open, name: str) -> None:
    nodes = Nodes()
    odd = ODD_NODES[name].get("node") or _nested(nodes, ODD_NODES[name]["depth"])
    page = nodes.page(nodes.element("h1", {}, nodes.text("still here")), odd)
    session_id = f"hostile-odd-{name.replace(' ', '-')}"
    drafts = [_draft_of(keyframe(0, page))]
    site.run(site.store.apply(write(session_id, blocks=drafts, record_of=session_record(session_id, seconds=30))))
    visit = open_any(f"/s/{session_id}")
    visit.shown()
    visit.until_replayed("still here")


def _draft_of(events: Sequence[Event]) -> Any:
    # A page that is nested this deeply can only be written with a deeper stack.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        return draft([*events, move(30_000, 5, 5)], is_keyframe=True)
    finally:
        sys.setrecursionlimit(limit)


def _nested(nodes: Nodes, depth: int) -> dict[str, Any]:
    node = nodes.element("b", {}, nodes.text("bottom"))
    for _ in range(depth):
        node = nodes.element("b", {}, node)
    return node


HOSTILE_TEXT: Final = (
    "<img src=x onerror=top.hurt=1>\u202egnp.exe\u2066 \u0000\u001b[31m' \"><script>top.hurt=1</script>"
)


def test_texts_of_a_recording_stay_text(site: Site, open_page: Open) -> None:
    nodes = Nodes()
    drafts = [draft([*keyframe(0, nodes.page(nodes.text("page"))), move(9_000, 1, 1)], is_keyframe=True)]
    hurt = msgspec.structs.replace(
        signal("hurt", session_id="hostile-text"), detector=HOSTILE_TEXT, page=f"javascript:{HOSTILE_TEXT}",
        target=Target(1, HOSTILE_TEXT, HOSTILE_TEXT, HOSTILE_TEXT), rule=HOSTILE_TEXT,
        evidence={HOSTILE_TEXT: HOSTILE_TEXT, "url": HOSTILE_TEXT},
    )  # fmt: skip
    told = session_record(
        "hostile-text", seconds=9, user_id=HOSTILE_TEXT, tags={HOSTILE_TEXT: 2}, score=50.0,
        pages=visits((f"javascript:{HOSTILE_TEXT}", "w1", 0), (f"https://x.test/{HOSTILE_TEXT}", "w1", 10)),
    )  # fmt: skip
    site.run(site.store.apply(write("hostile-text", blocks=drafts, signals=[hurt], record_of=told)))
    visit = open_page("/s/hostile-text")
    visit.shown()
    page = visit.page
    for name in ("Summary", "Console", "Network", "About", "Moments"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(200)
        assert page.locator("main img, main script").count() == 0
    page.get_by_role("button", name="Everything").click()
    page.locator(".moment-head").first.click()
    assert is_hurt(page) == []
    assert page.locator("a[href^='javascript']").count() == 0
    text = page.evaluate("document.body.textContent")
    assert not set(text) & {"\u202e", "\u2066", "\u0000", "\u001b"}


def test_a_player_that_cannot_go_on_says_so(site: Site, open_any: Open) -> None:
    broken = {
        "type": 2,
        "data": {"node": {"type": 0, "childNodes": 7, "id": 1}, "initialOffset": {}},
        "timestamp": T0 + 1,
    }
    size = keyframe(0, Nodes().page())[0]
    store(site, "hostile-broken", [size, broken])
    visit = open_any("/")
    visit.page.route("**/frame/clean.js", lambda route: route.fulfill(body=NO_CLEANING, content_type="text/javascript"))
    visit.page.goto(f"{site.origin}/s/hostile-broken")
    expect(visit.page.get_by_text("This part cannot be shown")).to_be_visible()
    visit.page.get_by_role("tab", name="About").click()
    expect(visit.page.get_by_text("could not be played")).to_be_visible()


def test_a_session_without_pages_says_so(site: Site, open_page: Open) -> None:
    events = [{"kind": "click", "t": T0 + 1_000, "target": {"id": 1, "tag": "button"}}]
    lines = _packed(events)
    sane = msgspec.structs.replace(draft([move(1_000, 1, 1)]), **lines)
    told = session_record("hostile-pageless", seconds=2)
    site.run(site.store.apply(write("hostile-pageless", blocks=[sane], record_of=told)))
    visit = open_page("/s/hostile-pageless")
    expect(visit.page.get_by_text("its events hold no page")).to_be_visible()


def test_only_named_hosts_are_asked_by_replays_of_their_project(site: Site, open_any: Open, canary: Canary) -> None:
    nodes = Nodes()
    body = [nodes.element("img", {"src": f"{canary.address}/{name}.png"}) for name in ("one", "two")]
    head = [nodes.element("script", {"src": f"{canary.address}/never.js"})]
    store(site, "hostile-pictures", keyframe(0, nodes.page(*body, nodes.text("pictures"), head=head)))
    assert site.services is not None
    before = site.services.replay_sources
    # The settings of a running server do not change; those of this one do, for a moment.
    object.__setattr__(site.services, "replay_sources", lambda project: [canary.address] if project == "shop" else [])
    try:
        visit = open_any("/s/hostile-pictures")
        visit.until_replayed("pictures")
        visit.page.wait_for_timeout(SETTLE_MS)
    finally:
        object.__setattr__(site.services, "replay_sources", before)
    assert {path for path in canary.sung if path != "a connection"} == {"/one.png", "/two.png"}
