"""Sessions that may not be there, with a real store: nothing of them is left anywhere, whatever a worker is doing."""

import asyncio
import io
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple, cast

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from engine.core.shared import Shared
from engine.operate.health import Health
from engine.operate.logs import configure_logs
from engine.operate.registry import Meters
from engine.operate.traces import NO_TRACES
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.outbox import Message
from engine.runtime.kafka.ownership import Ownership
from engine.runtime.kafka.patience import Patience
from engine.runtime.kafka.records import Place
from engine.runtime.kafka.tools import Tools
from engine.runtime.kafka.work import Work
from engine.runtime.stores import store_settings
from engine.settings import PrivacySettings, Settings, WorkerSettings
from replay.deletion import Deletion
from replay.exclusions import user_digest
from replay.marks import RedisMarks
from replay.redis_client import RedisClient, connect
from replay.redis_store import RedisStore
from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope
from tests.engine.core.harness import sample_batches
from tests.replay.everything import everything
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACE = Place("events", 3)
USER = "person-of-the-planted-name"
NOW_MS = 1_796_000_000_000


class Sent(NamedTuple):
    """A record."""

    offset: int
    timestamp: int
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Told:
    """In place of Kafka: what was told, and what was buried."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.letters: list[DeadLetter] = []

    async def send(self, messages: Sequence[Message]) -> None:
        await asyncio.sleep(0)
        self.messages += messages

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        self.letters += letters

    def kinds(self, session_id: str) -> list[str]:
        """List the kinds of what was told of a session; that of a signal is `signal`."""
        return [
            msgspec.json.decode(message.value).get("kind", "signal")
            for message in self.messages
            if message.key == session_id
        ]


class Site:
    """A Redis, what is told, and workers with them."""

    def __init__(self, redis: Redis, client: RedisClient, settings: Settings) -> None:
        self.redis = redis
        self.client = client
        self.settings = settings
        self.told = Told()
        self.shared = Shared(settings)
        self.meters = Meters("test")
        self.deletion = Deletion(client, store_settings(settings))

    async def work(self, offset: int = 0, *, owner: str = "me") -> Work:
        """Start to work on the partition, as after a crash."""
        health = Health()
        tools = Tools(
            settings=self.settings,
            owner=owner,
            shared=self.shared,
            store=RedisStore(self.client, store_settings(self.settings)),
            marks=RedisMarks(self.client, "wince"),
            emitter=cast("Emitter", self.told),
            patience=Patience(WorkerSettings(retry_backoff_ms=1), self.meters, health.beat),
            meters=self.meters,
            health=health,
            tracer=NO_TRACES,
            collect=lambda: None,
            clock_ms=lambda: NOW_MS,
        )
        ownership = Ownership("events/3", tools)
        await ownership.claim()
        return Work(PLACE, "log#0", offset, tools, ownership)

    async def delete(self, session_id: str) -> None:
        removed = [each async for each in self.deletion.delete([session_id])]
        proof = await self.deletion.prove(removed)
        assert proof.left == []

    async def is_gone(self, *needles: bytes) -> bool:
        """Say whether of these only the tombstone of the session they begin with is left, and word of its end."""
        meta = b"wince:session:{%s}:meta" % needles[0]
        text = await everything(self.redis, but=(meta, b"wince:withdrawn"))
        return not any(needle in text for needle in needles)


@pytest_asyncio.fixture(loop_scope="session")
async def site(redis_server: FoundRedis) -> AsyncIterator[Site]:
    async with Redis.from_url(redis_server.url, protocol=2) as redis:
        await redis.flushall()
        client = connect(redis_server.url)
        yield Site(redis, client, Settings(privacy=PrivacySettings(exclude_users=(USER,))))
        await client.close()


def changed(batch: bytes, **fields: Any) -> bytes:
    envelope = msgspec.json.decode(batch, type=Envelope)
    return msgspec.json.encode(msgspec.structs.replace(envelope, **fields))


def records(*streams: Sequence[bytes]) -> list[Sent]:
    """Mix sessions, one batch of each in turn."""
    longest = max(map(len, streams))
    mixed = [stream[place] for place in range(longest) for stream in streams if place < len(stream)]
    return [Sent(offset, NOW_MS - 10_000 + offset, value) for offset, value in enumerate(mixed)]


def two_sessions() -> tuple[tuple[str, list[bytes]], tuple[str, list[bytes]]]:
    """The two recordings with the most batches."""
    first, second = sorted(sample_batches().items(), key=lambda item: -len(item[1]))[:2]
    return first, second


async def test_a_deletion_under_work_stops_it_there_and_nowhere_else(site: Site) -> None:
    (gone, batches), (kept, others) = two_sessions()
    all_records = records(batches, others)
    half = len(batches)
    work = await site.work()
    await work.process(all_records[:half])
    assert gone.encode() in await everything(site.redis)
    await site.delete(gone)
    told_before = len(site.told.kinds(gone))
    # What was written before the deletion is vouched for by the tombstone.
    await work.settle()
    await work.process(all_records[half:])
    await work.settle()
    assert await site.is_gone(gone.encode())
    # Said by the worker when it found out; it did not start anew, and tells nothing else of the session.
    assert site.told.kinds(gone)[told_before:] == ["session_withdrawn"]
    assert site.told.kinds(kept)
    assert await RedisStore(site.client, store_settings(site.settings)).record(kept) is not None
    told_before = len(site.told.kinds(gone))
    for start in (0, half):
        later = await site.work(start, owner=f"after {start}")
        await later.process(all_records[start:])
        await later.settle()
        assert await site.is_gone(gone.encode())
    assert site.told.kinds(gone)[told_before:] == []


@pytest.mark.parametrize("seed", range(6))
async def test_a_deletion_at_any_moment_of_the_work_wins(site: Site, seed: int) -> None:
    rng = random.Random(seed)
    (gone, batches), (_, others) = two_sessions()
    all_records = records(batches, others)
    work = await site.work()

    async def process() -> None:
        for record in all_records:
            await work.process([record])
            await work.settle()
            await work.pass_time(is_idle=rng.random() < 0.1, is_caught_up=True)

    async def delete() -> None:
        for _ in range(rng.randrange(300)):
            await asyncio.sleep(0)
        [removed async for removed in site.deletion.delete([gone])]

    await asyncio.gather(process(), delete())
    assert await site.is_gone(gone.encode())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"user_id": USER}, "excluded_user"),
        ({"anonymous_id": USER}, "excluded_user"),
        ({"consent": False}, "no_consent"),
    ],
)
async def test_what_becomes_known_in_mid_session_takes_all_of_it_back(
    site: Site, fields: dict[str, Any], reason: str
) -> None:
    (gone, batches), (kept, others) = two_sessions()
    middle = len(batches) // 2
    batches[middle] = changed(batches[middle], **fields)
    all_records = [*records(batches, others), Sent(len(batches) + len(others), NOW_MS, b'{"not": "a batch"}')]
    logs = io.StringIO()
    configure_logs("debug", "json", stream=logs)
    work = await site.work()
    for record in all_records:
        await work.process([record])
    needles = (gone.encode(), USER.encode())
    assert await site.is_gone(*needles)
    tombstone = await RedisStore(site.client, store_settings(site.settings)).tombstone(gone)
    assert tombstone is not None
    assert tombstone.reason == reason
    assert site.told.kinds(gone)[-1] == "session_withdrawn"
    assert site.told.kinds(gone).count("session_withdrawn") == 1
    elsewhere = msgspec.json.encode(site.told.letters) + logs.getvalue().encode() + site.meters.exposition()
    assert len(site.told.letters) == 1
    for needle in needles:
        assert needle not in elsewhere
        assert needle not in b"".join(message.value for message in site.told.messages if message.key != gone)
    # After a restart only the tombstone knows, and what follows names nobody.
    after = [record for record in all_records if record.offset > 2 * middle + 1]
    later = await site.work(after[0].offset, owner="later")
    await later.process(after)
    assert await site.is_gone(*needles)
    assert kept.encode() in await everything(site.redis)


async def test_a_session_without_consent_leaves_no_trace_at_all(site: Site) -> None:
    (gone, batches), _ = two_sessions()
    work = await site.work()
    await work.process(records([changed(batch, consent=False) for batch in batches]))
    await work.flush(save_all=True)
    await work.pass_time(is_idle=True, is_caught_up=True)
    assert await site.redis.keys() == [b"wince:mark:{events%2F3}"]
    assert (site.told.messages, site.told.letters) == ([], [])
    assert gone.encode() not in site.meters.exposition()


@pytest.mark.parametrize("fields", [{"user_id": USER}, {"anonymous_id": USER}])
async def test_a_session_of_an_excluded_user_leaves_a_tombstone_that_keeps_its_rest_out(
    site: Site, fields: dict[str, Any]
) -> None:
    (gone, batches), (kept, others) = two_sessions()
    middle = len(batches) // 2
    named = [changed(batch, **fields) for batch in batches[:middle]]
    all_records = records([*named, *batches[middle:]], others)
    work = await site.work()
    await work.process(all_records[: 2 * middle])
    await work.settle()
    assert await site.is_gone(gone.encode(), USER.encode())
    assert (site.told.kinds(gone), site.told.letters) == ([], [])
    assert gone.encode() not in site.meters.exposition()
    # As after a crash: batches that name nobody come, and nothing but Redis knows whose they are.
    for start in (2 * middle, middle):
        later = await site.work(start, owner=f"after {start}")
        await later.process(all_records[start:])
        await later.flush(save_all=True)
        await later.pass_time(is_idle=True, is_caught_up=True)
        assert await site.is_gone(gone.encode(), USER.encode())
        assert site.told.kinds(gone) == []
    assert kept.encode() in await everything(site.redis)


@pytest.mark.parametrize("steps", [1, 3, 10, 30, 100])
async def test_an_excluded_session_is_kept_out_wherever_its_worker_dies(site: Site, steps: int) -> None:
    (gone, batches), (_, others) = two_sessions()
    all_records = records([changed(batches[0], user_id=USER), *batches[1:]], others)
    work = await site.work()
    dying = asyncio.create_task(work.process(all_records[:1]))
    for _ in range(steps):
        await asyncio.sleep(0)
    finished = dying.done()
    dying.cancel()
    await asyncio.wait([dying])
    # What was not flushed was not committed, and is read again.
    later = await site.work(1 if finished else 0, owner="later")
    await later.process(all_records[1 if finished else 0 :])
    assert await site.is_gone(gone.encode(), USER.encode())
    assert site.told.kinds(gone) == []


async def test_a_user_excluded_while_work_goes_on_is_taken_back_with_the_next_batch(site: Site) -> None:
    (gone, batches), (_, others) = two_sessions()
    named = [changed(batch, user_id="noa") for batch in batches]
    all_records = records(named, others)
    work = await site.work()
    await work.process(all_records[: len(batches)])
    assert b"noa" in await everything(site.redis)
    site.shared.exclusions.replace([user_digest("", "noa")])
    await work.process(all_records[len(batches) :])
    assert await site.is_gone(gone.encode(), b"user:noa")
