"""The detectors of one window: who is told of what, and whose time has come."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from detectors.machine import Machine, may_wait
from detectors.moments import At
from detectors.protocol import Detector, Finding, Handler
from detectors.registry import make_detectors
from detectors.settings import DetectorSettings

NEVER: Final = 1 << 62
"""Later than any event time."""

Part: TypeAlias = tuple[int, Callable[..., None]]
"""A detector's place in the list, and its method."""

NOBODY: Final[tuple[Part, ...]] = ()


class Wishes:
    """Which of a project's detectors want which interactions: the same for all its windows, so found out once.

    Raises SelectorError for selectors in the settings that cannot be used.
    """

    __slots__ = ("kinds", "parts", "waiting")

    def __init__(self, settings: DetectorSettings) -> None:
        examples = make_detectors(settings, _ignore)
        self.parts: dict[type, tuple[Part, ...]] = {}
        """Who is told of interactions of a kind, by places in lists of detectors made with the same settings."""
        for place, example in enumerate(examples):
            for kind, handler in example.handlers().items():
                self.parts[kind] = (*self.parts.get(kind, ()), (place, _method(handler, example)))
        self.kinds = frozenset(self.parts)
        """The interaction classes that somebody wants."""
        self.waiting = [place for place, example in enumerate(examples) if may_wait(example)]
        """The places of the detectors that may ever wait."""


def _method(handler: Handler, example: Detector) -> Callable[..., None]:
    """Return what handles an interaction in any detector that is equal to the example."""
    if getattr(handler, "__self__", None) is not example:
        raise TypeError(f"{example.name}: what it calls has to be a method of its own")
    found: Callable[..., None] = getattr(type(example), handler.__name__)
    return found


def _ignore(_finding: Finding) -> None:
    """Examples are told nothing, and so find nothing."""


class Panel:
    """Tells detectors, in their order, of interactions and of the passing of time.

    Whoever is to hear of some interactions `first`, before any detector, is told by their classes. `deadline` is not
    after the next moment (epoch ms) at which one of them has something to decide.
    """

    __slots__ = ("_detectors", "_first", "_guests", "_machines", "_parts", "deadline")

    def __init__(self, first: Mapping[type, Callable[..., None]] | None = None) -> None:
        self._first = first or {}
        self._detectors: list[Detector] = []
        self._machines: list[Machine[object]] = []
        self._guests: list[Detector] = []
        self._parts: dict[type, tuple[Part, ...]] = {}
        self.deadline = NEVER

    def seat(self, detectors: Sequence[Detector], wishes: Wishes, others: Sequence[Detector] = ()) -> None:
        """Take the `detectors` that `wishes` are those of, and after them `others`, each with its own."""
        self._detectors = [*detectors, *others]
        self._parts = wishes.parts
        for place, other in enumerate(others, len(detectors)):
            self._add_guest(place, other)
        self._machines = []
        self._guests = []
        for detector in [*(detectors[place] for place in wishes.waiting), *others]:
            if isinstance(detector, Machine):
                detector.alarm = self
                self._machines.append(detector)
            else:
                self._guests.append(detector)

    def _add_guest(self, place: int, guest: Detector) -> None:
        """Let one hear that not all windows of the project have; the others' parts are shared and stay."""
        parts = dict(self._parts)
        for kind, handle in guest.handlers().items():
            parts[kind] = (*parts.get(kind, ()), (place, self._apart(guest, handle)))
        self._parts = parts

    @property
    def kinds(self) -> frozenset[type]:
        """The interaction classes that somebody wants."""
        return frozenset(self._parts).union(self._first)

    def tell(self, told: list[At]) -> None:
        """Hand interactions to all who want them, and let them decide before what is due by then."""
        detectors, parts, first = self._detectors, self._parts, self._first
        for interaction in told:
            if interaction.t >= self.deadline:
                self.advance(interaction.t)
            kind = type(interaction)
            if kind in first:
                first[kind](interaction)
            for place, handle in parts.get(kind, NOBODY):
                handle(detectors[place], interaction)

    def _apart(self, other: Detector, handle: Callable[..., None]) -> Callable[..., None]:
        """Call a handler that knows its detector, and look for a deadline of which no alarm may ring."""

        def handle_and_look(_detector: Detector, interaction: At) -> None:
            handle(interaction)
            if other.deadline is not None and other.deadline < self.deadline:
                self.deadline = other.deadline

        return handle_and_look

    def advance(self, t: int) -> None:
        """Let detectors decide what is due at `t` (epoch ms)."""
        for machine in self._machines:
            due = machine.deadline
            if due is not None and t >= due:
                machine.advance(t)
        for guest in self._guests:
            due = guest.deadline
            if due is not None and t >= due:
                guest.advance(t)
        self._rearm()

    def _rearm(self) -> None:
        nearest = NEVER
        for machine in self._machines:
            due = machine.deadline
            if due is not None and due < nearest:
                nearest = due
        for guest in self._guests:
            due = guest.deadline
            if due is not None and due < nearest:
                nearest = due
        self.deadline = nearest

    @property
    def waits(self) -> bool:
        """Whether a detector waits for what comes next."""
        if any(machine.deadline is not None for machine in self._machines):
            return True
        return any(guest.deadline is not None for guest in self._guests)

    def finish(self) -> None:
        """Nothing more is expected for a long time: what waits is decided by what was seen."""
        for detector in self._detectors:
            detector.finish()
        self._rearm()

    def snapshot(self) -> dict[str, msgspec.Raw]:
        """Give the state of each detector, by its name."""
        return {detector.name: detector.snapshot() for detector in self._detectors}

    def restore(self, states: dict[str, msgspec.Raw]) -> None:
        """Take over the states of equal detectors. Raises msgspec.ValidationError for those of others."""
        for detector in self._detectors:
            if detector.name in states:
                detector.restore(states[detector.name])
        self._rearm()
