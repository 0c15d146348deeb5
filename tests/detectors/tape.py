"""Builds tapes of interactions and plays them to detectors as the engine does."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import msgspec

from detectors.elements import Element
from detectors.interactions import (
    Change,
    Click,
    ElementFocus,
    Failure,
    Input,
    Interaction,
    MouseMove,
    Mutation,
    Navigation,
    PageShown,
    Press,
    Release,
    RequestEnd,
    Scroll,
)
from detectors.protocol import Detector, Finding
from detectors.registry import RULES, make_detectors
from detectors.settings import DetectorSettings, RageClickSettings

PAGE = "https://shop.example/product/1"
DEFAULTS = DetectorSettings()


def without(*names: str) -> DetectorSettings:
    """Give the default settings with some detectors switched off."""
    off = {name: msgspec.structs.replace(getattr(DEFAULTS, name), enabled=False) for name in names}
    return msgspec.structs.replace(DEFAULTS, **off)


ONLY = {name: without(*(other for other in RULES if other != name)) for name in RULES}
"""Settings under which a detector is alone."""


def element(tag: str, node_id: int | str, parent: Element | None = None, text: str = "", **attributes: str) -> Element:
    """Make an element; `_class` and `aria_label` become `class` and `aria-label`."""
    names = {name.strip("_").replace("_", "-"): value for name, value in attributes.items()}
    return Element(node_id, tag, names, parent, text=text)


DOCUMENT = element("#document", 1)
BODY = element("body", 3, element("html", 2, DOCUMENT))
BUTTON = element("button", 330, element("div", 329, BODY, _class="actions"), "Notify me", id="notify", _class="btn")
OTHER = element("button", 340, element("div", 339, BODY, _class="panel"), "Size guide", id="size", _class="btn")
STATIC = element("p", 350, BODY)
FORM = element("form", 400, BODY, id="co")
EMAIL = element("input", 401, element("div", 405, FORM), type="email", id="email")
NAME = element("input", 402, element("div", 406, FORM), type="text", id="name")
SEND = element("button", 403, FORM, "Place order", id="place")
HOME = element("a", 410, element("nav", 409, BODY), "Home", href="https://shop.example/")
LIST, ITEM = "https://shop.example/", "https://shop.example/product/7"
FIELD = element("input", 360, BODY, type="text")


def click(t: int, target: Element | None = BUTTON, x: float = 100, y: float = 200, hold: int = 60) -> list[Interaction]:
    """Make a whole gesture whose click is at `t`, after a press `hold` ms earlier."""
    place = (PAGE, target, x, y, x, y)
    return [Press(t - hold, *place), Release(t, *place), Click(t, *place, press_t=t - hold, release_t=t)]


def clicks(times: Iterable[int], target: Element | None = BUTTON, hold: int = 60) -> list[Interaction]:
    """Make gestures with their clicks at these times."""
    return [interaction for t in times for interaction in click(t, target, hold=hold)]


def change(kind: str, node_id: int | str, *above: int | str, name: str = "", text: bool = False) -> Change:
    """Make one change of `node_id` below the nodes `above`."""
    return Change(kind, node_id, (node_id, *above), name, text)


def mutation(t: int, *changes: Change, total: int | None = None) -> Mutation:
    """Make a mutation; without changes given, an element with text comes to the page."""
    told = changes or (change("add", 9_000 + t % 1_000, 700, 3, name="p", text=True),)
    return Mutation(t, PAGE, told, len(told) if total is None else total)


def failure(t: int, source: str = "error", message: str = "x is undefined", *frames: str) -> Failure:
    """Make an error of type `TypeError`."""
    return Failure(t, PAGE, source, "TypeError", message, frames or ("buy@https://shop.example/app.js:34:75",))


def typed(t: int, field: Element, keys: int = 4) -> list[Interaction]:
    """Make a visitor go to a field and type some keys, 100 ms apart, from `t`."""
    first = [*click(t, field, hold=0), ElementFocus(t, PAGE, field)]
    return [*first, *(Input(t + 100 * key, PAGE, field) for key in range(1, keys + 1))]


def loads(*stops: tuple[int, str], nav: str = "load") -> list[Interaction]:
    """Make page loads: when, and which address."""
    return [made for t, url in stops for made in (Navigation(t, url, nav), PageShown(t, url))]


def request(t: int, start_t: int, status: int = 200, url: str = "https://shop.example/api/order") -> RequestEnd:
    """Make the end of a request."""
    return RequestEnd(t, PAGE, start_t, url, "", status, not 0 < status < 400)


def shaken(t: int, turns: int, leg_px: float = 80, every_ms: int = 80) -> list[Interaction]:
    """Make a pointer go to and fro."""
    return [MouseMove(at, PAGE, ((at, 500 + leg_px * (turn % 2), 300),)) for turn in range(turns + 2)
            for at in (t + turn * every_ms,)]  # fmt: skip


def scrolled(t: int, turns: int, leg_px: float = 600, every_ms: int = 400) -> list[Interaction]:
    """Make a page go down and up."""
    return [Scroll(t + turn * every_ms, PAGE, DOCUMENT, 0, leg_px * (turn % 2)) for turn in range(turns + 2)]


def refusals(t: int, count: int) -> list[Interaction]:
    """Make a form that is filled in, sent and refused, again and again, 3 seconds apart."""
    tape = typed(t, EMAIL) + typed(t + 600, NAME)
    for at in (t + 2_000 + 3_000 * number for number in range(count)):
        marks = change("attribute", 401, 405, 400, 3, name="class")
        message = change("add", 900 + at % 90, 405, 400, 3, name="#text", text=True)
        tape += [*click(at, SEND), mutation(at + 5, marks, message), *typed(at + 800, EMAIL)]
    return tape


def in_order(*parts: Sequence[Interaction]) -> list[Interaction]:
    """Merge tapes by time; equal times stay in the order given."""
    return sorted((interaction for part in parts for interaction in part), key=lambda interaction: interaction.t)


def at_later_time(interaction: Interaction, shift_ms: int) -> Interaction:
    """Give the same interaction, `shift_ms` later."""
    times = {name: getattr(interaction, name) + shift_ms for name in ("t", "press_t", "release_t", "start_t")
             if hasattr(interaction, name)}  # fmt: skip
    if isinstance(interaction, MouseMove):
        times["positions"] = tuple((t + shift_ms, x, y) for t, x, y in interaction.positions)
    return replace(interaction, **times)


class Player:
    """Plays tapes to a project's detectors in the way the engine promises to."""

    def __init__(self, settings: DetectorSettings = DEFAULTS) -> None:
        self.findings: list[Finding] = []
        self.settings = settings
        self.detectors = self._made()

    def _made(self) -> list[Detector]:
        detectors = make_detectors(self.settings, self.findings.append)
        self._handlers: dict[type, list[Callable[..., None]]] = {}
        for detector in detectors:
            for kind, handler in detector.handlers().items():
                self._handlers.setdefault(kind, []).append(handler)
        return detectors

    def advance(self, t: int) -> None:
        """Let the time come to `t`."""
        for detector in self.detectors:
            if detector.deadline is not None and t >= detector.deadline:
                detector.advance(t)

    def play(self, interactions: Iterable[Interaction]) -> "Player":
        """Feed interactions, each after the time has come to its moment."""
        for interaction in interactions:
            self.advance(interaction.t)
            for handler in self._handlers.get(type(interaction), ()):
                handler(interaction)
        return self

    def finish(self) -> "Player":
        """End the session."""
        for detector in self.detectors:
            detector.finish()
        return self

    def snapshots(self) -> dict[str, msgspec.Raw]:
        """Put all state away."""
        return {detector.name: detector.snapshot() for detector in self.detectors}

    def resume(self) -> "Player":
        """Die, and go on from a snapshot with fresh detectors; findings stay."""
        states = self.snapshots()
        self.detectors = self._made()
        for detector in self.detectors:
            detector.restore(states[detector.name])
        return self

    def of(self, name: str) -> list[Finding]:
        """Give the findings of one detector."""
        return [finding for finding in self.findings if finding.detector == name]


