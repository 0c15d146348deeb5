"""What the actions of `wince cohort` share."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from engine.alerts.app.observers import RedisMeters
from engine.cohorts.destinations import LinesReceiver, Receiver, WebhookReceiver
from engine.cohorts.file import Declared, webhook_of
from engine.cohorts.jobs import Watching
from engine.cohorts.matching import Tally
from engine.cohorts.opening import Tools
from engine.cohorts.sending import Sent
from engine.cohorts.watching import CohortMeters, CountedReceiver, measure_always
from engine.delivery.posting import Poster
from engine.operate.health import Dependency, Health, serve_health
from engine.operate.programs import COHORT_METERS
from engine.operate.registry import Meters
from engine.runtime.ending import end_tasks
from engine.runtime.stores import redis_client
from engine.settings import Settings
from replay.exclusions import Exclusions
from replay.redis_exclusions import RedisExclusions
from replay.redis_store import wall_clock_ms

FAILED: Final = 1
"""Exit status when the store failed, or not all is told."""

WRONG_USE: Final = 2


def chosen(cohorts: dict[str, Declared], names: Sequence[str]) -> list[Declared]:
    """Choose cohorts by name, all of them without one. Raises ValueError for a name that is none."""
    unknown = [name for name in names if name not in cohorts]
    if unknown:
        raise ValueError(f"the file has no cohort {', '.join(unknown)}; it has {', '.join(cohorts)}")
    return [cohorts[name] for name in dict.fromkeys(names)] if names else list(cohorts.values())


@asynccontextmanager
async def open_tools(settings: Settings, exclusions: Exclusions) -> AsyncIterator[tuple[Tools, RedisExclusions]]:
    """Connect to Redis, and learn who is excluded. Raises what the store raises."""
    client = redis_client(settings)
    try:
        excluded = RedisExclusions(client, settings.store.key_prefix, exclusions)
        await excluded.refresh()
        yield Tools(settings, client, exclusions, wall_clock_ms), excluded
    finally:
        await client.close()


@asynccontextmanager
async def watched(
    args: argparse.Namespace, settings: Settings, wanted: Sequence[Declared], needs: tuple[Dependency, ...]
) -> AsyncIterator[tuple[CohortMeters, Health]]:
    """Measure cohorts, and serve that where it is asked for. Raises OSError if the address cannot be had."""
    meters, health = Meters(version("wince"), COHORT_METERS), Health(needs=needs)
    counted = CohortMeters(meters, wall_clock_ms)
    if args.http is None:
        yield counted, health
        return
    client = redis_client(settings, RedisMeters(meters, health))
    host, port = args.http
    async with serve_health(host, port, meters, health):
        health.joined(group=True)
        measuring = asyncio.create_task(measure_always(client, settings.store.key_prefix, wanted, counted))
        try:
            yield counted, health
        finally:
            await end_tasks([measuring])
            await client.close()


def receiver_of(declared: Declared, poster: Poster, meters: CohortMeters | None = None) -> Receiver:
    """Make what takes a cohort's events. Raises SettingsError if a secret is not there."""
    if declared.cohort.url:
        receiver: Receiver = WebhookReceiver(poster, webhook_of(declared))
    else:
        receiver = LinesReceiver(declared.cohort.out)
    return receiver if meters is None else CountedReceiver(receiver, meters)


class Shown:
    """Progress of some cohorts on a terminal."""

    def __init__(self, *, is_quiet: bool) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, disable=is_quiet or not console.is_terminal)

    def watching(self, name: str) -> Watching:
        """Add a line for a cohort."""
        task = self.progress.add_task(f"{name}: reading sessions", total=None)

        def looked(tally: Tally) -> None:
            self.progress.update(task, completed=tally.sessions)

        def sent(so_far: Sent) -> None:
            held = f" ({so_far.note})" if so_far.note else ""
            self.progress.update(
                task, description=f"{name}: sending events{held}", completed=so_far.enters + so_far.exits
            )

        return Watching(looked, sent)


def complain(text: object) -> None:
    """Say on standard error what is wrong."""
    print(f"wince: {text}", file=sys.stderr)
