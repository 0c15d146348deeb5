"""Replay recordings as sent and as published, and tell what became worse; see README.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.e2e.browser import Browser, BrowserGoneError, find_chromium
from tests.e2e.checking import Checker, Verdict
from tests.e2e.recordings import Privacy, ProcessError, Timed

LEVELS: Final = ("conservative", "medium", "light")
ENDINGS: Final = (".jsonl", ".json", ".jsonl.zst", ".json.zst")
NO_RECORDINGS: Final = frozenset({"labels.json", "manifest.json"})
SHOWN_CHARACTERS: Final = 600


def main(arguments: Sequence[str] | None = None) -> int:
    """Check recordings at each level; exit status 1 if a replay became worse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--level", action="append", choices=LEVELS, help="may be repeated; default: all three")
    parser.add_argument("--block", action="append", default=[], metavar="SELECTOR", help="may be repeated")
    parser.add_argument("--mask", action="append", default=[], metavar="SELECTOR", help="may be repeated")
    options = parser.parse_args(arguments)
    block, mask = tuple(options.block), tuple(options.mask)
    worse = 0
    with Browser(find_chromium()) as browser:
        checker = Checker(browser)
        for recording in recordings(options.paths):
            for level in options.level or LEVELS:
                worse += _check(checker, recording, Privacy(level, block, mask))
    return 1 if worse else 0


def recordings(paths: Sequence[Path]) -> list[Path]:
    """List the recordings among files and in folders."""
    found = [inner for path in paths for inner in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [path for path in found if path.name.endswith(ENDINGS) and path.name not in NO_RECORDINGS]


def _check(checker: Checker, recording: Path, privacy: Privacy) -> int:
    worse = 0
    try:
        for verdict in checker.check([recording], privacy):
            worse += len(verdict.findings)
            sys.stdout.write(describe(privacy.level, verdict))
    except (ProcessError, BrowserGoneError) as error:
        sys.stdout.write(f"{privacy.level} {recording.name}: {error}\n")
        worse += 1
    sys.stdout.flush()
    return worse


def describe(level: str, verdict: Verdict) -> str:
    """Say what was found, with the published event at which the player complained and the recorded one beside it."""
    window, (changed, total) = verdict.window, verdict.elsewhere
    counts = f"{len(window.masked)} of {len(window.original)} events; {changed} of {total} boxes elsewhere"
    lines = [f"{level} {window.name}: {len(verdict.findings)} findings; {counts}"]
    for finding in verdict.findings:
        lines.append(f"    {finding.kind} x{finding.count} ({finding.where}) {finding.text}")
        if finding.event is not None:
            event = window.masked[finding.event]
            lines.append(f"        published: {_short(event)}")
            lines += [f"        recorded:  {_short(same)}" for same in _same_time(window.original, event)]
    return "\n".join(lines) + "\n"


def _same_time(events: Sequence[msgspec.Raw], event: msgspec.Raw) -> list[msgspec.Raw]:
    wanted = msgspec.json.decode(event, type=Timed)
    return [other for other in events if msgspec.json.decode(other, type=Timed) == wanted]


def _short(event: msgspec.Raw) -> str:
    text = bytes(event).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."


if __name__ == "__main__":
    sys.exit(main())
