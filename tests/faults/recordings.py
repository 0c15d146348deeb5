"""The shipped recordings as templates: any number of new sessions of them, at other times.

Nothing is decoded for a copy: ids and times are put into their places.
"""

import random
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import zstandard

SAMPLES = Path(__file__).parents[2] / "engine" / "samples"
TIME_DIGITS = 13
PAUSE_MS = 1_000


class Template(NamedTuple):
    """One recorded batch: its events with the places of their times, and what its envelope says."""

    window: int
    seq: int
    sent_at: int
    project_id: str
    has_user: bool
    events: bytes
    times: tuple[tuple[int, int], ...]


class Recording(NamedTuple):
    """One recorded session: its batches in the order they were sent, each once."""

    name: str
    windows: int
    batches: tuple[Template, ...]

    @property
    def started_at(self) -> int:
        return self.batches[0].sent_at


class Copy(NamedTuple):
    """A new session like a recorded one; `shift_ms` later, and without the explicit end if not `ends`."""

    recording: Recording
    session_id: str
    anonymous_id: str
    window_ids: tuple[str, ...]
    user_id: str
    shift_ms: int
    ends: bool

    def batch(self, number: int) -> tuple[str, int]:
        """Return window and running number of one of its batches."""
        batch = self.recording.batches[number]
        return self.window_ids[batch.window], batch.seq

    def render(self, number: int) -> bytes:
        """Return one of its batches as JSON."""
        batch = self.recording.batches[number]
        events = bytearray(batch.events)
        for place, recorded in batch.times:
            events[place : place + TIME_DIGITS] = b"%013d" % (recorded + self.shift_ms)
        head = {
            "v": 1,
            "project_id": batch.project_id,
            "session_id": self.session_id,
            "window_id": self.window_ids[batch.window],
            "user_id": self.user_id if batch.has_user else None,
            "anonymous_id": self.anonymous_id,
            "seq": batch.seq,
            "sent_at": batch.sent_at + self.shift_ms,
        }
        if self.ends and number == len(self.recording.batches) - 1:
            head["ended"] = True
        return orjson.dumps(head)[:-1] + b',"events":' + events + b"}"


def load_recordings(folder: Path = SAMPLES) -> list[Recording]:
    """Read all recordings of a folder, in the order of their names."""
    return [_recording(path) for path in sorted(folder.glob("*.jsonl.zst"))]


def make_copy(recording: Recording, rng: random.Random, started_at: int, *, ends: bool = True) -> Copy:
    """Make a new session that starts at a moment (epoch ms)."""
    names = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(recording.windows + 2)]
    user_id = f"user-{rng.randrange(1_000)}"
    shift_ms = started_at - recording.started_at
    return Copy(recording, names[0], names[1], tuple(names[2:]), user_id, shift_ms, ends)


def prolong(recording: Recording, times: int) -> Recording:
    """Make a recording of so many visits of the same pages, one after the other, in the same session."""
    length_ms = recording.batches[-1].sent_at - recording.started_at + PAUSE_MS
    numbers = [0] * recording.windows
    batches = []
    for turn in range(times):
        for batch in recording.batches:
            shift_ms = turn * length_ms
            events = bytearray(batch.events)
            for place, recorded in batch.times:
                events[place : place + TIME_DIGITS] = b"%013d" % (recorded + shift_ms)
            moved = tuple((place, recorded + shift_ms) for place, recorded in batch.times)
            batches.append(
                batch._replace(
                    seq=numbers[batch.window], sent_at=batch.sent_at + shift_ms, events=bytes(events), times=moved
                )
            )
            numbers[batch.window] += 1
    return Recording(f"{recording.name} {times} times", recording.windows, tuple(batches))


def _recording(path: Path) -> Recording:
    lines = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read().splitlines()
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for line in lines:
        envelope = orjson.loads(line)
        found.setdefault((envelope["window_id"], envelope["seq"]), envelope)
    envelopes = sorted(found.values(), key=lambda each: int(each["sent_at"]))
    windows = list(dict.fromkeys(each["window_id"] for each in envelopes))
    batches = tuple(_template(each, windows.index(each["window_id"])) for each in envelopes)
    return Recording(path.name, len(windows), batches)


def _template(envelope: dict[str, Any], window: int) -> Template:
    body, times = _with_times_last(envelope["events"])
    has_user = envelope["user_id"] is not None
    return Template(window, envelope["seq"], envelope["sent_at"], envelope["project_id"], has_user, body, times)


def _with_times_last(events: Sequence[dict[str, Any]]) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    """Write events so that each one's time is its last member, at a known place."""
    body, times = bytearray(b"["), []
    for event in events:
        rest = {name: value for name, value in event.items() if name != "timestamp"}
        body += orjson.dumps(rest)[:-1] + b',"timestamp":'
        times.append((len(body), int(event["timestamp"])))
        body += b"%013d}," % int(event["timestamp"])
    body[-1:] = b"]" if events else b"[]"
    return bytes(body), tuple(times)
