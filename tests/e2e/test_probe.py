"""The probe finds what it looks for: each test replays a recording with one known fault, or none."""

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.browser import Browser, BrowserGoneError, Run
from tests.e2e.comparison import Finding, compare
from tests.e2e.recordings import plan

VENDOR = Path(__file__).parent / "vendor/rrweb"
T0 = 1_700_000_000_000

Json = dict[str, Any]


def element(node_id: int, tag: str, *children: Json, **attributes: Any) -> Json:
    return {"type": 2, "id": node_id, "tagName": tag, "attributes": attributes, "childNodes": list(children)}


def text(node_id: int, content: str) -> Json:
    return {"type": 3, "id": node_id, "textContent": content}


def page(at_ms: int, *body: Json, css: str = "p{color:red}") -> list[Json]:
    head = element(3, "head", element(4, "style", text(5, ""), _cssText=css))
    html = element(2, "html", head, element(6, "body", *body))
    snapshot = {"node": {"type": 0, "id": 1, "childNodes": [html]}, "initialOffset": {"top": 0, "left": 0}}
    meta = {"href": "https://a.example/", "width": 800, "height": 600}
    return [
        {"type": 4, "timestamp": T0 + at_ms, "data": meta},
        {"type": 2, "timestamp": T0 + at_ms + 1, "data": snapshot},
    ]


def mutation(at_ms: int, **lists: list[Json]) -> Json:
    data = {"source": 0, "texts": [], "attributes": [], "removes": [], "adds": []} | lists
    return {"type": 3, "timestamp": T0 + at_ms, "data": data}


def scroll(at_ms: int) -> Json:
    return {"type": 3, "timestamp": T0 + at_ms, "data": {"source": 3, "id": 1, "x": 0, "y": 0}}


def raw(events: Sequence[Json]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(event)) for event in events]


def replay(browser: Browser, events: Sequence[Json], like: Sequence[Json] | None = None) -> list[Run]:
    return browser.replay(raw(events), plan(raw(like or events)))


def worse(browser: Browser, original: Sequence[Json], masked: Sequence[Json]) -> list[Finding]:
    return compare(replay(browser, original), replay(browser, masked, original))


GOOD = [*page(0, element(10, "p", text(11, "Hello"))), scroll(100), scroll(200)]
UNKNOWN = mutation(150, attributes=[{"id": 99, "attributes": {"class": "x"}}])


def test_the_vendored_files_are_those_the_readme_names() -> None:
    readme = (VENDOR / "README.md").read_text()
    named = dict(re.findall(r"^\| `([\w.]+)` \| .* \| `([0-9a-f]{64})` \|$", readme, re.MULTILINE))

    assert set(named) == {"rrweb.umd.min.cjs", "style.min.css"}
    for name, expected in named.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == expected, name


def test_a_sound_recording_is_replayed_without_a_word(browser: Browser) -> None:
    seeking, playing = replay(browser, GOOD)

    assert (seeking.kind, playing.kind) == ("seeking", "playing")
    assert seeking.messages == playing.messages == []
    for run in (seeking, playing):
        assert [(each.id, each.tag, each.parent) for each in run.looks[-1].elements] == [
            (2, "html", 1),
            (3, "head", 2),
            (4, "style", 3),
            (6, "body", 2),
            (10, "p", 6),
        ]
        assert run.looks[-1].text == len("Hello")
        assert [(sheet.owner, sheet.rules, sheet.declarations) for sheet in run.looks[-1].sheets] == [(4, 1, 1)]


def test_a_new_warning_is_found_in_both_runs_and_blamed_on_its_event(browser: Browser) -> None:
    found = worse(browser, GOOD, [*GOOD[:3], UNKNOWN, GOOD[3]])

    assert {(each.kind, each.where, each.event) for each in found} == {
        ("message", "seeking", 3),
        ("message", "playing", 3),
    }
    assert all("Node with id '99' not found" in each.text for each in found)


def test_a_warning_that_was_there_before_is_no_finding(browser: Browser) -> None:
    faulty = [*GOOD[:3], UNKNOWN, GOOD[3]]

    assert worse(browser, faulty, faulty) == []


def test_an_exception_is_found_and_the_page_it_leaves_blank(browser: Browser) -> None:
    broken = [GOOD[0], GOOD[1] | {"data": {"node": None, "initialOffset": {"top": 0, "left": 0}}}, *GOOD[2:]]

    found = worse(browser, GOOD, broken)

    assert any(each.kind == "message" and each.text.startswith("exception: TypeError") for each in found)
    assert {"missing", "blank"} <= {each.kind for each in found}


