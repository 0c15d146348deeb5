"""What all our detectors share: a name, a deadline, and a state that can be put away and taken up again."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec
from mypy_extensions import mypyc_attr

from detectors.protocol import Detector, Finding

Report: TypeAlias = Callable[[Finding], None]
"""Takes each finding at the moment it is decided."""

NEVER: int = -(2**53)
"""A moment before all others, for "has not happened yet"."""

StateT = TypeVar("StateT")


class Alarm(Protocol):
    """Who has to know when a machine wants to be advanced."""

    deadline: int
    """The first of the deadlines that it was told (epoch ms)."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Machine(Generic[StateT]):
    """A detector whose memory is one object (a dataclass or a Struct), so that a snapshot never forgets a part of it.

    A subclass sets `name` and keeps `deadline` true after every step; `_rearm` computes it anew from the state.
    """

    name: str = ""

    def __init__(self, state: StateT) -> None:
        self._state = state
        self._deadline: int | None = None
        self.alarm: Alarm | None = None
        """Set by whoever wants to be told of deadlines and not to look for them."""

    @property
    def deadline(self) -> int | None:
        """The next moment (epoch ms) at which `advance` has something to decide; `None` when nothing waits."""
        return self._deadline

    @deadline.setter
    def deadline(self, t: int | None) -> None:
        self._deadline = t
        if t is not None and self.alarm is not None and t < self.alarm.deadline:
            self.alarm.deadline = t

    def advance(self, t: int) -> None:
        """Decide what is due at `t` (epoch ms). Machines that never wait have nothing to do here."""

    def finish(self) -> None:
        """Decide or forget what waits. Machines that never wait have nothing to do here."""

    def snapshot(self) -> msgspec.Raw:
        """Give the state as msgpack; masked like everything that detectors see."""
        self._settle()
        return msgspec.Raw(msgspec.msgpack.encode(self._state))

    def restore(self, state: msgspec.Raw) -> None:
        """Take over the `snapshot` of a machine of the same class and settings.

        Raises msgspec.ValidationError if it is anything else; the machine is unchanged then.
        """
        try:
            self._state = msgspec.msgpack.decode(state, type=type(self._state))
        except msgspec.DecodeError:
            raise msgspec.ValidationError(f"not a snapshot of {self.name}") from None
        self._rearm()

    def _settle(self) -> None:
        """Bring the state up to date before it is put away. Machines that keep all in it have nothing to do here."""

    def _rearm(self) -> None:
        self.deadline = None


def may_wait(detector: Detector) -> bool:
    """Tell whether a detector may ever have a deadline: a machine that decides nothing later has none."""
    return type(detector).advance is not Machine.advance  # type: ignore[comparison-overlap]  # machines are detectors
