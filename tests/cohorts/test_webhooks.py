"""Webhooks of cohorts to real receivers that are slow, broken, busy or gone, and from processes that are killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from engine.cohorts.destinations import Webhook, WebhookReceiver
from engine.delivery.addresses import AllowList, read_allow_list
from engine.delivery.posting import Poster
from replay.redis_store import wall_clock_ms
from tests.cohorts.world import World
from tests.engine.delivery.receivers import Answer, Receiver, raw, receiving, saying

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HERE = read_allow_list(["127.0.0.0/8"])
OK = saying("204 No Content")


def in_turn(answers: Sequence[Answer], then: Answer = OK) -> Answer:
    waiting = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (waiting.pop(0) if waiting else then)(reader, writer)

    return answer


def receiver_at(url: str, allow: AllowList = HERE, per_minute: int = 6_000) -> WebhookReceiver:
    webhook = Webhook(url, [b"x" * 24], allow, 50, per_minute)
    return WebhookReceiver(Poster(), webhook, timeout_s=0.5)


def told(receiver: Receiver) -> list[dict[str, str]]:
    return [event for body in receiver.bodies for event in json.loads(body)["data"]["events"]]


async def test_a_receiver_that_is_slow_broken_and_busy_gets_everything_in_order_and_under_the_same_ids(
    world: World,
) -> None:
    users = [f"u{number}" for number in range(120)]
    await world.visits(users)
    busy = saying("429 Too Many Requests", "Retry-After: 90")
    failing = [saying("500 Oh No"), raw(stay=True), raw(), busy, saying("401 Who")]
    async with receiving(in_turn(failing)) as there:
        report = await world.run(receiver_at(there.url), world.declared(patience_ms=3_600_000))
        assert (report.is_done, report.failures, report.batches) == (True, 5, 3)
        assert max(world.slept) >= 90
        ids = [there.header("webhook-id", place) for place in range(8)]
        assert len(set(ids[:6])) == 1
        assert len(set(there.bodies[:6])) == 1
        assert len(set(ids)) == 3
        assert sorted(event["user_id"] for event in told(there)[5 * 50 :]) == sorted(users)


async def test_webhooks_are_in_the_form_that_is_documented(world: World) -> None:
    await world.visit("a", "ada")
    now_ms = world.now_ms
    async with receiving(OK) as there:
        await world.run(receiver_at(there.url))
        (body,) = there.bodies
        assert there.header("content-type") == "application/json"
    payload = json.loads(body)
    assert (payload["type"], payload["timestamp"]) == ("cohort.changed", "2026-11-22T21:08:11Z")
    assert (payload["data"]["cohort"], payload["data"]["project_id"]) == ("angry", "shop")
    (event,) = payload["data"]["events"]
    assert event.pop("id")
    assert event == {
        "event": "enter", "cohort": "angry", "project_id": "shop", "user_id": "ada", "at": now_ms,
        "sequence": now_ms * 1_000, "matched_at": now_ms,
    }  # fmt: skip


async def test_no_more_are_sent_in_a_minute_than_asked_for(world: World) -> None:
    await world.visits([f"u{number}" for number in range(170)])
    async with receiving(OK) as there:
        started_ms = world.now_ms
        assert (await world.run(receiver_at(there.url, per_minute=2))).batches == 4
        assert world.now_ms - started_ms >= 3 * 30_000


async def test_a_pause_that_a_receiver_asked_for_holds_for_the_next_process_as_well(world: World) -> None:
    await world.visit("a", "ada")
    async with receiving(in_turn([saying("503 Later", "Retry-After: 3600")])) as there:
        report = await world.run(receiver_at(there.url))
        assert (report.ending, report.waiting) == ("unreachable", 1)
        assert (await world.run(receiver_at(there.url))).ending == "unreachable"
        assert len(there.bodies) == 1
        world.now_ms += 3_600_000
        assert (await world.run(receiver_at(there.url))).is_done
        assert there.bodies[0] == there.bodies[1]


async def test_a_receiver_inside_is_not_spoken_to_unless_that_is_allowed(world: World) -> None:
    await world.visit("a", "ada")
    async with receiving(OK) as there:
        report = await world.run(receiver_at(there.url, AllowList()))
        assert (report.ending, report.waiting) == ("refused", 1)
        assert there.bodies == []


async def test_who_leaves_while_a_receiver_is_away_for_long_is_told_once_it_is_back(world: World) -> None:
    await world.visit("a", "ada")
    async with receiving(in_turn([saying("500 No")] * 100)) as there:
        assert (await world.run(receiver_at(there.url))).ending == "unreachable"
    await world.delete("a")
    world.now_ms += 86_400_000
    async with receiving(OK) as there:
        assert (await world.run(receiver_at(there.url))).is_done
        # It may have heard of the user, whatever it answered.
        assert [event["event"] for event in told(there)] == ["exit"]


async def test_a_run_that_is_killed_is_gone_on_with_and_nothing_is_lost_or_named_anew(
    world: World, tmp_path: Path
) -> None:
    world.now_ms = wall_clock_ms()
    users = [f"u{number}" for number in range(230)]
    await world.visits(users)
    async with receiving(in_turn([OK, OK], then=raw(stay=True))) as there:
        process = await start(world, tmp_path, there)
        for _ in range(3):
            await asyncio.wait_for(there.arrived.get(), 30)
        assert process.returncode is None, "it was to be killed at work"
        process.send_signal(signal.SIGKILL)
        await process.wait()
        before = list(zip([there.header("webhook-id", place) for place in range(3)], there.bodies, strict=True))
    await world.lease_is_over()
    async with receiving(OK, port=there.port) as again:
        process = await start(world, tmp_path, again)
        assert await asyncio.wait_for(process.wait(), 60) == 0
        after = list(zip([again.header("webhook-id", place) for place in range(3)], again.bodies, strict=True))
        for place, (_, body) in enumerate(after):
            names = ("webhook-id", "webhook-timestamp", "webhook-signature")
            Verifier(SECRET).verify(body, {name: again.header(name, place) for name in names})
        assert after[0] == before[2]
        assert len({*before, *after}) == 5
        events = [event for _, body in {*before, *after} for event in json.loads(body)["data"]["events"]]
        assert sorted(event["user_id"] for event in events) == sorted(users)
        assert len({event["id"] for event in events}) == len(users)


async def start(world: World, folder: Path, there: Receiver) -> asyncio.subprocess.Process:
    file = folder / "cohorts.toml"
    file.write_text(
        '[cohorts.angry]\nproject = "shop"\ncondition = "tag=rage_click"\nsecrets = ["env:CRM_SECRET"]\n'
        f'url = "{there.url}"\nallow_hosts = ["127.0.0.1"]\nbatches_per_minute = 6000\n'
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine.cli", "cohort", "run", "--cohorts", str(file), "--quiet",
        env=os.environ | {"CRM_SECRET": SECRET, "WINCE_STORE_REDIS_URL": world.url},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
