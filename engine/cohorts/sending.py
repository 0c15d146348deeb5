"""Sends what is due of a cohort: batch after batch, no faster than asked for, as often as it takes."""

import random
from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from engine.cohorts.destinations import Receiver
from engine.cohorts.keeping import Clock, Keeping
from engine.delivery.backoff import backoff_ms
from engine.delivery.retry_after import MAX_SECONDS

Sleep = Callable[[float], Awaitable[None]]
"""Waits for seconds."""

Ending: TypeAlias = Literal["done", "unreachable", "gone", "refused"]
"""Nothing is left; nothing was taken for too long; nothing is wanted any more (410); or the guard refuses."""


_LONGEST_WAIT_MS: Final = round(MAX_SECONDS * 1_000)
"""What is further away is no pause: the clock was set back."""


class Sent(msgspec.Struct):
    """What was sent so far, and how often that failed; `note` is about the last failure."""

    batches: int = 0
    enters: int = 0
    exits: int = 0
    failures: int = 0
    note: str = ""


class Next(NamedTuple):
    """What came of one step: how long to wait for the next one (ms), or how it ended."""

    wait_ms: int = 0
    ending: Ending | None = None


class Sender:
    """Sends the batches of one cohort, one at a time.

    `chance` gives random numbers from 0 to 1. Pauses, also those that a receiver asked for, are kept with the cohort,
    so that a process that starts anew keeps to them.
    """

    def __init__(
        self,
        keeping: Keeping,
        receiver: Receiver,
        clock_ms: Clock,
        sleep: Sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._keeping = keeping
        self._receiver = receiver
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._chance = chance
        self._failed = 0
        self.sent = Sent()

    async def run(self, patience_ms: int, progress: Callable[[Sent], None] = lambda _: None) -> Ending:
        """Send until nothing is due, or nothing was taken for `patience_ms`."""
        heard_ms = self._clock_ms()
        while True:
            batches = self.sent.batches
            step = await self.step()
            progress(self.sent)
            if self.sent.batches > batches:
                heard_ms = self._clock_ms()
            if step.ending is not None:
                return step.ending
            is_held = self._failed or step.wait_ms > self._receiver.pause_ms
            if is_held and self._clock_ms() + step.wait_ms - heard_ms > patience_ms:
                return "unreachable"
            await self._sleep(step.wait_ms / 1_000)

    async def step(self) -> Next:
        """Send one batch, if one may be sent by now. Raises what Keeping and the receiver raise."""
        wait_ms = self._keeping.next_at_ms - self._clock_ms()
        if 0 < wait_ms <= _LONGEST_WAIT_MS:
            return Next(wait_ms)
        batch = await self._keeping.next_batch(self._receiver.batch_users, self._clock_ms() + self._receiver.pause_ms)
        if batch is None:
            return Next(ending="done")
        posted = await self._receiver.take(batch)
        if posted.outcome == "accepted":
            await self._keeping.confirm(batch)
            self._failed = 0
            self.sent.batches += 1
            enters = sum([event.event == "enter" for event in batch.events])
            self.sent.enters += enters
            self.sent.exits += len(batch.events) - enters
            return Next(max(self._keeping.next_at_ms - self._clock_ms(), 0))
        self.sent.failures += 1
        self.sent.note = posted.note
        if posted.outcome != "retry":
            return Next(ending=posted.outcome)
        self._failed += 1
        wait_ms = max(backoff_ms(self._failed, self._chance(), posted.retry_after_s), self._receiver.pause_ms)
        await self._keeping.hold(self._clock_ms() + wait_ms)
        return Next(wait_ms)
