"""Everybody can use the viewer: by keyboard, with a screen reader, in both colour schemes, on a phone."""

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.e2e_viewer.conftest import Open

TWO_TABS: Final = "e19055cf-d2d7-4e91-a8c9-9d2e23146c87"
ERRORS: Final = "1d7f8b39-259b-492a-aa48-eb21ebc300ca"
AXE: Final = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: Final = {"light": False, "dark": True}
SIZES: Final = {"desktop": (1440, 900), "phone": (390, 844)}


def check_axe(page: Page) -> None:
    """Judge a page by the rules of WCAG 2.2 AA and good practice; what a replayed site looks like is not ours."""
    page.evaluate(AXE.read_text("utf-8"))
    run = "(tags) => axe.run({exclude: ['.stage-frame']}, {runOnly: {type: 'tag', values: tags}, iframes: false})"
    found = page.evaluate(run, RULES)
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]] == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(open_page: Open, look: str, size: str) -> None:
    visit = open_page(f"/s/{ERRORS}", dark=LOOKS[look], size=SIZES[size])
    visit.shown()
    page = visit.page
    expect(page.locator(".moment-details")).to_be_visible()
    check_axe(page)
    for name in ("Summary", "Console", "Network", "About"):
        page.get_by_role("tab", name=name).click()
        expect(page.locator(f"#panel-{name.lower()} .spinner")).to_have_count(0)
        check_axe(page)


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_dialogs_and_menus(open_page: Open, look: str) -> None:
    visit = open_page(f"/s/{TWO_TABS}", dark=LOOKS[look])
    visit.shown()
    page = visit.page
    page.keyboard.press("b")
    expect(page.locator(".pane:visible")).to_have_count(2)
    page.get_by_role("button", name="2 tabs").click()
    check_axe(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    check_axe(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("dialog").get_by_label("What")).to_be_visible()
    check_axe(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete session").click()
    check_axe(page)


def test_everything_can_be_reached_by_keyboard(open_page: Open) -> None:
    visit = open_page(f"/s/{TWO_TABS}?t=%2B0")
    visit.shown()
    page = visit.page
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(() => { const e = document.activeElement; return e.ariaLabel || e.textContent })()")
        )
    for name in (
        "Skip to the replay",
        "Share",
        "Place in the session",
        "Play",
        "Next moment",
        "Skip inactivity",
        "Keys",
    ):
        assert any(name in text for text in reached), name
    assert any("Moments" in text for text in reached)
    assert any("Rage click" in text for text in reached)


def test_panels_are_chosen_with_arrow_keys(open_page: Open) -> None:
    visit = open_page(f"/s/{TWO_TABS}?t=%2B10")
    visit.shown()
    page = visit.page
    page.get_by_role("tab", name="Moments").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Summary")).to_be_focused()
    expect(page.locator("#panel-summary")).to_be_visible()
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="About")).to_have_attribute("aria-selected", "true")
    visit.expect_time("0:10")


def test_typing_moves_nothing(open_page: Open) -> None:
    visit = open_page(f"/s/{ERRORS}?t=%2B10")
    visit.shown()
    visit.page.get_by_role("tab", name="Console").click()
    visit.page.get_by_label("Search the console").press_sequentially("np 5 c?")
    visit.expect_time("0:10")
    expect(visit.page.get_by_role("dialog")).to_have_count(0)


def test_the_replayed_page_cannot_be_touched(open_page: Open) -> None:
    visit = open_page(f"/s/{TWO_TABS}?t=%2B10")
    visit.shown()
    frame = visit.page.locator("iframe.stage-frame")
    expect(frame).to_have_attribute("inert", "")
    expect(frame).to_have_attribute("sandbox", "allow-scripts allow-same-origin")
    box = frame.bounding_box()
    assert box is not None
    visit.page.mouse.click(box["x"] + 50, box["y"] + 20)
    assert visit.page.evaluate("document.activeElement === document.body")
