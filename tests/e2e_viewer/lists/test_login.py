"""Signing in, ending where one wanted to go, and nowhere else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from replay.redis_server import Binary
from replay.server import ServeOptions
from replay.server.access import Scope
from tests.e2e_viewer.lists.conftest import OpenPage
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.lists.test_list import sessions


@pytest.fixture(scope="module")
def guarded(redis_binary: Binary) -> Iterator[Site]:
    """An application with a login."""
    with Site(redis_binary, ServeOptions(requests_per_second=1_000)) as site:
        site.fill()
        yield site


def test_who_is_not_signed_in_comes_back_to_the_list_after(guarded: Site, open_page: OpenPage) -> None:
    page = open_page(f"{guarded.origin}/?project=fjordline-web&tag=rage_click")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    page.keyboard.type(guarded.token(Scope.READ))
    page.keyboard.press("Enter")
    expect(sessions(page)).to_have_count(8)
    assert page.url == f"{guarded.origin}/?project=fjordline-web&tag=rage_click"
    cookies = page.context.cookies()
    assert [(each["httpOnly"], each["sameSite"]) for each in cookies] == [(True, "Strict")]


def test_a_wrong_token_is_told_and_can_be_corrected(guarded: Site, open_page: OpenPage) -> None:
    page = open_page(f"{guarded.origin}/login")
    field = page.get_by_label("Token", exact=True)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Paste a token first")
    field.fill("wince_nobody_nothing")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This token is not valid here")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    page.get_by_role("button", name="Show the token").click()
    expect(field).to_have_attribute("type", "text")
    field.fill(guarded.token(Scope.READ))
    page.keyboard.press("Enter")
    expect(sessions(page).first).to_be_visible()


@pytest.mark.parametrize(
    "evil", ["https://evil.test/", "//evil.test/", "/\\evil.test/", "javascript:alert(1)", "/login"]
)
def test_nobody_is_sent_elsewhere(guarded: Site, open_page: OpenPage, evil: str) -> None:
    page = open_page(f"{guarded.origin}/login?next={evil}")
    page.get_by_label("Token", exact=True).fill(guarded.token(Scope.READ))
    page.keyboard.press("Enter")
    expect(sessions(page).first).to_be_visible()
    assert page.url.startswith(f"{guarded.origin}/?")


def test_a_token_of_one_project_sees_that_project_only(guarded: Site, open_page: OpenPage) -> None:
    page = open_page(f"{guarded.origin}/?project=fjordline-web")
    page.get_by_label("Token", exact=True).fill(guarded.token(Scope.READ, project_id="wayfare-web"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Your token is not for this")
    page.get_by_label("Project").select_option("wayfare-web")
    expect(sessions(page)).to_have_count(1)


def test_who_logs_out_has_to_sign_in_again(guarded: Site, open_page: OpenPage) -> None:
    page = open_page(guarded.origin)
    page.get_by_label("Token", exact=True).fill(guarded.token(Scope.READ))
    page.keyboard.press("Enter")
    expect(sessions(page).first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(guarded.origin)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
