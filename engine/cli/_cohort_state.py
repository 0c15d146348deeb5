"""`wince cohort list` and `wince cohort forget`."""

import argparse
import asyncio
import uuid

import msgspec
from rich.console import Console
from rich.table import Table

from engine.cli._cohort_parts import FAILED, complain
from engine.cohorts.events import Source
from engine.cohorts.file import Declared, read_cohorts
from engine.cohorts.state import CohortState, Counts, cohort_keys
from engine.runtime.stores import redis_client
from engine.settings import Settings
from engine.settings._units import format_duration
from replay.errors import StoreError


def run_list(args: argparse.Namespace, settings: Settings) -> int:
    """List cohorts."""
    cohorts = read_cohorts(args.cohorts, settings)
    try:
        counts = asyncio.run(_counts(settings, list(cohorts.values())))
    except (OSError, ValueError, StoreError) as error:
        complain(error)
        return FAILED
    rows = list(zip(cohorts.values(), counts, strict=True))
    if args.json:
        for declared, counted in rows:
            print(msgspec.json.encode({**declared.source._asdict(), **counted._asdict()}).decode())
    else:
        _show(rows)
    return 0


async def _counts(settings: Settings, cohorts: list[Declared]) -> list[Counts]:
    client = redis_client(settings)
    try:
        keys = [cohort_keys(settings.store.key_prefix, declared.source) for declared in cohorts]
        return [await CohortState(client, each, "").counts() for each in keys]
    finally:
        await client.close()


def _show(rows: list[tuple[Declared, Counts]]) -> None:
    table = Table("cohort", "project", "condition", "window", "members", "to be told")
    for (source, cohort, _), counts in rows:
        window = format_duration(cohort.window_ms)
        table.add_row(
            source.cohort, source.project_id, cohort.condition, window, f"{counts.members:,}", f"{counts.due:,}"
        )
    Console().print(table)


def run_forget(args: argparse.Namespace, settings: Settings) -> int:
    """Drop the state of a cohort, if nobody works on it."""
    try:
        busy_ms = asyncio.run(_forget(settings, Source(args.project, args.name)))
    except (OSError, ValueError, StoreError) as error:
        complain(error)
        return FAILED
    if busy_ms:
        complain(f"another process is at work on it, or was within the last {format_duration(busy_ms)}")
        return FAILED
    print(f"Nothing is kept of {args.name} any more.")
    return 0


async def _forget(settings: Settings, source: Source) -> int:
    client = redis_client(settings)
    try:
        for purpose in ("", "export"):
            state = CohortState(client, cohort_keys(settings.store.key_prefix, source, purpose), uuid.uuid4().hex)
            if busy_ms := await state.claim():
                return busy_ms
            await state.drop()
        return 0
    finally:
        await client.close()
