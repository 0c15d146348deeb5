"""The list while things happen: new sessions are announced, what is shown stays where it is."""

import msgspec
from playwright.sync_api import Page, expect

from tests.e2e_viewer.lists.conftest import OpenPage
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.lists.test_list import IN_FJORDLINE, session, sessions
from tests.replay.samples import T0, record, signal, write

PROJECT = "fjordline-web"
ASKED_WITHIN_MS = 60_000
"""The list asks by itself every twenty seconds; the store is tried a few times before it is given up."""

LATER = 10**9
"""Milliseconds after T0: later than all recordings."""


def arrive(site: Site, session_id: str, *, base: int = 0, signals: int = 1, **changes: object) -> None:
    """Store a session, or more of it, and publish its signals."""
    times = {"started_at": T0 + LATER, "last_event_at": T0 + LATER + 9_000 + base}
    of = record(session_id, project_id=PROJECT, **{**times, "score": 90.0, **changes})
    found = [signal(f"{session_id}-{at}", session_id=session_id, t=LATER + 500 * at) for at in range(signals)]
    found = [msgspec.structs.replace(each, project_id=PROJECT) for each in found]
    stored = write(session_id, base=base, record_of=of, signals=found, project_id=PROJECT)
    assert site.run(site.store.apply(stored)).version == base + 1


def opened(site: Site, open_page: OpenPage, query: str = "") -> Page:
    page = open_page(f"{site.origin}/?project={PROJECT}{query}")
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    expect(page.locator('.connection[title^="New sessions"]')).to_be_visible()
    return page


def test_new_sessions_are_announced_and_shown_when_asked_for(samples: Site, open_page: OpenPage) -> None:
    page = opened(samples, open_page)
    expect(sessions(page)).to_have_count(IN_FJORDLINE)
    before = sessions(page).first.get_attribute("data-session")
    arrive(samples, "new-1")
    pill = page.locator(".new-pill")
    expect(pill).to_have_text("1 new session")
    arrive(samples, "new-2")
    expect(pill).to_have_text("2 new sessions")
    expect(sessions(page).first).to_have_attribute("data-session", before or "")
    expect(sessions(page)).to_have_count(IN_FJORDLINE)
    page.keyboard.press("n")
    expect(sessions(page)).to_have_count(IN_FJORDLINE + 2)
    expect(session(page, "new-1")).to_be_visible()
    expect(pill).to_be_hidden()


def test_only_sessions_that_match_are_announced(samples: Site, open_page: OpenPage) -> None:
    page = opened(samples, open_page, "&tag=rage_click")
    expect(sessions(page)).to_have_count(8)
    arrive(samples, "calm", tags={"dead_click": 1})
    arrive(samples, "angry")
    expect(page.locator(".new-pill")).to_have_text("1 new session")


def test_a_session_under_way_is_marked_and_grows_in_its_place(samples: Site, open_page: OpenPage) -> None:
    arrive(samples, "here", status="open")
    page = opened(samples, open_page)
    expect(session(page, "here").get_by_text("Live")).to_be_visible()
    expect(session(page, "here").locator(".score")).to_have_text("90")
    session(page, "here").locator(".session-link").focus()
    arrive(samples, "here", base=1, signals=3, status="open", score=95.0, tags={"rage_click": 3})
    expect(session(page, "here").locator(".score")).to_have_text("95")
    expect(session(page, "here").get_by_role("button", name="Rage click, 3")).to_be_visible()
    expect(session(page, "here").locator(".session-link")).to_be_focused()
    arrive(samples, "here", base=2, signals=4, status="ended", end_reason="explicit", score=96.0)
    expect(session(page, "here").get_by_text("Live")).to_have_count(0)
    expect(page.locator(".new-pill")).to_be_hidden()


def test_the_first_session_of_an_empty_list_is_announced(samples: Site, open_page: OpenPage) -> None:
    page = opened(samples, open_page, "&release=9.9.9")
    expect(page.get_by_role("heading", name="No session matches")).to_be_visible()
    arrive(samples, "released", attributes={"release": "9.9.9"})
    page.locator(".new-pill").click()
    expect(session(page, "released")).to_be_visible()


def test_a_connection_that_is_gone_is_told_and_made_anew(samples: Site, open_page: OpenPage) -> None:
    page = opened(samples, open_page)
    expect(sessions(page)).to_have_count(IN_FJORDLINE)
    samples.go_down()
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    expect(sessions(page)).to_have_count(IN_FJORDLINE)
    samples.come_back()
    expect(page.locator('.connection[title^="New sessions"]')).to_be_visible()
    arrive(samples, "after-all")
    expect(page.locator(".new-pill")).to_have_text("1 new session")


def test_a_list_that_cannot_be_brought_up_to_date_says_so_and_stays(samples: Site, open_page: OpenPage) -> None:
    page = opened(samples, open_page)
    expect(sessions(page)).to_have_count(IN_FJORDLINE)
    samples.lose_redis()
    expect(page.get_by_text("Reconnecting…")).to_be_visible(timeout=ASKED_WITHIN_MS)
    expect(sessions(page)).to_have_count(IN_FJORDLINE)
    samples.bring_redis_back()
    expect(page.locator('.connection[title^="New sessions"]')).to_be_visible(timeout=ASKED_WITHIN_MS)
