"""Events by time: what Redis is asked for, what is sent in which encoding, and what compaction does to readers."""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import zstandard
from redis.asyncio import Redis
from starlette.types import ASGIApp

from replay.blocks import decode_block, encode_block, join_lines
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.server import ServeOptions, bundles, create_app, events
from replay.server.access import Access, Scope
from replay.server.services import Services
from replay.server.tokens import Tokens
from replay.store import StoreSettings
from replay.writes import BlockDraft
from tests.replay.asking import Answer, ask, make_app
from tests.replay.samples import T0, block, event, write
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/api/v1/sessions/a/events"
SECRET = "only in the other window"


def drawn(times: list[int], *, sequence: int = 0, keyframe: bool = False, padding: int = 0) -> BlockDraft:
    """A block of changes of the page: they are needed for the picture of a later moment."""
    lines = join_lines([event(t, source=0, text="x" * padding) for t in times])
    draft = block(times, sequence=sequence, keyframe=keyframe)
    return msgspec.structs.replace(draft, data=encode_block(lines), raw_length=len(lines))


def other_window(t: int, sequence: int) -> Any:
    draft = block([t], window="w2", sequence=sequence, keyframe=sequence == 0, padding=50)
    lines = event(t, text=SECRET) + b"\n"
    return msgspec.structs.replace(draft, data=zstandard.compress(lines), raw_length=len(lines))


