"""The list of sessions as somebody uses it: look, filter, sort, search, share, save, and go on without a mouse."""

import re
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from schemas.session_record import PageVisit
from tests.e2e_viewer.lists.conftest import OpenPage
from tests.e2e_viewer.lists.running import Site
from tests.replay.samples import T0, record, signal, write

CHECKOUT = "1d7f8b39-259b-492a-aa48-eb21ebc300ca"
COUPON = "6f0990bd-62b3-4732-a79c-820bea7d675a"
IN_FJORDLINE = 17


def sessions(page: Page) -> Locator:
    return page.locator("[data-session]")


def session(page: Page, session_id: str) -> Locator:
    return page.locator(f'[data-session="{session_id}"]')


def scores(page: Page) -> list[int]:
    return [int(text) for text in page.locator("[data-session] .score").all_inner_texts()]


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def facet(page: Page, name: str) -> Locator:
    return page.get_by_label("Filters", exact=True).get_by_role("button", name=re.compile(rf"^{name}"))


class TestLooking:
    def test_the_most_painful_session_comes_first_with_what_hurt_and_when(
        self, samples: Site, open_page: OpenPage
    ) -> None:
        page = open_page(samples.origin)
        expect(sessions(page)).to_have_count(IN_FJORDLINE)
        assert scores(page) == sorted(scores(page), reverse=True)
        first = sessions(page).first
        expect(first).to_have_attribute("data-session", CHECKOUT)
        expect(first).to_contain_text("/checkout")
        expect(first).to_contain_text("visitor bd29f924")
        expect(first).to_contain_text("34 s")
        expect(first.get_by_role("button", name="Error click, 2")).to_be_visible()
        expect(first).to_contain_text("on “Place order”")

    def test_a_moment_leads_to_three_seconds_before_it(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        first = sessions(page).first
        expect(first.locator(".mark")).to_have_count(2)
        marks = [mark.get_attribute("href") or "" for mark in first.locator(".mark").all()]
        signals = samples.run(samples.store.signals(CHECKOUT))
        asked = [parse_qs(urlsplit(href).query) for href in marks]
        assert [urlsplit(href).path for href in marks] == [f"/s/{CHECKOUT}"] * 2
        assert int(asked[0]["t"][0]) == signals[0].t - 3_000
        expect(first.locator(".mark").first).to_have_accessible_name(
            re.compile(r"^3 moments from 0:23\.\d on: .*Error click.*“Place order”")
        )

    def test_marks_of_other_moments_do_not_lie_upon_each_other(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        expect(session(page, CHECKOUT).locator(".mark")).to_have_count(2)
        for item in sessions(page).all():
            boxes = [mark.bounding_box() for mark in item.locator(".mark").all()]
            lefts = [box["x"] for box in boxes if box]
            assert all(box and (box["width"], box["height"]) >= (24, 24) for box in boxes)
            assert all(right - left >= 23.5 for left, right in pairwise(lefts))

    def test_a_score_is_explained_when_pointed_at_or_focused_until_escape(
        self, samples: Site, open_page: OpenPage
    ) -> None:
        page = open_page(samples.origin)
        score = session(page, CHECKOUT).locator(".score")
        expect(score).to_have_accessible_name(re.compile(r"Score 34 of 100: .*Error click .2"))
        tip = page.locator(".tip")
        expect(tip).to_be_hidden()
        score.focus()
        expect(tip).to_contain_text(re.compile("Failed request .2"))
        page.keyboard.press("Escape")
        expect(tip).to_be_hidden()
        score.hover()
        expect(tip).to_be_visible()

    def test_the_whole_session_leads_to_its_page(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        session(page, COUPON).click(position={"x": 300, "y": 80})
        page.wait_for_url(f"{samples.origin}/s/{COUPON}")

    def test_another_project_is_one_choice_away(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(f"{samples.origin}/?tag=error_click")
        page.get_by_label("Project").select_option("wayfare-web")
        expect(sessions(page)).to_have_count(1)
        assert query(page) == {"project": ["wayfare-web"]}

    def test_hostile_sessions_are_shown_as_text(self, site: Site, open_page: OpenPage) -> None:
        evil = '<img src=x onerror=alert(1)>"\u202e'
        hostile = record(evil, tags={evil: 1}, user_id=evil, score=99.0)
        odd = signal("s", session_id=evil, t=10)
        site.run(site.store.apply(write(evil, record_of=hostile, signals=[odd])))
        page = open_page(site.origin)
        expect(sessions(page)).to_have_count(1)
        expect(sessions(page)).to_contain_text("<img src=x")
        assert page.locator("img").count() == 0
        assert (
            page.locator(".session-link").get_attribute("href")
            == "/s/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22%E2%80%AE"
        )

    def test_addresses_are_shown_in_the_letters_they_were_written_in(self, site: Site, open_page: OpenPage) -> None:
        pages = [PageVisit("https://x.test/%D7%90%D7%91", "w1", T0), PageVisit("https://x.test/%E0%A4", "w1", T0 + 1)]
        site.run(site.store.apply(write("a", record_of=record("a", pages=pages))))
        page = open_page(site.origin)
        expect(page.locator(".session-link bdi").first).to_have_text("/\u05d0\u05d1")
        expect(page.locator(".session-link bdi").last).to_have_text("/%E0%A4")


class TestChoosing:
    def test_filters_combine_count_and_stand_in_the_address(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        expect(facet(page, "Rage click")).to_contain_text("8")
        facet(page, "Rage click").click()
        expect(sessions(page)).to_have_count(8)
        expect(facet(page, "Rage click")).to_have_attribute("aria-pressed", "true")
        facet(page, "Dead click").click()
        expect(sessions(page)).to_have_count(5)
        page.get_by_role("button", name="Score of 10 or more").click()
        expect(page.get_by_role("group", name="Filters in force").get_by_role("button")).to_have_count(4)
        assert query(page)["tag"] == ["rage_click", "dead_click"]
        assert query(page)["min_score"] == ["10"]

    def test_a_filter_is_taken_away_by_its_chip_by_itself_or_with_all(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(f"{samples.origin}/?project=fjordline-web&tag=rage_click&tag=dead_click&min_score=10")
        expect(sessions(page)).to_have_count(5)
        page.get_by_role("button", name="Remove the filter Dead click").click()
        expect(sessions(page)).to_have_count(8)
        facet(page, "Rage click").click()
        expect(page.get_by_role("button", name="Remove the filter Rage click")).to_have_count(0)
        facet(page, "Script error").click()
        expect(sessions(page)).to_have_count(3)
        page.get_by_role("button", name="Clear all").click()
        expect(sessions(page)).to_have_count(IN_FJORDLINE)

    def test_without_a_mouse_one_chip_after_the_other_can_be_removed(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(f"{samples.origin}/?project=fjordline-web&tag=rage_click&min_score=10")
        chips = page.get_by_role("group", name="Filters in force").get_by_role("button")
        chips.first.focus()
        page.keyboard.press("Enter")
        expect(chips).to_have_count(1)
        expect(chips.first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("searchbox")).to_be_focused()
        expect(sessions(page)).to_have_count(IN_FJORDLINE)

    def test_back_and_forward_go_through_what_was_chosen(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        facet(page, "Rage click").click()
        expect(sessions(page)).to_have_count(8)
        page.get_by_role("button", name="Latest").click()
        expect(page.get_by_role("button", name="Latest")).to_have_attribute("aria-pressed", "true")
        page.go_back()
        expect(page.get_by_role("button", name="Most painful")).to_have_attribute("aria-pressed", "true")
        page.go_back()
        expect(sessions(page)).to_have_count(IN_FJORDLINE)
        page.go_forward()
        expect(sessions(page)).to_have_count(8)

    def test_the_order_can_be_by_time_and_by_duration(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        expect(sessions(page)).to_have_count(IN_FJORDLINE)
        page.get_by_role("button", name="Latest").click()
        expect(sessions(page).first).to_have_attribute("data-session", re.compile("^163e575e"))
        page.get_by_role("button", name="Longest").click()
        expect(sessions(page).first).to_have_attribute("data-session", re.compile("^c7a6d083"))

    def test_a_tag_and_a_user_of_a_session_are_filters(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        session(page, CHECKOUT).get_by_role("button", name=re.compile("^Abandoned form")).click()
        expect(sessions(page)).to_have_count(1)
        page.goto(f"{samples.origin}/?project=fjordline-web&q=u_oskar_l")
        sessions(page).get_by_role("button", name="u_oskar_l").click()
        expect(page.get_by_role("button", name="Remove the filter user: u_oskar_l")).to_be_visible()
        expect(sessions(page)).to_have_count(1)

    def test_search_finds_users_sessions_and_pages(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        search = page.get_by_role("searchbox")
        search.fill("6f0990bd")
        expect(sessions(page)).to_have_count(1)
        search.fill("u_oskar_l")
        expect(sessions(page)).to_have_attribute("data-session", re.compile("^88de9169"))
        search.fill("/checkout")
        expect(sessions(page)).to_have_count(2)
        assert query(page)["q"] == ["/checkout"]
        search.fill("")
        expect(sessions(page)).to_have_count(IN_FJORDLINE)

    def test_errors_are_told_in_words(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        facet(page, "TypeError at").click()
        expect(sessions(page)).to_have_count(1)
        expect(sessions(page)).to_have_attribute("data-session", COUPON)
        expect(page.get_by_role("button", name="Remove the filter error: TypeError at")).to_be_visible()
        assert re.fullmatch("[0-9a-f]{16}", query(page)["error"][0])
        expect(open_page(page.url).get_by_role("button", name="Remove the filter error: TypeError at")).to_be_visible()

    def test_duration_and_time_are_fields(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        page.get_by_label("At least, in seconds").fill("30")
        page.keyboard.press("Enter")
        expect(sessions(page)).to_have_count(4)
        assert query(page)["min_duration_ms"] == ["30000"]
        page.get_by_label("Started").select_option("1h")
        expect(page.get_by_role("button", name="Remove the filter last hour")).to_be_visible()
        page.get_by_label("After").fill("2020-01-01T00:00")
        expect(page.get_by_role("button", name="Remove the filter last hour")).to_have_count(0)
        expect(page.get_by_role("button", name=re.compile("Remove the filter after"))).to_be_visible()

    def test_an_address_is_all_one_has_to_share(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        facet(page, "Rage click").click()
        page.get_by_role("button", name="Longest").click()
        expect(page.get_by_role("button", name="Longest")).to_have_attribute("aria-pressed", "true")
        expect(sessions(page)).to_have_count(8)
        other = open_page(page.url)
        expect(sessions(other)).to_have_count(8)
        expect(other.get_by_role("button", name="Longest")).to_have_attribute("aria-pressed", "true")
        ids = [each.get_attribute("data-session") for each in sessions(page).all()]
        assert [each.get_attribute("data-session") for each in sessions(other).all()] == ids

    def test_what_an_address_says_that_is_no_filter_is_left_out(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(f"{samples.origin}/?project=fjordline-web&min_score=much&status=gone&toString=1&sort=valueOf")
        expect(sessions(page)).to_have_count(IN_FJORDLINE)


class TestSaving:
    def test_a_filter_is_saved_for_everybody_and_deleted_again(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(f"{samples.origin}/?project=fjordline-web&tag=rage_click&sort=time")
        page.get_by_role("button", name="Saved").click()
        page.get_by_label("Name for the filters in force").fill("Rage <b>today</b>")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("link", name="Rage <b>today</b>")).to_be_visible()

        other = open_page(samples.origin)
        expect(sessions(other)).to_have_count(IN_FJORDLINE)
        other.get_by_role("button", name="Saved").click()
        other.get_by_role("link", name="Rage <b>today</b>").click()
        expect(sessions(other)).to_have_count(8)
        assert query(other) == {"project": ["fjordline-web"], "tag": ["rage_click"], "sort": ["time"]}

        other.get_by_role("button", name="Saved").click()
        other.get_by_role("button", name="Delete the saved filter").click()
        expect(other.get_by_text("No filter is saved yet")).to_be_visible()

    def test_a_range_that_moves_with_the_clock_is_saved_as_such(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(f"{samples.origin}/?project=fjordline-web&range=24h")
        page.get_by_role("button", name="Saved").click()
        page.get_by_label("Name for the filters in force").fill("Lately")
        page.keyboard.press("Enter")
        link = page.get_by_role("link", name="Lately")
        expect(link).to_have_attribute("href", re.compile("range=24h"))

    def test_what_names_a_person_is_not_saved_and_the_page_says_why(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(f"{samples.origin}/?project=fjordline-web&user=u_oskar_l")
        page.get_by_role("button", name="Saved").click()
        page.get_by_label("Name for the filters in force").fill("Oskar")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("may name a person")


class TestWithoutAMouse:
    def test_j_and_k_move_enter_watches(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        expect(sessions(page)).to_have_count(IN_FJORDLINE)
        for _ in range(3):
            page.keyboard.press("j")
        page.keyboard.press("k")
        expect(sessions(page).nth(1).locator(".session-link")).to_be_focused()
        expect(sessions(page).nth(1)).to_have_attribute("data-session", COUPON)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{samples.origin}/s/{COUPON}")

    def test_a_slash_goes_to_the_search_where_letters_are_letters(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        expect(sessions(page)).to_have_count(IN_FJORDLINE)
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("jk")
        expect(page.get_by_role("searchbox")).to_have_value("jk")
        page.keyboard.press("Escape")
        expect(page.get_by_role("searchbox")).not_to_be_focused()

    def test_a_question_mark_shows_all_keys(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        expect(sessions(page)).to_have_count(IN_FJORDLINE)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)

    def test_the_focus_stays_where_it_was_when_a_filter_is_chosen(self, samples: Site, open_page: OpenPage) -> None:
        page = open_page(samples.origin)
        facet(page, "Rage click").focus()
        page.keyboard.press("Space")
        expect(sessions(page)).to_have_count(8)
        expect(facet(page, "Rage click")).to_be_focused()


def test_more_sessions_come_when_one_scrolls_down(site: Site, open_page: OpenPage) -> None:
    many = [write(f"s{at:03}", record_of=record(f"s{at:03}", started_at=T0 + at, score=at / 2)) for at in range(120)]
    site.run(site.store.apply_many(many))
    page = open_page(site.origin)
    expect(page.get_by_text("120 sessions")).to_be_visible()
    expect(sessions(page)).to_have_count(50)
    for shown in (100, 120):
        page.mouse.wheel(0, 100_000)
        expect(sessions(page)).to_have_count(shown)
    assert [each.get_attribute("data-session") for each in sessions(page).all()] == [
        f"s{119 - at:03}" for at in range(120)
    ]
    expect(page.get_by_text("All 120 sessions shown")).to_be_visible()
