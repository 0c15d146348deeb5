"""Deleting from the list: what would go is shown, has to be meant, is proven, and is gone."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from replay.redis_server import Binary
from replay.server import ServeOptions
from replay.server.access import Scope
from tests.e2e_viewer.lists.conftest import OpenPage
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.lists.test_list import CHECKOUT, IN_FJORDLINE, session, sessions
from tests.replay.samples import record, write


@pytest.fixture
def guarded(redis_binary: Binary) -> Iterator[Site]:
    """An application with a login."""
    with Site(redis_binary, ServeOptions()) as site:
        site.fill()
        yield site


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token", exact=True).fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(sessions(page).first).to_be_visible()


def test_a_session_is_deleted_after_its_word_was_typed(samples: Site, open_page: OpenPage) -> None:
    page = open_page(samples.origin)
    session(page, CHECKOUT).hover()
    session(page, CHECKOUT).get_by_role("button", name="Delete this session").click()
    dialog = page.get_by_role("dialog", name="Delete this session?")
    expect(dialog).to_contain_text(CHECKOUT)
    yes = dialog.get_by_role("button", name="Delete 1 session")
    expect(yes).to_be_disabled()
    dialog.get_by_label("Type delete 1").fill("delete")
    expect(yes).to_be_disabled()
    dialog.get_by_label("Type delete 1").fill("delete 1")
    yes.click()
    expect(dialog).to_contain_text("nothing of them is left")
    with page.expect_download() as saved:
        dialog.get_by_role("link", name="Save the receipt").click()
    receipt = json.loads(saved.value.path().read_text("utf-8"))
    assert [each["session_id"] for each in receipt["sessions"]] == [CHECKOUT]
    assert receipt["proof"]["left"] == []
    dialog.get_by_role("button", name="Done").click()
    expect(sessions(page)).to_have_count(IN_FJORDLINE - 1)
    expect(session(page, CHECKOUT)).to_have_count(0)
    assert samples.run(samples.store.record(CHECKOUT)) is None


def test_all_that_match_are_deleted_and_nothing_else(samples: Site, open_page: OpenPage) -> None:
    page = open_page(f"{samples.origin}/?project=fjordline-web&tag=rage_click")
    expect(sessions(page)).to_have_count(8)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Delete all that match…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type delete 8").fill("delete 8")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("nothing of them is left")
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", name="No session matches")).to_be_visible()
    page.get_by_role("button", name="Drop Rage click").click()
    expect(sessions(page)).to_have_count(IN_FJORDLINE - 8)


def test_more_than_a_thousand_at_once_are_refused_with_advice(site: Site, open_page: OpenPage) -> None:
    many = [write(f"s{at:04}", record_of=record(f"s{at:04}")) for at in range(1_001)]
    site.run(site.store.apply_many(many))
    page = open_page(site.origin)
    expect(page.get_by_text("1,001 sessions")).to_be_visible()
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Delete all of this project…").click()
    expect(page.get_by_role("alert")).to_contain_text("more than 1,000 sessions")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_count(0)


def test_a_deletion_that_is_called_off_deletes_nothing(samples: Site, open_page: OpenPage) -> None:
    page = open_page(samples.origin)
    session(page, CHECKOUT).get_by_role("button", name="Delete this session").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type delete 1").fill("delete 1")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert samples.run(samples.store.record(CHECKOUT)) is not None


def test_who_may_only_read_is_not_offered_to_delete(guarded: Site, open_page: OpenPage) -> None:
    page = open_page(guarded.origin)
    sign_in(page, guarded.token(Scope.READ))
    expect(sessions(page)).to_have_count(IN_FJORDLINE)
    expect(page.get_by_role("button", name="Delete this session")).to_have_count(0)
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_role("menuitem", name="Keyboard shortcuts")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Delete")).to_have_count(0)


def test_who_may_delete_deletes(guarded: Site, open_page: OpenPage) -> None:
    page = open_page(guarded.origin)
    sign_in(page, guarded.token(Scope.READ, Scope.DELETE, project_id="fjordline-web"))
    session(page, CHECKOUT).get_by_role("button", name="Delete this session").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type delete 1").fill("delete 1")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Done").click()
    expect(sessions(page)).to_have_count(IN_FJORDLINE - 1)