@pytest_asyncio.fixture(loop_scope="session")
async def services(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[Services]:
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    settings = StoreSettings()
    store = RedisStore(client, settings, lambda: T0)
    drafts = [
        drawn([0, 10], keyframe=True), other_window(5, 0), drawn([20, 30], sequence=1, padding=20), other_window(25, 1),
        drawn([40, 50], sequence=2, keyframe=True), other_window(45, 2), drawn([60], sequence=3),
    ]  # fmt: skip
    await store.apply(write(blocks=drafts))
    yield Services(store=store, redis=client, settings=settings, reasons={}, clock_ms=lambda: T0)
    await client.close()


@pytest.fixture
def app(services: Services) -> ASGIApp:
    return make_app([*events.routes(services), *bundles.routes(services)])


def target(from_t: int, to_t: int, **more: str) -> str:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    return f"{PATH}?window_id=w1&from={T0 + from_t}&to={T0 + to_t}{extra}"


def times(body: bytes) -> list[int]:
    assert not body or body.endswith(b"\n")
    return [msgspec.json.decode(line)["timestamp"] - T0 for line in body.splitlines()]


def decoded(answer: Answer) -> bytes:
    encoding = answer.headers.get("content-encoding", "identity")
    if encoding == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(answer.body, read_across_frames=True) as reader:
            return bytes(reader.read())
    return gzip.decompress(answer.body) if encoding == "gzip" else answer.body


async def counted(redis: Redis, work: Callable[[], Awaitable[Answer]]) -> tuple[Answer, dict[str, int]]:
    """Do something, and say which commands the server really got for it."""
    await redis.config_resetstat()
    answer = await work()
    stats = await redis.info("commandstats")
    own = {"cmdstat_config|resetstat", "cmdstat_info", "cmdstat_client|setinfo"}
    return answer, {name[8:]: stat["calls"] for name, stat in stats.items() if name not in own}


class TestReads:
    @pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
    @pytest.mark.parametrize(("from_t", "to_t"), [(0, 100), (45, 45), (25, 55)])
    async def test_one_read_of_the_index_and_one_of_the_data(
        self, redis: Redis, app: ASGIApp, encoding: str, from_t: int, to_t: int
    ) -> None:
        await ask(app, target(0, 0))  # connects
        answer, calls = await counted(redis, lambda: ask(app, target(from_t, to_t), accept_encoding=encoding))
        assert (answer.status, bool(answer.body)) == (200, True)
        assert calls == {"lrange": 1, "getrange": 1}

    async def test_the_whole_application_reads_no_more(self, redis: Redis, services: Services) -> None:
        """Who asks is known from the request before; that somebody watches was noted then, too."""
        token, _ = await Tokens(services.redis, services.names, services.clock_ms).create("viewer", "shop")
        app = create_app(services, ServeOptions())
        headers = {"authorization": f"Bearer {token}", "accept-encoding": "zstd", "host": "127.0.0.1"}
        for reads in ({"lrange": 1, "getrange": 1, "hget": 1, "xadd": 1}, {"lrange": 1, "getrange": 1}):
            answer, calls = await counted(redis, lambda: ask(app, target(20, 20), **headers))
            assert (answer.status, calls) == (200, reads)

    async def test_what_the_client_has_costs_one_read(self, redis: Redis, app: ASGIApp) -> None:
        tag = (await ask(app, target(0, 9))).headers["etag"]
        answer, calls = await counted(redis, lambda: ask(app, target(0, 9), if_none_match=tag))
        assert (answer.status, answer.body, calls) == (304, b"", {"lrange": 1})

    async def test_head_reads_no_data(self, redis: Redis, app: ASGIApp) -> None:
        head, calls = await counted(redis, lambda: ask(app, target(0, 9), "HEAD"))
        full = await ask(app, target(0, 9))
        assert (head.status, head.headers, head.body, calls) == (200, full.headers, b"", {"lrange": 1})

    async def test_blocks_that_lie_back_to_front_are_one_read(
        self, redis: Redis, services: Services, app: ASGIApp
    ) -> None:
        late = block([15], sequence=0, late=True)
        await services.store.apply(write(base=1, blocks=[late]))
        answer, calls = await counted(redis, lambda: ask(app, target(0, 30)))
        assert (times(answer.body), calls) == ([0, 10, 15, 20, 30], {"lrange": 1, "getrange": 1})


class TestContent:
    @pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
    @pytest.mark.parametrize(
        ("from_t", "to_t", "shown"),
        [
            (0, 100, [0, 10, 20, 30, 40, 50, 60]), (25, 25, [0, 10, 20, 30]), (45, 45, [40, 50]),
            (45, 60, [40, 50, 60]), (-500, -400, [0, 10]), (900, 950, [40, 50, 60]),
        ],
    )  # fmt: skip
    async def test_from_the_keyframe_before(
        self, app: ASGIApp, encoding: str, from_t: int, to_t: int, shown: list[int]
    ) -> None:
        answer = await ask(app, target(from_t, to_t), accept_encoding=encoding)
        assert answer.headers.get("content-encoding", "identity") == encoding
        assert answer.headers["content-type"] == "application/jsonl"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert times(decoded(answer)) == shown
        assert SECRET.encode() not in decoded(answer)

    async def test_stored_frames_are_passed_on_unchanged(self, services: Services, app: ASGIApp) -> None:
        index = await services.store.index("a")
        assert index is not None
        answer = await ask(app, target(0, 100), accept_encoding="zstd")
        rest = answer.body
        for entry in [each for each in index.blocks if each.window_id == "w1"]:
            frame, rest = rest[: entry.length], rest[entry.length :]
            assert decode_block(frame, entry.raw_length).count(b"\n") == entry.events
        assert rest == b""

    @pytest.mark.parametrize("encoding", ["identity", "zstd"])
    async def test_the_length_is_told_before(self, app: ASGIApp, encoding: str) -> None:
        answer = await ask(app, target(0, 100), accept_encoding=encoding)
        assert answer.headers["content-length"] == str(len(answer.body))

    async def test_browsers_may_be_sent_all_frames(self, app: ASGIApp) -> None:
        """RFC 9659: decoders of the content coding need not take windows of more than 8 MiB."""
        body = (await ask(app, target(0, 100), accept_encoding="zstd")).body
        assert zstandard.get_frame_parameters(body).window_size <= 8 << 20

    async def test_tags_differ_by_encoding_and_content_and_by_nothing_else(
        self, services: Services, app: ASGIApp
    ) -> None:
        asked = [(0, 9, "zstd"), (0, 9, "gzip"), (0, 9, "identity"), (0, 25, "identity")]
        tags = [(await ask(app, target(a, b), accept_encoding=c)).headers["etag"] for a, b, c in asked]
        assert len(set(tags)) == 4
        await services.store.apply(write(base=1, blocks=[block([70], sequence=4)]))
        again = [(await ask(app, target(a, b), accept_encoding=c)).headers["etag"] for a, b, c in asked]
        assert again == tags
        await services.store.compact("a", 2)
        assert (await ask(app, target(0, 9))).headers["etag"] not in tags

    async def test_only_what_came_after_a_position(self, services: Services, app: ASGIApp) -> None:
        position = (await ask(app, target(0, 100))).headers["wince-position"]
        assert (await ask(app, target(0, 100, after=position))).body == b""
        await services.store.apply(write(base=1, blocks=[block([70, 80], sequence=4)]))
        answer = await ask(app, target(0, 100, after=position))
        assert times(answer.body) == [70, 80]
        assert times((await ask(app, target(0, 100, after="0.0"))).body)[0] == 0
        await services.store.compact("a", 2)
        replaced = await ask(app, target(0, 100, after=answer.headers["wince-position"]))
        assert (replaced.status, replaced.json()["title"]) == (409, "bundle replaced")


class TestAccess:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/api/v1/sessions/nobody/events?window_id=w1", 404), (f"{PATH}?window_id=w9", 404), (PATH, 400),
            (f"{PATH}?window_id=w1&from=soon", 400), (f"{PATH}?window_id=w1&to=1e9x", 400),
            (f"{PATH}?window_id=w1&from={10**30}", 400), (f"{PATH}?window_id=w1&windw=1", 400),
            (f"{PATH}?window_id=w1&after=2.1", 400), (f"{PATH}?window_id=w1&after=1.0", 409),
        ],
    )  # fmt: skip
    async def test_wrong_requests_are_problems(self, app: ASGIApp, path: str, status: int) -> None:
        answer = await ask(app, path)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")

    async def test_sessions_of_other_projects_are_not_there(self, services: Services) -> None:
        unknown = await ask(make_app(events.routes(services)), "/api/v1/sessions/nobody/events?window_id=w1")
        travel = Access(who="t", name="t", project_id="travel", scopes=frozenset({Scope.READ}))
        other = await ask(make_app(events.routes(services), travel), target(0, 9))
        assert (other.status, other.body) == (404, unknown.body)
        own = Access(who="t", name="t", project_id="shop", scopes=frozenset({Scope.READ}))
        assert (await ask(make_app(events.routes(services), own), target(0, 9))).status == 200

    async def test_nobody_is_let_in_without_the_right_to_read(self, services: Services) -> None:
        assert (await ask(make_app(events.routes(services), None), target(0, 9))).status == 401
        sharer = Access(who="t", name="t", project_id="shop", scopes=frozenset({Scope.SHARE}))
        assert (await ask(make_app(events.routes(services), sharer), target(0, 9))).status == 403


