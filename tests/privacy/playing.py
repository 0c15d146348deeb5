"""Plays recordings in rrweb's own replayer, the one the viewer ships, and looks at what comes of it."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import zstandard
from playwright.sync_api import Browser, Page, Playwright, Route

import replay.viewer
from engine.settings import PrivacySettings, Settings
from tests.e2e.browser import FLAGS, find_chromium
from tests.engine.attack import Attack
from tests.privacy.canaries import Level

SAMPLE: Final = Path(__file__).parents[2] / "engine/samples/fc92b013-7fe0-4b67-a7e4-f02d738f0614.jsonl.zst"
"""A checkout: typed into by a made-up visitor, with a summary that shows it again."""
VENDOR: Final = Path(replay.viewer.__file__).parent / "assets/vendor/rrweb"
ORIGIN: Final = "http://player.test/"
_HTML: Final = """<!doctype html><link rel="stylesheet" href="/replayer.css"><div id="stage"></div>
<style>html, body { margin: 0; overflow: hidden } .replayer-wrapper > iframe { border: 0 }</style>"""
_PLAY: Final = """async ([events, at]) => {
  const { Replayer } = await import("/replayer.js");
  const warnings = [];
  const warn = (...parts) => warnings.push(String(parts[1] ?? parts[0]).slice(0, 80));
  const logger = { log: () => {}, warn };
  const stage = document.getElementById("stage");
  stage.textContent = "";
  const replayer = new Replayer(events, { root: stage, showWarning: true, logger, mouseTail: false });
  replayer.iframe.title = "page";
  for (const t of at) replayer.pause(t);
  await new Promise((done) => setTimeout(done, 500));
  const shown = replayer.iframe.contentDocument;
  const box = (element) => { const { width, height } = element.getBoundingClientRect(); return [width, height]; };
  const controls = [...shown.querySelectorAll("input, textarea, select, button, img, h1, h2")].map(box);
  return { warnings, elements: shown.querySelectorAll("*").length, controls, text: shown.body.innerText };
}"""


class Shown(NamedTuple):
    """What a page looked like: the player's warnings, the number of elements, sizes of controls, its text."""

    warnings: list[str]
    elements: int
    controls: list[list[float]]
    text: str


def original() -> list[Any]:
    """Return the sample's events as they were recorded."""
    batches = [msgspec.json.decode(line) for line in _lines()]
    return [event for batch in sorted(batches, key=lambda batch: int(batch["seq"])) for event in batch["events"]]


def masked(level: Level) -> list[Any]:
    """Return the sample's events as they are published."""
    settings = Settings(privacy=PrivacySettings(level=level, identifier_secret="a secret of sixteen"))
    return Attack(settings).send(*_lines()).finish().published()


def _lines() -> list[bytes]:
    text: bytes = zstandard.ZstdDecompressor().stream_reader(SAMPLE.read_bytes()).read()
    return text.splitlines()


def first_page(events: list[Any]) -> list[Any]:
    """Return the events up to where the visitor leaves the first page."""
    leaves = (place for place, event in enumerate(events) if place and event["type"] == 0)
    return events[: next(leaves, len(events))]


def launch(playwright: Playwright) -> Browser:
    """Start the system's Chromium. Raises NoChromiumError if there is none."""
    flags = [flag for flag in FLAGS if not flag.startswith(("--headless", "--window-size"))]
    return playwright.chromium.launch(executable_path=find_chromium(), args=flags)


def open_player(browser: Browser, width: int = 1280, height: int = 800) -> Page:
    """Open a page with nothing but the player; nothing else can be reached from it."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.route("**/*", _serve)
    page.goto(ORIGIN)
    return page


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(ORIGIN)
    kinds = {"": "text/html", "replayer.js": "text/javascript", "replayer.css": "text/css"}
    if name not in kinds or not route.request.url.startswith(ORIGIN):
        route.abort()
        return
    route.fulfill(body=(VENDOR / name).read_text() if name else _HTML, content_type=kinds[name])


def play(page: Page, events: list[Any], at: list[int]) -> Shown:
    """Play events up to some moments (ms from the first), one after the other, and say what is shown at the last."""
    return Shown(**page.evaluate(_PLAY, [events, at]))
