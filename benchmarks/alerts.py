"""Measures what an alerter costs: judging, and storing what changed of a project with many keys and sessions.

    python benchmarks/alerts.py [--sessions N] [--keys N] [--rate N]

A project is filled with sessions and keys; then signals and activity come at a rate, and every half second what changed
is stored in a Redis of its own. Prints one JSON object: processor seconds a second for each, and bytes; and, for
comparison, what storing all of it in one piece would take.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Iterator

import msgspec
import zstandard

from engine.alerts.app.project import JudgedProject, KeptAlerts
from engine.alerts.core import Item
from engine.alerts.rules_file import default_rules
from engine.alerts.state import ProjectState
from engine.alerts.store import AlertStore, Outcome
from replay.redis_client import connect
from replay.redis_server import RedisServer
from schemas.activity import Activity
from schemas.signals import Signal, Target

START_MS = 1_795_295_291_000
INTERVAL_MS = 500
SECONDS = 60
KEYS_A_PAGE = 6
DETECTORS = ("rage_click", "dead_click", "js_error")


def visits(pages: int, every_ms: float) -> Iterator[list[Item]]:
    """Yield visits: a session and a page that start, and, of every third, a complaint."""
    rng = random.Random(1)
    for number in itertools.count():
        t = START_MS + int(number * every_ms)
        session_id, page = (
            f"6f0990bd-62b3-4732-a79c-{number:012}",
            f"https://shop.example/p-{letters(rng.randrange(pages))}",
        )
        runs_on = {"release": f"1.{number // 50_000}", "device": rng.choice(("phone", "desktop")), "country": "CH"}
        items: list[Item] = [
            Activity(f"s{number}", "session_start", "shop", session_id, t, attributes=runs_on),
            Activity(f"p{number}", "page_start", "shop", session_id, t, "w", page, attributes=runs_on),
        ]
        if number % 3 == 0:
            items.append(complaint(number, session_id, t, page, rng.choice(DETECTORS), runs_on))
        yield items


def complaint(number: int, session_id: str, t: int, page: str, detector: str, runs_on: dict[str, str]) -> Signal:
    return Signal(
        id=f"signal-{number:032}", detector=detector, session_id=session_id, window_id="w", project_id="shop", t=t,
        end_t=t + 900, page=page, target=Target(7, "main > form > button.pay", "button", "Pay now"), rule="wince@1",
        evidence={}, attributes=runs_on,
    )  # fmt: skip


def letters(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


async def measure(sessions: int, keys: int, rate: float) -> dict[str, object]:
    """Fill a project, then judge and store for a minute of its own time."""
    async with RedisServer() as redis:
        client = connect(redis.url)
        store = AlertStore(client, "bench")
        (nothing,) = await store.load(["shop"])
        project = JudgedProject("shop", nothing, default_rules())
        # Seven items are three visits. The sessions known are those of the last three hours.
        coming = visits(keys // KEYS_A_PAGE, 1_000 * 7 / 3 / rate)
        for items in itertools.islice(coming, sessions):
            for item in items:
                project.feed(item, item.t)
        await save(store, project, 0)
        known = project.sizes
        steady = await run(store, project, coming, rate)
        (stored,) = await store.load(["shop"])
        await client.close()
    return {
        "known": known._asdict(),
        "stored_mb": round(stored.size / 1e6, 1),
        "rate": rate,
        **steady,
        "whole": whole(stored.state),
    }


async def run(store: AlertStore, project: JudgedProject, coming: Iterator[list[Item]], rate: float) -> dict[str, float]:
    """Judge what comes in a minute and store it every half second; say what that takes."""
    judging = storing = items_in = sent = 0.0
    waiting: list[Item] = []
    for turn in range(1, SECONDS * 1_000 // INTERVAL_MS + 1):
        while len(waiting) < rate * INTERVAL_MS / 1_000:
            waiting += next(coming)
        now, waiting = waiting, []
        started = time.process_time()
        for item in now:
            project.feed(item, item.t)
        judging += time.process_time() - started
        items_in += len(now)
        started = time.process_time()
        sent += await save(store, project, turn)
        storing += time.process_time() - started
    return {
        "items": items_in,
        "judge_us_an_item": round(judging / items_in * 1e6, 1),
        "judge_share_of_a_core": round(judging / SECONDS, 4),
        "store_ms_a_write": round(storing / (SECONDS * 1_000 / INTERVAL_MS) * 1e3, 2),
        "store_share_of_a_core": round(storing / SECONDS, 4),
        "kb_a_write": round(sent / (SECONDS * 1_000 / INTERVAL_MS) / 1e3, 1),
    }


async def save(store: AlertStore, project: JudgedProject, number: int) -> int:
    """Store what changed; return how many bytes of state that was."""
    write = project.write(f"bench:{number}", START_MS, KeptAlerts(200, 30 * 86_400_000))
    (outcome,) = await store.save([write])
    if outcome is not Outcome.APPLIED:
        raise RuntimeError(outcome)
    project.confirm(write)
    return sum(len(name) + len(part) for name, part in write.changes.stored.items())


def whole(state: ProjectState) -> dict[str, float]:
    """Measure what storing all of it in one piece would take."""
    started = time.process_time()
    raw = msgspec.msgpack.encode(state)
    data = zstandard.compress(raw, 1)
    seconds = time.process_time() - started
    return {
        "mb": round(len(data) / 1e6, 1),
        "ms": round(seconds * 1e3, 1),
        "share_of_a_core": round(seconds * 1_000 / INTERVAL_MS, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000, help="sessions known (100,000)")
    parser.add_argument("--keys", type=int, default=2_000, help="keys told apart (2,000)")
    parser.add_argument("--rate", type=float, default=25.0, help="signals and activities a second (25)")
    args = parser.parse_args()
    sys.stdout.write(json.dumps(asyncio.run(measure(args.sessions, args.keys, args.rate))) + "\n")


if __name__ == "__main__":
    main()
