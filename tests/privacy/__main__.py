"""`make privacy`: many visits, other ones each time, and what showed of their secrets; then what is kept of pages."""

import argparse
import random
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.privacy import streams, utility
from tests.privacy.canaries import LEVELS, VISITS, Verdict, judge
from tests.privacy.streams import Case
from tests.privacy.table import cases
from tests.privacy.utility import SAMPLES

CASES = 30
"""So many carriers of the table of levels are tried between two visits of each kind."""


def verdicts(seed: int, table: list[Case]) -> Iterator[tuple[str, Verdict]]:
    """Judge a visit of each kind at each level, then some carriers of the table; name each."""
    for level in LEVELS:
        for kind in VISITS:
            yield f"{kind} {seed}, {level}", judge(seed, level, kind=kind)
    chance = random.Random(seed)
    for case in chance.sample(table, CASES):
        level, way = chance.choice(case.levels), chance.choice(streams.WAYS)
        leaks, lost = streams.judge(case, level, way)
        hidden, shown = (len(streams.at(words, level)) for words in (case.hide, case.keep))
        yield f"{case.name}, {level}, {way}", Verdict(hidden, shown, leaks, lost)


def main() -> int:
    """Judge visits until the time is up; return 1 if a secret showed or a survivor was lost."""
    parser = argparse.ArgumentParser(prog="make privacy", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long to look")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32), help="the first visit")
    parser.add_argument("--corpus", type=Path, default=SAMPLES, help="recordings to measure what is kept of")
    arguments = parser.parse_args()
    visits = planted = kept = leaks = lost = 0
    deadline, seed, table = time.monotonic() + arguments.seconds, arguments.seed, list(cases())
    while time.monotonic() < deadline:
        for name, verdict in verdicts(seed, table):
            visits += 1
            planted += verdict.secrets
            kept += verdict.survivors - len(verdict.lost)
            leaks += len(verdict.leaks)
            lost += len(verdict.lost)
            for secret, around in verdict.leaks[:3]:
                sys.stdout.write(f"{name}: {secret} in {around!r}\n")
            for survivor in verdict.lost[:3]:
                sys.stdout.write(f"{name}: {survivor} is missing\n")
        seed += 1
    sys.stdout.write(
        f"streams {visits}  secrets planted {planted}  found {leaks}  survivors kept {kept}  lost {lost}\n"
    )
    utility.report(arguments.corpus)
    return 1 if leaks or lost else 0


if __name__ == "__main__":
    sys.exit(main())
