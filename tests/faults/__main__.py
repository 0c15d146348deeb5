"""The long version: every fault many times, then trials of their own; prints a table. Exit status 1 if not all is well.

python -m tests.faults --rounds 3 --seed 7
"""

import argparse
import asyncio
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.faults.arena import Arena, Outcome, Trial
from tests.faults.chaos import EVERY_FAULT, LOSS_OF_ONE_BROKER, Fault, Strike, group_of, strike
from tests.faults.load import Mix
from tests.faults.specials import SPECIALS
from tests.servers.kafka_jars import VERSION, kafka_jars
from tests.servers.redis_server import find_redis_binary

WAVE_SESSIONS = 100
LARGEST_SHARE = 0.4

CONDITIONS: tuple[dict[str, str | int], ...] = (
    {"save_interval": "5s", "poll_max_messages": 20},
    {"save_interval": "100ms", "poll_max_messages": 5, "max_unpacked_sessions": 3, "max_resident_sessions": 20},
    {"save_interval": "10m", "poll_max_messages": 100},
)
"""What changes from round to round: how much has to be read again after a crash, and what is in memory."""


class Row(NamedTuple):
    """One trial: what struck in it and what was found in the end."""

    trial: str
    strikes: Sequence[Strike]
    outcome: Outcome


async def mixed_round(arena: Arena, name: str, seed: int, faults: Sequence[Fault], number: int) -> Row:
    """Have each fault strike once, in an order of its own, while sessions come in."""
    async with Trial(arena, name, seed, settings={"worker": CONDITIONS[number % len(CONDITIONS)]}) as trial:
        workers = trial.rng.choice([2, 3])
        for _ in range(workers):
            trial.start_worker()
        await group_of(trial, workers)
        strikes = []
        for fault in trial.rng.sample(list(faults), len(faults)):
            wave = trial.make_wave(WAVE_SESSIONS, Mix())
            sending = asyncio.create_task(trial.sender.send(wave.messages))
            struck = await strike(trial, wave, fault, trial.rng.uniform(0.02, LARGEST_SHARE))
            moment = f"after {struck.done}, {struck.left} left; {struck.recovery_seconds:.1f} s"
            say(f"{name}: {struck.fault} {moment}; {struck.note}")
            strikes.append(struck)
            await sending
            await trial.reached(wave, 1.0)
        row = Row(name, strikes, await trial.judge())
        statuses = await trial.stop_workers()
        assert not any(statuses), f"SIGTERM ended workers with {statuses}"
        return row


async def run(options: argparse.Namespace) -> list[Row]:
    """Run everything that was asked for."""
    jars, binary = kafka_jars(), find_redis_binary()
    version = ".".join(map(str, binary.version))
    say(f"Apache Kafka {VERSION} as Java processes; {binary.path} {version}; seed {options.seed}")
    rows: list[Row] = []
    async with Arena(jars, binary, keep=options.keep) as arena:
        faults = [fault for fault in EVERY_FAULT if not options.only or fault.__name__ in options.only]
        for number in range(options.rounds if faults else 0):
            rows.append(await mixed_round(arena, f"round-{number + 1}", options.seed + number, faults, number))
            say(f"round-{number + 1}: {rows[-1].outcome.verdict}")
        for special in SPECIALS:
            if not options.only or special.__name__ in options.only:
                strikes, outcome = await special(arena, options.seed)
                rows.append(Row(special.__name__, strikes, outcome))
                say(f"{special.__name__}: {strikes[0].note}; {outcome.verdict}")
    faults = [fault for fault in LOSS_OF_ONE_BROKER if not options.only or fault.__name__ in options.only]
    if faults:
        async with Arena(jars, binary, brokers=3, keep=options.keep) as arena:
            rows.append(await mixed_round(arena, "three-brokers", options.seed, faults, 0))
            say(f"three-brokers: {rows[-1].outcome.verdict}")
    return rows


def show(rows: Sequence[Row]) -> None:
    """Print what struck, how long recovery took, and what was found."""
    console = Console(width=110)
    by_fault: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for each in row.strikes:
            by_fault[each.fault].append(each.recovery_seconds)
    faults = Table("fault", "struck", "recovery p50", "p95", "max", title="Faults struck mid-work (seconds)")
    everything = sorted(seconds for recoveries in by_fault.values() for seconds in recoveries)
    for name, recoveries in [*by_fault.items(), ("all", everything)]:
        faults.add_row(name, str(len(recoveries)), *(f"{quantile(recoveries, q):.1f}" for q in (0.5, 0.95, 1.0)))
    console.print(faults)
    found = Table(
        "trial",
        "records in",
        "batches",
        "sessions",
        "events out",
        "signals",
        "lost",
        "doubled",
        "disorder",
        "other",
        title="What was found",
    )
    for row in rows:
        found.add_row(row.trial, *numbers(row.outcome))
    console.print(found)
    for row in rows:
        for example in row.outcome.verdict.examples:
            console.print(f"{row.trial}: {example}", soft_wrap=True)


def numbers(outcome: Outcome) -> list[str]:
    """Return the cells of one trial."""
    verdict = outcome.verdict
    lost = verdict.sessions_missing + verdict.events_lost + verdict.signals_lost + verdict.signals_untold
    doubled = verdict.sessions_unknown + verdict.events_duplicated + verdict.signals_unknown
    other = sum(verdict.wrong.values()) - lost - doubled - verdict.events_out_of_order
    counts = (outcome.records_in, verdict.batches, verdict.sessions, verdict.events, verdict.signals)
    return [f"{count:,}" for count in (*counts, lost, doubled, verdict.events_out_of_order, other)]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of all is not above."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1))]


def say(text: str) -> None:
    """Tell at once how it goes."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)  # noqa: T201 - its output is its purpose


def main() -> int:
    """Run the long version."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="times every fault strikes (3)")
    parser.add_argument("--seed", type=int, default=1, help="decides over the load and the moments (1)")
    parser.add_argument(
        "--only", type=lambda text: set(text.split(",")), help="names of faults and trials, with commas"
    )
    parser.add_argument("--keep", type=Path, help="an empty folder, for settings, logs and what was sent")
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    rows = asyncio.run(run(options))
    show(rows)
    return int(not all(row.outcome.verdict.is_clean for row in rows))


if __name__ == "__main__":
    sys.exit(main())
