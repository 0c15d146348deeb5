"""A real Chromium, and a real Wince with the shipped recordings in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Frame, Page, expect, sync_playwright

from replay.redis_server import Binary
from replay.server import ServeOptions
from tests.e2e.browser import FLAGS, NoChromiumError, find_chromium
from tests.e2e_viewer.lists.running import Site
from tests.servers.required import give_up

ACTION_TIMEOUT_MS: Final = 20_000
PLENTY: Final = 100_000
"""Requests a second: a browser under test asks faster than people do."""

IS_NO_NEWS: Final = "An iframe which has both allow-scripts and allow-same-origin"
"""A warning about the frame that replays: what it could do is taken away by its own policy."""


@dataclass(slots=True)
class Visit:
    """A page somebody looks at, and what came of it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def shown(self) -> None:
        """Wait until a moment is shown."""
        expect(self.page.locator("iframe.stage-frame").first).to_have_attribute("data-shown", "true")

    @property
    def time(self) -> str:
        return self.page.locator(".time-now").inner_text()

    def expect_time(self, text: str) -> None:
        expect(self.page.locator(".time-now")).to_have_text(text)

    def frames(self) -> list[Frame]:
        """The documents that replay."""
        return [frame for frame in self.page.frames if "/replay?" in frame.url]

    def replayed_text(self, place: int = 0) -> str:
        """Read the text of the replayed page."""
        read = "() => document.querySelector('.replayer-wrapper iframe')?.contentDocument?.body?.textContent ?? ''"
        text: str = self.frames()[place].evaluate(read)
        return text

    def until_replayed(self, text: str, place: int = 0) -> None:
        """Wait until the replayed page has a text."""
        for _ in range(ACTION_TIMEOUT_MS // 50):
            if len(self.frames()) > place and text in self.replayed_text(place):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{text!r} never showed; there is {self.replayed_text(place)[:500]!r}")


class Open:
    """Opens pages, each for a visitor of its own; `phone` and `dark` say how it looks."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self._site = site
        self.visits: list[Visit] = []

    def __call__(
        self, path: str, *, size: tuple[int, int] = (1440, 900), dark: bool = False, plays: bool = False
    ) -> Visit:
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            # Who wants less motion gets no replay that starts by itself: tests decide what moves.
            reduced_motion="no-preference" if plays else "reduce",
            permissions=["clipboard-read", "clipboard-write"],
            accept_downloads=True,
        )
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        visit = Visit(context.new_page())
        visit.page.on("console", lambda message: visit.complaints.extend(_complaint(message)))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        self.visits.append(visit)
        visit.page.goto(self._site.origin + path)
        return visit


def _complaint(message: ConsoleMessage) -> list[str]:
    is_news = message.type in {"error", "warning"} and not message.text.startswith(IS_NO_NEWS)
    return [f"{message.type}: {message.text}"] if is_news else []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Of one module: while Playwright runs in this thread, no event loop of another test can.
    try:
        path = find_chromium()
    except NoChromiumError as error:
        give_up("chromium", error)
    with sync_playwright() as playwright:
        flags = [flag for flag in FLAGS if not flag.startswith(("--headless", "--window-size"))]
        running = playwright.chromium.launch(executable_path=path, args=flags)
        yield running
        running.close()


@pytest.fixture(scope="session")
def site(redis_binary: Binary) -> Iterator[Site]:
    with Site(redis_binary, ServeOptions(login="none", requests_per_second=PLENTY)) as running:
        running.fill()
        yield running


@pytest.fixture
def open_any(browser: Browser, site: Site) -> Iterator[Open]:
    """Open pages of which nothing is expected."""
    opening = Open(browser, site)
    yield opening
    for visit in opening.visits:
        visit.page.context.close()


@pytest.fixture
def open_page(open_any: Open, site: Site) -> Iterator[Callable[..., Visit]]:
    """Open pages: at the end none of them may have complained, or asked another host for anything."""
    yield open_any
    for visit in open_any.visits:
        assert visit.complaints == []
        assert [url for url in visit.requests if not url.startswith((f"{site.origin}/", "data:", "blob:"))] == []
