"""What the list shows when there is nothing to show, and what it tells to do about it."""

from playwright.sync_api import Page, expect

from replay.redis_server import Binary
from replay.redis_store import wall_clock_ms
from replay.server import ServeOptions
from tests.e2e_viewer.lists.conftest import OpenPage
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.lists.test_list import IN_FJORDLINE, sessions
from tests.replay.samples import record, write


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", name=text)).to_be_visible()


class Clock:
    """The server's clock: stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ms = wall_clock_ms()

    def __call__(self) -> int:
        return self.now_ms


def test_without_a_project_it_says_how_to_get_sessions_and_shows_the_first(site: Site, open_page: OpenPage) -> None:
    page = open_page(site.origin)
    heading(page, "No sessions yet")
    expect(page.get_by_text("wince worker")).to_be_visible()
    site.run(site.store.apply(write("first", record_of=record("first"))))
    expect(sessions(page)).to_have_count(1)


def test_a_project_without_sessions_is_no_error(samples: Site, open_page: OpenPage) -> None:
    page = open_page(f"{samples.origin}/?project=nobody")
    heading(page, "This project has no sessions")
    expect(page.get_by_label("Project")).to_have_value("nobody")


def test_no_match_tells_which_filter_to_drop_and_what_that_brings(samples: Site, open_page: OpenPage) -> None:
    page = open_page(f"{samples.origin}/?project=fjordline-web&tag=rage_click&tag=error_click&status=open")
    heading(page, "No session matches")
    drop = page.locator(".ways").get_by_role("button")
    expect(drop.filter(has_text="Drop Live now")).to_contain_text("1 session")
    expect(drop.filter(has_text="Drop Rage click")).to_have_count(0)
    drop.filter(has_text="Drop Live now").click()
    expect(sessions(page)).to_have_count(1)


def test_all_filters_can_be_dropped_at_once(samples: Site, open_page: OpenPage) -> None:
    page = open_page(f"{samples.origin}/?project=fjordline-web&tag=rage_click&country=XX")
    page.get_by_role("button", name="Clear all filters").click()
    expect(sessions(page)).to_have_count(IN_FJORDLINE)


def test_a_store_out_of_reach_is_told_and_tried_again_by_itself(samples: Site, open_page: OpenPage) -> None:
    samples.lose_redis()
    page = open_page(f"{samples.origin}/?project=fjordline-web")
    expect(page.get_by_role("alert")).to_contain_text("be reached")
    expect(page.get_by_text("Next try in")).to_be_visible()
    samples.bring_redis_back()
    expect(sessions(page)).to_have_count(IN_FJORDLINE)


def test_too_many_requests_are_waited_out(redis_binary: Binary, open_page: OpenPage) -> None:
    clock = Clock()
    with Site(redis_binary, ServeOptions(login="none", requests_per_second=20), clock) as site:
        site.fill()
        page = open_page(f"{site.origin}/?project=fjordline-web")
        expect(sessions(page)).to_have_count(IN_FJORDLINE)
        while page.request.get(f"{site.origin}/api/v1/projects").ok:
            pass
        page.get_by_role("button", name="Latest").click()
        expect(page.get_by_role("alert")).to_contain_text("Too many requests")
        clock.now_ms += 60_000
        expect(sessions(page)).to_have_count(IN_FJORDLINE)
        page.close()
