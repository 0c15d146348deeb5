"""The detectors of one window: who is told of what, and whose time has come."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MethodType
from typing import Final, TypeAlias

import msgspec

from detectors.interactions import Interaction
from detectors.machine import Machine, may_wait
from detectors.protocol import Detector, Finding, Handler
from detectors.registry import make_detectors
from detectors.settings import DetectorSettings

NEVER: Final = 1 << 62
"""Later than any event time."""

Part: TypeAlias = tuple[int, Callable[..., None]]
"""A detector's place in the list, and its method."""


class Wishes:
    """Which of a project's detectors want which interactions: the same for all its windows, so found out once.

    Raises SelectorError for selectors in the settings that cannot be used.
    """

    __slots__ = ("_examples", "_handlers", "_parts", "kinds", "waiting")

    def __init__(self, settings: DetectorSettings) -> None:
        self._examples = make_detectors(settings, _ignore)
        self._handlers = [example.handlers() for example in self._examples]
        self._parts: dict[type, tuple[Part, ...]] = {}
        self.kinds = frozenset[type]().union(*self._handlers)
        """The interaction classes that somebody wants."""
        self.waiting = [place for place, example in enumerate(self._examples) if may_wait(example)]
        """The places of the detectors that may ever wait."""

    def parts(self, kind: type) -> tuple[Part, ...]:
        """Tell who is told of interactions of a kind, by places in lists of detectors made with the same settings."""
        parts = self._parts.get(kind)
        if parts is None:
            parts = self._parts[kind] = tuple(
                (place, _method(handlers[kind], example))
                for place, (handlers, example) in enumerate(zip(self._handlers, self._examples, strict=True))
                if kind in handlers
            )
        return parts


def _method(handler: Handler, example: Detector) -> Callable[..., None]:
    """Return what handles an interaction in any detector that is equal to the example."""
    if not isinstance(handler, MethodType) or handler.__self__ is not example:
        raise TypeError(f"{example.name}: what it calls has to be a method of its own")
    return handler.__func__


def _ignore(_finding: Finding) -> None:
    """Examples are told nothing, and so find nothing."""


class Panel:
    """Tells detectors, in their order, of interactions and of the passing of time.

    Whoever is to hear of some interactions `first`, before any detector, is told by their classes. `deadline` is not
    after the next moment (epoch ms) at which one of them has something to decide.
    """

    __slots__ = ("_detectors", "_first", "_others", "_parts", "_waiting", "_wishes", "deadline")

    def __init__(self, first: Mapping[type, Callable[..., None]] | None = None) -> None:
        self._first = first or {}
        self._wishes: Wishes | None = None
        self._detectors: list[Detector] = []
        self._waiting: list[Detector] = []
        self._parts: dict[type, tuple[Part, ...]] = {}
        self._others: list[tuple[Detector, Mapping[type, Handler]]] = []
        self.deadline = NEVER

    def seat(self, detectors: Sequence[Detector], wishes: Wishes, others: Sequence[Detector] = ()) -> None:
        """Take the `detectors` that `wishes` are those of, and after them `others`, each with its own."""
        self._wishes = wishes
        self._others = [(other, other.handlers()) for other in others]
        self._detectors = [*detectors, *others]
        self._waiting = [*(detectors[place] for place in wishes.waiting), *others]
        for detector in self._waiting:
            if isinstance(detector, Machine):
                detector.alarm = self

    @property
    def kinds(self) -> frozenset[type]:
        """The interaction classes that somebody wants."""
        wanted = self._wishes.kinds if self._wishes else frozenset[type]()
        return wanted.union(self._first, *(wishes for _, wishes in self._others))

    def tell(self, told: Iterable[Interaction]) -> None:
        """Hand interactions to all who want them."""
        detectors, known, first = self._detectors, self._parts, self._first
        for interaction in told:
            kind = type(interaction)
            if kind in first:
                first[kind](interaction)
            parts = known.get(kind)
            if parts is None:
                parts = self._look_up(kind)
            for place, handle in parts:
                handle(detectors[place], interaction)

    def _look_up(self, kind: type) -> tuple[Part, ...]:
        parts = self._wishes.parts(kind) if self._wishes else ()
        for place, (other, wishes) in enumerate(self._others, len(self._detectors) - len(self._others)):
            if kind in wishes:
                parts += ((place, self._apart(other, wishes[kind])),)
        self._parts[kind] = parts
        return parts

    def _apart(self, other: Detector, handle: Handler) -> Callable[..., None]:
        """Call a handler that knows its detector, and look for a deadline of which no alarm may ring."""

        def handle_and_look(_detector: Detector, interaction: Interaction) -> None:
            handle(interaction)
            if other.deadline is not None and other.deadline < self.deadline:
                self.deadline = other.deadline

        return handle_and_look

    def advance(self, t: int) -> None:
        """Let detectors decide what is due at `t` (epoch ms)."""
        for detector in self._waiting:
            deadline = detector.deadline
            if deadline is not None and t >= deadline:
                detector.advance(t)
        self._rearm()

    def _rearm(self) -> None:
        nearest = NEVER
        for detector in self._waiting:
            deadline = detector.deadline
            if deadline is not None and deadline < nearest:
                nearest = deadline
        self.deadline = nearest

    @property
    def waits(self) -> bool:
        """Whether a detector waits for what comes next."""
        return any(detector.deadline is not None for detector in self._waiting)

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
