"""The application as visitors of lists meet it, each test with sessions of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from replay.redis_server import Binary
from replay.server import ServeOptions
from tests.e2e_viewer.lists.running import Site

DESKTOP: Final = (1440, 900)
PHONE: Final = (390, 844)
SMALLEST: Final = (360, 640)

AXE: Final = Path(__file__).parent.parent / "vendor" / "axe" / "axe.min.js"
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

ACTION_TIMEOUT_MS: Final = 20_000

IS_NO_NEWS: Final = (
    "An iframe which has both allow-scripts and allow-same-origin",  # its own policy takes away what matters
    "[DOM] ",  # advice about forms
    "Failed to load resource",  # answers that are refusals: tests look at what the page makes of them
)
"""What the browser says about pages that are as they are meant."""


class OpenPage(Protocol):
    """Opens a page in a context (storage, cookies) of its own."""

    def __call__(
        self, url: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False, context: BrowserContext | None = None
    ) -> Page: ...


@pytest.fixture(scope="session")
def open_site(redis_binary: Binary) -> Iterator[Site]:
    """The application without a login."""
    with Site(redis_binary, ServeOptions(login="none", requests_per_second=1_000)) as site:
        yield site


@pytest.fixture
def site(open_site: Site) -> Iterator[Site]:
    """The application without a login, over an empty Redis."""
    open_site.empty()
    yield open_site
    open_site.bring_redis_back()


@pytest.fixture
def samples(site: Site) -> Site:
    """The application without a login, over the shipped recordings."""
    site.fill()
    return site


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open pages; at the end none of them may have failed, complained, or asked another host for anything."""
    expect.set_options(timeout=ACTION_TIMEOUT_MS)
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        url: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False, context: BrowserContext | None = None
    ) -> Page:
        if context is None:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
            )
            contexts.append(context)
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        page = context.new_page()
        origin = "/".join(url.split("/")[:3])
        page.on("console", lambda message: complaints.extend(complaint(message)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend(strays(request.url, origin)))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def complaint(message: ConsoleMessage) -> list[str]:
    is_news = message.type in {"error", "warning"} and not message.text.startswith(IS_NO_NEWS)
    return [f"{message.type}: {message.text}"] if is_news else []


def strays(url: str, origin: str) -> list[str]:
    return [] if url.startswith((f"{origin}/", "data:", "blob:")) else [f"asked for {url}"]


@pytest.fixture(scope="session")
def check_axe() -> Callable[[Page], None]:
    """Judge whether everybody can use a page, by the rules of WCAG 2.2 AA and good practice."""
    source = AXE.read_text("utf-8")

    def check(page: Page) -> None:
        page.evaluate(source)
        found = page.evaluate(
            "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}, iframes: false})", RULES
        )
        told = [(each["id"], each["help"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]
        assert told == []

    return check
