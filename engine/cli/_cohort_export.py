"""`wince cohort export`."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine.cli._cohort_parts import FAILED, WRONG_USE, Shown, chosen, complain, open_tools, receiver_of
from engine.cli._cohort_run import written
from engine.cohorts.condition import read_condition
from engine.cohorts.declaration import Cohort
from engine.cohorts.destinations import STANDARD_OUTPUT
from engine.cohorts.events import Source
from engine.cohorts.file import Declared, read_cohorts
from engine.cohorts.jobs import Exported, Job, export_lines, look_only, run_once
from engine.cohorts.opening import Tools, put_together
from engine.cohorts.state import NotOwnerError
from engine.delivery.posting import Poster
from engine.settings import Settings
from engine.settings._units import DAY_MS
from replay.errors import StoreError
from replay.exclusions import Exclusions

_PURPOSE = "export"


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Export a cohort."""
    try:
        declared = _declared(args, settings)
    except (ValueError, StoreError) as error:
        complain(error)
        return WRONG_USE
    try:
        return asyncio.run(_export(args, settings, declared))
    except (OSError, ValueError, StoreError, NotOwnerError) as error:
        complain(error)
        return FAILED


def _declared(args: argparse.Namespace, settings: Settings) -> Declared:
    """Say which cohort. Raises ValueError or Poison if that is not said, or not in one way."""
    if args.send and args.out is not None:
        raise ValueError("--send tells a webhook, --out writes a file: say one of them")
    if args.name is None:
        return _of_filter(args)
    if args.cohorts is None or args.project or args.filter or args.window:
        raise ValueError("NAME is one of a file: say --cohorts FILE.toml, and no --project, --filter, --window")
    (declared,) = chosen(read_cohorts(args.cohorts, settings), [args.name])
    if args.send and not declared.cohort.url:
        raise ValueError("this cohort has no url to send to")
    return declared


def _of_filter(args: argparse.Namespace) -> Declared:
    if not args.project or not args.filter or args.cohorts is not None or args.send:
        raise ValueError("say NAME and --cohorts FILE.toml, or --project ID and --filter QUERY (which cannot be sent)")
    window_ms = args.window or 7 * DAY_MS
    cohort = Cohort(project=args.project, condition=args.filter, window_ms=window_ms, out=STANDARD_OUTPUT)
    return Declared(Source(args.project, _PURPOSE), cohort, read_condition(args.filter))


async def _export(args: argparse.Namespace, settings: Settings, declared: Declared) -> int:
    async with open_tools(settings, Exclusions()) as (tools, _):
        if args.send or args.dry_run:
            return await _send(args, tools, declared)
        parts = put_together(tools, declared)
        limits = (declared.cohort.window_ms, declared.cohort.max_members)
        with _output(args.out or STANDARD_OUTPUT) as file:
            exported = await export_lines(parts.matching, declared.source, limits, tools.clock_ms(), file.write)
    _print(args, exported)
    return FAILED if exported.left_out else 0


@contextmanager
def _output(name: str) -> Iterator[BinaryIO]:
    """Open standard output, or a file that takes its place when it is whole, readable by its owner only."""
    if name == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    made, temporary = tempfile.mkstemp(prefix=".wince-cohort-", dir=path.resolve().parent)
    try:
        with os.fdopen(made, "wb") as file:
            yield file
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _print(args: argparse.Namespace, exported: Exported) -> None:
    """Say on standard error what was written: standard output may be the export."""
    if args.json:
        print(msgspec.json.encode(exported).decode(), file=sys.stderr)
        return
    tally = exported.tally
    text = f"{exported.users:,} users by {tally.sessions:,} sessions ({tally.anonymous:,} without a user id)"
    if exported.left_out:
        text += f"; {exported.left_out:,} times a user was left out (max_members)"
    print(text, file=sys.stderr)


async def _send(args: argparse.Namespace, tools: Tools, declared: Declared) -> int:
    shown, poster = Shown(is_quiet=args.quiet), Poster()
    try:
        watching = shown.watching(declared.source.cohort)
        receiver = receiver_of(declared, poster)
        job = Job(put_together(tools, declared, _PURPOSE), receiver, tools.clock_ms, tools.lease_ms, watching=watching)
        with shown.progress:
            report = await look_only(job) if args.dry_run else await run_once(job, forgets=True)
    finally:
        await poster.close()
    print(msgspec.json.encode(report).decode() if args.json else f"{declared.source.cohort}: {written(report)}")
    return 0 if args.dry_run or getattr(report, "is_done", False) else FAILED