def share(from_t: int, to_t: int, session_id: str = "a") -> Access:
    return Access(
        who="s", name="s", project_id="shop", scopes=frozenset({Scope.READ}), session_id=session_id,
        from_t=T0 + from_t, to_t=T0 + to_t,
    )  # fmt: skip


class TestShares:
    @pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
    @pytest.mark.parametrize(
        ("seen", "asked", "shown"),
        [
            ((0, 100), (0, 100), [0, 10, 20, 30, 40, 50, 60]), ((0, 25), (0, 100), [0, 10, 20]),
            ((45, 45), (0, 100), [40]), ((25, 45), (0, 100), [0, 10, 20, 30, 40]), ((70, 90), (0, 60), []),
            ((-90, -80), (-100, 100), []),
        ],
    )  # fmt: skip
    async def test_a_share_shows_its_range_and_what_it_is_built_from(
        self, services: Services, encoding: str, seen: tuple[int, int], asked: tuple[int, int], shown: list[int]
    ) -> None:
        app = make_app(events.routes(services), share(*seen))
        answer = await ask(app, target(*asked), accept_encoding=encoding)
        assert (answer.status, times(decoded(answer))) == (200, shown)

    async def test_positions_lead_to_nothing_else(self, services: Services) -> None:
        app = make_app(events.routes(services), share(45, 45))
        assert times((await ask(app, target(0, 100, after="0.0"))).body) == [40]

    async def test_a_window_without_keyframes_needs_nothing_from_before(self, services: Services) -> None:
        lines = [block([0, 10]), block([20, 30], sequence=1)]
        await services.store.apply(write("app", blocks=lines))
        app = make_app(events.routes(services), share(10, 20, "app"))
        assert times((await ask(app, target(0, 100).replace("/a/", "/app/"))).body) == [10, 20]

    async def test_a_share_of_another_session_leads_nowhere(self, services: Services) -> None:
        app = make_app(events.routes(services), share(0, 100, "b"))
        assert (await ask(app, target(0, 100))).status == 404

    async def test_its_index_lists_what_it_may_have(self, services: Services) -> None:
        whole = (await ask(make_app(bundles.routes(services)), "/api/v1/sessions/a/index")).json()
        part = (await ask(make_app(bundles.routes(services), share(44, 46)), "/api/v1/sessions/a/index")).json()
        assert [each["first_t"] - T0 for each in part["blocks"]] == [5, 25, 40, 45]
        assert len(whole["blocks"]) == 7


