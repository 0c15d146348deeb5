"""Sessions in a real Redis, a clock that is moved by hand, receivers that write down what they get."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis

from engine.cohorts.condition import read_condition
from engine.cohorts.declaration import Cohort
from engine.cohorts.destinations import Receiver
from engine.cohorts.events import Batch, CohortEvent, Source
from engine.cohorts.file import Declared
from engine.cohorts.jobs import Job, RunReport, run_once
from engine.cohorts.opening import Parts, Tools, put_together
from engine.delivery.posting import Posted
from engine.settings import Settings
from replay.deletion import Deletion
from replay.exclusions import Exclusions
from replay.redis_client import RedisClient
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from tests.replay.samples import T0, record, write

DAY = 86_400_000
ACCEPTED = Posted("accepted", 200)


class Notebook:
    """A receiver: answers in turn, `accepted` when there is no more to say; whom it knows to be in, by the events."""

    batch_users = 50
    pause_ms = 0

    def __init__(self, *answers: Posted | Exception, drops: Callable[[Batch], bool] = lambda _: False) -> None:
        self.answers = list(answers)
        self.batches: list[Batch] = []
        self.taken: list[CohortEvent] = []
        self.members: set[str] = set()
        self._drops = drops

    async def take(self, batch: Batch) -> Posted:
        self.batches.append(batch)
        answer = self.answers.pop(0) if self.answers else ACCEPTED
        if isinstance(answer, Exception):
            raise answer
        if answer.outcome == "accepted":
            self.note(batch)
        return answer

    def note(self, batch: Batch) -> None:
        for event in batch.events:
            self.taken.append(event)
            (self.members.add if event.event == "enter" else self.members.discard)(event.user_id)

    def told(self) -> list[tuple[str, str]]:
        return [(event.event, event.user_id) for event in self.taken]


class World:
    """One installation."""

    def __init__(self, url: str, client: RedisClient, redis: "Redis") -> None:
        self.url = url
        self.client = client
        self.redis: Any = redis
        self.now_ms = T0 + DAY
        self.slept: list[float] = []
        self.exclusions = Exclusions()
        self.settings = Settings()
        self.store = RedisStore(client, StoreSettings(), self.clock_ms)

    def clock_ms(self) -> int:
        return self.now_ms

    async def sleep(self, seconds: float) -> None:
        """Move the clock: nobody waits."""
        self.slept.append(seconds)
        self.now_ms += round(seconds * 1_000)

    async def visit(self, session_id: str, user: str | None, *, ago: int = 0, **changes: Any) -> None:
        started = self.now_ms - ago
        fields = {"started_at": started, "last_event_at": started + 1_000, "user_id": user, "anonymous_id": None}
        shown = record(session_id, **fields | changes)
        await self.store.apply(write(session_id, record_of=shown))

    async def visits(self, users: Sequence[str], *, ago: int = 0) -> None:
        started = self.now_ms - ago
        shown = [
            record(f"s-{user}", started_at=started, last_event_at=self.now_ms, user_id=user, anonymous_id=None)
            for user in users
        ]
        await self.store.apply_many([write(each.session_id, record_of=each) for each in shown])

    async def change(self, session_id: str, version: int = 1, **changes: Any) -> None:
        known = await self.store.record(session_id)
        assert known is not None
        await self.store.apply(write(session_id, base=version, record_of=msgspec.structs.replace(known, **changes)))

    async def delete(self, *session_ids: str) -> None:
        deletion = Deletion(self.client, StoreSettings(), self.clock_ms)
        assert [each.session_id async for each in deletion.delete(session_ids)] == list(session_ids)

    def declared(self, condition: str = "tag=rage_click", **fields: Any) -> Declared:
        cohort = Cohort(project="shop", condition=condition, out="-", **fields)
        return Declared(Source("shop", "angry"), cohort, read_condition(condition))

    def parts(self, declared: Declared | None = None, lease_ms: int = 60_000, linger_ms: int = 0) -> Parts:
        tools = Tools(self.settings, self.client, self.exclusions, self.clock_ms, lease_ms)
        return put_together(tools, declared or self.declared(), linger_ms=linger_ms)

    async def run(self, receiver: Receiver, declared: Declared | None = None, **job: Any) -> RunReport:
        parts = self.parts(declared)
        return await run_once(Job(parts, receiver, self.clock_ms, job.pop("lease_ms", 60_000), sleep=self.sleep), **job)

    def files(self, folder: Path) -> list[str]:
        return [path.name for path in folder.iterdir()]

    async def lease_is_over(self) -> None:
        """Let the time pass that an owner who died is waited for."""
        for key in await self.redis.keys("wince:{cohorts:shop}:*:meta"):
            await self.redis.hset(key, "leased_until", 0)

    async def traces_of(self, text: str) -> list[str]:
        """Name the keys of cohorts that hold a text."""
        found = []
        for key in await self.redis.keys("wince:{cohorts:*"):
            kind = await self.redis.type(key)
            held = await self.redis.hgetall(key) if kind == b"hash" else await self.redis.zrange(key, 0, -1)
            if text in str(held):
                found.append(key.decode())
        return found
