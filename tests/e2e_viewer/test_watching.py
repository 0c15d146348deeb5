"""Watching a session: open, land on the bad moment, jump, play, read what happened."""

import re

import msgspec
import pytest
from playwright.sync_api import Page, expect

from replay.store import SessionQuery
from schemas.bundle_index import Hole
from schemas.session_record import SessionRecord
from schemas.signals import Signal
from tests.e2e_viewer.conftest import Open
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.recordings import Nodes, draft, flat, keyframe, move, mutation, session_record, visits
from tests.replay.samples import T0, signal, write

DEAD = "f8d178e8-2457-42e9-9fa1-94703244e7d1"
"""Three dead clicks, at 3, 8 and 15 seconds."""

TWO_TABS = "e19055cf-d2d7-4e91-a8c9-9d2e23146c87"
"""Two tabs; rage and a dead click at 30 seconds."""

ERRORS = "1d7f8b39-259b-492a-aa48-eb21ebc300ca"
"""Script errors and requests."""

PHONE = (390, 844)
SMALLEST = (360, 640)


def signals_of(site: Site, session_id: str) -> list[Signal]:
    return site.run(site.store.signals(session_id))


def clock(site: Site, session_id: str, t: int) -> str:
    index = site.run(site.store.index(session_id))
    assert index is not None
    seconds = max(0, t - min(block.first_t for block in index.blocks)) // 1000
    return f"{seconds // 60}:{seconds % 60:02}"


def every_session(site: Site) -> list[SessionRecord]:
    found = []
    for project_id in ("fjordline-web", "nimbus-travel"):
        found += site.run(site.store.sessions(SessionQuery(project_id, limit=100))).sessions
    return found


def test_it_opens_three_seconds_before_the_worst_moment(site: Site, open_page: Open) -> None:
    visit = open_page(f"/s/{TWO_TABS}")
    visit.shown()
    worst = next(each for each in signals_of(site, TWO_TABS) if each.detector == "rage_click")
    visit.expect_time(clock(site, TWO_TABS, worst.t - 3000))
    visit.until_replayed("Notify me")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("/")


def test_every_sample_is_shown(site: Site, open_page: Open) -> None:
    sessions = every_session(site)
    assert len(sessions) >= 17
    for record in sessions[:18]:
        visit = open_page(f"/s/{record.session_id}")
        visit.shown()
        assert len(visit.replayed_text()) > 50, record.session_id
        visit.page.context.close()


def test_it_starts_by_itself_unless_motion_is_unwanted(open_page: Open) -> None:
    visit = open_page(f"/s/{DEAD}?t=%2B1", plays=True)
    expect(visit.page.get_by_role("button", name="Pause")).to_be_visible()
    expect(visit.page.locator(".time-now")).not_to_have_text("0:01")
    still = open_page(f"/s/{DEAD}?t=%2B1")
    still.shown()
    expect(still.page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_keys(open_page: Open) -> None:
    visit = open_page(f"/s/{DEAD}?t=%2B0")
    visit.shown()
    press, expect_time = visit.page.keyboard.press, visit.expect_time
    press("n")
    expect_time("0:00")
    press("n")
    expect_time("0:05")
    press("n")
    expect_time("0:12")
    press("p")
    expect_time("0:05")
    press("ArrowRight")
    expect_time("0:10")
    press("ArrowLeft")
    expect_time("0:05")
    press("End")
    expect_time("0:19")
    press("n")
    expect(visit.page.get_by_role("status").get_by_text("No moment after this one")).to_be_visible()
    press("5")
    expect_time("0:09")
    press("Home")
    expect_time("0:00")
    press(">")
    expect(visit.page.locator(".speed")).to_have_text("2\u00d7")
    press("<")
    expect(visit.page.locator(".speed")).to_have_text("1\u00d7")
    press("i")
    expect(visit.page.get_by_role("button", name="Skip inactivity")).to_have_attribute("aria-pressed", "false")
    press("?")
    expect(visit.page.get_by_role("dialog", name="Keys")).to_be_visible()
    press("n")
    expect_time("0:00")
    press("Escape")
    press(" ")
    expect(visit.page.get_by_role("button", name="Pause")).to_be_visible()
    press(" ")
    expect(visit.page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_click_on_a_marker_lands_before_it(site: Site, open_page: Open) -> None:
    visit = open_page(f"/s/{DEAD}?t=%2B0")
    visit.shown()
    markers = visit.page.locator(".tl-mark")
    expect(markers).to_have_count(3)
    # The track, which has them drawn anew when its width changes, takes the click.
    markers.nth(1).click(force=True)
    visit.expect_time(clock(site, DEAD, signals_of(site, DEAD)[1].t - 3000))
    expect(visit.page.locator(".moment-details")).to_contain_text("Waited for an answer")


def test_a_click_on_the_bar_goes_there(open_page: Open) -> None:
    visit = open_page(f"/s/{DEAD}?t=%2B0")
    visit.shown()
    box = visit.page.locator(".tl-track").bounding_box()
    assert box is not None
    visit.page.mouse.click(box["x"] + box["width"] * 0.95, box["y"] + box["height"] / 2)
    visit.expect_time("0:18")
    slider = visit.page.get_by_role("slider", name="Place in the session")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"0:18, /"))


