"""`make privacy`: many visits, other ones each time, and what showed of their secrets."""

import argparse
import secrets
import sys
import time

from tests.privacy.canaries import LEVELS, judge


def main() -> int:
    """Judge visits until the time is up; return 1 if a secret showed or a survivor was lost."""
    parser = argparse.ArgumentParser(prog="make privacy", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long to look")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32), help="the first visit")
    arguments = parser.parse_args()
    streams = planted = kept = leaks = lost = 0
    deadline = time.monotonic() + arguments.seconds
    while time.monotonic() < deadline:
        for level in LEVELS:
            seed = arguments.seed + streams // len(LEVELS)
            verdict = judge(seed, level)
            streams += 1
            planted += verdict.secrets
            kept += verdict.survivors - len(verdict.lost)
            leaks += len(verdict.leaks)
            lost += len(verdict.lost)
            for secret, around in verdict.leaks[:3]:
                sys.stdout.write(f"seed {seed}, {level}: {secret} in {around!r}\n")
            for survivor in verdict.lost[:3]:
                sys.stdout.write(f"seed {seed}, {level}: {survivor} is missing\n")
    sys.stdout.write(
        f"streams {streams}  secrets planted {planted}  found {leaks}  survivors kept {kept}  lost {lost}\n"
    )
    return 1 if leaks or lost else 0


if __name__ == "__main__":
    sys.exit(main())
