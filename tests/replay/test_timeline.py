"""The course of a session: what is on it, in which order, and what finding it costs."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from starlette.types import ASGIApp

from replay.api.types_timeline import Timeline, TimelineEntry
from replay.blocks import encode_block, join_lines
from replay.bundle_reads import OpenBundle, open_bundle
from replay.event_log import MAX_TEXT_CHARS, find_log
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.room import Room
from replay.server import timeline as served
from replay.server.access import Access, Scope
from replay.server.services import Services
from replay.store import StoreSettings
from replay.timeline import make_timeline
from replay.writes import BlockDraft
from schemas.bundle_index import BlockEntry, BundleIndex, Hole
from schemas.session_record import PageVisit
from tests.replay.asking import ask, make_app
from tests.replay.samples import T0, record, signal, write
from tests.servers.redis_server import FoundRedis

BLOCK = BlockEntry("w1", 0, 0, 0, 0, 0, T0, T0)
PATH = "/api/v1/sessions/a/timeline"


def custom(t: int, tag: str, **payload: Any) -> bytes:
    return msgspec.json.encode({"type": 5, "timestamp": T0 + t, "data": {"tag": tag, "payload": payload}})


def plugin(t: int, name: str, **payload: Any) -> bytes:
    return msgspec.json.encode({"type": 6, "timestamp": T0 + t, "data": {"plugin": name, "payload": payload}})


def interaction(t: int, kind: str, **fields: Any) -> bytes:
    return msgspec.json.encode({"kind": kind, "t": T0 + t, **fields})


def entry(t: int, kind: Any, **fields: Any) -> TimelineEntry:
    return TimelineEntry(t=T0 + t, kind=kind, window_id="w1", **fields)


EXAMPLES = [
    (
        custom(1, "js_error", kind="error", message="TypeError: x", source="https://a.test/x.js", line=3, col=4),
        [entry(1, "error", message="TypeError: x", url="https://a.test/x.js", line=3, column=4)],
    ),
    (
        custom(2, "network", method="POST", url="https://a.test/cart", status=500, duration_ms=80),
        [entry(2, "request", method="POST", url="https://a.test/cart", status=500, duration_ms=80, failed=True)],
    ),
    (
        custom(2, "network", method="GET", url="/x", error="Failed to fetch"),
        [entry(2, "request", method="GET", url="/x", failed=True, message="Failed to fetch")],
    ),
    (custom(3, "fetch-request", url="/y", status=204), [entry(3, "request", url="/y", status=204)]),
    (
        plugin(4, "rrweb/console@1", level="warn", payload=['"slow"', '{"a":1}']),
        [entry(4, "console", level="warn", message='slow {"a":1}')],
    ),
    (
        plugin(5, "rrweb/network@1", requests=[{"name": "/a", "status": 200, "duration": 40}, {"name": "/b"}]),
        [entry(5, "request", url="/a", status=200, duration_ms=40), entry(5, "request", url="/b")],
    ),
    (
        interaction(6, "error", message="m", error_type="TypeError"),
        [entry(6, "error", message="m", error_type="TypeError")],
    ),
    (interaction(6, "unhandled_rejection", message="r"), [entry(6, "error", message="r")]),
    (interaction(7, "console_error", message="c"), [entry(7, "console", level="error", message="c")]),
    (
        interaction(8, "request_end", url="/z", status=503, duration_ms=9.5),
        [entry(8, "request", url="/z", status=503, duration_ms=9.5, failed=True)],
    ),
    (interaction(8, "request_end", url="/z", failed=True), [entry(8, "request", url="/z", failed=True)]),
    (custom(1, "breadcrumb", category='"js_error"'), []),
    (custom(1, "js_error", message=7), []),
    (plugin(1, "other", payload=['"rrweb/console@1"']), []),
    (interaction(1, "click", text='say "error"'), []),
    (b'{"type":5,"timestamp":1,"data":{"tag":"js_error"', []),
    (b'{"type":5,"timestamp":1e400,"data":{"tag":"js_error","payload":{}}}', []),
    (b'{"type":6,"timestamp":1,"data":["rrweb/console@1"]}', []),
]


class TestFinding:
    @pytest.mark.parametrize(("line", "found"), EXAMPLES)
    def test_each_form(self, line: bytes, found: list[TimelineEntry]) -> None:
        assert list(find_log(BLOCK, line + b"\n")) == found

    @given(st.permutations(EXAMPLES), st.booleans())
    def test_lines_do_not_disturb_each_other(self, examples: list[Any], ended: bool) -> None:  # noqa: FBT001
        text = b"\n".join(line for line, _ in examples) + b"\n" * ended
        assert list(find_log(BLOCK, text)) == [each for _, found in examples for each in found]

    @given(st.binary(max_size=200), st.sampled_from([b'"error"', b'"js_error"', b'"network"']))
    def test_damaged_lines_are_passed_over(self, junk: bytes, name: bytes) -> None:
        assert list(find_log(BLOCK, junk + name + junk)) == []

    def test_long_texts_and_many_requests_are_cut(self) -> None:
        (long,) = find_log(BLOCK, custom(0, "js_error", message="x" * 9_000))
        assert len(long.message) == MAX_TEXT_CHARS
        many = plugin(0, "rrweb/network@1", requests=[{"name": "/"}] * 1_000)
        assert len(list(find_log(BLOCK, many))) == 100


class TestMaking:
    def test_all_in_order_of_time_and_cause(self) -> None:
        index = BundleIndex(
            "a", 1, [BLOCK, msgspec.structs.replace(BLOCK, window_id="w2", first_t=T0 + 7, last_t=T0 + 9, events=3)],
            [Hole("w1", "gap", T0 + 8, 3, 4, 5)], 0,
        )  # fmt: skip
        pages = [PageVisit("https://a.test/1", "w1", T0), PageVisit("https://a.test/2", "w2", T0 + 7)]
        ended = record(pages=pages, status="ended", end_reason="idle", last_event_at=T0 + 9)
        made = make_timeline(ended, index, [signal(t=5, count=4)], [entry(5, "error"), entry(5, "request")])
        assert [(each.kind, each.t - T0, each.window_id) for each in made.entries] == [
            ("window", 0, "w1"), ("page", 0, "w1"), ("request", 5, "w1"), ("error", 5, "w1"), ("signal", 5, "w1"),
            ("window", 7, "w2"), ("page", 7, "w2"), ("hole", 8, "w1"), ("end", 9, ""),
        ]  # fmt: skip
        assert (made.started_at, made.ended_at, made.windows[1].events) == (T0, T0 + 9, 3)
        assert made.entries[4] == TimelineEntry(
            t=T0 + 5, kind="signal", window_id="w1", end_t=T0 + 505, signal_id="s1", detector="rage_click", count=4,
            text="Pay",
        )  # fmt: skip
        assert (made.entries[7].reason, made.entries[7].events, made.entries[8].reason) == ("gap", 5, "idle")

    def test_an_open_session_has_no_end(self) -> None:
        made = make_timeline(record(pages=[]), BundleIndex("a", 1, [], [], 0), [])
        assert (made.ended_at, made.entries, made.windows) == (None, [], [])


def draft(*lines: bytes, window: str = "w1", sequence: int = 0) -> BlockDraft:
    text = join_lines(lines)
    return BlockDraft(window, sequence, encode_block(text), len(text), len(lines), T0, T0 + 9)


@pytest_asyncio.fixture(loop_scope="session")
async def services(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[Services]:
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    settings = StoreSettings()
    store = RedisStore(client, settings, lambda: T0)
    await store.apply(write(blocks=[draft(custom(3, "js_error", message="m"))], signals=[signal(t=5)]))
    yield Services(store=store, redis=client, settings=settings, reasons={}, clock_ms=lambda: T0)
    await client.close()


@pytest.fixture
def app(services: Services) -> ASGIApp:
    return make_app(served.routes(services))


async def kinds(app: ASGIApp) -> list[tuple[str, int]]:
    answer = await ask(app, PATH)
    assert answer.status == 200
    return [(each.kind, each.t - T0) for each in answer.json(Timeline).entries]


async def opened(services: Services, session_id: str) -> OpenBundle:
    bundle = await open_bundle(services.redis, services.names, session_id)
    assert bundle is not None
    return bundle


@pytest.mark.asyncio(loop_scope="session")
class TestServing:
    async def test_what_grows_is_only_read_on(self, redis: Redis, services: Services, app: ASGIApp) -> None:
        start = [("window", 0), ("page", 0), ("error", 3), ("signal", 5)]
        assert await kinds(app) == start
        await redis.config_resetstat()
        assert await kinds(app) == start
        stats = await redis.info("commandstats")
        assert "cmdstat_getrange" not in stats
        assert stats["cmdstat_get"]["calls"] == stats["cmdstat_lrange"]["calls"] == stats["cmdstat_hvals"]["calls"] == 1
        await services.store.apply(write(base=1, blocks=[draft(custom(8, "network", url="/"), sequence=1)]))
        assert await kinds(app) == [*start, ("request", 8)]

    async def test_after_compaction_it_is_the_same(self, services: Services, app: ASGIApp) -> None:
        await services.store.apply(write(base=1, blocks=[draft(custom(8, "network", url="/"), sequence=1)]))
        before = await kinds(app)
        await services.store.compact("a", 2)
        assert await kinds(app) == before
        assert await kinds(make_app(served.routes(services))) == before

    async def test_data_that_moves_while_it_is_read_is_read_again(
        self, redis: Redis, services: Services, app: ASGIApp
    ) -> None:
        run_many = services.redis.run_many
        moved: list[object] = []

        async def move_in_between(calls: Any, *rest: Any, **more: Any) -> Any:
            if calls[0].command == "GETRANGE" and not moved:
                moved.append(True)
                assert await services.store.compact("a", 1)
                await redis.delete("wince:session:{a}:data:0")
            return await run_many(calls, *rest, **more)

        services.redis.run_many = move_in_between  # type: ignore[method-assign]
        assert await kinds(app) == [("window", 0), ("page", 0), ("error", 3), ("signal", 5)]
        assert moved

    async def test_a_log_has_bounds_and_says_so(
        self, services: Services, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(served, "MAX_LOG_ENTRIES", 2)
        more = [draft(*[custom(n, "network", url="/") for n in range(5)], sequence=sequence) for sequence in (1, 2)]
        await services.store.apply(write(base=1, blocks=more))
        timeline = (await ask(app, PATH)).json(Timeline)
        assert timeline.is_partial
        assert [each.kind for each in timeline.entries if each.kind in {"error", "request"}] == ["request", "error"]
        assert (await ask(app, PATH)).json(Timeline) == timeline

    async def test_so_has_what_is_looked_through(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(served, "MAX_LOG_BYTES", 10)
        timeline = (await ask(make_app(served.routes(services)), PATH)).json(Timeline)
        assert timeline.is_partial
        assert "error" not in [each.kind for each in timeline.entries]

    async def test_logs_are_forgotten(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [T0]
        logs, hold = served.EventLogs(lambda: now[0]), Room(1 << 20, 0.0).of("t")
        monkeypatch.setattr(served, "MAX_LOGS", 2)
        for name in ("b", "c"):
            await services.store.apply(write(name, blocks=[draft(custom(3, "js_error"))]))
        bundles: list[OpenBundle] = []
        for name in ("a", "b", "c"):
            bundles.append(await opened(services, name))
            await logs.read(bundles[-1], hold)
        assert list(logs._known) == ["b", "c"]
        now[0] += served.REMEMBERED_MS + 1
        await logs.read(bundles[-1], hold)
        assert list(logs._known) == ["c"]

    async def test_a_share_shows_its_part(self, services: Services) -> None:
        part = Access(
            who="s", name="s", project_id="shop", scopes=frozenset({Scope.READ}), session_id="a", from_t=T0 + 4,
            to_t=T0 + 6,
        )  # fmt: skip
        assert await kinds(make_app(served.routes(services), part)) == [("signal", 5)]

    async def test_unknown_sessions_and_those_of_others_are_not_there(self, services: Services, app: ASGIApp) -> None:
        assert (await ask(app, PATH.replace("/a/", "/b/"))).status == 404
        other = Access(who="t", name="t", project_id="travel", scopes=frozenset({Scope.READ}))
        assert (await ask(make_app(served.routes(services), other), PATH)).status == 404
