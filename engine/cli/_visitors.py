"""Visitors of the demo: shipped recordings that happen again, now, so that there is a session to follow live."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final

from engine.core.core import Core
from engine.errors import Broken
from engine.input.files import Problem, read_batches
from engine.runtime.revisit import Sending, revisit
from engine.runtime.writer import Writer
from engine.samples import SAMPLES_FOLDER
from engine.settings import Settings
from replay.store import Store

RECORDINGS: Final = (
    "1d7f8b39-259b-492a-aa48-eb21ebc300ca",
    "e4582d65-50aa-450e-b4ee-45b9eebf7486",
    "6f0990bd-62b3-4732-a79c-820bea7d675a",
)
"""Visits in which something goes wrong, in turn."""

VISITS: Final = 20
"""So many come in all: a demo that is left open for a day stays small."""

PAUSE_MS: Final = 20_000
"""Between two visits, and before the first one."""

_STEP_MS: Final = 1_000

Sleep = Callable[[float], Awaitable[None]]


class Visitors:
    """Lets visitors come, one after the other, through a core of their own into a store.

    `clock_ms` is the wall clock (epoch ms), `sleep` waits for seconds of it.
    """

    def __init__(self, store: Store, settings: Settings, clock_ms: Callable[[], int], sleep: Sleep) -> None:
        self._settings = settings
        self._core = Core(settings)
        self._writer = Writer(store, "visitors", "demo", keep_state=True)
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._position = 0

    async def come(self, visits: int = VISITS) -> None:
        """Let so many visitors come; their sessions are `live-1`, `live-2` and so on. Raises what the store raises."""
        recordings = [list(_messages(name, self._settings)) for name in RECORDINGS]
        for number in range(visits):
            start_ms = self._clock_ms() + PAUSE_MS
            await self._visit(revisit(recordings[number % len(recordings)], f"live-{number + 1}", start_ms))

    async def _visit(self, sendings: Iterable[Sending]) -> None:
        for sending in sendings:
            while (missing_ms := sending.at_ms - self._clock_ms()) > 0:
                await self._sleep(min(missing_ms, _STEP_MS) / 1000)
                self._core.tick(self._clock_ms())
                await self._write()
            self._send(sending.value)
            await self._write()

    def _send(self, value: bytes) -> None:
        batch = self._core.open(value, None, "visitors", self._position)
        if batch is None:
            raise Broken("a shipped recording can't be read")
        self._core.feed(batch, self._position, self._clock_ms())
        self._position += 1

    async def _write(self) -> None:
        if effects := self._core.take():
            await self._writer.write(effects)


def _messages(name: str, settings: Settings) -> Iterator[bytes]:
    for message in read_batches([SAMPLES_FOLDER / f"{name}.jsonl.zst"], settings.limits, _unreadable):
        yield message.value


def _unreadable(problem: Problem) -> None:
    message = f"a shipped recording can't be read: {problem.reason}"
    raise Broken(message)
