"""Following sessions and projects: nothing missed, nobody waits inside Redis, and everything has an end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio
from aiohttp import ClientSession
from redis.asyncio import Redis
from starlette.types import ASGIApp

from engine.settings import ServeSettings
from replay.api.types_live import LiveIndex
from replay.errors import Broken, Unavailable
from replay.redis_client import connect
from replay.redis_keys import KeyNames
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.server import following, live
from replay.server.access import Access, Scope
from replay.server.following import Follower, Hub, News, encode_message
from replay.server.live_topics import GrowingSession, ProjectSignals
from replay.server.services import Services
from replay.store import StoreSettings
from schemas.session_record import SessionRecord
from tests.replay.asking import ask, make_app, serving
from tests.replay.samples import T0, block, record, signal, write
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSION = "/api/v1/sessions/a/live"
PROJECT = "/api/v1/projects/shop/live"


class Event(NamedTuple):
    name: str
    data: Any
    id: str


@pytest_asyncio.fixture(loop_scope="session")
async def services(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[Services]:
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    settings = StoreSettings()
    store = RedisStore(client, settings, lambda: T0)
    services = Services(store=store, redis=client, settings=settings, reasons={}, clock_ms=lambda: T0)
    yield services
    services.stopping.set()
    await client.close()


@pytest.fixture
def handlers(services: Services) -> live.Live:
    return live.Live(services, poll_seconds=0.002)


@pytest.fixture
def app(handlers: live.Live, services: Services, monkeypatch: pytest.MonkeyPatch) -> ASGIApp:
    monkeypatch.setattr(live, "Live", lambda _: handlers)
    return make_app(live.routes(services))


@asynccontextmanager
async def followed(app: ASGIApp, path: str, last_id: str = "") -> AsyncGenerator[AsyncIterator[Event], None]:
    """Follow over a real connection."""
    headers = {"last-event-id": last_id} if last_id else {}
    async with (
        serving(app) as port,
        ClientSession() as client,
        client.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer,
    ):
        assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
        yield read_events(answer.content)


async def read_events(lines: Any) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name in {"event", "data", "id"}:
            fields[name] = value
        elif not name and fields:
            yield Event(fields["event"], msgspec.json.decode(fields["data"]), fields.get("id", ""))
            fields = {}


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    return [await anext(events) for _ in range(count)]


def ended(session_id: str = "a") -> SessionRecord:
    return record(session_id, status="ended", end_reason="idle")


class TestProject:
    async def test_signals_come_as_they_are_found(self, services: Services, app: ASGIApp) -> None:
        await services.store.apply(write(signals=[signal("before")]))
        async with followed(app, PROJECT) as events:
            await services.store.apply(write(base=1, signals=[signal("one"), signal("two", t=5)]))
            await services.store.apply(write("b", signals=[signal("three", session_id="b")]))
            heard = await take(events, 3)
        assert [(each.name, each.data["id"]) for each in heard] == [
            ("signal", "one"), ("signal", "two"), ("signal", "three"),
        ]  # fmt: skip
        assert len({each.id for each in heard}) == 3

    async def test_who_was_away_is_told_what_was_missed(self, services: Services, app: ASGIApp) -> None:
        async with followed(app, PROJECT) as events:
            await services.store.apply(write(signals=[signal("one")]))
            (last,) = await take(events, 1)
        await services.store.apply(write(base=1, signals=[signal("two")]))
        async with followed(app, PROJECT, last.id) as events:
            await services.store.apply(write(base=2, signals=[signal("three")]))
            assert [each.data["id"] for each in await take(events, 2)] == ["two", "three"]

    @pytest.mark.parametrize("last_id", ["x", "-1-1", "+", "1", f"{2**64}-1", f"{2**64 - 1}-{2**64 - 1}"])
    async def test_last_ids_that_are_none_count_as_none(self, services: Services, app: ASGIApp, last_id: str) -> None:
        await services.store.apply(write(signals=[signal("before")]))
        async with followed(app, PROJECT, last_id) as events:
            await services.store.apply(write(base=1, signals=[signal("after")]))
            assert [each.data["id"] for each in await take(events, 1)] == ["after"]

    async def test_who_missed_too_much_is_told_in_parts(
        self, services: Services, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("replay.server.live_topics.MAX_NEWS", 2)
        await services.store.apply(write(signals=[signal(f"s{n}", t=n) for n in range(3)]))
        async with followed(app, PROJECT, "0-1") as events:
            heard = [event async for event in events]
        assert [each.name for each in heard] == ["signal", "signal", "dropped"]
        assert heard[-1].data == {"reason": "too_far_behind"}
        async with followed(app, PROJECT, heard[1].id) as events:
            assert [each.data["id"] for each in await take(events, 1)] == ["s2"]

    async def test_signals_of_other_projects_are_not_told(self, services: Services, app: ASGIApp) -> None:
        async with followed(app, PROJECT) as events:
            other = msgspec.structs.replace(signal("other", session_id="b"), project_id="travel")
            await services.store.apply(write("b", project_id="travel", signals=[other]))
            await services.store.apply(write(signals=[signal("own")]))
            assert [each.data["id"] for each in await take(events, 1)] == ["own"]

    async def test_only_who_may_read_the_project_follows(self, services: Services) -> None:
        endpoints = live.routes(services)
        other = Access(who="t", name="t", project_id="travel", scopes=frozenset({Scope.READ}))
        assert (await ask(make_app(endpoints, other), PROJECT)).status == 403
        assert (await ask(make_app(endpoints, None), PROJECT)).status == 401


class TestSession:
    async def test_a_session_as_it_grows_and_ends(self, services: Services, app: ASGIApp) -> None:
        await services.store.apply(write(blocks=[block([0])], signals=[signal("one")]))
        async with followed(app, SESSION) as events:
            start = await take(events, 2)
            await services.store.apply(write(base=1, blocks=[block([5], sequence=1)], signals=[signal("two")]))
            grown = await take(events, 2)
            await services.store.apply(write(base=2, signals=[signal("two", count=9)], record_of=ended()))
            rest = [event async for event in events]
        index = await services.store.index("a")
        assert index is not None
        assert [each.name for each in (*start, *grown, *rest)] == [
            "index", "signal", "index", "signal", "index", "signal", "end",
        ]  # fmt: skip
        first, second = (msgspec.convert(each.data, LiveIndex) for each in (start[0], grown[0]))
        assert (first.version, first.blocks, first.length) == (1, [], index.blocks[0].length)
        assert (second.version, second.blocks, second.position) == (2, [index.blocks[1]], f"0.{index.length}")
        assert (grown[1].data["id"], rest[1].data["count"], grown[0].id) == ("two", 9, "2")
        assert rest[-1].data == {"reason": "idle", "ended_at": T0 + 1_000}

    async def test_who_comes_back_is_told_what_was_missed(self, services: Services, app: ASGIApp) -> None:
        await services.store.apply(write(signals=[signal("one")]))
        await services.store.apply(write(base=1, blocks=[block([5])]))
        async with followed(app, SESSION, "1") as events:
            assert [each.name for each in await take(events, 2)] == ["index", "signal"]
        async with followed(app, SESSION, "2") as events:
            await services.store.apply(write(base=2, blocks=[block([9], sequence=1)]))
            assert [(each.name, each.id) for each in await take(events, 1)] == [("index", "3")]

    async def test_an_ended_session_is_told_once(self, services: Services, app: ASGIApp) -> None:
        await services.store.apply(write(record_of=ended()))
        async with followed(app, SESSION) as events:
            assert [(each.name, each.id) async for each in events] == [("index", "1"), ("end", "1")]
        again = await ask(app, SESSION, last_event_id="1")
        assert (again.status, again.body) == (204, b"")

    async def test_compaction_is_told_as_a_replacement(self, services: Services, app: ASGIApp) -> None:
        await services.store.apply(write(blocks=[block([0]), block([1], sequence=1)]))
        async with followed(app, SESSION) as events:
            await take(events, 1)
            await services.store.compact("a", 1)
            (replaced,) = await take(events, 1)
            await services.store.apply(write(base=1, blocks=[block([5], sequence=2)]))
            (appended,) = await take(events, 1)
        assert (replaced.data["is_replaced"], replaced.data["compacted"], replaced.data["blocks"]) == (True, True, [])
        assert replaced.data["position"].startswith("1.")
        assert (appended.data["is_replaced"], len(appended.data["blocks"])) == (False, 1)

    async def test_a_session_that_is_deleted_is_gone(self, services: Services, app: ASGIApp) -> None:
        await services.store.apply(write())
        async with followed(app, SESSION) as events:
            await take(events, 1)
            await services.store.withdraw("a", "session_deleted")
            assert [(each.name, each.data["reason"]) async for each in events] == [("end", "gone")]
        assert (await ask(app, SESSION)).status == 404

    async def test_sessions_of_others_are_not_there(self, services: Services) -> None:
        await services.store.apply(write())
        other = Access(who="t", name="t", project_id="travel", scopes=frozenset({Scope.READ}))
        assert (await ask(make_app(live.routes(services), other), SESSION)).status == 404

    async def test_head_follows_nothing(self, services: Services, app: ASGIApp, handlers: live.Live) -> None:
        await services.store.apply(write())
        answer = await ask(app, SESSION, "HEAD")
        assert (answer.status, answer.headers["content-type"], answer.body) == (200, "text/event-stream", b"")
        assert handlers.hub.followers == 0


class TestSharing:
    async def test_many_followers_are_one_reader_that_never_blocks(
        self, redis: Redis, services: Services, handlers: live.Live
    ) -> None:
        await services.store.apply(write())
        connections = len(await redis.client_list())
        followers = [await joined(handlers.hub, "p", ProjectSignals(services.redis, services.names, "shop"))
                     for _ in range(200)]  # fmt: skip
        await redis.config_resetstat()
        await services.store.apply(write(base=1, signals=[signal("one")]))
        for _, messages in followers:
            assert b'"id":"one"' in await anext(messages)
        stats = await redis.info("commandstats")
        assert not [name for name in stats if "xread" in name or "subscribe" in name or "blpop" in name]
        assert len(await redis.client_list()) <= connections + 4
        assert stats["cmdstat_xrange"]["calls"] < 200
        for follows, _ in followers:
            await follows.__aexit__(None, None, None)
        assert handlers.hub.followers == 0

    async def test_there_is_an_end_to_how_many(
        self, app: ASGIApp, handlers: live.Live, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert ServeSettings().max_connections > following.MAX_FOLLOWERS, "others are to be answered, too"
        monkeypatch.setattr(following, "MAX_FOLLOWERS", 1)
        async with followed(app, PROJECT):
            answer = await ask(app, PROJECT)
        assert (answer.status, answer.headers["retry-after"]) == (503, "10")
        assert answer.json()["title"] == "too many followers"
        assert handlers.hub.followers == 0

    async def test_redis_being_away_is_waited_for(
        self, services: Services, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_many, failures = services.redis.run_many, [Unavailable("away"), Broken("odd")]

        async def sometimes(calls: Any, *rest: Any, **more: Any) -> Any:
            if calls and calls[0].command == "XRANGE" and failures:
                raise failures.pop()
            return await run_many(calls, *rest, **more)

        async with followed(app, PROJECT) as events:
            monkeypatch.setattr(services.redis, "run_many", sometimes)
            await services.store.apply(write(signals=[signal("one")]))
            assert [each.data["id"] for each in await take(events, 1)] == ["one"]
        assert failures == []

    async def test_a_session_that_cannot_be_read_holds_up_no_other(
        self, redis: Redis, services: Services, handlers: live.Live
    ) -> None:
        for name in ("a", "b"):
            await services.store.apply(write(name))
        odd, fine = [await joined(handlers.hub, name, GrowingSession(services.redis, services.names, name))
                     for name in ("a", "b")]  # fmt: skip
        await anext(odd[1])
        await anext(fine[1])
        await services.store.apply(write("a", base=1))
        await redis.set("wince:session:{a}:record", b"[]")
        await services.store.apply(write("b", base=1))
        assert b'"version":2' in await anext(fine[1])
        for follows, _ in (odd, fine):
            await follows.__aexit__(None, None, None)

    async def test_stopping_ends_all_streams(self, services: Services, app: ASGIApp) -> None:
        async with followed(app, PROJECT) as events:
            services.stopping.set()
            assert [(each.name, each.data["reason"]) async for each in events] == [("dropped", "stopping")]
        assert (await ask(app, PROJECT)).status == 503


async def test_things_in_different_slots_of_a_cluster_are_asked_for_at_once(cluster_server: RedisServer) -> None:
    async with Redis.from_url(cluster_server.url, protocol=2) as admin:
        await admin.flushall()
    client = connect(cluster_server.url.replace("redis://", "redis+cluster://"))
    store, names = RedisStore(client, StoreSettings(), lambda: T0), KeyNames("wince")
    await store.apply(write())
    hub = Hub(client, asyncio.Event(), 0.002)
    session = await joined(hub, "a", GrowingSession(client, names, "a"))
    project = await joined(hub, "shop", ProjectSignals(client, names, "shop"))
    assert b"event: index" in await anext(session[1])
    await store.apply(write(base=1, blocks=[block([5])], signals=[signal()]))
    assert b'"version":2' in await anext(session[1])
    assert b"event: signal" in await anext(project[1])
    for follows, _ in (session, project):
        await follows.__aexit__(None, None, None)
    await client.close()


async def joined(hub: Hub, name: str, topic: Any) -> tuple[Any, AsyncIterator[bytes]]:
    context = hub.following(name, topic, "")
    follower = await context.__aenter__()
    return context, follower.messages()


class TestFollowers:
    async def test_slow_ones_are_dropped_and_told_why(self) -> None:
        follower = Follower()
        follower.hear(News([b"x"] * following.MAX_WAITING))
        follower.hear(News([b"y"]))
        follower.hear(News([b"z"]))
        assert [message async for message in follower.messages()] == [
            b'event: dropped\ndata: {"reason":"too_slow"}\n\n'
        ]

    async def test_silence_is_broken_by_heartbeats(self) -> None:
        messages = Follower().messages(heartbeat_seconds=0.001)
        assert [await anext(messages), await anext(messages)] == [b":\n\n"] * 2

    async def test_nobody_follows_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(following, "MAX_FOLLOW_SECONDS", 0.0)
        assert [message async for message in Follower().messages()] == [b'event: dropped\ndata: {"reason":"renew"}\n\n']

    async def test_what_waits_is_told_before_the_end(self) -> None:
        follower = Follower()
        follower.hear(News([b"a", b"b"], is_end=True))
        follower.hear(News([b"c"]))
        assert [message async for message in follower.messages()] == [b"ab"]

    async def test_what_comes_while_a_message_is_sent_is_told_too(self) -> None:
        follower = Follower()
        follower.hear(News([b"a"]))
        messages = follower.messages()
        assert await anext(messages) == b"a"
        follower.hear(News([b"b"], is_end=True))
        assert [message async for message in messages] == [b"b"]

    async def test_an_event_is_written_as_browsers_read_it(self) -> None:
        assert encode_message("signal", b"{}", "1-2") == b"id: 1-2\nevent: signal\ndata: {}\n\n"