def test_a_signal_says_what_happened_by_which_rule(open_page: Open) -> None:
    visit = open_page(f"/s/{TWO_TABS}?t=%2B0")
    visit.shown()
    visit.page.get_by_role("button", name="Rage click").click()
    details = visit.page.locator(".moment-details")
    expect(details).to_contain_text("4 clicks on “Notify me” in")
    expect(details).to_contain_text("4 or more clicks on one control within 4 s that the page did not answer")
    expect(details).to_contain_text("button#btn-notify")
    expect(details).to_contain_text("wince/rage_click@")
    visit.expect_time("0:27")


def test_a_link_to_a_moment_opens_there(open_page: Open) -> None:
    visit = open_page(f"/s/{DEAD}?t=%2B12.5")
    visit.shown()
    visit.expect_time("0:12")
    visit.page.get_by_role("button", name="Copy a link to this moment").click()
    expect(visit.page.get_by_text("Link to this moment copied")).to_be_visible()
    link = visit.page.evaluate("navigator.clipboard.readText()")
    again = open_page(link.partition("127.0.0.1:")[2].partition("/")[2].join(["/", ""]))
    again.shown()
    again.expect_time("0:12")


def test_a_nonsense_moment_is_no_error(open_page: Open) -> None:
    for moment in ("x", "1e999", "-5", "", "99999999999999"):
        visit = open_page(f"/s/{DEAD}?t={moment}&window=none")
        visit.shown()


def test_panels(site: Site, open_page: Open) -> None:
    visit = open_page(f"/s/{ERRORS}")
    visit.shown()
    page = visit.page
    page.get_by_role("tab", name="Console").click()
    expect(page.locator("#panel-console .log-row").first).to_be_visible()
    page.get_by_label("Search the console").fill("no such text")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("tab", name="Network").click()
    rows = page.locator("#panel-network .log-row")
    expect(rows).to_have_count(2)
    rows.last.locator("button").click()
    page.get_by_role("tab", name="About").click()
    about = page.locator("#panel-about")
    expect(about).to_contain_text("masked at level medium")
    expect(about).to_contain_text("It ended with the input.")
    page.get_by_role("tab", name="Summary").click()
    expect(page.locator("#panel-summary h2")).not_to_be_empty()
    page.locator("#panel-summary .sentence").last.click()
    page.get_by_role("tab", name="Moments").click()
    page.get_by_role("button", name="Everything").click()
    expect(page.locator('.moment[data-kind="page"]').first).to_be_visible()
    expect(page.locator('.moment[data-kind="end"]')).to_be_visible()
    expect(page.locator('.moment[data-kind="error"]').first).to_be_visible()
    assert any(entry.detector == "js_error" for entry in signals_of(site, ERRORS))


def test_tabs_side_by_side_and_merged(open_page: Open) -> None:
    visit = open_page(f"/s/{TWO_TABS}?t=%2B2")
    visit.shown()
    page = visit.page
    expect(page.locator(".pane:visible")).to_have_count(1)
    page.keyboard.press("b")
    expect(page.locator(".pane:visible")).to_have_count(2)
    expect(page.get_by_text("This tab was opened at 0:04.")).to_be_visible()
    page.keyboard.press("n")
    visit.until_replayed("Notify me", 1)
    expect(page.locator(".stage-frame:visible")).to_have_count(2)
    page.keyboard.press("b")
    expect(page.locator(".pane:visible")).to_have_count(1)
    page.get_by_role("button", name="2 tabs").click()
    page.get_by_role("menuitemradio", name="Tab 1 only").click()
    expect(page.locator(".pane:visible .pane-caption")).to_contain_text("Tab 1")


