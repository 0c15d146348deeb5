"""What has to be in Redis, told from what was sent alone.

Two independent sources. The batches themselves, decoded here, tell which events each window has, in which order, each
once: that is what *lost*, *duplicated* and *out of order* are counted against. Masked content and signals are what
`wince process` makes of the same batches read from a file, in the order of the partitions: it shares the core with the
worker, but neither Kafka, Redis, resuming nor takeovers, which are on trial here.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import zstandard

from tests.faults.journal import Sent

EventName = tuple[int, int, int]
"""What tells an event from its neighbours without its content: its time, its type, its source."""

ROOT = Path(__file__).parents[2]
WINCE = (sys.executable, "-m", "engine.cli")
"""The command line, to be run in `ROOT`."""

PROCESS_SECONDS = 600


class ExpectedSession(NamedTuple):
    """One session: by window the names of its events, in order; its batches, each once; whether its sender ended it."""

    project_id: str
    windows: dict[str, list[EventName]]
    batches: int
    ended: bool


class Expected(NamedTuple):
    """By session id what was sent, and what `wince process` made of it."""

    sessions: dict[str, ExpectedSession]
    records: dict[str, dict[str, Any]]
    signals: dict[str, dict[str, dict[str, Any]]]
    bundles: Path


def name_of(event: dict[str, Any]) -> EventName:
    """Name an rrweb event; masking changes none of this."""
    data = event.get("data")
    source = data.get("source", -1) if isinstance(data, dict) else -1
    return int(event["timestamp"]), int(event["type"]), int(source)


def what_was_sent(sent: Sequence[Sent]) -> dict[str, ExpectedSession]:
    """Decode all batches and put each session together by the numbers of its batches."""
    found: dict[str, dict[tuple[str, int], list[EventName]]] = defaultdict(dict)
    projects: dict[str, str] = {}
    ended: set[str] = set()
    for each in sent:
        if each.message.is_poison:
            continue
        envelope = orjson.loads(plain(each))
        session_id = envelope["session_id"]
        projects[session_id] = envelope["project_id"]
        if envelope.get("ended"):
            ended.add(session_id)
        names = found[session_id]
        names.setdefault((envelope["window_id"], envelope["seq"]), [name_of(event) for event in envelope["events"]])
    return {
        session_id: ExpectedSession(projects[session_id], _windows(batches), len(batches), session_id in ended)
        for session_id, batches in found.items()
    }


def _windows(batches: dict[tuple[str, int], list[EventName]]) -> dict[str, list[EventName]]:
    windows: dict[str, list[EventName]] = defaultdict(list)
    for (window_id, _), names in sorted(batches.items()):
        windows[window_id] += names
    return {window_id: names for window_id, names in windows.items() if names}


def plain(sent: Sent) -> bytes:
    """Return a message's JSON."""
    if sent.message.encoding == "zstd":
        return zstandard.ZstdDecompressor().decompress(sent.message.value)
    return sent.message.value


def expect(sent: Sequence[Sent], settings: Path, folder: Path) -> Expected:
    """Work out what has to be there, with the worker's own settings file; `folder` is for files and must not exist."""
    folder.mkdir()
    readable = [each for each in sent if not each.message.is_poison]
    (folder / "sent.jsonl").write_bytes(b"".join(plain(each) + b"\n" for each in readable))
    command = (*WINCE, "process", str(folder / "sent.jsonl"))
    options = ("--out", str(folder / "out"), "--config", str(settings), "--quiet")
    subprocess.run((*command, *options), check=True, timeout=PROCESS_SECONDS, cwd=ROOT)
    records = {record["session_id"]: record for record in _lines(folder / "out" / "sessions.jsonl")}
    signals: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for signal in _lines(folder / "out" / "signals.jsonl"):
        signals[signal["session_id"]][signal["id"]] = signal
    return Expected(what_was_sent(readable), records, signals, folder / "out" / "bundles")


def expected_lines(expected: Expected, session_id: str) -> list[tuple[str, Any]]:
    """Return a session's masked events in playing order, each with its window."""
    lines = _lines(expected.bundles / f"{session_id}.jsonl")
    return [(line["window_id"], line["event"]) for line in lines]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
