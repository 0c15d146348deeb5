"""Builds tapes of interactions and plays them to detectors as the engine does."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from detectors.elements import Element
from detectors.interactions import Change, Click, Failure, Interaction, Mutation, Press, Release
from detectors.protocol import Detector, Finding
from detectors.registry import make_detectors
from detectors.settings import DetectorSettings, RageClickSettings

PAGE = "https://shop.example/product/1"
DEFAULTS = DetectorSettings()


def element(tag: str, node_id: int | str, parent: Element | None = None, text: str = "", **attributes: str) -> Element:
    """Make an element; `_class` and `aria_label` become `class` and `aria-label`."""
    names = {name.strip("_").replace("_", "-"): value for name, value in attributes.items()}
    return Element(node_id, tag, names, parent, text=text)


DOCUMENT = element("#document", 1)
BODY = element("body", 3, element("html", 2, DOCUMENT))
BUTTON = element("button", 330, element("div", 329, BODY, _class="actions"), "Notify me", id="notify", _class="btn")
OTHER = element("button", 340, element("div", 339, BODY, _class="panel"), "Size guide", id="size", _class="btn")
STATIC = element("p", 350, BODY)
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


def in_order(*parts: Sequence[Interaction]) -> list[Interaction]:
    """Merge tapes by time; equal times stay in the order given."""
    return sorted((interaction for part in parts for interaction in part), key=lambda interaction: interaction.t)


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
