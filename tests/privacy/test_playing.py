"""A masked recording plays in rrweb's replayer as the original does: no new warnings, the same elements."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.e2e.browser import NoChromiumError
from tests.privacy.canaries import LEVELS, Level
from tests.privacy.playing import Shown, first_page, launch, masked, open_player, original, play
from tests.servers.required import give_up

MOMENTS_MS = [1_000, 10_000, 25_000, 35_000]
TYPED = ("Oskar Lindqvistsen", "oskar_l@example.org", "5555 5555", "correcthorse")


@pytest.fixture(scope="module")
def player() -> Iterator[Page]:
    # Of this module: while Playwright runs in this thread, no event loop of another test can.
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except NoChromiumError as error:
            give_up("chromium", error)
        yield open_player(browser)
        browser.close()


@pytest.fixture(scope="module")
def before(player: Page) -> Shown:
    return play(player, first_page(original()), MOMENTS_MS)


@pytest.mark.parametrize("level", LEVELS)
def test_a_masked_page_plays_and_looks_like_the_original(level: Level, player: Page, before: Shown) -> None:
    after = play(player, first_page(masked(level)), MOMENTS_MS)
    assert after.warnings == before.warnings
    assert after.elements == before.elements
    assert len(after.controls) == len(before.controls)
    assert ("Summary" in after.text) == ("Card number" in after.text) == (level != "conservative")


def test_the_original_shows_what_was_typed(before: Shown) -> None:
    assert TYPED[0] in before.text