def test_merged_tabs_follow_the_visitor(open_page: Open) -> None:
    visit = open_page(f"/s/{TWO_TABS}?t=%2B1")
    visit.shown()
    first = visit.page.locator(".pane:visible .pane-caption").inner_text()
    visit.page.keyboard.press("n")
    expect(visit.page.locator(".pane:visible .pane-caption")).not_to_have_text(first)


def a_long_session(site: Site) -> None:
    """Eight keyframes of different pages, 30 blocks each, one block a second; nothing happens from 100 to 140 s."""
    drafts = []
    for number in range(8):
        nodes = Nodes()
        title = nodes.text(f"page {number} second 0")
        page = nodes.page(nodes.element("h1", {}, title), nodes.element("p", {}, nodes.text("x" * 20_000)))
        start = number * 30
        for second in range(30):
            at = start + second
            say = (
                []
                if 100 <= at < 140
                else [mutation(at * 1000 + 1, texts=[_texts(title, number, second)]), move(at * 1000 + 2, 5, 5)]
            )
            events = flat([keyframe(at * 1000, page, f"https://shop.test/{number}") if second == 0 else [], say])
            if events:
                drafts.append(draft(events, sequence=at, is_keyframe=second == 0))
    pages = visits(*((f"https://shop.test/{number}", "w1", number * 30_000) for number in range(8)))
    hurt = msgspec.structs.replace(signal("middle", session_id="long"), t=T0 + 200_000, end_t=T0 + 201_000)
    site.run(
        site.store.apply(
            write("long", blocks=drafts, signals=[hurt], record_of=session_record("long", seconds=239, pages=pages))
        )
    )


def _texts(title: dict[str, object], number: int, second: int) -> dict[str, object]:
    return {"id": title["id"], "value": f"page {number} second {second}"}


@pytest.fixture(scope="module")
def long_session(site: Site) -> Site:
    a_long_session(site)
    return site


def asked(requests: list[str]) -> list[str]:
    return [url for url in requests if "/events?" in url]


def test_a_moment_in_the_middle_needs_one_request_and_no_full_download(long_session: Site, open_page: Open) -> None:
    assert long_session.origin
    sizes: list[int] = []
    visit = open_page("/s/long")
    visit.shown()
    visit.expect_time("3:17")
    visit.until_replayed("page 6 second 16")
    assert len(asked(visit.requests)) == 1
    response = visit.page.context.request.get(asked(visit.requests)[0], headers={"accept-encoding": "identity"})
    sizes.append(len(response.body()))
    assert sizes[0] < 30_000, "one page of eight, and what changed on it"


def test_seeking_over_keyframes_shows_what_was_there(long_session: Site, open_page: Open) -> None:
    assert long_session.origin
    visit = open_page("/s/long?t=%2B10.5")
    visit.until_replayed("page 0 second 10")
    for key, text in (
        ("5", "page 3 second 9"),
        ("9", "page 7 second 5"),
        ("1", "page 0 second 23"),
        ("Home", "page 0"),
        ("End", "page 7 second 29"),
    ):
        visit.page.keyboard.press(key)
        visit.until_replayed(text)
    visit.page.keyboard.press("Shift+ArrowLeft")
    visit.until_replayed("page 6")
    visit.page.keyboard.press("Shift+ArrowLeft")
    visit.until_replayed("page 5")


def test_playing_streams_what_comes_next(long_session: Site, open_page: Open) -> None:
    assert long_session.origin
    visit = open_page("/s/long?t=%2B26.5")
    visit.shown()
    for _ in range(3):
        visit.page.keyboard.press(">")
    visit.page.keyboard.press(" ")
    visit.until_replayed("page 1")
    visit.until_replayed("page 2")
    later = asked(visit.requests)[1:]
    assert later
    assert all("after=" in url for url in later), "what is held is not asked for again"


