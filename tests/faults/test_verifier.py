"""The verifier finds every kind of damage: what cannot fail proves nothing."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from engine.core.core import Core
from engine.input.files import read_batches
from engine.runtime.recorded import RecordedRun
from engine.runtime.stores import store_settings
from engine.runtime.writer import Writer
from engine.settings import load_settings
from replay.redis_client import connect
from replay.redis_store import RedisStore
from tests.faults.expected import Expected, expect
from tests.faults.journal import Journal, Sent
from tests.faults.load import Mix, make_load
from tests.faults.recordings import load_recordings
from tests.faults.settings import write_settings
from tests.faults.verdict import verify
from tests.servers.redis_server import FoundRedis

PREFIX = "wince"
SEED = 20_261_122

pytestmark = pytest.mark.asyncio(loop_scope="module")

Damage = Callable[[Any, str, dict[str, Any]], Awaitable[None]]


@pytest.fixture(scope="module")
def journal() -> Journal:
    """Forty sessions, with all that is out of the ordinary."""
    rng = random.Random(SEED)
    mix = Mix(twice=0.2, disordered=0.3, late_sessions=0.5, poison=0.02)
    started_at = time.time_ns() // 1_000_000 - 3_600_000
    made = Journal(partitions=3)
    for message in make_load(load_recordings(), rng, sessions=40, started_at=started_at, mix=mix):
        partition = made.partition_of(message.key)
        made.note(Sent(0, partition, made.ends[partition], message))
    return made


@pytest.fixture(scope="module")
def expected(journal: Journal, tmp_path_factory: pytest.TempPathFactory) -> Expected:
    folder = tmp_path_factory.mktemp("expected")
    settings = write_settings(folder / "wince.toml", {})
    return expect(journal.in_order(), settings, folder / "work")


@pytest_asyncio.fixture(loop_scope="module")
async def filled(redis_server: FoundRedis, expected: Expected) -> AsyncIterator[Redis]:
    """Redis, with everything as it should be: written by the engine from the file, without Kafka."""
    async with Redis.from_url(redis_server.url, protocol=2) as client:
        await client.flushall()
        folder = expected.bundles.parents[1]
        settings = load_settings(folder.parent / "wince.toml", {})
        store = RedisStore(connect(redis_server.url), store_settings(settings))
        run = RecordedRun(Core(settings), Writer(store, "file", "test", keep_state=False), bury=lambda _letter: None)
        await run.run(read_batches([folder / "sent.jsonl"], settings.limits, run.unreadable))
        await store.close()
        yield client


async def test_what_is_right_is_clean(filled: Any, expected: Expected, journal: Journal) -> None:
    verdict = await verify(filled, PREFIX, expected)
    assert verdict.is_clean, str(verdict)
    assert verdict.sessions == 40
    assert verdict.events == sum(len(names) for each in expected.sessions.values() for names in each.windows.values())
    assert verdict.signals > 0
    assert any(each.message.is_poison for each in journal.sent)
    assert len(journal.sent) > verdict.batches


def keys(session_id: str) -> str:
    return f"{PREFIX}:session:{{{session_id}}}:"


async def lose_session(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    await redis.delete(keys(session_id) + "record")


async def invent_session(redis: Any, _session_id: str, record: dict[str, Any]) -> None:
    await redis.set(keys("invented") + "record", orjson.dumps(record))


async def unlist_session(redis: Any, session_id: str, record: dict[str, Any]) -> None:
    await redis.zrem(f"{PREFIX}:project:{{{record['project_id']}}}:time", session_id)


async def lose_block(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    await redis.rpop(keys(session_id) + "index")


async def repeat_block(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    last = await redis.lindex(keys(session_id) + "index", -1)
    await redis.rpush(keys(session_id) + "index", last)


async def misplace_block(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    block = orjson.loads(await redis.lindex(keys(session_id) + "index", 2))
    await redis.lset(keys(session_id) + "index", 2, orjson.dumps({**block, "sequence": 1_000}).decode())


async def cut_data(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    head = orjson.loads(await redis.lindex(keys(session_id) + "index", 0))
    data = await redis.get(head["data"])
    await redis.set(head["data"], data[:-1])


async def lose_signal(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    name = (await redis.hkeys(keys(session_id) + "signals"))[0]
    await redis.hdel(keys(session_id) + "signals", name)


async def change_signal(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    name, value = next(iter((await redis.hgetall(keys(session_id) + "signals")).items()))
    await redis.hset(keys(session_id) + "signals", name, orjson.dumps({**orjson.loads(value), "t": 1}))


async def invent_signal(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    name, value = next(iter((await redis.hgetall(keys(session_id) + "signals")).items()))
    other = orjson.dumps({**orjson.loads(value), "id": "invented"})
    await redis.hset(keys(session_id) + "signals", f"{name.decode()}x", other)


async def miscount(redis: Any, session_id: str, record: dict[str, Any]) -> None:
    record["totals"]["batches"] += 1
    await redis.set(keys(session_id) + "record", orjson.dumps(record))


async def not_ended(redis: Any, session_id: str, record: dict[str, Any]) -> None:
    await redis.set(keys(session_id) + "record", orjson.dumps({**record, "status": "open"}))


async def leave_hole(redis: Any, session_id: str, _record: dict[str, Any]) -> None:
    await redis.lset(keys(session_id) + "index", 1, '[{"window_id":"w","reason":"gap","t":1}]')


DAMAGES: dict[Damage, str] = {
    lose_session: "sessions_missing",
    invent_session: "sessions_unknown",
    unlist_session: "sessions_unlisted",
    lose_block: "events_lost",
    repeat_block: "events_duplicated",
    misplace_block: "events_out_of_order",
    cut_data: "bundles_broken",
    lose_signal: "signals_lost",
    change_signal: "signals_differ",
    invent_signal: "signals_unknown",
    miscount: "counts_wrong",
    not_ended: "ends_wrong",
    leave_hole: "holes_wrong",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_damage_is_found(filled: Any, expected: Expected, damage: Damage) -> None:
    for session_id, record in expected.records.items():
        stored = orjson.loads(await filled.get(keys(session_id) + "record"))
        blocks = await filled.llen(keys(session_id) + "index") - 2
        if blocks >= 2 and expected.signals.get(session_id) and not record.get("reopened"):
            await damage(filled, session_id, stored)
            break
    else:
        pytest.fail("no session of the load is fit to be damaged")
    verdict = await verify(filled, PREFIX, expected)
    assert DAMAGES[damage] in verdict.wrong, str(verdict)


async def test_changed_content_is_found(filled: Any, expected: Expected) -> None:
    session_id = next(iter(expected.sessions))
    path = expected.bundles / f"{session_id}.jsonl"
    before = path.read_bytes()
    try:
        path.write_bytes(before.replace(b'"width":', b'"other":', 1))
        verdict = await verify(filled, PREFIX, expected)
    finally:
        path.write_bytes(before)
    assert verdict.wrong == {"events_differ": 1}
