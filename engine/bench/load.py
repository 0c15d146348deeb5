"""What is measured: batches held in memory, as JSON without compression."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from engine.errors import Poison
from engine.input.files import Problem, read_batches
from engine.input.messages import decode_message
from engine.samples import SAMPLES_FOLDER
from engine.settings import LimitSettings
from schemas.envelope import Envelope

LARGE_EVENT_BYTES: Final = 2_048
"""Events beyond this size are mostly snapshots: few of the events, most of the bytes."""

SAMPLE_SESSIONS_AT_ONCE: Final = 100
_TIME_STEP_MS: Final = 10_000_000


class Load(msgspec.Struct, frozen=True):
    """Batches in order of arrival, with their sums: bytes of JSON and events."""

    name: str
    batches: list[bytes]
    size_bytes: int
    events: int


def measure_load(name: str, batches: list[bytes]) -> Load:
    """Count what is in a load."""
    events = sum(len(_events(batch)) for batch in batches)
    return Load(name, batches, sum(map(len, batches)), events)


def _events(batch: bytes) -> list[msgspec.Raw]:
    return msgspec.json.decode(msgspec.json.decode(batch, type=Envelope).events, type=list[msgspec.Raw])


def file_load(path: Path, max_bytes: int, limits: LimitSettings) -> Load:
    """Read at most `max_bytes` of JSON from a file or folder of batches. Raises Poison if a batch can't be opened."""
    batches: list[bytes] = []
    size = 0
    for message in read_batches([path], limits, _refuse):
        decode_message(message.value, message.encoding, limits)
        batches.append(message.value)
        size += len(message.value)
        if size >= max_bytes:
            break
    return measure_load(path.name, batches)


def _refuse(problem: Problem) -> None:
    raise Poison(problem.reason)


def sample_load(max_bytes: int) -> Load:
    """Repeat the shipped sample recordings, each time as new sessions, until `max_bytes` of JSON are there."""
    recordings = [
        zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read().splitlines()
        for path in sorted(SAMPLES_FOLDER.glob("*.jsonl.zst"))
    ]
    batches: list[bytes] = []
    size = 0
    for batch in _interleaved(recordings):
        batches.append(batch)
        size += len(batch)
        if size >= max_bytes:
            break
    return measure_load("shipped samples, repeated", batches)


def _interleaved(recordings: Sequence[list[bytes]]) -> Iterator[bytes]:
    """Play many copies at the same time, one batch of each in turn, for ever."""
    copies = 0
    playing: list[Iterator[bytes]] = []
    while True:
        while len(playing) < SAMPLE_SESSIONS_AT_ONCE:
            playing.append(_copy(recordings[copies % len(recordings)], copies))
            copies += 1
        for copy in list(playing):
            batch = next(copy, None)
            if batch is None:
                playing.remove(copy)
            else:
                yield batch


def _copy(recording: list[bytes], number: int) -> Iterator[bytes]:
    session_id = msgspec.json.decode(recording[0], type=Envelope).session_id.encode()
    for batch in recording:
        yield batch.replace(session_id, b"%s-%d" % (session_id[:20], number), 1)


def without_large_events(load: Load) -> Load:
    """Leave out every event of more than `LARGE_EVENT_BYTES`."""
    batches = []
    for batch in load.batches:
        envelope = msgspec.json.decode(batch, type=Envelope)
        kept = [event for event in _events(batch) if len(bytes(event)) <= LARGE_EVENT_BYTES]
        batches.append(
            msgspec.json.encode(msgspec.structs.replace(envelope, events=msgspec.Raw(msgspec.json.encode(kept))))
        )
    return measure_load(f"{load.name}, without events over {LARGE_EVENT_BYTES} bytes", batches)
