"""Makes the pictures of the README from the running application: `python -m tests.e2e_viewer.lists.pictures`."""

import io
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from replay.server import ServeOptions
from tests.e2e.browser import FLAGS, find_chromium
from tests.e2e_viewer.lists.running import Site
from tests.servers.redis_server import find_redis_binary

FOLDER: Final = Path(__file__).parents[3] / "docs" / "images"
SIZE: Final = ViewportSize(width=1280, height=800)
SESSION: Final = "6f0990bd-62b3-4732-a79c-820bea7d675a"


def take(page: Page, name: str) -> None:
    """Save what a page shows, as small as it gets: a picture in a README is fetched by everybody."""
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(FOLDER / f"{name}.png", optimize=True)


def take_all(site: Site, page: Page) -> None:
    """Take the list, a session at its rage click, and the overview."""
    page.goto(site.origin)
    expect(page.locator(".mark").first).to_be_visible()
    page.locator(".mark").nth(3).hover()
    take(page, "list")
    (signal, *_) = [each for each in site.run(site.store.signals(SESSION)) if each.detector == "rage_click"]
    page.goto(f"{site.origin}/s/{SESSION}?t={signal.t + 1_000}")
    expect(page.locator("iframe.stage-frame").first).to_have_attribute("data-shown", "true")
    page.frame_locator("iframe.stage-frame").frame_locator("iframe").get_by_text("Use coupon").wait_for()
    page.wait_for_load_state("networkidle")
    take(page, "viewer")
    page.goto(f"{site.origin}/overview")
    expect(page.locator(".heat[data-drawn]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    take(page, "overview")


def main() -> None:
    """Take all pictures in a browser that moves nothing by itself."""
    with Site(find_redis_binary(), ServeOptions(login="none")) as site, sync_playwright() as playwright:
        site.fill()
        flags = [flag for flag in FLAGS if not flag.startswith(("--headless", "--window-size"))]
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        context = browser.new_context(viewport=SIZE, reduced_motion="reduce", color_scheme="light")
        take_all(site, context.new_page())
        browser.close()


if __name__ == "__main__":
    main()