def verdict(
    interactions: Sequence[Interaction], settings: DetectorSettings = DEFAULTS, *, lived_on_ms: int = 10_000
) -> list[Finding]:
    """Play a whole tape, let `lived_on_ms` pass, end the session, and give all findings."""
    player = Player(settings).play(interactions)
    if interactions:
        player.advance(interactions[-1].t + lived_on_ms)
    return player.finish().findings


def found(name: str, interactions: Sequence[Interaction], settings: DetectorSettings = DEFAULTS) -> list[Finding]:
    """Give what one detector finds on a tape after which the recording lived on."""
    return [finding for finding in verdict(interactions, settings) if finding.detector == name]


def rage(interactions: Sequence[Interaction], settings: RageClickSettings | None = None) -> list[Finding]:
    """Give the rage clicks of a tape."""
    chosen = DEFAULTS if settings is None else DetectorSettings(rage_click=settings)
    return found("rage_click", interactions, chosen)


def dead(interactions: Sequence[Interaction]) -> list[Finding]:
    """Give the dead clicks of a tape."""
    return found("dead_click", interactions)


TIMES = (11_000, 11_200, 11_400, 11_600)
GRIEVANCES: dict[str, list[Interaction]] = {
    "rage_click": clicks(TIMES),
    "dead_click": click(11_000),
    "error_click": [*click(11_000), failure(11_001)],
    "js_error": [failure(11_000)],
    "network_error": [*click(11_000), request(11_300, 11_001, 500)],
    "slow_response": [*click(11_000), request(15_100, 11_001), mutation(15_101)],
    "thrashed_cursor": shaken(11_000, 20),
    "quick_back": loads((11_000, LIST), (12_000, ITEM), (13_000, LIST), (16_000, ITEM), (17_000, LIST)),
    "form_abandonment": [
        *typed(11_000, EMAIL), *typed(12_000, NAME), *click(14_000, HOME), Navigation(14_300, LIST, "load"),
    ],
    "form_error_loop": refusals(11_000, 3),
    "rapid_reload": loads((11_000, LIST), (12_000, LIST), (13_000, LIST), (14_000, LIST)),
    "scroll_thrash": scrolled(11_000, 6),
    "idle": [*click(11_000, STATIC), *click(51_000, STATIC)],
}  # fmt: skip
"""For each detector a tape on which it reports."""
