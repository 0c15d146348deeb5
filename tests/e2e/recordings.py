"""Windows of recordings as they were sent, and the same windows as Wince published them."""

import contextlib
import io
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from engine.cli import main
from tests.e2e.browser import Plan, Stop

FULL_SNAPSHOT: Final = 2
META: Final = 4
MAX_LOOKS: Final = 5


class Timed(msgspec.Struct, frozen=True):
    """What of an event is needed to choose where to stop."""

    type: int
    timestamp: float


class Batch(msgspec.Struct, frozen=True):
    """What of an envelope tells its place."""

    session_id: str
    window_id: str
    seq: int
    events: list[msgspec.Raw]


class Published(msgspec.Struct, frozen=True):
    """A line of a bundle."""

    window_id: str
    event: msgspec.Raw


class Window(msgspec.Struct, frozen=True):
    """The events of one window in the order of their recording, once as sent and once as published."""

    name: str
    original: list[msgspec.Raw]
    masked: list[msgspec.Raw]


class ProcessError(Exception):
    """`wince process` did not take the recording."""


class Privacy(msgspec.Struct, frozen=True):
    """The `[privacy]` settings to publish with."""

    level: str
    block: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()


def windows(recordings: Sequence[Path], privacy: Privacy, scratch: Path) -> list[Window]:
    """Process recordings and pair each of their windows with what was published of it.

    Args:
        recordings: Files of batch envelopes as JSON lines, or of one array of rrweb events; plain or zstd.
        privacy: The settings to process them with.
        scratch: An empty folder for the results.

    Raises:
        ProcessError: The command failed.
    """
    sent = [pair for recording in recordings for pair in originals(recording).items()]
    published = bundles(recordings, privacy, scratch)
    if len(sent) == 1 and len(published) == 1:
        # An array of events names neither session nor window; the engine gives it names of its own.
        published = {sent[0][0]: next(iter(published.values()))}
    return [Window(name, events, published.get(name, [])) for name, events in sent]


def originals(recording: Path) -> dict[str, list[msgspec.Raw]]:
    """Read the events of each window in `seq` order, resent batches once."""
    data = recording.read_bytes()
    if recording.suffix == ".zst":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    if data.lstrip().startswith(b"["):
        return {recording.name: msgspec.json.decode(data, type=list[msgspec.Raw])}
    sent: dict[str, dict[int, list[msgspec.Raw]]] = {}
    for batch in msgspec.json.Decoder(Batch).decode_lines(data):
        sent.setdefault(f"{batch.session_id} {batch.window_id}", {}).setdefault(batch.seq, batch.events)
    return {
        name: list(itertools.chain.from_iterable(events for _, events in sorted(batches.items())))
        for name, batches in sent.items()
    }


def bundles(recordings: Sequence[Path], privacy: Privacy, scratch: Path) -> dict[str, list[msgspec.Raw]]:
    """Run `wince process` and read the published events of each window; raises ProcessError."""
    config = scratch / "wince.toml"
    settings = msgspec.to_builtins(privacy).items()
    # A JSON string or list of strings is a TOML one too.
    config.write_text("[privacy]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings))
    out = scratch / "out"
    complaints = io.StringIO()
    with contextlib.redirect_stderr(complaints):
        status = main(["process", *map(str, recordings), "--out", str(out), "--config", str(config), "--quiet"])
    if status:
        raise ProcessError(f"wince process: exit status {status}: {complaints.getvalue().strip()}")
    found: dict[str, list[msgspec.Raw]] = {}
    for path in sorted((out / "bundles").glob("*.jsonl")):
        for line in msgspec.json.Decoder(Published).decode_lines(path.read_bytes()):
            found.setdefault(f"{path.stem} {line.window_id}", []).append(line.event)
    return found


def plan(events: Sequence[msgspec.Raw]) -> Plan:
    """Choose times to seek to: the end of each page, some in between, the end; then back to the middle and on.

    A player that seeks starts at the last page before the time, so a stop at the end of each page is what applies all
    events. All stops lie half a millisecond beside an event, since the player applies what lies before a time.
    """
    timed = [msgspec.json.decode(event, type=Timed) for event in events]
    times = sorted(event.timestamp for event in timed)
    first_page = min((event.timestamp for event in timed if event.type == FULL_SNAPSHOT), default=times[0])
    ends = {event.timestamp - 0.5 for event in timed if event.type == META and event.timestamp > first_page}
    ends.add(times[-1] + 0.5)
    between = {times[len(times) * part // 4] + 0.5 for part in (1, 2, 3)}
    forward = _stops(ends | between)
    middle, last = forward[len(forward) // 2], forward[-1]
    return Plan([*forward, Stop(middle.at, look=False), last], _stops(ends))


def _stops(times: set[float]) -> list[Stop]:
    """Put times in order; the page is looked at at a few of them, the last always."""
    ordered = sorted(times)
    looks = {ordered[part * (len(ordered) - 1) // (MAX_LOOKS - 1)] for part in range(MAX_LOOKS)}
    return [Stop(at, at in looks) for at in ordered]
