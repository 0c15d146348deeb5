"""`python -m tests.privacy.pictures` draws the pictures of `docs/privacy.md`: a page as it was and as it is masked.

The recording is one of those that come with Wince, the player and the browser are real.
"""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.privacy.canaries import LEVELS
from tests.privacy.playing import first_page, launch, masked, open_player, original, play

FOLDER: Final = Path(__file__).parents[2] / "docs/images"
MOMENT_MS: Final = 33_500
"""The form is filled in and not sent yet."""
CLIP: Final = {"x": 0.0, "y": 0.0, "width": 1280.0, "height": 800.0}


def draw(page: Page, name: str, events: list[object]) -> None:
    """Save what a recording shows at the moment."""
    play(page, events, [MOMENT_MS])
    page.screenshot(path=FOLDER / f"privacy-{name}.png", clip=CLIP)  # type: ignore[arg-type]


def main() -> None:
    """Draw the original and each level."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = open_player(browser)
        draw(page, "original", first_page(original()))
        for level in LEVELS:
            draw(page, level, first_page(masked(level)))
        browser.close()


if __name__ == "__main__":
    main()
