"""Detectors that others bring: each is watched, and what it breaks is only itself.

A plugin is a callable that makes one detector for one window (see `docs/detectors.md`). Whatever it raises, and
whatever it gives that is not what the protocol asks for, ends it for that window and is counted; other detectors, and
the session, never notice.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import msgspec

from detectors.machine import Report
from detectors.protocol import Detector, Finding, Handler

STATE_MAX_BYTES: Final = 16_384
"""A plugin whose state grows beyond this is ended: every open session holds it."""

FINDINGS_MAX: Final = 100
"""Findings of one plugin in one window; one more ends it."""

ENDED: Final = msgspec.Raw(b"\xc0")
"""The state of a plugin that was ended: msgpack's nil."""

MakeDetector: TypeAlias = Callable[[Mapping[str, str], Report], Detector]
"""What an entry point names: takes the plugin's options and a `report`, makes a detector for one window."""


class Plugin(msgspec.Struct, frozen=True):
    """A plugin in force: the `name` of its entry point, which is that of its signals, what makes it, its options."""

    name: str
    make: MakeDetector
    options: Mapping[str, str]


class Guarded:
    """One plugin's detector in one window; `failed` is called when it is ended."""

    def __init__(self, plugin: Plugin, report: Report, failed: Callable[[], None]) -> None:
        self.name = f"plugin/{plugin.name}"
        self._signal = plugin.name
        self._report = report
        self._failed = failed
        self._findings = 0
        self._inner: Detector | None = None
        self.deadline: int | None = None
        self._try(self._make, plugin)

    def handlers(self) -> Mapping[type, Handler]:
        """Map what the plugin wants to its methods, each watched."""
        found: dict[type, Handler] = {}
        self._try(self._collect, found)
        return found if self._inner is not None else {}

    def advance(self, t: int) -> None:
        """Let it decide what is due at `t` (epoch ms)."""
        if self._inner is not None:
            self._try(self._inner.advance, t)

    def finish(self) -> None:
        """Let it decide or forget what waits; one that still waits then is ended."""
        if self._inner is not None:
            self._try(self._finish, self._inner)

    def snapshot(self) -> msgspec.Raw:
        """Give its state, bounded; `ENDED` if it was ended or can't tell."""
        encoded: list[bytes] = []
        if self._inner is not None:
            self._try(self._encode, encoded)
        return msgspec.Raw(encoded[0]) if encoded else ENDED

    def restore(self, state: msgspec.Raw) -> None:
        """Take over a state; raises msgspec.ValidationError if it is none of a plugin's."""
        if bytes(state) == bytes(ENDED):
            self._inner = self.deadline = None
            return
        try:
            findings, inner = msgspec.msgpack.decode(state, type=tuple[int, msgspec.Raw])
        except msgspec.DecodeError:
            raise msgspec.ValidationError(f"not a snapshot of {self.name}") from None
        self._findings = findings
        if self._inner is not None:
            self._try(self._inner.restore, inner)

    def _try(self, act: Callable[..., object], *arguments: object) -> None:
        try:
            act(*arguments)
        except Exception:  # noqa: BLE001  # somebody else's code may raise anything; it ends itself and nothing else
            self._inner = None
            self._failed()
        deadline = None if self._inner is None else self._inner.deadline
        self.deadline = deadline if isinstance(deadline, int) else None

    def _make(self, plugin: Plugin) -> None:
        made = plugin.make(plugin.options, self._told)
        made.deadline  # noqa: B018  # what has none is no detector
        self._inner = made

    def _collect(self, found: dict[type, Handler]) -> None:
        if self._inner is None:
            return
        for kind, handler in self._inner.handlers().items():
            found[kind] = self._watched(handler)

    def _watched(self, handler: Handler) -> Handler:
        def handle(interaction: object) -> None:
            if self._inner is not None:
                self._try(handler, interaction)

        return handle

    def _told(self, finding: object) -> None:
        self._findings += 1
        if not isinstance(finding, Finding) or finding.detector != self._signal or self._findings > FINDINGS_MAX:
            raise TypeError(f"{self.name}: no finding of its own, or too many")
        # What is reported has to be what it says: it is stored, and sent to others.
        self._report(msgspec.convert(msgspec.to_builtins(finding), Finding))

    def _finish(self, inner: Detector) -> None:
        inner.finish()
        if inner.deadline is not None:
            raise ValueError(f"{self.name}: still waits after its end")

    def _encode(self, encoded: list[bytes]) -> None:
        if self._inner is None:
            return
        state = msgspec.msgpack.encode((self._findings, msgspec.Raw(bytes(self._inner.snapshot()))))
        if len(state) > STATE_MAX_BYTES:
            raise ValueError(f"{self.name}: its state is too large")
        msgspec.msgpack.decode(state)
        encoded.append(state)
