"""Whole bundles over HTTP: the index, the stream of all events, stored bytes and ranges of them."""

import asyncio
import gzip
import random
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import zstandard
from aiohttp import ClientPayloadError, ClientSession
from redis.asyncio import Redis
from starlette.types import ASGIApp, Message

from replay.blocks import encode_block
from replay.errors import Saturated, Unavailable
from replay.pieces import CHUNK_BYTES, Pieces, gather
from replay.reading import exported_line
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.room import Room
from replay.server import bundles
from replay.server.delivery import Delivery, Patience
from replay.server.operations import BreakReason, Silent
from replay.server.services import Services
from replay.store import StoreSettings
from schemas.bundle_index import BundleIndex
from tests.replay.asking import Answer, ask, make_app, serving
from tests.replay.samples import T0, block, write
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/api/v1/sessions/a"


@pytest_asyncio.fixture(loop_scope="session")
async def services(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[Services]:
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    settings = StoreSettings()
    store = RedisStore(client, settings, lambda: T0)
    drafts = [
        block([0, 10], keyframe=True), block([5], window='w"2', keyframe=True), block([20, 30], sequence=1, padding=20),
        block([25], window='w"2', sequence=1), block([40], sequence=2, keyframe=True),
    ]  # fmt: skip
    await store.apply(write(blocks=drafts))
    yield Services(store=store, redis=client, settings=settings, reasons={}, clock_ms=lambda: T0)
    await client.close()


@pytest.fixture
def app(services: Services) -> ASGIApp:
    return make_app(bundles.routes(services))


def decoded(answer: Answer) -> bytes:
    encoding = answer.headers.get("content-encoding", "identity")
    if encoding == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(answer.body) as reader:
            return bytes(reader.read())
    return gzip.decompress(answer.body) if encoding == "gzip" else answer.body


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
class TestWhole:
    async def test_the_stream_is_the_exported_bundle(self, services: Services, app: ASGIApp, encoding: str) -> None:
        exported = [exported_line(line) async for line in services.store.bundle("a")]
        answer = await ask(app, f"{PATH}/bundle", accept_encoding=encoding)
        assert decoded(answer) == b"".join(exported)
        assert len(exported) == 7
        assert answer.headers.get("content-length", str(len(answer.body))) == str(len(answer.body))

    async def test_compaction_changes_nothing_that_is_read(
        self, services: Services, app: ASGIApp, encoding: str
    ) -> None:
        before = await ask(app, f"{PATH}/bundle", accept_encoding=encoding)
        await services.store.compact("a", 1)
        after = await ask(app, f"{PATH}/bundle", accept_encoding=encoding)
        assert decoded(after) == decoded(before)
        assert after.headers["etag"] != before.headers["etag"]

    async def test_a_bundle_without_events(self, services: Services, app: ASGIApp, encoding: str) -> None:
        await services.store.apply(write("empty"))
        answer = await ask(app, "/api/v1/sessions/empty/bundle", accept_encoding=encoding)
        assert (answer.status, decoded(answer), answer.is_whole) == (200, b"", True)

    async def test_the_index_is_that_of_the_store(self, services: Services, app: ASGIApp, encoding: str) -> None:
        answer = await ask(app, f"{PATH}/index", accept_encoding=encoding)
        assert msgspec.json.decode(decoded(answer), type=BundleIndex) == await services.store.index("a")
        again = await ask(app, f"{PATH}/index", accept_encoding=encoding, if_none_match=answer.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        await services.store.apply(write(base=1))
        grown = await ask(app, f"{PATH}/index", accept_encoding=encoding, if_none_match=answer.headers["etag"])
        assert grown.status == 200

    async def test_large_bundles_come_in_pieces(self, services: Services, app: ASGIApp, encoding: str) -> None:
        drafts = [block(range(n, n + 500), sequence=n, padding=3_000) for n in (0, 1_000)]
        await services.store.apply(write("large", blocks=drafts))
        exported = b"".join([exported_line(line) async for line in services.store.bundle("large")])
        answer = await ask(app, "/api/v1/sessions/large/bundle", accept_encoding=encoding)
        assert decoded(answer) == exported


class TestStored:
    async def test_data_is_what_redis_holds(self, redis: Any, app: ASGIApp) -> None:
        stored = await redis.get("wince:session:{a}:data:0")
        answer = await ask(app, f"{PATH}/data", accept_encoding="zstd")
        assert (answer.status, answer.body) == (200, stored)
        assert answer.headers["content-type"] == "application/zstd"
        assert answer.headers["accept-ranges"] == "bytes"
        assert "content-encoding" not in answer.headers

    @pytest.mark.parametrize("asked", ["0-0", "0-", "-10", "3-50", "100-", "7-100000"])
    async def test_one_range(self, redis: Any, app: ASGIApp, asked: str) -> None:
        stored = await redis.get("wince:session:{a}:data:0")
        first, _, last = asked.partition("-")
        start = int(first) if first else len(stored) - int(last)
        stop = min(int(last) + 1, len(stored)) if first and last else len(stored)
        answer = await ask(app, f"{PATH}/data", range=f"bytes={asked}")
        assert (answer.status, answer.body) == (206, stored[start:stop])
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(stored)}"
        assert answer.headers["content-length"] == str(stop - start)
        head = await ask(app, f"{PATH}/data", "HEAD", range=f"bytes={asked}")
        assert (head.status, head.headers, head.body) == (206, answer.headers, b"")

    async def test_ranges_that_are_not_there(self, app: ASGIApp) -> None:
        whole = await ask(app, f"{PATH}/data")
        answer = await ask(app, f"{PATH}/data", range="bytes=99999999-")
        assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(whole.body)}")
        assert answer.headers["content-type"] == "application/problem+json"
        known = await ask(app, f"{PATH}/data", range="bytes=99999999-", if_none_match=whole.headers["etag"])
        assert known.status == 304

    async def test_several_ranges_and_parts_of_other_data_are_answered_whole(
        self, services: Services, app: ASGIApp
    ) -> None:
        whole = await ask(app, f"{PATH}/data")
        several = await ask(app, f"{PATH}/data", range="bytes=0-1,5-6")
        assert (several.status, several.body) == (200, whole.body)
        same = await ask(app, f"{PATH}/data", range="bytes=5-", if_range=whole.headers["etag"])
        assert (same.status, same.body) == (206, whole.body[5:])
        await services.store.compact("a", 1)
        other = await ask(app, f"{PATH}/data", range="bytes=5-", if_range=whole.headers["etag"])
        assert other.status == 200

    async def test_blocks_of_a_window(self, services: Services, app: ASGIApp) -> None:
        index = await services.store.index("a")
        assert index is not None
        data = (await ask(app, f"{PATH}/data")).body
        wanted = [each for each in index.blocks if each.window_id == "w1"]
        frames = b"".join(data[each.offset : each.offset + each.length] for each in wanted)
        target = f"{PATH}/blocks?window_id=w1"
        assert (await ask(app, target)).body == frames
        assert (await ask(app, target, range="bytes=10-90")).body == frames[10:91]
        last = await ask(app, f"{target}&from={T0 + 40}")
        assert last.body == frames[-wanted[-1].length :]
        assert (await ask(app, f"{PATH}/blocks?window_id=w9")).status == 404

    async def test_data_that_is_another_session_s_is_not_sent(self, redis: Redis, app: ASGIApp) -> None:
        await redis.set("wince:session:{a}:data:0", b"\x00" * await redis.strlen("wince:session:{a}:data:0"))
        assert (await ask(app, f"{PATH}/data")).status == 503

    @pytest.mark.parametrize("part", ["index", "bundle", "data", "blocks?window_id=w1"])
    async def test_unknown_sessions_are_not_there(self, app: ASGIApp, part: str) -> None:
        assert (await ask(app, f"/api/v1/sessions/nobody/{part}")).status == 404


