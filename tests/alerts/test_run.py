"""`wince alerts run` with real servers: from signals to alerts, and what is between."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from engine.alerts.core import Item
from engine.alerts.store import AlertStore
from engine.cli import main
from engine.errors import Broken
from engine.operate.health import Health
from engine.operate.meters import Count, Gauge
from engine.runtime.stores import redis_client
from replay.error_book import ErrorBook, sightings
from replay.errors import StoreError
from replay.redis_client import Call
from replay.redis_keys import KeyNames
from schemas.activity import Activity
from tests.alerts.inside import running
from tests.alerts.site import MANY, AlertSite, now_ms
from tests.engine.alerts.site import Site
from tests.kafka.groups import producer
from tests.servers.kafka_admin import create_topic, delete_records, delete_topic
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis

PAGE = "https://shop.example/cart"
OTHER = "https://shop.example/home"
MINUTE_MS = 60_000


@pytest_asyncio.fixture
async def site(kafka: Kafka, redis_server: FoundRedis, tmp_path: Path) -> AsyncIterator[AlertSite]:
    made = AlertSite(kafka, redis_server.url, tmp_path)
    await made.create()
    yield made
    made.stop_all()


def complaints(visitors: Site, count: int, page: str = PAGE) -> list[Item]:
    items: list[Item] = []
    for number in range(count):
        t = now_ms() + number
        session_id, activities = visitors.visit(t, page)
        items += [*activities, visitors.complaint(session_id, t, page)]
    return items


async def test_what_hurts_is_told_and_the_program_stops_well(site: AlertSite) -> None:
    alerter = site.alerter()
    alerter.start()
    await site.send(complaints(Site(), 6))
    (alert,) = await site.told(1, alerter)
    assert (alert.rule, alert.key.value, alert.numbers.sessions) == ("many", PAGE, 5)
    await site.has_judged_all(alerter)
    assert alerter.stop() == 0, alerter.said()
    said = alerter.said(100_000)
    assert "shop" not in said.replace(str(site.folder), "")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines if line["event"].startswith("alerter")] == [
        "alerter_started", "alerter_stopped",
    ]  # fmt: skip


def test_wrong_rules_are_told_and_nothing_is_started(kafka: Kafka, redis_server: FoundRedis, tmp_path: Path) -> None:
    site = AlertSite(kafka, redis_server.url, tmp_path, MANY + "thershold = 3")
    alerter = site.alerter()
    alerter.start()
    alerter._wait(60)
    assert alerter.exit_status == 2
    assert "thershold" in alerter.said()


async def test_alerts_are_listed(site: AlertSite, capsys: pytest.CaptureFixture[str]) -> None:
    async with running(site) as inside:
        await site.send([*complaints(Site(), 6), *complaints(Site(2, "news"), 6)])
        await inside.counts(Count.ALERTS, 2, state="fired")
    command = ["alerts", "list", "--config", str(site.config)]
    capsys.readouterr()
    assert await asyncio.to_thread(main, [*command, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(line["project_id"], line["rule"]) for line in lines} == {("shop", "many"), ("news", "many")}
    assert await asyncio.to_thread(main, [*command, "--project", "news", "--open"]) == 0
    table = capsys.readouterr().out
    assert "news" in table
    assert "shop-" not in table


async def test_minutes_pass_where_nothing_comes(site: AlertSite) -> None:
    rule = '[[rules]]\nname = "left"\nkind = "abandoned"\nwindow = "30m"\n'
    site.rules.write_text(f'{rule}page = "{PAGE}"\ngoal_page = "{OTHER}"\n')
    visitors = Site()
    async with running(site) as inside:
        left, activities = visitors.visit(now_ms(), PAGE)
        await site.send(activities)
        await site.has_judged_all()
        assert await site.alerts() == []
        inside.skipped_ms = 32 * MINUTE_MS
        await inside.counts(Count.ALERTS, state="fired")
        (alert,) = await site.alerts()
        assert alert.moments[0].session_id == left
        assert alert.fired_at % MINUTE_MS == 0, "full minutes are the same whenever they are judged"


async def test_rules_change_while_it_runs(site: AlertSite) -> None:
    async with running(site) as inside:
        await site.send(complaints(Site(), 6))
        await inside.counts(Count.ALERTS, state="fired")
        site.rules.write_text(MANY + "thershold = 3")
        await inside.counts(Count.ALERT_RULES_READ, outcome="rejected")
        assert inside.meters.value(Gauge.ALERT_RULES_WRONG) == 1
        assert "wrong" in inside.health.ready().notes["rules"]
        assert inside.health.ready().ok
        await site.send(complaints(Site(2, "news"), 6))
        await inside.counts(Count.ALERTS, 2, state="fired")
        site.rules.write_text(MANY.replace('"many"', '"more"'))
        await inside.counts(Count.ALERT_RULES_READ, outcome="taken")
        assert inside.meters.value(Gauge.ALERT_RULES_WRONG) == 0
        assert inside.health.ready().notes == {}
        await inside.counts(Count.ALERTS, 2, state="resolved")
        assert [alert.resolved_at is not None for alert in await site.alerts()] == [True]


async def test_an_error_that_was_marked_as_resolved_is_told_when_it_is_back(site: AlertSite) -> None:
    site.rules.write_text('[[rules]]\nname = "back"\nkind = "regression"\ndimensions = ["error"]\nmin_sessions = 1\n')
    visitors, client = Site(), redis_client(site.settings)
    book = ErrorBook(client, site.name)
    try:
        async with running(site) as inside:
            session_id, activities = visitors.visit(now_ms(), PAGE)
            error = visitors.complaint(session_id, now_ms(), PAGE, "js_error", "e1")
            await site.send([*activities, error])
            await inside.counts(Count.ALERT_ITEMS, 3)
            told = {"shop": [(error.id, msgspec.json.encode(error))]}
            await client.run_many(list(sightings(KeyNames(site.name), told, {"shop": ["e1"]})))
            assert await book.resolve("shop", ["e1"], now_ms()) == 1

            async def is_known() -> bool:
                return "e1" in (await site.stored()).state.resolved

            await inside.until(is_known, "the error is resolved")
            session_id, activities = visitors.visit(now_ms(), PAGE, release="2.0")
            again = visitors.complaint(session_id, now_ms(), PAGE, "js_error", "e1")
            await site.send([*activities, msgspec.structs.replace(again, attributes={"release": "2.0"})])
            await inside.counts(Count.ALERTS, state="fired")
            (alert,) = await site.alerts()
            assert (alert.rule, alert.key.value) == ("back", "e1")
    finally:
        await client.close()


async def stand_still(site: AlertSite) -> None:
    """Have an alerter never store anything again, without saying why."""
    async with running(site, Health(beat_within_ms=3_000)) as inside:
        await site.send(complaints(Site(), 6))
        await inside.counts(Count.ALERTS, state="fired")
        desk = inside.alerter._desk
        assert desk is not None
        await desk._saving.acquire()
        await asyncio.wait((inside.task,), timeout=60)


async def test_one_that_stands_still_ends(site: AlertSite) -> None:
    with pytest.raises(Broken):
        await stand_still(site)


async def test_what_is_no_item_is_counted_and_holds_up_nothing(site: AlertSite) -> None:
    async with running(site) as inside:
        topic = site.settings.kafka.signals_topic
        async with producer(site.bootstrap, max_request_size=4 << 20) as made:
            for value in (b"", None, b"\xff{", b"[" * 100_000, b'{"detector": 1}'):
                await made.send(topic, value, key=b"k")
            await made.flush()
        await inside.counts(Count.ALERT_DROPPED, 5, reason="unreadable")
        await site.send(complaints(Site(), 6))
        await inside.counts(Count.ALERTS, state="fired")


async def test_records_that_are_gone_are_counted(site: AlertSite) -> None:
    async with running(site) as inside:
        await site.send(complaints(Site(), 3))
        await inside.counts(Count.ALERT_ITEMS, 9)
    topic = site.settings.kafka.activity_topic
    await site.send(complaints(Site(2), 50))
    ends = {partition: end for (of, partition), end in (await site.ends()).items() if of == topic}
    await delete_records(site.bootstrap, topic, ends)
    async with running(site) as inside:
        await inside.counts(Count.RECORDS_LOST, 100)
        await inside.counts(Count.ALERT_ITEMS, 50)


async def test_a_topic_that_was_made_again_is_read_from_its_start(site: AlertSite) -> None:
    async with running(site) as inside:
        await site.send(complaints(Site(), 30, OTHER))
        await inside.counts(Count.ALERT_ITEMS, 90)
        topic = site.settings.alerts.input_topic
        await delete_topic(site.bootstrap, topic)
        await create_topic(site.bootstrap, topic, site.partitions)
        await inside.counts(Count.PARTITION_RESETS, cause="log_changed")
        await site.send(complaints(Site(2, "news"), 6))
        await inside.counts(Count.ALERTS, 2, state="fired")


async def test_nothing_is_left_of_a_session_that_was_deleted(site: AlertSite) -> None:
    route = '[[routes]]\nname = "hook"\nkind = "webhook"\nurl = "http://127.0.0.1:1900/"\nallow_hosts = ["127.0.0.1"]\n'
    secret = site.folder / "secret"
    secret.write_text("whsec_" + "c2VjcmV0" * 6)
    site.rules.write_text(f'{MANY}\n{route}secrets = ["file:{secret}"]\n')
    visitors = Site(5, "bank-4711")
    async with running(site) as inside:
        items = complaints(visitors, 6)
        await site.send(items)
        await inside.counts(Count.ALERTS, state="fired")
        ids = {item.session_id for item in items if isinstance(item, Activity)}
        assert await found_in_redis(site, ids, "bank-4711") == ids
        withdrawn = [Activity(f"gone-{id_}", "session_withdrawn", "bank-4711", id_, now_ms()) for id_ in ids]
        await site.send(withdrawn)

        async def is_gone() -> bool:
            return not await found_in_redis(site, ids, "bank-4711")

        await inside.until(is_gone, "nothing of the sessions in Redis")
        await site.send(items)
        await inside.counts(Count.ALERT_DROPPED, len(items), reason="withdrawn")
        (alert,) = await site.alerts("bank-4711")
        assert (alert.moments, alert.numbers.sessions) == ([], 5)
        assert await found_in_redis(site, ids, "bank-4711") == set()


async def found_in_redis(site: AlertSite, ids: set[str], project_id: str, pattern: str = "") -> set[str]:
    """Say which session ids are anywhere in what this installation has in Redis, under names of a pattern."""
    client = redis_client(site.settings)
    try:
        names = [name.decode() async for name in client.scan(pattern or f"{site.name}:*")]
        (stored,) = await AlertStore(client, site.name).load([project_id])
        contents = [b" ".join(name.encode() for name in names), msgspec.json.encode(stored.state)]
        for name in names:
            for command in (("HGETALL", ()), ("ZRANGE", (0, -1)), ("SMEMBERS", ()), ("GET", ())):
                with suppress(StoreError):
                    contents.append(repr(await client.run(Call(command[0], (name,), command[1]))).encode())
    finally:
        await client.close()
    everything = b" ".join(contents)
    return {id_ for id_ in ids if re.search(re.escape(id_).encode() + rb"(?!\d)", everything)}
