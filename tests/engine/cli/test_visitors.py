"""Visitors of the demo come one after the other, in their own time, into a real store."""

import asyncio
from pathlib import Path

from engine.cli._visitors import PAUSE_MS, RECORDINGS, Visitors
from engine.runtime.stores import store_settings
from engine.samples import SAMPLES_FOLDER
from engine.settings import Settings
from replay.directory_store import DirectoryStore

NOW = 1_900_000_000_000


class Clock:
    """A clock that moves when somebody sleeps; `seen` looks at the store each time."""

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store
        self.now_ms = NOW
        self.statuses: list[tuple[str, str]] = []

    def __call__(self) -> int:
        return self.now_ms

    async def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 1
        self.now_ms += max(1, round(seconds * 1000))
        for number in (1, 2):
            record = await self._store.record(f"live-{number}")
            seen = (f"live-{number}", record.status if record else "unknown")
            if seen not in self.statuses:
                self.statuses.append(seen)
        await asyncio.sleep(0)


async def test_a_visitor_comes_stays_and_leaves_before_the_next_one(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, store_settings(Settings()))
    clock = Clock(store)
    await Visitors(store, Settings(), clock, clock.sleep).come(visits=2)
    assert clock.statuses == [
        ("live-1", "unknown"), ("live-2", "unknown"), ("live-1", "open"), ("live-1", "ended"), ("live-2", "open"),
    ]  # fmt: skip
    first, second = await store.record("live-1"), await store.record("live-2")
    assert first is not None
    assert second is not None
    assert first.started_at == NOW + PAUSE_MS
    assert second.started_at >= first.last_event_at + PAUSE_MS
    assert (first.end_reason, second.end_reason) == ("explicit", "explicit")
    assert first.score > second.score > 0
    store.discard()


def test_recordings_that_come_again_are_shipped() -> None:
    assert all((SAMPLES_FOLDER / f"{name}.jsonl.zst").is_file() for name in RECORDINGS)
