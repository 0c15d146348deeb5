"""Stored sessions judged again in a real Redis: shown first, then replaced once, by one guarded write each."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from msgspec.structs import replace
from redis.asyncio import Redis

from engine.core.core import Core
from engine.reprocess.report import Report, session_line
from engine.reprocess.run import Outcome, Reprocessing, Skip
from engine.runtime.stores import store_settings
from engine.runtime.writer import Writer
from engine.settings import Settings
from replay.entries import listing_names
from replay.errors import Unavailable
from replay.redis_client import RedisClient, connect
from replay.redis_store import RedisStore
from replay.rejudging import Publish, Rejudging
from schemas.signals import Signal
from tests.engine.core.harness import START_MS, sample_batches
from tests.engine.reprocess.stored import at_level
from tests.replay.samples import T0, write
from tests.replay.wires import dump
from tests.servers.redis_server import FoundRedis

OTHER = at_level(
    "medium", detectors={"rage_click": {"count": 2}, "js_error": {"enabled": False}, "dead_click": {"wait_ms": 200}}
)
"""Finds bigger bursts of rage, more dead clicks, and no script errors."""


class Server:
    """A Redis with the samples in it: all ended, the earlier half of them over for good, the others in their grace."""

    def __init__(self, url: str, redis: Any) -> None:
        self.url = url
        self.redis = redis
        self.client: RedisClient = connect(url)
        self.settings = Settings()
        self.rejudging = Rejudging(self.client, store_settings(self.settings))
        self.store = RedisStore(self.client, store_settings(self.settings))
        self.closed: list[str] = []
        self.going_on: list[str] = []

    async def fill(self) -> None:
        core, writer = Core(self.settings), Writer(self.store, "samples", "test", keep_state=True)
        recordings = list(sample_batches().items())
        half = len(recordings) // 2
        later_ms = START_MS + 3 * 86_400_000
        position = 0
        for number, (session_id, batches) in enumerate(recordings):
            if number == half:
                core.tick(later_ms)
                core.tick(later_ms + 2 * 86_400_000)
                await writer.write(core.take())
            for batch in batches:
                opened = core.open(batch, None, "samples", position)
                assert opened is not None
                core.feed(opened, position, START_MS if number < half else later_ms + 2 * 86_400_000)
                position += 1
            await writer.write(core.take())
            (self.closed if number < half else self.going_on).append(session_id)
        core.tick(later_ms + 2 * 86_400_000 + self.settings.session.idle_timeout_ms)
        await writer.write(core.take())

    async def reprocess(
        self, settings: Settings, *, writes: bool, ids: Sequence[str] | None = None, publish: Publish | None = None
    ) -> list[Outcome]:
        reprocessing = Reprocessing(self.rejudging, settings, writes=writes, publish=publish)
        return [outcome async for outcome in reprocessing.run(self.closed if ids is None else ids)]

    async def dump(self) -> dict[bytes, Any]:
        return await dump(self.redis)

    async def stream(self) -> list[dict[str, Any]]:
        entries = [entry for key in await self.redis.keys("*:signals") if await self.redis.type(key) == b"stream"
                   for _, entry in await self.redis.xrange(key)]  # fmt: skip
        return [msgspec.json.decode(entry[b"signal"]) for entry in entries]

    async def check_consistent(self) -> None:
        """Listings, signals and streams say of closed sessions what their records say."""
        stream = await self.stream()
        ids = [signal["id"] for signal in stream]
        assert len(ids) == len(set(ids))
        for session_id in self.closed:
            record = await self.store.record(session_id)
            signals = await self.store.signals(session_id)
            assert record is not None
            told = {signal["id"] for signal in stream if signal["session_id"] == session_id}
            assert told == {signal.id for signal in signals}
            assert sum(record.tags.values()) == len(signals)
            project = f"wince:project:{{{record.project_id}}}"
            tags = [
                key for key in await self.redis.keys(f"{project}:tag:*") if await self.redis.zscore(key, session_id)
            ]
            assert sorted(key.decode().rpartition(":")[2] for key in tags) == sorted(record.tags)
            assert await self.redis.zscore(f"{project}:score", session_id) == record.score
            entries = await self.redis.smembers(f"wince:session:{{{session_id}}}:entries")
            assert entries == {name.encode() for name in listing_names(record)}
            assert not await self.redis.hexists(f"wince:session:{{{session_id}}}:meta", "telling")


@pytest_asyncio.fixture(loop_scope="session")
async def server(redis_server: FoundRedis) -> AsyncIterator[Server]:
    async with Redis.from_url(redis_server.url, protocol=2) as redis:
        await redis.flushall()
        filled = Server(redis_server.url, redis)
        await filled.fill()
        yield filled
        await filled.client.close()


pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_dry_run_writes_nothing_and_tells_what_would_change(server: Server) -> None:
    before = await server.dump()
    outcomes = await server.reprocess(OTHER, writes=False)
    assert await server.dump() == before
    changes = [outcome.changes for outcome in outcomes]
    assert {signal.detector for each in changes if each for signal in each.added} == {"dead_click"}
    assert "rage_click" in {after.detector for each in changes if each for _, after in each.altered}
    assert "js_error" in {signal.detector for each in changes if each for signal in each.removed}
    assert not any(outcome.written for outcome in outcomes)


async def test_equal_settings_change_nothing(server: Server) -> None:
    before = await server.dump()
    outcomes = await server.reprocess(Settings(), writes=True)
    assert all(outcome.changes is not None and not outcome.changes.is_any for outcome in outcomes)
    assert await server.dump() == before


async def test_what_is_written_stands_everywhere_and_once(server: Server) -> None:
    await server.check_consistent()
    before = await server.dump()
    outcomes = await server.reprocess(OTHER, writes=True)
    assert sum(outcome.written for outcome in outcomes) > 3
    await server.check_consistent()
    after = await server.dump()
    bundles = [key for key in before if b":data:" in key]
    assert bundles
    assert all(after[key] == before[key] for key in bundles)
    for session_id in server.closed:
        key = f"wince:session:{{{session_id}}}:meta".encode()
        kept = {b"state", b"position", b"token", b"deadline", b"outbox", b"generation"}
        assert {name: after[key][name] for name in kept} == {name: before[key][name] for name in kept}
    again = await server.reprocess(OTHER, writes=True)
    assert not any(outcome.written for outcome in again)
    assert await server.dump() == after


async def test_there_and_back_is_where_one_was(server: Server) -> None:
    before = {session_id: await server.store.record(session_id) for session_id in server.closed}
    signals = {session_id: await server.store.signals(session_id) for session_id in server.closed}
    await server.reprocess(OTHER, writes=True)
    await server.reprocess(Settings(), writes=True)
    assert {session_id: await server.store.record(session_id) for session_id in server.closed} == before
    assert {session_id: await server.store.signals(session_id) for session_id in server.closed} == signals
    await server.check_consistent()


async def test_how_long_a_session_is_kept_does_not_change(server: Server) -> None:
    key = f"wince:session:{{{server.closed[0]}}}"
    for part in ("meta", "record", "signals", "entries"):
        await server.redis.pexpire(f"{key}:{part}", 60_000)
    outcomes = await server.reprocess(at_level("medium", detectors={"preset": "splunk"}), writes=True)
    assert outcomes[0].written
    for part in ("meta", "record", "signals", "entries"):
        assert -2 != await server.redis.pttl(f"{key}:{part}") <= 60_000


async def test_sessions_that_may_go_on_are_shown_and_not_written(server: Server) -> None:
    before = await server.dump()
    shown = await server.reprocess(OTHER, writes=False, ids=server.going_on)
    assert any(outcome.changes is not None and outcome.changes.is_any for outcome in shown)
    written = await server.reprocess(OTHER, writes=True, ids=server.going_on)
    assert {outcome.skipped for outcome in written} == {Skip.MAY_GO_ON}
    assert await server.dump() == before


async def test_it_is_said_when_sessions_that_may_go_on_can_be_judged(server: Server) -> None:
    outcomes = await server.reprocess(OTHER, writes=True, ids=server.going_on)
    deadlines = [
        int(await server.redis.hget(f"wince:session:{{{session_id}}}:meta", "deadline"))
        for session_id in server.going_on
    ]
    assert [outcome.closes_at for outcome in outcomes] == deadlines
    await server.store.apply_many([write("open", deadline_ms=T0 + 5_000)])
    [outcome] = await server.reprocess(OTHER, writes=False, ids=["open"])
    assert outcome.skipped is Skip.MAY_GO_ON
    assert outcome.closes_at == T0 + 5_000 + server.settings.session.grace_ms


class Topic:
    """Takes what is published, but for the first `failures` times."""

    def __init__(self, failures: int = 0) -> None:
        self.signals: list[Signal] = []
        self._failures = failures

    async def publish(self, signals: Sequence[Signal]) -> None:
        if self._failures:
            self._failures -= 1
            raise Unavailable("gone")
        self.signals += signals


async def test_what_is_new_or_other_than_before_is_published_once(server: Server) -> None:
    topic = Topic()
    outcomes = await server.reprocess(OTHER, writes=True, publish=topic.publish)
    changes = [outcome.changes for outcome in outcomes if outcome.changes is not None]
    news = [signal for each in changes for signal in (*each.added, *(after for _, after in each.altered))]
    assert len(news) > 3
    assert sorted(topic.signals, key=lambda signal: signal.id) == sorted(news, key=lambda signal: signal.id)
    await server.reprocess(OTHER, writes=True, publish=topic.publish)
    assert len(topic.signals) == len(news)


async def test_what_could_not_be_published_is_by_the_next_run(server: Server) -> None:
    topic = Topic(failures=1)
    with pytest.raises(Unavailable):
        await server.reprocess(OTHER, writes=True, publish=topic.publish)
    assert topic.signals == []
    outcomes = await server.reprocess(OTHER, writes=True, publish=topic.publish)
    assert not any(outcome.written for outcome in outcomes)
    published = {signal.id for signal in topic.signals}
    assert "dead_click" in {signal.detector for signal in topic.signals}
    stored = [signal.id for session_id in server.closed for signal in await server.store.signals(session_id)]
    assert published < set(stored)
    await server.check_consistent()


async def test_a_session_that_was_written_meanwhile_is_left_alone(server: Server) -> None:
    session_id = server.closed[0]
    judged = await server.rejudging.read(session_id)
    assert judged is not None
    await server.reprocess(OTHER, writes=True, ids=[session_id])
    after = await server.dump()
    assert not await server.rejudging.replace(judged, replace(judged.record, tags={}), ())
    assert await server.dump() == after
    await server.store.withdraw(session_id, "session_deleted")
    gone = await server.dump()
    assert not await server.rejudging.replace(judged, replace(judged.record, tags={}), ())
    assert [outcome.skipped for outcome in await server.reprocess(OTHER, writes=True, ids=[session_id])] == [Skip.GONE]
    assert await server.dump() == gone


async def test_what_a_crash_left_untold_is_told_by_the_next_run(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise Unavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(server.rejudging, "tell", crash)
        with pytest.raises(Unavailable):
            await server.reprocess(OTHER, writes=True)
    with pytest.raises(AssertionError):
        await server.check_consistent()
    outcomes = await server.reprocess(OTHER, writes=True)
    assert not any(outcome.written for outcome in outcomes)
    await server.check_consistent()


async def test_a_damaged_bundle_is_said_and_left(server: Server) -> None:
    session_id = server.closed[0]
    key = f"wince:session:{{{session_id}}}:data:"
    for data in (f"{key}0", f"{key}1"):
        if await server.redis.exists(data):
            await server.redis.setrange(data, 40, b"damage")
    outcomes = await server.reprocess(OTHER, writes=True, ids=[session_id, server.closed[1]])
    assert outcomes[0].skipped is Skip.DAMAGED
    assert outcomes[1].changes is not None


async def test_the_report_adds_up(server: Server) -> None:
    report = Report()
    outcomes = await server.reprocess(OTHER, writes=False, ids=[*server.closed, "nobody"])
    for outcome in outcomes:
        report.add(outcome)
    summary: dict[str, Any] = msgspec.to_builtins(report.summary())
    lines = [msgspec.to_builtins(session_line(outcome)) for outcome in outcomes]
    assert summary["skipped"] == {"gone": 1}
    assert summary["sessions"] == len(server.closed)
    assert summary["changing"] == sum(
        1 for line in lines if any(line.get(kind) for kind in ("added", "removed", "changed"))
    )
    for kind in ("added", "removed"):
        counted = sum(sums[kind] for sums in summary["detectors"].values())
        assert counted == sum(len(line.get(kind, ())) for line in lines)
