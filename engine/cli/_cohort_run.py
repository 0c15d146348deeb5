"""`wince cohort run`."""

import argparse
import asyncio
import signal
import sys

import msgspec

from engine.cli._cohort_parts import FAILED, WRONG_USE, Shown, chosen, complain, open_tools, receiver_of, watched
from engine.cohorts.destinations import STANDARD_OUTPUT, Receiver
from engine.cohorts.file import Declared, read_cohorts
from engine.cohorts.jobs import Job, RunReport, look_only, run_once
from engine.cohorts.opening import Tools, put_together
from engine.cohorts.running import Preview
from engine.cohorts.state import NotOwnerError
from engine.cohorts.watching import CohortMeters
from engine.delivery.posting import Poster
from engine.runtime.ending import end_tasks
from engine.settings import Settings
from replay.errors import StoreError
from replay.exclusions import Exclusions

_AT_ONCE = 4
"""Cohorts that are worked on at a time: one with a slow receiver holds up no other."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Run cohorts once, or again and again."""
    cohorts = read_cohorts(args.cohorts, settings)
    try:
        wanted = chosen(cohorts, args.names)
    except ValueError as error:
        complain(error)
        return WRONG_USE
    if args.every is None:
        return asyncio.run(_run_all(args, settings, wanted))
    return asyncio.run(_again_and_again(args, settings, wanted))


async def _again_and_again(args: argparse.Namespace, settings: Settings, wanted: list[Declared]) -> int:
    """Run until SIGTERM or SIGINT, which may break a run off; the status is that of the last whole run."""
    stopping, status = asyncio.Event(), 0
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    stop = asyncio.create_task(stopping.wait())
    async with watched(args, settings, wanted, ("redis",)) as (meters, _):
        while not stopping.is_set():
            running = asyncio.create_task(_run_all(args, settings, wanted, meters))
            await asyncio.wait([running, stop], return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await end_tasks([running])
                if not running.cancelled():
                    running.result()
                break
            status = running.result()
            await asyncio.wait([stop], timeout=args.every / 1_000)
    return status


async def _run_all(
    args: argparse.Namespace, settings: Settings, wanted: list[Declared], meters: CohortMeters | None = None
) -> int:
    shown, poster, free = Shown(is_quiet=args.quiet), Poster(), asyncio.Semaphore(_AT_ONCE)
    try:
        async with open_tools(settings, Exclusions()) as (tools, _):
            jobs = [_job(tools, declared, receiver_of(declared, poster, meters), shown) for declared in wanted]
            with shown.progress:
                done = await asyncio.gather(*(_run_one(args, job, free, meters) for job in jobs))
    except (OSError, ValueError, StoreError) as error:
        complain(error)
        if meters is not None:
            meters.ran(None)
        return FAILED
    finally:
        await poster.close()
    return 0 if all(done) else FAILED


def _job(tools: Tools, declared: Declared, receiver: Receiver, shown: Shown) -> Job:
    parts = put_together(tools, declared)
    watching = shown.watching(declared.source.cohort)
    return Job(parts, receiver, tools.clock_ms, tools.lease_ms, watching=watching)


async def _run_one(args: argparse.Namespace, job: Job, free: asyncio.Semaphore, meters: CohortMeters | None) -> bool:
    name = job.parts.declared.source.cohort
    async with free:
        try:
            if args.dry_run:
                _print(args, job, await look_only(job))
                return True
            report = await run_once(job)
        except (OSError, StoreError, NotOwnerError) as error:
            complain(f"cohort {name}: {error}")
            if meters is not None:
                meters.ran(None)
            return False
    if meters is not None:
        meters.ran(report)
        meters.untold(report.untold)
    _print(args, job, report)
    return report.is_done


def _print(args: argparse.Namespace, job: Job, report: RunReport | Preview) -> None:
    (_, name), cohort, _ = job.parts.declared
    line = msgspec.json.encode({"cohort": name, **msgspec.to_builtins(report)}).decode()
    # Where events go to standard output, nothing else does.
    file = sys.stderr if cohort.out == STANDARD_OUTPUT else sys.stdout
    print(line if args.json else f"{name}: {written(report)}", file=file, flush=True)


def written(report: RunReport | Preview) -> str:
    """Write a report for people."""
    if isinstance(report, Preview):
        tally = report.tally
        return (
            f"{tally.sessions:,} sessions ({tally.anonymous:,} without a user id) of {report.users:,} users; would "
            f"tell {report.enters:,} to have come, {report.exits:,} to have left. Nothing was changed."
        )
    text = (
        f"{report.members:,} members by {report.sessions:,} sessions ({report.anonymous:,} without a user id); told "
        f"{report.enters:,} to have come, {report.exits:,} to have left"
    )
    if report.left_out:
        text += f"; no room for more than max_members: {report.left_out:,} times a user was left out"
    if report.untold:
        text += f"; {report.untold:,} had left more than 30 days ago: that is not told any more"
    if report.ending != "done":
        text += f"; {report.waiting:,} wait for the next run: {_WHY[report.ending]} ({report.note})"
    return text


_WHY = {
    "unreachable": "the receiver took nothing",
    "gone": "the receiver wants nothing any more",
    "refused": "the receiver was not spoken to",
}