def test_events_at_the_end_of_every_page_are_applied(browser: Browser) -> None:
    paragraph = element(10, "p", text(11, "Hello"))
    visit = [*page(0, paragraph), UNKNOWN, *page(300, paragraph), scroll(400), *page(500, paragraph), scroll(600)]

    for run in replay(browser, visit):
        assert [message.event for message in run.messages if message.level == "warning"][:1] == [2]


def test_missing_extra_and_moved_elements_are_found(browser: Browser) -> None:
    original = [*page(0, element(10, "p", element(12, "b")), element(13, "i")), scroll(100)]
    changed = [*page(0, element(10, "p"), element(13, "u", element(14, "s"))), scroll(100)]

    found = {(each.kind, each.text) for each in worse(browser, original, changed)}

    assert found == {("missing", "b: 12"), ("extra", "s: 14"), ("moved", "i: 13")}


def test_what_is_below_a_blocked_element_may_be_missing_where_elements_are_blocked(browser: Browser) -> None:
    shown = element(9, "p", text(8, "!"))
    secret = element(
        10, "div", element(12, "b", element(13, "i")), element(14, "style", _cssText="i{color:red}"), id="s"
    )
    original = replay(browser, [*page(0, shown, secret), scroll(9)])
    blocked = replay(browser, [*page(0, shown, element(10, "div", rr_width="9px", rr_height="9px")), scroll(9)])
    emptied = replay(browser, [*page(0, shown, element(10, "div", id="s")), scroll(9)])

    assert compare(original, blocked, blocking=True) == []
    assert {each.kind for each in compare(original, blocked)} == {"missing", "style"}
    assert {each.kind for each in compare(original, emptied, blocking=True)} == {"missing", "style"}


def test_an_element_that_can_no_longer_be_seen_is_found(browser: Browser) -> None:
    original = [*page(0, element(10, "p", text(11, "Hello"))), scroll(100)]
    hidden = [*page(0, element(10, "p", text(11, "Hello")), css="p{color:red;display:none}"), scroll(100)]

    found = {(each.kind, each.text) for each in worse(browser, original, hidden)}

    assert ("hidden", "p: 10") in found


@pytest.mark.parametrize("css", ["", "p{}", "p{color:red}b{}"])
def test_a_changed_number_of_rules_or_declarations_is_found(browser: Browser, css: str) -> None:
    original = [*page(0, element(10, "p", text(11, "Hello"))), scroll(100)]
    changed = [*page(0, element(10, "p", text(11, "Hello")), css=css), scroll(100)]

    assert {each.kind for each in worse(browser, original, changed)} == {"style"}


def test_shadow_roots_and_frames_are_looked_into(browser: Browser) -> None:
    host = element(10, "div", element(11, "p") | {"isShadow": True}) | {"isShadowHost": True}
    inner_html = element(21, "html", element(22, "head"), element(23, "body", text(24, "inner")))
    inner = {"type": 0, "id": 20, "childNodes": [inner_html]}
    frame = mutation(50, adds=[{"parentId": 12, "nextId": None, "node": inner}])
    for run in replay(browser, [*page(0, host, element(12, "iframe")), frame, scroll(100)]):
        assert {11, 21, 23} <= {each.id for each in run.looks[-1].elements}


def test_a_recording_loads_nothing_from_outside_nor_from_our_own_origin(browser: Browser) -> None:
    picture = element(10, "img", src="/picture", style="background:url(/background)")
    frame = element(11, "iframe", src="/frame")
    sheet = element(12, "link", rel="stylesheet", href="/sheet")
    font = "@font-face{font-family:x;src:url(/font)}p{font-family:x}"

    body = [picture, frame, sheet, element(13, "p", text(14, "Hello"))]
    runs = replay(browser, [*page(0, *body, css=font), scroll(100)])

    assert [each.tag for each in runs[0].looks[-1].elements][-4:] == ["img", "iframe", "link", "p"]
    assert browser.strays == []


def test_a_browser_that_does_not_answer_is_given_up() -> None:
    silent = shutil.which("true")
    assert silent
    with Browser(silent, timeout_s=0.2) as gone, pytest.raises(BrowserGoneError, match=r"within 0\.2 s"):
        gone.replay(raw(GOOD), plan(raw(GOOD)))