class TestCompaction:
    async def test_readers_of_an_old_index_read_the_old_data(self, services: Services, app: ASGIApp) -> None:
        """Compaction between the two reads: what was replaced is still there for a while."""
        before = await ask(app, target(0, 100))
        run_many = services.redis.run_many
        compacted: list[bool] = []

        async def compact_in_between(calls: Any, *rest: Any, **more: Any) -> Any:
            if calls[0].command == "GETRANGE" and not compacted:
                compacted.append(True)
                assert await services.store.compact("a", 1)
            return await run_many(calls, *rest, **more)

        services.redis.run_many = compact_in_between  # type: ignore[method-assign]
        assert (await ask(app, target(0, 100))).body == before.body
        assert compacted == [True]

    @pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
    async def test_where_the_old_data_is_gone_the_index_is_read_again(
        self, redis: Redis, services: Services, app: ASGIApp, encoding: str
    ) -> None:
        whole = decoded(await ask(app, target(0, 100)))
        run_many = services.redis.run_many
        gone: list[int] = []

        async def replace_in_between(calls: Any, *rest: Any, **more: Any) -> Any:
            if calls[0].command == "GETRANGE" and not gone:
                gone.append(1)
                assert await services.store.compact("a", 1)
                gone.append(await redis.delete("wince:session:{a}:data:0"))
            return await run_many(calls, *rest, **more)

        services.redis.run_many = replace_in_between  # type: ignore[method-assign]
        answer, calls = await counted(redis, lambda: ask(app, target(0, 100), accept_encoding=encoding))
        assert (decoded(answer), gone) == (whole, [1, 1])
        assert calls["lrange"] == 3  # the compaction has its own
        assert answer.headers["wince-position"].startswith("1.")

    @pytest.mark.parametrize("damage", ["gone", "other", "short"])
    async def test_what_cannot_be_read_twice_is_unavailable(self, redis: Redis, app: ASGIApp, damage: str) -> None:
        key = "wince:session:{a}:data:0"
        length = await redis.strlen(key)
        if damage == "gone":
            await redis.delete(key)
        else:
            await redis.set(key, b"\x00" * (length if damage == "other" else length - 1))
        for encoding in ("identity", "gzip", "zstd"):
            answer = await ask(app, target(0, 100), accept_encoding=encoding)
            assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
