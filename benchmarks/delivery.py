"""Measures the server as it delivers: the first frame of a moment, memory while it streams, ingest while many follow.

    python benchmarks/delivery.py [first-frame] [memory] [followers] [--mb N] [--rounds N]

Without a name it measures all three. Redis, the server and the writer are processes of their own, on this machine.
Prints one JSON object.
"""

import argparse
import asyncio
import json
import random
import resource
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from redis.asyncio import Redis

from replay.blocks import encode_block
from replay.redis_client import connect
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.server import ServeOptions, Services, create_app
from replay.store import StoreSettings
from replay.writes import BlockDraft, SessionWrite
from schemas.session_record import SessionRecord, Totals
from schemas.signals import Signal

START_T = 1_795_295_291_000
TURN_SECONDS = 3.0
SETTINGS = StoreSettings(max_session_bytes=4 << 30)
WORDS = [
    f"{stem}{ending}" for stem in ("cart", "pay", "list", "row", "item", "total") for ending in ("", "s", "-id", "ed")
]


def text(generator: random.Random, size: int) -> str:
    """Words and numbers that compress about as well as markup does (five to one)."""
    parts: list[str] = []
    length = 0
    while length < size:
        parts.append(f"{generator.choice(WORDS)} {generator.randrange(10_000)}")
        length += len(parts[-1]) + 1
    return " ".join(parts)[:size]


def event(generator: random.Random, t: int, size: int, kind: int = 3) -> bytes:
    return msgspec.json.encode({"type": kind, "data": {"text": text(generator, size)}, "timestamp": t}) + b"\n"


def draft(lines: bytes, sequence: int, first_t: int, last_t: int, *, keyframe: bool = False) -> BlockDraft:
    return BlockDraft(
        "w1", sequence, encode_block(lines), len(lines), lines.count(b"\n"), first_t, last_t, keyframe=keyframe
    )


def write(session_id: str, base: int, blocks: list[BlockDraft], signals: list[Signal], t: int) -> SessionWrite:
    record = SessionRecord(
        session_id=session_id, project_id="shop", started_at=START_T, last_event_at=t, status="open", window_ids=["w1"],
        pages=[], totals=Totals(), tags={}, score=1.0, score_parts=[], privacy_level="medium", policy_version="1",
    )  # fmt: skip
    return SessionWrite(
        project_id="shop", session_id=session_id, base_version=base, token=f"{session_id}-{base}", position=str(base),
        record=record, state=b"", blocks=tuple(blocks), signals=tuple(signals),
    )  # fmt: skip