def test_inactivity_is_skipped(long_session: Site, open_page: Open) -> None:
    assert long_session.origin
    visit = open_page("/s/long?t=%2B98")
    visit.shown()
    visit.page.keyboard.press(" ")
    expect(visit.page.get_by_text(re.compile(r"Skipped \d+ s without activity"))).to_be_visible()
    expect(visit.page.locator(".time-now")).to_have_text(re.compile(r"2:(0[0-9]|19|2\d)"))


def test_holes_are_shown_with_their_reason(site: Site, open_page: Open) -> None:
    nodes = Nodes()
    page = nodes.page(nodes.element("p", {}, nodes.text("before the hole")))
    drafts = [
        draft(keyframe(0, page), is_keyframe=True),
        draft([move(20_000, 1, 1)], sequence=5),
    ]
    holes = [Hole("w1", "gap", T0 + 4_000, 1, 4), Hole("w1", "max_bytes", T0 + 15_000, events=12)]
    site.run(
        site.store.apply(write("holed", blocks=drafts, holes=holes, record_of=session_record("holed", seconds=20)))
    )
    visit = open_page("/s/holed")
    visit.shown()
    expect(visit.page.locator(".tl-hole")).to_have_count(2)
    visit.page.get_by_role("button", name="Missing part Batches never arrived").click()
    expect(visit.page.locator(".moment-details")).to_contain_text("1 to 4")
    visit.page.get_by_role("tab", name="About").click()
    expect(visit.page.locator("#panel-about")).to_contain_text("Batches never arrived")


def test_a_session_that_is_not_there_says_why(site: Site, open_any: Open) -> None:
    site.run(site.store.note_fate("never-stored", "shop", "not_json", 3, T0))
    visit = open_any("/s/never-stored")
    expect(visit.page.get_by_role("heading", name="There is no such session")).to_be_visible()
    expect(visit.page.get_by_text("The message is no JSON text.")).to_be_visible()


def test_an_empty_session_says_so(site: Site, open_page: Open) -> None:
    site.run(site.store.apply(write("empty", record_of=session_record("empty", seconds=1))))
    visit = open_page("/s/empty")
    expect(visit.page.get_by_role("heading", name="Nothing of this session can be played")).to_be_visible()


def test_a_server_that_fails_says_so_and_can_be_asked_again(open_any: Open) -> None:
    visit = open_any(f"/s/{DEAD}")
    visit.shown()
    visit.page.route("**/events?*", lambda route: route.abort())
    visit.page.keyboard.press("End")
    visit.page.route("**/api/**", lambda route: route.abort())
    visit.page.reload()
    expect(visit.page.get_by_role("alert")).to_contain_text("The server does not answer")
    visit.page.unroute("**/api/**")
    visit.page.unroute("**/events?*")
    visit.page.get_by_role("button", name="Try again").click()
    visit.shown()


def test_deleting_asks_first_and_leaves_nothing(site: Site, open_page: Open) -> None:
    nodes = Nodes()
    drafts = [draft(keyframe(0, nodes.page(nodes.element("p", {}, nodes.text("soon gone")))), is_keyframe=True)]
    site.run(site.store.apply(write("unwanted", blocks=drafts, record_of=session_record("unwanted", seconds=1))))
    visit = open_page("/s/unwanted")
    visit.shown()
    visit.page.get_by_role("button", name="More").click()
    visit.page.get_by_role("menuitem", name="Delete session").click()
    visit.page.get_by_role("button", name="Cancel").click()
    assert site.run(site.store.record("unwanted")) is not None
    visit.page.get_by_role("button", name="More").click()
    visit.page.get_by_role("menuitem", name="Delete session").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Delete session").click()
    expect(visit.page.get_by_role("heading", name="The session was deleted")).to_be_visible()
    assert site.run(site.store.record("unwanted")) is None


def is_as_wide_as_the_screen(page: Page) -> bool:
    fits: bool = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return fits


@pytest.mark.parametrize("size", [SMALLEST, PHONE, (768, 1024), (2560, 1440)], ids=str)
def test_every_size_fits(open_page: Open, size: tuple[int, int]) -> None:
    visit = open_page(f"/s/{TWO_TABS}", size=size)
    visit.shown()
    assert is_as_wide_as_the_screen(visit.page)
    for name in ("Summary", "Console", "Network", "About", "Moments"):
        visit.page.get_by_role("tab", name=name).click()
        assert is_as_wide_as_the_screen(visit.page)
    expect(visit.page.get_by_role("button", name="Next moment")).to_be_in_viewport()