async def noise(services: Services, blocks: int) -> None:
    """Store a session whose blocks hardly compress, so that each is read for itself."""
    drafts = []
    for number in range(blocks):
        lines = b'{"timestamp":%d,"x":"%s"}\n' % (T0, random.Random(number).randbytes(1_500_000).hex().encode())
        frame = encode_block(lines)
        draft = block([number], sequence=number, keyframe=number == 0)
        drafts.append(msgspec.structs.replace(draft, data=frame, raw_length=len(lines), events=1))
    await services.store.apply(write("noise", blocks=drafts))


def failing(services: Services, monkeypatch: pytest.MonkeyPatch, good_reads: int) -> list[int]:
    """Let data go away after some reads; gives the lengths of those asked for."""
    run_many, asked = services.redis.run_many, []

    async def read(calls: Any, *rest: Any, **more: Any) -> Any:
        if calls[0].command == "GETRANGE":
            asked.append(calls[0].arguments[1] - calls[0].arguments[0] + 1)
            if len(asked) > good_reads:
                raise Unavailable("gone")
        return await run_many(calls, *rest, **more)

    monkeypatch.setattr(services.redis, "run_many", read)
    return asked


class TestBreaking:
    @pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
    @pytest.mark.parametrize("part", ["bundle", "data"])
    async def test_what_breaks_off_is_seen_to_be_short(
        self, services: Services, app: ASGIApp, monkeypatch: pytest.MonkeyPatch, encoding: str, part: str
    ) -> None:
        await noise(services, 3)
        asked = failing(services, monkeypatch, 1)
        async with serving(app) as port, ClientSession(auto_decompress=False) as client:
            url = f"http://127.0.0.1:{port}/api/v1/sessions/noise/{part}"
            async with client.get(url, headers={"accept-encoding": encoding}) as answer:
                assert answer.status == 200
                with pytest.raises(ClientPayloadError):
                    await answer.read()
        assert len(asked) == 2

    @pytest.mark.parametrize("part", ["bundle", "data"])
    async def test_what_cannot_begin_is_a_problem(
        self, services: Services, app: ASGIApp, monkeypatch: pytest.MonkeyPatch, part: str
    ) -> None:
        asked = failing(services, monkeypatch, 0)
        answer = await ask(app, f"{PATH}/{part}")
        assert (answer.status, answer.json()["title"], len(asked)) == (503, "store unavailable", 2)

    async def test_a_client_that_leaves_ends_the_reading(
        self, services: Services, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await noise(services, 12)
        asked = failing(services, monkeypatch, 99)
        async with serving(app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /api/v1/sessions/noise/data HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (await reader.readline()).split()[1] == b"200"
            writer.close()
        assert len(asked) < 12

    async def test_memory_held_for_a_client_is_bounded_by_one_read(
        self, services: Services, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await noise(services, 6)
        asked = failing(services, monkeypatch, 99)
        await ask(app, "/api/v1/sessions/noise/data")
        assert max(asked) <= 2 << 20
        assert len(asked) == 6


class Told(Silent):
    """Remembers why answers were broken off."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def broken_off(self, reason: BreakReason) -> None:
        self.reasons.append(reason)


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("the client stays")


async def pieces_of(*pieces: bytes) -> Pieces:
    for piece in pieces:
        yield piece


class TestSending:
    async def test_a_client_that_takes_nothing_is_given_up(self) -> None:
        sent: list[Message] = []
        told = Told()

        async def send(message: Message) -> None:
            sent.append(message)
            if message.get("body"):
                await asyncio.Event().wait()

        await Delivery(pieces_of(b"x", b"y"), 200, {}, told, stall_seconds=0.001)(
            {"type": "http", "method": "GET"}, never, send
        )
        assert [message.get("more_body") for message in sent] == [None, True]
        assert told.reasons == ["stalled"]

    @pytest.mark.parametrize(
        ("least", "taken_at", "patience"),
        [
            (100, [0, 1, 2, 3], [30, 30, 30, 30]),
            (100, [0, 30, 60, 90, 120, 150], [30, 30, 30, 20, 10, 0]),  # each in time, and yet too slow on the whole
            (100, [0, 45, 46], [30, 25, 30]),
            (0, [0, 30, 600], [30, 30, 30]),
        ],
    )
    async def test_patience_has_an_end(self, least: int, taken_at: list[int], patience: list[int]) -> None:
        waiting = Patience(30.0, least, 0.0)
        assert [round(waiting.seconds(2_000, now)) for now in taken_at] == patience

    async def test_what_cannot_be_read_any_further_is_counted(self) -> None:
        async def breaking() -> Pieces:
            yield b"x"
            raise Unavailable("gone")

        async def send(_: Message) -> None:
            pass

        told = Told()
        await Delivery(breaking(), 200, {}, told)({"type": "http", "method": "GET"}, never, send)
        assert told.reasons == ["unreadable"]

    async def test_a_client_that_leaves_stops_what_makes_its_pieces(self) -> None:
        ended = asyncio.Event()
        left = asyncio.Event()

        async def endless() -> Pieces:
            try:
                while True:
                    yield b"x"
            finally:
                ended.set()

        async def send(message: Message) -> None:
            if message.get("body"):
                left.set()
                await asyncio.Event().wait()

        async def receive() -> Message:
            await left.wait()
            return {"type": "http.disconnect"}

        await Delivery(endless(), 200, {}, Silent())({"type": "http", "method": "GET"}, receive, send)
        assert ended.is_set()

    async def test_a_fault_of_ours_is_not_hidden(self) -> None:
        async def faulty() -> Pieces:
            yield b"x"
            raise ZeroDivisionError

        async def send(_: Message) -> None:
            pass

        with pytest.raises(ZeroDivisionError):
            await Delivery(faulty(), 200, {}, Silent())({"type": "http", "method": "GET"}, never, send)

    @pytest.mark.parametrize("sizes", [[], [0], [1, 2, 3], [CHUNK_BYTES], [10, 5 * CHUNK_BYTES, 10]])
    async def test_pieces_become_worth_sending(self, sizes: list[int]) -> None:
        pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
        gathered = [piece async for piece in gather(pieces_of(*pieces))]
        assert b"".join(gathered) == b"".join(pieces)
        assert all(CHUNK_BYTES <= len(piece) < 2 * CHUNK_BYTES for piece in gathered[:-1])


class TestRoom:
    async def test_who_comes_when_all_is_held_waits_or_is_told(self) -> None:
        room = Room(40, 0.001)
        a, b = room.of("a"), room.of("b")
        async with a(8):
            with pytest.raises(Saturated):
                async with a(3):
                    pass
            async with a(2), b(10), room.of("c")(10), room.of("d")(10):
                with pytest.raises(Saturated):
                    async with room.of("e")(1):
                        pass
        async with a(99):  # more than anybody may hold: it goes alone
            with pytest.raises(Saturated):
                async with a(1):
                    pass
            async with b(10):
                pass
        assert room._held == {}
        assert room._free == 40

    async def test_what_is_given_back_is_taken_by_who_waits(self) -> None:
        hold = Room(40, 30.0).of("a")
        order: list[str] = []

        async def second() -> None:
            async with hold(5):
                order.append("second")

        async with hold(6):
            waiting = asyncio.ensure_future(second())
            await asyncio.sleep(0)
            order.append("first")
        await waiting
        assert order == ["first", "second"]

    async def test_answers_wait_for_room(self, services: Services) -> None:
        endpoints = bundles.routes(services)
        handler: Any = endpoints[3].handler
        room: Room = handler.__self__._deliverer.room
        room._wait_seconds = 0.001
        async with room.of("t")(1 << 40):
            assert (await ask(make_app(endpoints), f"{PATH}/data")).status == 503
        assert (await ask(make_app(endpoints), f"{PATH}/data")).status == 200
