"""Share links: made in the viewer, watched by strangers, revoked."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e_viewer.conftest import Open
from tests.e2e_viewer.lists.running import Site

TWO_TABS = "e19055cf-d2d7-4e91-a8c9-9d2e23146c87"


def make_link(open_page: Open, what: str) -> str:
    visit = open_page(f"/s/{TWO_TABS}?t=%2B20")
    visit.shown()
    visit.page.get_by_role("button", name="Share").click()
    dialog = visit.page.get_by_role("dialog", name="Share this session")
    dialog.get_by_label("What").select_option(what)
    dialog.get_by_label("For how long").select_option("86400")
    if what == "own":
        dialog.get_by_label("From").fill("0:10")
        dialog.get_by_label("To", exact=True).fill("0:35")
    dialog.get_by_role("button", name="Make link").click()
    link = dialog.get_by_label("The link").input_value()
    expect(dialog.get_by_role("button", name="Revoke").first).to_be_visible()
    return link


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def test_a_stranger_watches_what_was_shared_and_no_more(open_page: Open) -> None:
    link = make_link(open_page, "own")
    visit = open_page(path_of(link))
    visit.shown()
    page = visit.page
    expect(page.locator(".watermark")).to_contain_text("Shared with you until ")
    expect(page.get_by_role("link", name="Sessions")).to_have_count(0)
    expect(page.get_by_role("button", name="Share")).to_have_count(0)
    expect(page.get_by_role("button", name="More")).to_have_count(0)
    expect(page.locator(".time")).to_contain_text("/ 0:25")
    visit.until_replayed("Notify me")
    page.keyboard.press("Home")
    visit.expect_time("0:00")
    page.get_by_role("tab", name="About").click()
    expect(page.locator("#panel-about")).not_to_contain_text("Visitor")
    assert all("/api/v1/sessions/" not in url for url in visit.requests)


def test_a_revoked_link_says_that_it_does_not_work(open_page: Open, open_any: Open) -> None:
    link = make_link(open_page, "all")
    visit = open_page(f"/s/{TWO_TABS}")
    visit.shown()
    visit.page.get_by_role("button", name="Share").click()
    revoke = visit.page.get_by_role("button", name="Revoke")
    expect(revoke.first).to_be_visible()
    while revoke.count():
        before = revoke.count()
        revoke.first.click()
        expect(revoke).to_have_count(before - 1)
    open_any.visits[0].complaints.clear()
    stranger = open_any(path_of(link))
    expect(stranger.page.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    stranger.complaints.clear()


def test_a_wrong_time_is_told(open_page: Open, site: Site) -> None:
    assert site.origin
    visit = open_page(f"/s/{TWO_TABS}")
    visit.shown()
    visit.page.get_by_role("button", name="Share").click()
    dialog = visit.page.get_by_role("dialog", name="Share this session")
    dialog.get_by_label("What").select_option("own")
    dialog.get_by_label("From").fill("ten past")
    dialog.get_by_role("button", name="Make link").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Times are written as 1:23")


def test_a_range_is_exported_as_a_file_that_plays(open_page: Open, tmp_path: Path) -> None:
    visit = open_page(f"/s/{TWO_TABS}?t=%2B30")
    visit.shown()
    visit.page.get_by_role("button", name="More").click()
    visit.page.get_by_role("menuitem", name="Export as HTML").click()
    dialog = visit.page.get_by_role("dialog", name="Export as HTML")
    dialog.get_by_label("What").select_option("around")
    with visit.page.expect_download() as downloading:
        dialog.get_by_role("button", name="Export").click()
    assert downloading.value.suggested_filename == f"{TWO_TABS}.html"
    saved = tmp_path / "session.html"
    downloading.value.save_as(saved)
    assert saved.stat().st_size > 100_000
    assert b"Notify me" in saved.read_bytes()
    expect(visit.page.get_by_text("Exported")).to_be_visible()
