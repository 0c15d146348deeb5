"""Runs that die anywhere, again and again, in a changing world: what the receiver was told still adds up.

Failures injected: death before or after the nth write to Redis, in any step; receivers that take a batch and do not say
so, or neither; sessions that come and go in between. To be exactly zero: users told of wrongly at the end, ids that
stand for two contents, users told to have come who had no session by then.
"""

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from engine.cohorts.events import Batch, webhook_body
from engine.cohorts.jobs import Job, run_once
from engine.cohorts.opening import Tools, owned, put_together
from engine.cohorts.sending import Sender
from engine.cohorts.state import NotOwnerError
from engine.delivery.posting import Posted
from replay.redis_client import Call, Operation, RedisClient, Reply
from tests.cohorts.world import DAY, Notebook, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

USERS = [f"u{number}" for number in range(8)]


class Died(Exception):
    """The process is no more."""


class Dying(RedisClient):
    """Dies at its nth write, before or after it was carried out, and does nothing from then on."""

    def __init__(self, client: RedisClient, writes: int, *, after: bool) -> None:
        super().__init__(client._redis)
        self.writes = writes
        self._after = after

    async def run_many(
        self, calls: Sequence[Call], operation: Operation = "read", *, in_order: bool = True
    ) -> list[Reply]:
        if self.writes <= 0:
            raise Died
        if operation == "write":
            self.writes -= 1
            if not self.writes and not self._after:
                raise Died
        replies = await super().run_many(calls, operation, in_order=in_order)
        if not self.writes:
            raise Died
        return replies


class Chancy(Notebook):
    """Takes a batch or not, says so or not; checks what it gets."""

    batch_users = 3

    def __init__(self, world: World, chance: random.Random) -> None:
        super().__init__()
        self.world = world
        self.chance = chance
        self.is_kind = False
        self.contents: dict[str, bytes] = {}

    async def take(self, batch: Batch) -> Posted:
        body = webhook_body(batch)
        assert self.contents.setdefault(batch.id, body) == body
        for event in batch.events:
            text = repr(event).encode()
            assert self.contents.setdefault(event.id, text) == text
            assert event.event == "exit" or await has_session(self.world, event.user_id)
        if self.is_kind:
            return await super().take(batch)
        match self.chance.randrange(4):
            case 0:
                return Posted("retry", 500)
            case 1:
                self.note(batch)
                return Posted("retry")
            case 2:
                self.note(batch)
                raise Died
            case _:
                return await super().take(batch)


async def has_session(world: World, user: str) -> bool:
    return user in await truth(world)


async def truth(world: World) -> set[str]:
    names = await world.redis.zrangebyscore("wince:project:{shop}:time", world.now_ms - 7 * DAY + 1, "+inf")
    records = [await world.store.record(name.decode()) for name in names]
    return {record.user_id for record in records if record and record.user_id}


async def change_something(world: World, chance: random.Random, number: int) -> None:
    names = [name.decode() for name in await world.redis.zrange("wince:project:{shop}:time", 0, -1)]
    match chance.randrange(4):
        case 0 if names:
            await world.delete(chance.choice(names))
        case 1:
            world.now_ms += chance.randrange(3 * DAY)
        case _:
            await world.visit(f"s{number}", chance.choice(USERS), ago=chance.randrange(8 * DAY))


async def follow_a_while(world: World, job: Job, chance: random.Random) -> None:
    """Look at sessions one by one as they are touched, and send what is due, as following does."""
    keeping = job.parts.keeping
    sender = Sender(keeping, job.receiver, world.clock_ms, world.sleep)
    async with owned(job.parts, 60_000, 0):
        for place in range(3):
            await change_something(world, chance, 1_000 + chance.randrange(10_000) + place)
            names = [f"s{number}" for number in range(30)]
            await keeping.look(chance.sample(names, 20))
            await keeping.expire()
            await sender.step()


@pytest.mark.parametrize("seed", range(12))
async def test_what_was_told_adds_up_whenever_runs_die(world: World, seed: int) -> None:
    chance = random.Random(seed)
    receiver, ends = Chancy(world, chance), Counter[str]()
    for number in range(30):
        await change_something(world, chance, number)
        client = Dying(world.client, chance.randrange(1, 14), after=chance.random() < 0.5)
        tools = Tools(world.settings, client, world.exclusions, world.clock_ms)
        job = Job(put_together(tools, world.declared()), receiver, world.clock_ms, 60_000, sleep=world.sleep)
        try:
            await (run_once(job) if chance.random() < 0.5 else follow_a_while(world, job, chance))
            ends["done"] += 1
        except (Died, NotOwnerError):
            ends["died"] += 1
        await world.lease_is_over()
    assert ends["died"] > 3, "nothing was tried"
    receiver.is_kind = True
    world.now_ms += 6 * 3_600_000
    assert (await world.run(receiver)).is_done
    assert receiver.members == await truth(world)
    assert await world.redis.zcard("wince:{cohorts:shop}:angry:due") == 0
    for user in set(USERS) - receiver.members:
        assert await world.traces_of(user) == []
