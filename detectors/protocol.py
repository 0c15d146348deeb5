"""What every detector is: interactions and the passing of time in, findings out."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from detectors.interactions import Interaction
from schemas.signals import EvidenceValue, Target


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What a detector found; the engine makes a `Signal` of it by adding who and where.

    `key` tells apart findings of one detector that share first moment and target (an error's fingerprint, say).
    """

    detector: str
    t: int
    end_t: int
    page: str
    target: Target | None
    rule: str
    evidence: dict[str, EvidenceValue]
    count: int | None = None
    key: str = ""


Handler = Callable[[Interaction], None]


class Detector(Protocol):
    """A state machine over the interactions of one window.

    The engine calls, in stream order, `advance(t)` when `t` has reached `deadline`, then the handler of the
    interaction's class. Findings go to the `report` callable the detector was made with. Nothing may be read from a
    clock; equal input gives equal findings, however it is cut.
    """

    name: str
    deadline: int | None
    """The next moment (epoch ms) at which `advance` has something to decide; `None` when nothing waits."""

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map the interaction classes it wants to its methods. Called once."""
        ...

    def advance(self, t: int) -> None:
        """Decide what is due: the window's stream has reached `t` (ms) and nothing earlier can follow."""
        ...

    def finish(self) -> None:
        """The window fell silent for as long as a session may be idle, or its session ended.

        Report what silence proves, forget the rest: afterwards nothing waits (`deadline` is `None`).
        """
        ...

    def snapshot(self) -> msgspec.Raw:
        """The state as msgpack, small and free of anything that is not masked."""
        ...

    def restore(self, state: msgspec.Raw) -> None:
        """Take over the state of a `snapshot` of the same detector and settings. Raises msgspec.ValidationError."""
        ...
