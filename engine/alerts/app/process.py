"""Puts one alerter process together, runs it, and takes it apart."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Final

import msgspec

from engine.alerts.abandoned import vain_rules
from engine.alerts.app.background import InForce, RulesWatch
from engine.alerts.app.desk import Desk
from engine.alerts.app.lanes import Doubt
from engine.alerts.app.membership import Membership
from engine.alerts.app.observers import RedisMeters
from engine.alerts.app.tools import AlertTools
from engine.alerts.app.transport import AlertsApp
from engine.alerts.delivery.assembly import make_sender
from engine.alerts.delivery.metrics import DeliveryMeters
from engine.alerts.delivery.outbox import Outbox
from engine.alerts.delivery.sender import Sender
from engine.alerts.names import AlertNames
from engine.alerts.rules import RulesFile
from engine.alerts.store import AlertStore
from engine.delivery.posting import Poster
from engine.errors import Broken
from engine.operate.health import Health, serve_health
from engine.operate.logs import get_logger
from engine.operate.meters import Count, Gauge
from engine.operate.programs import ALERT_METERS
from engine.operate.registry import Meters
from engine.runtime.ending import end_tasks
from engine.runtime.kafka.patience import Patience
from engine.runtime.stores import redis_client
from engine.settings import KafkaSettings, Settings
from replay.error_book import ErrorBook
from replay.marks import RedisMarks
from replay.redis_client import RedisClient
from replay.redis_keys import KeyNames
from replay.withdrawals import Withdrawals

STUCK_SECONDS: Final = 1.0
"""How often it is looked whether the process stands still."""

STUCK_LOOKS: Final = 3


async def run_alerter(settings: Settings) -> None:
    """Run an alerter until SIGTERM or SIGINT.

    Raises SettingsError if the rules or files of certificates are of no use; Broken; OSError if the port is taken.
    """
    watch = RulesWatch(settings.alerts.rules_file, os.environ)
    rules, endpoints = watch.read()
    meters, health = Meters(version("wince"), ALERT_METERS), Health()
    alerts = settings.alerts
    async with AsyncExitStack() as stack:
        client = redis_client(settings, RedisMeters(meters, health))
        stack.push_async_callback(client.close)
        poster = Poster()
        stack.push_async_callback(poster.close)
        bound = await stack.enter_async_context(serve_health(alerts.http_host, alerts.http_port, meters, health))
        get_logger().info("alerter_started", host=alerts.http_host, port=bound)
        sender = make_sender(settings, client, poster, DeliveryMeters(meters))
        sender.use(endpoints)
        alerter = Alerter(make_tools(settings, rules, client, meters, health), sender)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, alerter.stop)
        await alerter.run(watch)
        get_logger().info("alerter_stopped")


def make_tools(settings: Settings, rules: RulesFile, client: RedisClient, meters: Meters, health: Health) -> AlertTools:
    """Make what all of one process shares."""
    prefix = settings.store.key_prefix
    return AlertTools(
        settings=settings,
        kafka=_kafka_of(settings),
        rules=rules,
        store=AlertStore(client, prefix),
        outbox=Outbox(client, AlertNames(prefix)),
        marks=RedisMarks(client, prefix),
        errors=ErrorBook(client, prefix),
        withdrawals=lambda: Withdrawals(client, KeyNames(prefix)),
        patience=Patience(settings.worker, meters, health.beat),
        meters=meters,
        health=health,
    )


def _kafka_of(settings: Settings) -> KafkaSettings:
    """Return how brokers are reached, in a group of the alerters' own that notices sooner who is gone."""
    session_timeout_ms = settings.alerts.session_timeout_ms
    return msgspec.structs.replace(
        settings.kafka,
        group_id=settings.alerts.group_id,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=min(settings.kafka.heartbeat_interval_ms, session_timeout_ms // 3),
    )


def note_vain_rules(file: RulesFile, settings: Settings, health: Health) -> None:
    """Say, in the log and to who asks for health, that rules wait for events which nobody tells of."""
    vain = vain_rules(file.rules, settings)
    note = f"{len(vain)} rules are about events that activity.custom_events does not name"
    health.note("events", note if vain else "")
    if vain:
        get_logger().warning("rules_about_unnamed_events", count=len(vain), setting="activity.custom_events")


class Alerter:
    """One process: in the group again and again, and sending all the time."""

    def __init__(self, tools: AlertTools, sender: Sender) -> None:
        self._tools = tools
        self._sender = sender
        self._stopping = asyncio.Event()
        self._desk: Desk | None = None
        self._app: AlertsApp | None = None
        tools.on_stored = sender.wake
        note_vain_rules(tools.rules, tools.settings, tools.health)
        tools.meters.refresh_with(self.refresh)

    def stop(self) -> None:
        """Have `run` store what was read, and return."""
        self._stopping.set()

    async def run(self, watch: RulesWatch) -> None:
        """Work until stopped. Raises Broken, and whatever a bug of ours raises."""
        beside = [
            asyncio.create_task(self._sender.run()),
            asyncio.create_task(watch.follow(self._tools, self._change_rules)),
            asyncio.create_task(self._end_if_stuck()),
        ]
        judging = asyncio.create_task(self._judge_always())
        try:
            while not judging.done():
                done, _ = await asyncio.wait((judging, *beside), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                beside = [task for task in beside if task not in done]
        finally:
            await end_tasks((judging, *beside))

    async def _judge_always(self) -> None:
        """Be in the group until stopped; after a doubt, enter it anew."""
        stopped = asyncio.create_task(self._stopping.wait())
        work = asyncio.create_task(self._tools.patience.insist(self._judge))
        await asyncio.wait((stopped, work), return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and self._desk is None:
            work.cancel()  # Kafka is away, and was never reached
        stopped.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled():
            work.result()

    async def _judge(self) -> None:
        while not self._stopping.is_set():
            try:
                await Membership(self._tools, 0, self._stopping).run(self._entered)
            except Doubt as doubt:
                self._tools.meters.count(Count.PARTITION_RESETS, cause=doubt.cause)
                get_logger().warning("read_again", cause=doubt.cause)
            finally:
                self._tools.health.joined(group=False)
                self._desk = self._app = None

    async def _end_if_stuck(self) -> None:
        """End a process whose storing stands still, though nothing it waits for says why: another begins anew."""
        looks = 0
        while looks < STUCK_LOOKS:
            await asyncio.sleep(STUCK_SECONDS)
            # A process that was paused has to have the time for a sign of life first.
            looks = 0 if self._tools.health.alive().ok else looks + 1
        raise Broken("nothing was stored for too long, and nothing says why")

    def _entered(self, desk: Desk, app: AlertsApp) -> None:
        self._desk, self._app = desk, app

    def _change_rules(self, found: InForce) -> None:
        self._tools.rules = found.rules
        note_vain_rules(found.rules, self._tools.settings, self._tools.health)
        self._sender.use(found.endpoints)
        if self._desk is not None:
            self._desk.change_rules(found.rules)

    def refresh(self) -> None:
        """Set the gauges, which change also while nothing goes on."""
        if self._desk is None or self._app is None:
            return
        meters, now_ms = self._tools.meters, self._tools.clock_ms()
        sizes = [project.sizes for project in self._desk.projects.values()]
        meters.set(Gauge.ALERT_PROJECTS, len(sizes))
        meters.set(Gauge.ALERTS_OPEN, sum(size.open_alerts for size in sizes))
        meters.set(Gauge.ALERT_KEYS, sum(size.keys for size in sizes))
        meters.set(Gauge.ALERT_SESSIONS, sum(size.sessions for size in sizes))
        for place, lane in self._desk.lanes.items():
            records, seconds = lane.lag(self._app.end_offset(place), now_ms)
            meters.set(Gauge.LAG_RECORDS, records, topic=place.topic, partition=place.partition)
            meters.set(Gauge.LAG_SECONDS, seconds, topic=place.topic, partition=place.partition)