@asynccontextmanager
async def store_at(url: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(connect(url), SETTINGS)
    try:
        yield store
    finally:
        await store.close()


class Child:
    """Another process of this script, asked by lines and answering by lines."""

    def __init__(self, asked: asyncio.StreamWriter, answers: asyncio.StreamReader) -> None:
        self._asked = asked
        self._answers = answers

    async def answer(self) -> float:
        """Read the next line."""
        return float(await self._answers.readline())

    async def ask(self) -> float:
        """Ask for a line, and read it."""
        self._asked.write(b"\n")
        return await self.answer()


@asynccontextmanager
async def child(*arguments: str) -> AsyncIterator[Child]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a child has pipes")
    try:
        yield Child(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        await process.wait()


class Server(uvicorn.Server):
    """Prints its port when it has started."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start."""
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


async def serve(url: str) -> None:
    """Serve; print the port, and for each line read the most memory that was used (MB)."""
    client = connect(url)
    services = Services(store=RedisStore(client, SETTINGS), redis=client, settings=SETTINGS, reasons={})
    options = ServeOptions(login="none", requests_per_second=1_000_000)
    server = Server(uvicorn.Config(create_app(services, options), port=0, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while await asyncio.to_thread(sys.stdin.readline):
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
    services.stopping.set()
    server.should_exit = True
    await running
    await client.close()


async def ingest(url: str) -> None:
    """Write as fast as it goes: 20 sessions at a time, a signal in every 500th write.

    Prints, for each line read: writes a second, and microseconds of its own processor time for each.
    """
    generator = random.Random(1)
    blocks = [event(generator, START_T + n, 2_000) for n in range(50)]
    async with store_at(url) as store:
        written = 0
        while True:
            print(0, flush=True)
            if not await asyncio.to_thread(sys.stdin.readline):
                return
            started, worked_s, first = time.perf_counter(), time.process_time(), written
            while time.perf_counter() < started + TURN_SECONDS:
                await store.apply_many([_one(n, written // 20, blocks) for n in range(20)])
                written += 20
            print((written - first) / (time.perf_counter() - started), flush=True)
            print((time.process_time() - worked_s) / (written - first) * 1e6, flush=True)


def _one(number: int, turn: int, blocks: list[bytes]) -> SessionWrite:
    t = START_T + turn * 1_000
    signals = []
    if (turn * 20 + number) % 500 == 0:
        signals = [Signal(f"s{turn}-{number}", "rage_click", f"i{number}", "w1", "shop", t, t, "/", None, "r", {})]
    epoch, base = divmod(turn, 500)  # a session of 500 writes, then a new one
    return write(f"i{number}-{epoch}", base, [draft(blocks[turn % 50], base, t, t)], signals, t)


def thirty_minutes(megabytes: int, keyframe_every_s: int) -> Iterator[BlockDraft]:
    """Blocks of a session of 30 minutes: one a second, and a keyframe of 300 KB now and then."""
    generator = random.Random(2)
    keyframe_bytes = 300_000 * (1_800 // keyframe_every_s)
    size = ((megabytes << 20) - keyframe_bytes) // (1_800 * 4)
    for second in range(1_800):
        t = START_T + second * 1_000
        keyframe = second % keyframe_every_s == 0
        lines = [event(generator, t, 300_000, kind=2)] if keyframe else []
        lines += [event(generator, t + place * 250, size - 60) for place in range(4)]
        yield draft(b"".join(lines), second, t, t + 750, keyframe=keyframe)


async def measure_first_frame(url: str, port: int, rounds: int) -> dict[str, Any]:
    """Ask for a moment in the middle of sessions of 30 minutes and 20 MB of JSON, as a viewer does."""
    measured = {}
    async with store_at(url) as store, ClientSession(auto_decompress=False) as client:
        for name, every_s in (("keyframe every 5 minutes", 300), ("one keyframe", 1_800)):
            session_id = f"frame{every_s}"
            blocks = list(thirty_minutes(20, every_s))
            for base, start in enumerate(range(0, len(blocks), 100)):
                await store.apply(write(session_id, base, blocks[start : start + 100], [], START_T))
            for form in ("running", "compacted"):
                if form == "compacted":
                    await store.compact(session_id, len(blocks) // 100)
                address = f"http://127.0.0.1:{port}/api/v1/sessions/{session_id}/events?window_id=w1"
                for encoding in ("zstd", "gzip"):
                    asked = [await _moment(client, url, address, n, encoding) for n in range(rounds)]
                    measured[f"{name}, {form}, {encoding}"] = _summary(asked)
    return measured


class Asked(msgspec.Struct):
    """One answer: seconds until it began and ended, its bytes, and what Redis was asked for it."""

    first_s: float
    whole_s: float
    size: int
    commands: dict[str, int]


async def _moment(client: ClientSession, url: str, address: str, number: int, encoding: str) -> Asked:
    moment = START_T + 900_000 + number * 100
    target = f"{address}&from={moment - 3_000}&to={moment + 7_000}"
    async with Redis.from_url(url, protocol=2) as redis:
        await redis.config_resetstat()
        started = time.perf_counter()
        async with client.get(target, headers={"accept-encoding": encoding}) as answer:
            first_s = time.perf_counter() - started
            size = sum([len(chunk) async for chunk in answer.content.iter_any()])
        whole_s = time.perf_counter() - started
        stats = await redis.info("commandstats")
    reads = {key[8:]: value["calls"] for key, value in stats.items() if key[8:] in READS}
    return Asked(first_s, whole_s, size, reads)


READS = {"get", "getrange", "hget", "hgetall", "hvals", "lindex", "llen", "lrange", "mget", "smembers", "zrange"}


def _summary(asked: list[Asked]) -> dict[str, Any]:
    return {
        "redis_reads": max((each.commands for each in asked), key=lambda commands: sum(commands.values())),
        "first_byte_ms": round(statistics.median(each.first_s for each in asked) * 1e3, 1),
        "whole_ms": round(statistics.median(each.whole_s for each in asked) * 1e3, 1),
        "whole_ms_worst": round(max(each.whole_s for each in asked) * 1e3, 1),
        "sent_mb": round(asked[-1].size / 1e6, 2),
    }


async def measure_memory(url: str, server: Child, port: int, megabytes: int) -> dict[str, Any]:
    """Stream bundles of so many MB of JSON in each encoding; say how much more memory the server took."""
    generator = random.Random(3)
    distinct = [b"".join(event(generator, START_T, 4_000) for _ in range(260)) for _ in range(2)]
    measured: dict[str, Any] = {"bundle_mb": megabytes}
    async with store_at(url) as store, ClientSession(auto_decompress=False, timeout=ClientTimeout()) as client:
        for session_id, size in (("small", 10), ("big", megabytes)):
            for base, start in enumerate(range(0, size, 10)):
                numbers = range(start, min(start + 10, size))
                blocks = [draft(distinct[n % 2], n, START_T + n, START_T + n, keyframe=not n) for n in numbers]
                await store.apply(write(session_id, base, blocks, [], START_T))
        for encoding in ("identity", "zstd", "gzip"):
            await _stream(client, port, "small", encoding, 4)
            before = await server.ask()
            seconds, sizes = await _stream(client, port, "big", encoding, 4)
            measured[encoding] = {
                "grown_mb": round(await server.ask() - before, 1), "at_most_mb": round(await server.ask(), 1),
                "streams_at_once": 4, "seconds": round(seconds, 1), "sent_mb_each": round(max(sizes) / 1e6, 1),
                "sent_mb_each_least": round(min(sizes) / 1e6, 1),
            }  # fmt: skip
    return measured


async def _stream(
    client: ClientSession, port: int, session_id: str, encoding: str, times: int
) -> tuple[float, list[int]]:
    async def one() -> int:
        url = f"http://127.0.0.1:{port}/api/v1/sessions/{session_id}/bundle"
        async with client.get(url, headers={"accept-encoding": encoding}) as answer:
            answer.raise_for_status()
            return sum([len(chunk) async for chunk in answer.content.iter_any()])

    started = time.perf_counter()
    sizes = await asyncio.gather(*(one() for _ in range(times)))
    return time.perf_counter() - started, sizes


class Turn(msgspec.Struct):
    """Three seconds of writing: writes a second, and processor time for each write (microseconds)."""

    rate: float
    writer_us: float
    redis_us: float


async def measure_followers(url: str, port: int, rounds: int) -> dict[str, Any]:
    """Write as fast as it goes, in turn while nobody follows and while 200 do."""
    turns: dict[int, list[Turn]] = {0: [], 200: []}
    heard = 0
    clients: dict[str, Any] = {}
    async with child("--ingest", url) as writer, Redis.from_url(url, protocol=2) as redis:
        await _turn(writer, redis)  # makes connections and loads scripts
        for _ in range(rounds):
            for followers, measured in turns.items():
                async with followed(port, followers) as counts:
                    clients = await redis.info("clients")
                    measured.append(await _turn(writer, redis))
                    heard += sum(counts)
    return {
        **{f"{followers} followers": _of_turns(measured) for followers, measured in turns.items()},
        "events_heard": heard,
        "blocked_clients": clients["blocked_clients"],
        "redis_clients_with_200": clients["connected_clients"],
    }


async def _turn(writer: Child, redis: Redis) -> Turn:
    await writer.answer()
    before_s = _worked_s(await redis.info("cpu"))
    rate = await writer.ask()
    redis_s = _worked_s(await redis.info("cpu")) - before_s
    return Turn(rate, await writer.answer(), redis_s / (rate * TURN_SECONDS) * 1e6)


def _worked_s(cpu: dict[str, float]) -> float:
    return cpu["used_cpu_user"] + cpu["used_cpu_sys"]


def _of_turns(turns: list[Turn]) -> dict[str, Any]:
    return {
        "writes_per_s": round(statistics.median(turn.rate for turn in turns)),
        "all_writes_per_s": [round(turn.rate) for turn in turns],
        "writer_us_per_write": round(statistics.median(turn.writer_us for turn in turns)),
        "redis_us_per_write": round(statistics.median(turn.redis_us for turn in turns)),
    }


@asynccontextmanager
async def followed(port: int, followers: int) -> AsyncIterator[list[int]]:
    """Have so many follow the project; count what each hears."""
    counts = [0] * followers

    async def follow(number: int, started: asyncio.Event) -> None:
        async with client.get(f"http://127.0.0.1:{port}/api/v1/projects/shop/live") as answer:
            async for line in answer.content:
                started.set()
                counts[number] += line.startswith(b"event: signal")

    connector = TCPConnector(limit=0)
    async with ClientSession(connector=connector, timeout=ClientTimeout()) as client:
        begun = [asyncio.Event() for _ in range(followers)]
        tasks = [asyncio.create_task(follow(number, started)) for number, started in enumerate(begun)]
        await asyncio.gather(*(started.wait() for started in begun))
        try:
            yield counts
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def measure(names: list[str], megabytes: int, rounds: int) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    async with RedisServer() as redis, child("--serve", redis.url) as server:
        port = int(await server.answer())
        if "first-frame" in names:
            measured["first_frame"] = await measure_first_frame(redis.url, port, 5 * rounds)
        if "memory" in names:
            measured["memory"] = await measure_memory(redis.url, server, port, megabytes)
        if "followers" in names:
            measured["followers"] = await measure_followers(redis.url, port, rounds)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="first-frame, memory, followers")
    parser.add_argument("--mb", type=int, default=500, help="size of the bundle that is streamed")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured")
    parser.add_argument("--serve", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--ingest", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve))
    elif given.ingest:
        asyncio.run(ingest(given.ingest))
    else:
        names = given.names or ["first-frame", "memory", "followers"]
        print(json.dumps(asyncio.run(measure(names, given.mb, given.rounds)), indent=2))


if __name__ == "__main__":
    main()
