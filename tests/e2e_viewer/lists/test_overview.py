"""The overview: what hurts most, where on the page, and which sessions show it."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from tests.e2e_viewer.lists.conftest import OpenPage
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.lists.test_list import sessions


def overview(site: Site, open_page: OpenPage, query: str = "") -> Page:
    page = open_page(f"{site.origin}/overview{query}")
    expect(page.get_by_role("heading", name="Pages")).to_be_visible()
    return page


def test_pages_and_elements_are_told_by_signals_per_thousand_sessions(samples: Site, open_page: OpenPage) -> None:
    page = overview(samples, open_page)
    found = page.request.get(f"{samples.origin}/api/v1/projects/fjordline-web/overview").json()
    for name in ("Pages", "Elements"):
        region = page.get_by_role("region", name=name)
        texts = region.locator(".rank-value").all_inner_texts()
        told = [each["per_1000_sessions"] for each in found[name.lower()]]
        assert [float(text.replace(",", "")) for text in texts] == [round(value, 1) for value in told[: len(texts)]]
        assert told[0] > 0
    expect(page.get_by_role("region", name="Elements").get_by_role("button").first).to_contain_text("“")


def test_the_worst_page_is_drawn_under_its_clicks(samples: Site, open_page: OpenPage) -> None:
    page = overview(samples, open_page)
    picture = page.get_by_role("region", name="Where on the page")
    picture.get_by_role("button", name="All clicks").click()
    expect(picture.locator(".heat[data-drawn]")).to_be_visible()
    expect(picture.get_by_role("img")).to_be_visible()
    assert page.evaluate(PAINTED) > 0
    replayed = page.frame_locator("iframe.stage-frame").frame_locator("iframe")
    expect(replayed.locator("body")).to_contain_text("Fjordline")


PAINTED = """() => {
  const canvas = document.querySelector(".heat canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let painted = 0;
  for (let at = 3; at < data.length; at += 4) painted += data[at] > 0;
  return painted;
}"""


def test_kinds_of_clicks_and_elements_can_be_chosen_and_shared(samples: Site, open_page: OpenPage) -> None:
    page = overview(samples, open_page)
    element = page.get_by_role("region", name="Elements").get_by_role("button", name="“Use coupon”").first
    element.click()
    expect(element).to_have_attribute("aria-pressed", "true")
    picture = page.get_by_role("region", name="Where on the page")
    expect(picture.get_by_role("heading")).to_contain_text("“Use coupon”")
    expect(picture.get_by_role("button", name="Rage clicks")).to_have_attribute("aria-pressed", "true")
    picture.get_by_role("button", name="All clicks").click()
    expect(picture.locator(".heat-legend")).to_contain_text("All clicks")
    other = overview(samples, open_page, urlsplit(page.url).query and f"?{urlsplit(page.url).query}")
    there = other.get_by_role("region", name="Where on the page")
    expect(there.get_by_role("heading")).to_contain_text("“Use coupon”")
    expect(there.get_by_role("button", name="All clicks")).to_have_attribute("aria-pressed", "true")


def test_the_sessions_behind_it_are_one_link_away(samples: Site, open_page: OpenPage) -> None:
    page = overview(samples, open_page)
    page.get_by_role("region", name="Pages").get_by_role("button", name="/checkout").click()
    page.get_by_role("region", name="Where on the page").get_by_role("link", name="Sessions").click()
    expect(sessions(page)).to_have_count(1)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["page"] == ["http://shop.fjordline.test:8701/checkout"]
    assert len(asked["tag"]) == 1


def test_a_time_without_sessions_says_so(samples: Site, open_page: OpenPage) -> None:
    page = open_page(f"{samples.origin}/overview?project=nobody&range=24h")
    expect(page.get_by_role("heading", name="Nothing hurts here")).to_be_visible()


def test_without_a_project_it_says_so(site: Site, open_page: OpenPage) -> None:
    page = open_page(f"{site.origin}/overview")
    expect(page.get_by_role("heading", name="No sessions yet")).to_be_visible()


def test_a_store_out_of_reach_can_be_tried_again(samples: Site, open_page: OpenPage) -> None:
    samples.lose_redis()
    page = open_page(f"{samples.origin}/overview?project=fjordline-web")
    expect(page.get_by_role("alert")).to_be_visible()
    samples.bring_redis_back()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Pages")).to_be_visible()
