"""All these pages can be used by everybody: small screens, both colour schemes, keyboards, screen readers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e_viewer.lists.conftest import DESKTOP, PHONE, SMALLEST, OpenPage
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.lists.test_list import sessions

CheckAxe = Callable[[Page], None]

PAGES = {
    "list": ("/", ".mark"),
    "filtered": ("/?project=fjordline-web&tag=rage_click&min_score=10", ".chip"),
    "no match": ("/?project=fjordline-web&tag=rage_click&country=XX", ".ways .button"),
    "overview": ("/overview", ".heat[data-drawn], .detail .state"),
    "login": ("/login", "#token"),
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(samples: Site, open_page: OpenPage, check_axe: CheckAxe, name: str, dark: bool) -> None:  # noqa: FBT001
    path, settled = PAGES[name]
    page = open_page(samples.origin + path, dark=dark)
    expect(page.locator(settled).first).to_be_visible()
    check_axe(page)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_the_screen(samples: Site, open_page: OpenPage, name: str) -> None:
    path, settled = PAGES[name]
    page = open_page(samples.origin + path)
    for width, height in (SMALLEST, PHONE, (768, 1024), DESKTOP, (2560, 1440)):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.locator(settled).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_filters_are_in_a_dialog(samples: Site, open_page: OpenPage, check_axe: CheckAxe) -> None:
    page = open_page(samples.origin, size=PHONE)
    expect(sessions(page).first).to_be_visible()
    page.get_by_role("button", name="Filters").click()
    dialog = page.get_by_role("dialog", name="Filters")
    dialog.get_by_role("button", name="Rage click").click()
    expect(dialog.get_by_role("button", name="Rage click")).to_have_attribute("aria-pressed", "true")
    check_axe(page)
    dialog.get_by_role("button", name="Show sessions").click()
    expect(sessions(page)).to_have_count(8)


def test_menus_and_dialogs_are_usable(samples: Site, open_page: OpenPage, check_axe: CheckAxe) -> None:
    page = open_page(samples.origin)
    expect(sessions(page).first).to_be_visible()
    page.get_by_role("button", name="Saved").click()
    check_axe(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More", exact=True).click()
    check_axe(page)
    page.get_by_role("menuitem", name="Delete all of this project…").click()
    expect(page.get_by_label("Type delete 17")).to_be_focused()
    check_axe(page)


def test_colours_can_be_chosen_and_are_remembered(samples: Site, open_page: OpenPage) -> None:
    page = open_page(samples.origin)
    toggle = page.get_by_role("button", name="Colours")
    toggle.click()
    toggle.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
