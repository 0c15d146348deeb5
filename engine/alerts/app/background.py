"""What goes on beside reading: storing, minutes that pass, resolved errors, a rules file that changes."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from engine.alerts.app.desk import Desk
from engine.alerts.app.lanes import Doubt
from engine.alerts.app.lookout import Identities, Lookout
from engine.alerts.app.tools import AlertTools
from engine.alerts.delivery.endpoints import Endpoint, open_routes
from engine.alerts.history import MINUTE_MS
from engine.alerts.rules import RulesFile
from engine.alerts.rules_file import default_rules, read_rules
from engine.errors import Unavailable
from engine.operate.logs import get_logger
from engine.operate.meters import Count, Gauge
from engine.runtime.kafka.records import Place
from engine.settings import SettingsError
from replay.errors import StoreError

CHECK_SECONDS: Final = 2.0
"""How often it is asked whether topics are the same, and marks still there."""

MINUTE_SECONDS: Final = 1.0
"""How often it is looked whether a minute is over."""

STALLED_SECONDS: Final = 20.0
"""A partition that has something of which nothing came for so long is not read any more, whatever the client thinks."""

AFTER_MINUTE_MS: Final = 2_000
"""Records of a minute may come so much later: clocks of senders and brokers differ."""

_ASK_SECONDS: Final = 0.25
_MARGIN_MS: Final = 10 * MINUTE_MS


async def save_always(tools: AlertTools, desk: Desk) -> None:
    """Store what changed, at the latest after the interval. Raises Doubt."""
    while True:
        try:
            async with asyncio.timeout(tools.settings.alerts.save_interval_ms / 1_000):
                await desk.is_due.wait()
        except TimeoutError:
            pass
        desk.is_due.clear()
        tools.health.beat()
        await desk.save()


async def check_always(tools: AlertTools, desk: Desk, lookout: Lookout, identities: Identities) -> None:
    """Notice topics that were made again, a Redis that is an older one, and reading that stands still. Raises Doubt."""
    watch = _StallWatch()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            found = await lookout.identities(identities)
            ends = await lookout.ends(identities)
        except Unavailable as error:
            get_logger().warning("work_offered_again", error=error)
            continue
        tools.health.reached("kafka")
        if found != identities:
            raise Doubt("log_changed")
        if watch.stands_still(desk, ends):
            raise Doubt("stalled")
        await desk.look_after()


class _StallWatch:
    """Notices that nothing comes of a partition that has something, though nothing holds it up."""

    def __init__(self) -> None:
        self._seen: dict[Place, tuple[int, float]] = {}

    def stands_still(self, desk: Desk, ends: Mapping[Place, int]) -> bool:
        """Say whether that has been so for too long."""
        now_s = time.monotonic()
        if desk.is_full:
            self._seen.clear()
        for place, lane in desk.lanes.items():
            offset, _ = self._seen.get(place, (-1, 0.0))
            if offset != lane.done_offset or lane.done_offset >= ends.get(place, 0):
                self._seen[place] = lane.done_offset, now_s
        return any(now_s - since > STALLED_SECONDS for place, (_, since) in self._seen.items() if place in desk.lanes)


async def tick_always(tools: AlertTools, desk: Desk, lookout: Lookout) -> None:
    """Let minutes pass where nothing comes, each once all has been judged that was there when it was over.

    So a minute passes between the same records, however often they are read again. Raises Doubt.
    """
    sources = (tools.kafka.signals_topic, tools.kafka.activity_topic)
    passed_ms = 0
    while True:
        minute_ms = (tools.clock_ms() - AFTER_MINUTE_MS) // MINUTE_MS * MINUTE_MS
        if minute_ms == passed_ms:
            await asyncio.sleep(MINUTE_SECONDS)
            continue
        try:
            ends = await lookout.ends(sources)
            while not await lookout.is_read(ends):  # noqa: ASYNC110 - nobody tells what others committed
                await asyncio.sleep(_ASK_SECONDS)
            inputs = await lookout.ends([tools.settings.alerts.input_topic])
        except Unavailable as error:
            get_logger().warning("work_offered_again", error=error)
            await asyncio.sleep(CHECK_SECONDS)
            continue
        while not desk.has_read(inputs):  # noqa: ASYNC110 - partitions come and go meanwhile
            await asyncio.sleep(_ASK_SECONDS)
        desk.tick(minute_ms)
        await desk.forget_silent()
        desk.is_due.set()
        passed_ms = minute_ms


async def resolve_always(tools: AlertTools, desk: Desk) -> None:
    """Learn which errors were marked as resolved."""
    since: dict[str, int] = {}
    while True:
        await asyncio.sleep(tools.settings.alerts.resolved_interval_ms / 1_000)
        for project_id, project in list(desk.projects.items()):
            try:
                resolved = await tools.errors.resolved(project_id, since.get(project_id, 0) - _MARGIN_MS)
            except StoreError as error:
                get_logger().warning("work_offered_again", error=error)
                break
            for fingerprint, t in resolved.items():
                project.resolve(fingerprint, t)
                since[project_id] = max(since.get(project_id, 0), t)


class InForce(NamedTuple):
    """A rules file, and its routes with all that is needed to send on them."""

    rules: RulesFile
    endpoints: Mapping[str, Endpoint]


class RulesWatch:
    """The rules file: read when the program starts, and again whenever its content is another."""

    def __init__(self, path: str, environ: Mapping[str, str]) -> None:
        self._path = Path(path) if path else None
        self._environ = environ
        self._seen = b""

    def read(self) -> InForce:
        """Read the rules. Raises SettingsError if anything is wrong with them, or with what routes need."""
        self._seen = self._digest()
        rules = default_rules() if self._path is None else read_rules(self._path)
        return InForce(rules, open_routes(rules, self._environ, str(self._path)))

    async def follow(self, tools: AlertTools, changed: Callable[[InForce], None]) -> None:
        """Look at the file again and again; wrong rules change nothing, and are told of."""
        while self._path is not None:
            await asyncio.sleep(tools.settings.alerts.rules_interval_ms / 1_000)
            if self._digest() != self._seen:
                self._read_again(tools, changed)

    def _read_again(self, tools: AlertTools, changed: Callable[[InForce], None]) -> None:
        try:
            found = self.read()
        except SettingsError as error:
            problems = len(error.problems)
            get_logger().error("rules_rejected", count=problems, setting=error.problems[0].key)
            tools.health.note("rules", f"the file is wrong ({problems} problems); the rules of before hold")
        else:
            get_logger().info("rules_taken", count=len(found.rules.rules))
            tools.health.note("rules", "")
            changed(found)
            problems = 0
        tools.meters.set(Gauge.ALERT_RULES_WRONG, int(problems > 0))
        tools.meters.count(Count.ALERT_RULES_READ, outcome="rejected" if problems else "taken")

    def _digest(self) -> bytes:
        if self._path is None:
            return b""
        try:
            return hashlib.sha256(self._path.read_bytes()).digest()
        except OSError as error:
            # Gone, or not to be read: that is a content of its own, told once.
            return type(error).__name__.encode()
