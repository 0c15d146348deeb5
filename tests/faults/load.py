"""Seeded load: sessions side by side, with batches that come twice, in disorder, or too late, and with poison.

What is too late is told by counts alone (`MAX_HELD_BATCHES`), never by clocks: so it does not depend on when a fault
strikes, and what has to come out is known beforehand.
"""

import heapq
import itertools
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import zstandard

from tests.faults.recordings import Copy, Recording, make_copy

MAX_HELD_BATCHES = 4
"""The worker's `order.max_held_batches` in all trials; a batch overtaken by more than this comes too late."""

TWICE_AFTER_MS = (50, 4_000)
DISORDER_MS = (500, 6_000)
BETWEEN_SESSIONS_MS = (50, 3_000)
SPREAD_MS = 20_000
SESSIONS_AT_ONCE = 40


class Mix(NamedTuple):
    """How much of a load is out of the ordinary: shares of batches, and of poison among messages.

    Without `ends` no sender says that its session is over.
    """

    twice: float = 0.05
    disordered: float = 0.10
    late_sessions: float = 0.05
    poison: float = 0.005
    compressed: float = 0.3
    ends: bool = True


CALM = Mix(twice=0.0, disordered=0.0, late_sessions=0.0, poison=0.0)


class Message(NamedTuple):
    """What is to be sent: key, value, encoding header (`None`: plain), window and number of the batch.

    `batch` is `None` for poison: nobody can ever read it.
    """

    key: str
    value: bytes
    encoding: str | None
    batch: tuple[str, int] | None

    @property
    def is_poison(self) -> bool:
        return self.batch is None


def make_load(
    recordings: Sequence[Recording],
    rng: random.Random,
    *,
    sessions: int,
    started_at: int,
    mix: Mix,
) -> Iterator[Message]:
    """Give the messages of so many sessions, in the order of their arrival, `SESSIONS_AT_ONCE` of them side by side.

    The first one arrives at `started_at` (epoch ms).
    """
    tiebreak = itertools.count()
    # A session that is to start has no copy yet.
    heap: list[tuple[int, int, Copy | None, int]] = [
        (started_at + rng.randrange(SPREAD_MS), next(tiebreak), None, 0) for _ in range(min(SESSIONS_AT_ONCE, sessions))
    ]
    left = sessions - len(heap)
    while heap:
        t, _, copy, number = heapq.heappop(heap)
        if copy is None:
            copy = make_copy(rng.choice(recordings), rng, t, ends=mix.ends)
            for arrival, batch in _arrivals(copy, rng, mix):
                heapq.heappush(heap, (arrival, next(tiebreak), copy, batch))
            if left:
                left -= 1
                end = copy.recording.batches[-1].sent_at + copy.shift_ms
                heapq.heappush(heap, (end + rng.randrange(*BETWEEN_SESSIONS_MS), next(tiebreak), None, 0))
            continue
        if rng.random() < mix.poison:
            yield _poison(rng)
        yield _message(copy, number, rng, mix)


def _arrivals(copy: Copy, rng: random.Random, mix: Mix) -> Iterator[tuple[int, int]]:
    """Give when which batch of a session arrives."""
    batches = copy.recording.batches
    late = _late_batch(copy, rng) if rng.random() < mix.late_sessions else None
    for number, batch in enumerate(batches):
        sent_at = batch.sent_at + copy.shift_ms
        arrival = sent_at + (rng.randrange(*DISORDER_MS) if rng.random() < mix.disordered else 0)
        if number == late:
            arrival = batches[-1].sent_at + copy.shift_ms + 2 * DISORDER_MS[1]
        yield arrival, number
        if rng.random() < mix.twice:
            yield arrival + rng.randrange(*TWICE_AFTER_MS), number


def _late_batch(copy: Copy, rng: random.Random) -> int | None:
    """Choose a batch that enough others of its window can overtake; none if the session is too short."""
    batches = copy.recording.batches
    fitting = [
        number
        for number, batch in enumerate(batches)
        if sum(other.window == batch.window for other in batches[number + 1 :]) > MAX_HELD_BATCHES
    ]
    return rng.choice(fitting) if fitting else None


def _message(copy: Copy, number: int, rng: random.Random, mix: Mix) -> Message:
    value, batch = copy.render(number), copy.batch(number)
    if rng.random() < mix.compressed:
        return Message(copy.session_id, zstandard.ZstdCompressor(level=1).compress(value), "zstd", batch)
    return Message(copy.session_id, value, None, batch)


def _poison(rng: random.Random) -> Message:
    """Make a message that can never be read, of one of several kinds."""
    value, encoding = rng.choice(
        [
            (b"no JSON at all", None),
            (b"[1, 2, 3]", None),
            (b'{"v":1,"session_id":"", "events":[]}', None),
            (b"\x28\xb5\x2f\xfd\x00", "zstd"),
            (b"{}", "brotli"),
            (b'{"v":99,"project_id":"p","session_id":"s","window_id":"w","seq":0,"sent_at":1,"events":[]}', None),
        ]
    )
    return Message(f"poison-{rng.getrandbits(64):x}", value, encoding, None)
