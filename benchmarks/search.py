"""How long lists, counts and overviews take over many sessions in a Redis of its own.

`python benchmarks/search.py [--sessions N]` fills it through the store, then asks each thing a number of times through
the application, without a network, and prints the median and the 95th percentile of the time each took, and the
processor time it took here and in Redis, in milliseconds: that is the same whatever else the machine is doing.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from typing import Final, cast

from starlette.types import ASGIApp, Message

from replay.redis_client import Call, RedisClient, connect
from replay.redis_server import RedisServer, find_binary
from replay.redis_store import RedisStore, wall_clock_ms
from replay.server import ServeOptions, Services, create_app
from replay.store import StoreSettings
from replay.writes import SessionWrite
from schemas.session_record import PageVisit, SessionRecord, Totals
from schemas.signals import Signal, Target

DAY_MS: Final = 86_400_000
DETECTORS: Final = ("rage_click", "dead_click", "js_error", "error_click")
SHARES: Final = (0.12, 0.2, 0.08, 0.03)
PATHS: Final = ("/", "/cart", "/checkout", "/search", "/account", "/help", "/product/{}", "/order/{}", "/blog/{}")
WRITES_AT_ONCE: Final = 500
REPEATS: Final = 25


def make_write(rng: random.Random, number: int, now_ms: int) -> SessionWrite:
    session_id = f"{rng.getrandbits(128):032x}"
    started_at = now_ms - rng.randrange(30 * DAY_MS)
    visits = [PATHS[int(len(PATHS) * rng.random() ** 2)] for _ in range(rng.randrange(1, 9))]
    pages = [f"https://shop.example{path.format(rng.randrange(100_000, 200_000))}" for path in visits]
    tags = {name: rng.randrange(1, 6) for name, share in zip(DETECTORS, SHARES, strict=True) if rng.random() < share}
    errors = {f"{rng.randrange(200):016x}": 1} if "js_error" in tags else {}
    record = SessionRecord(
        session_id=session_id, project_id="shop", started_at=started_at,
        last_event_at=started_at + int(rng.expovariate(1 / 200_000)), status="open" if number % 500 == 0 else "ended",
        window_ids=["w1"], pages=[PageVisit(page, "w1", started_at + place) for place, page in enumerate(pages)],
        totals=Totals(10, 400, 300_000, 20, 5, 1), tags=tags, score=min(100.0, round(sum(tags.values()) * 7.3, 1)),
        score_parts=[], privacy_level="medium", policy_version="1",
        user_id=f"user-{rng.randrange(20_000)}" if rng.random() < 0.5 else None, anonymous_id=f"anon-{number}",
        attributes={
            "release": f"4.{rng.randrange(12)}.0", "device": rng.choices(["phone", "desktop", "tablet"], [5, 4, 1])[0],
            "country": rng.choice(["NO", "SE", "DE", "FR", "US", "GB"]),
        },
        errors=errors,
    )  # fmt: skip
    signals = [make_signal(rng, record, detector, place) for detector in tags for place in range(tags[detector])]
    return SessionWrite(
        project_id="shop", session_id=session_id, base_version=0, token=session_id, position="log/1", record=record,
        state=b"", signals=tuple(signals),
    )  # fmt: skip


def make_signal(rng: random.Random, record: SessionRecord, detector: str, place: int) -> Signal:
    element = f"main > button.b{rng.randrange(30)}"
    return Signal(
        id=f"{record.session_id}{detector}{place}", detector=detector, session_id=record.session_id, window_id="w1",
        project_id="shop", t=record.started_at + place, end_t=record.started_at + place, page=record.pages[0].url,
        target=Target(7, element, "button", "Save"), rule=f"wince/{detector}@1", evidence={"clicks": 4},
    )  # fmt: skip


async def fill(client: RedisClient, sessions: int) -> None:
    rng, now_ms = random.Random(1), wall_clock_ms()
    store = RedisStore(client, StoreSettings())
    for start in range(0, sessions, WRITES_AT_ONCE):
        await store.apply_many([make_write(rng, number, now_ms) for number in range(start, start + WRITES_AT_ONCE)])


QUERIES: Final[Sequence[tuple[str, str]]] = (
    ("latest 100", "sessions?limit=100"),
    ("a tag, by score", "sessions?tag=rage_click&sort=score&limit=100"),
    ("a tag and a score of 20 or more, by score", "sessions?tag=rage_click&min_score=20&sort=score&limit=100"),
    ("a tag and a score of 20 or more, latest first", "sessions?tag=rage_click&min_score=20&limit=100"),
    ("two tags, by duration", "sessions?tag=rage_click&tag=js_error&sort=duration&limit=100"),
    ("tag, device, country, release, by score",
     "sessions?tag=dead_click&device=phone&country=NO&release=4.3.0&sort=score&limit=100"),
    ("a page, by score", "sessions?page=https://shop.example/product/*&sort=score&limit=100"),
    ("one user", "sessions?user=user-77&limit=100"),
    ("the start of a session id", "sessions?q=abc&limit=100"),
    ("part of an address", "sessions?q=/checkout&limit=100"),
    ("large sets that have nothing in common",
     "sessions?tag=dead_click&device=phone&max_score=0&sort=duration&limit=100"),
    ("long visits on large screens, by score",
     "sessions?device=desktop&country=NO&min_duration_ms=600000&sort=score&limit=100"),
    ("facets of all", "facets?"),
    ("facets of a tag and a score", "facets?tag=rage_click&min_score=20"),
    ("overview of 30 days", "overview?"),
    ("overview of a day", "overview?from={yesterday}"),
)  # fmt: skip


async def ask(app: ASGIApp, path: str) -> int:
    """Send one request; return the bytes of its answer."""
    route, _, query = path.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "root_path": "", "path": route,
        "raw_path": route.encode(), "query_string": query.encode(), "headers": [(b"host", b"127.0.0.1:8000")],
        "client": ("127.0.0.1", 50_000),
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if sent[0]["status"] != 200:
        raise SystemExit(f"{path}: {sent[0]['status']} {sent[1]['body']!r}")
    return sum(len(message.get("body", b"")) for message in sent[1:])


async def redis_seconds(client: RedisClient) -> float:
    """Read the processor time Redis has taken so far, in seconds."""
    used = cast("dict[str, float]", await client.run(Call("INFO", ("cpu",))))
    return used["used_cpu_user"] + used["used_cpu_sys"]


async def measure(sessions: int) -> None:
    async with RedisServer(find_binary()) as server:
        client = connect(server.url)
        started = time.perf_counter()
        await fill(client, sessions)
        print(f"{sessions} sessions stored in {time.perf_counter() - started:.0f} s")
        services = Services(
            store=RedisStore(client, StoreSettings()), redis=client, settings=StoreSettings(), reasons={}
        )
        app = create_app(services, ServeOptions(login="none", requests_per_second=1_000_000))
        print("| asked for | median | 95 % | processor here | in Redis | KB |\n| --- | --- | --- | --- | --- | --- |")
        for name, query in QUERIES:
            path = f"/api/v1/projects/shop/{query.replace('{yesterday}', str(wall_clock_ms() - DAY_MS))}"
            times, size = [], 0
            here, there = time.process_time(), await redis_seconds(client)
            for _ in range(REPEATS):
                start = time.perf_counter()
                size = await ask(app, path)
                times.append((time.perf_counter() - start) * 1_000)
            here, there = time.process_time() - here, await redis_seconds(client) - there
            figures = [statistics.median(times), statistics.quantiles(times, n=20)[-1]]
            figures += [here * 1_000 / REPEATS, there * 1_000 / REPEATS]
            print(f"| {name} | {' | '.join(f'{each:.1f}' for each in figures)} | {size / 1_000:.0f} |", flush=True)
        await client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    asyncio.run(measure(parser.parse_args().sessions))
