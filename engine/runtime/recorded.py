"""Runs recorded input through the core into a store, keeping account of everything read."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from engine.core.arrival import ArrivalClock
from engine.core.core import HOT_SESSIONS, Core
from engine.core.counts import Counts
from engine.core.effects import DeadLetter, SessionEffects
from engine.input.files import Problem, SourceMessage
from engine.reasons import Reason
from engine.runtime.writer import Writer
from schemas.activity import Activity

POLL_MESSAGES: Final = 500
"""Messages fed between two writes."""

PROBLEMS_MAX: Final = 20
"""So many things that could not be read are told one by one."""

POLL_BYTES: Final = 16 << 20
"""Bytes fed between two writes, at least; a poll ends with the message that goes over it."""


class RunReport(msgspec.Struct, frozen=True):
    """What became of everything read, and how long each stage took (wall seconds).

    For batches: `read` = `used` + everything in `dropped`. For events: `read` = `published` + everything in
    `dropped`; events of batches that could not be opened are not known and not in either. `repaired` counts changes
    inside what was published. `withdrawn` sessions were published before their user was known to be excluded.
    """

    batches: Mapping[str, object]
    events: Mapping[str, object]
    repaired: Mapping[str, int]
    sessions: int
    withdrawn: int
    signals: Mapping[str, int]
    dead_letters: int
    bytes_read: int
    seconds: Mapping[str, float]


class RecordedRun:
    """One run over recorded input. Call `run`, then read `report`.

    `note` is told now and then how many events were read, `bury` gets every dead letter as it comes, `tell` the
    activities of each session that was written. `problems` holds the first `PROBLEMS_MAX` things in the input that
    could not be read, `unread` counts all of them.
    """

    def __init__(
        self,
        core: Core,
        writer: Writer,
        *,
        bury: Callable[[DeadLetter], None],
        note: Callable[[int], None] = lambda _events: None,
        tell: Callable[[str, Sequence[Activity]], None] = lambda _session_id, _activities: None,
    ) -> None:
        self._core = core
        self._writer = writer
        self._note = note
        self._tell = tell
        self._clock = ArrivalClock()
        self._seconds: dict[str, float] = defaultdict(float)
        self._sessions: set[str] = set()
        self._withdrawn: set[str] = set()
        self._signals: dict[str, tuple[str, str]] = {}
        self._bury = bury
        self._buried = 0
        self.problems: list[Problem] = []
        self.unread = 0

    def unreadable(self, problem: Problem) -> None:
        """Take note of something in the input that could not be read: it counts as one batch that was dropped."""
        counts = self._core.counts
        counts.batches_read += 1
        counts.batches_dropped[problem.reason] += 1
        self.unread += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)
        self._buried += 1
        self._bury(DeadLetter(problem.source, problem.line, problem.reason, 0))

    async def run(self, messages: Iterable[SourceMessage]) -> None:
        """Feed all messages, write as they go, end every session with the input. Raises what the writer raises."""
        waiting = bytes_waiting = 0
        reader = iter(messages)
        while True:
            with self._stage("read"):
                message = next(reader, None)
            if message is None:
                break
            with self._stage("core"):
                self._feed(message)
            waiting += 1
            bytes_waiting += len(message.value)
            if waiting >= POLL_MESSAGES or bytes_waiting >= POLL_BYTES:
                await self._write()
                waiting = bytes_waiting = 0
        await self._finish()

    async def _finish(self) -> None:
        """End the sessions as many at a time as the core has at work anyway: all of them may not fit into memory."""
        more = True
        while more:
            with self._stage("core"):
                more = self._core.finish(HOT_SESSIONS)
            await self._write()

    def _feed(self, message: SourceMessage) -> None:
        core = self._core
        batch = core.open(message.value, message.encoding, message.source, message.position)
        if batch is None:
            return
        now_ms = self._clock.saw(batch.envelope.sent_at, batch.envelope.session_id)
        deadline = core.next_deadline()
        if deadline is not None and now_ms >= deadline:
            core.tick(now_ms)
        core.feed(batch, message.position, self._clock.arrival_of(batch.envelope.sent_at))

    async def _write(self) -> None:
        with self._stage("core"):
            effects = self._core.take()
            refusals = self._core.take_refusals()
        for letter in self._core.take_dead_letters():
            self._buried += 1
            self._bury(letter)
        with self._stage("store"):
            await self._writer.write(effects)
            await self._writer.note(refusals, self._clock.now_ms)
        for effect in effects:
            self._account(effect)
        self._note(self._core.counts.events_read)

    def _account(self, effect: SessionEffects) -> None:
        if effect.is_new:
            return
        if effect.withdrawn:
            self._sessions.discard(effect.session_id)
            self._withdrawn.add(effect.session_id)
            return
        self._sessions.add(effect.session_id)
        self._tell(effect.session_id, effect.activities)
        for signal in effect.signals:
            self._signals[signal.id] = (signal.detector, signal.session_id)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] += time.perf_counter() - start

    def report(self) -> RunReport:
        """Sum the run up."""
        counts: Counts = self._core.counts
        signals = Counter(name for name, session_id in self._signals.values() if session_id in self._sessions)
        return RunReport(
            batches={
                "read": counts.batches_read,
                "used": counts.batches_used,
                "dropped": _plain(counts.batches_dropped),
            },
            events={
                "read": counts.events_read,
                "published": counts.events_published,
                "dropped": _plain(counts.events_dropped),
            },
            repaired=_plain(counts.repaired),
            sessions=len(self._sessions),
            withdrawn=len(self._withdrawn),
            signals=dict(sorted(signals.items())),
            dead_letters=self._buried,
            bytes_read=counts.bytes_read,
            seconds={name: round(seconds, 3) for name, seconds in sorted(self._seconds.items())},
        )


def _plain(counter: Mapping[Reason, int]) -> dict[str, int]:
    return {str(reason): count for reason, count in sorted(counter.items()) if count}
