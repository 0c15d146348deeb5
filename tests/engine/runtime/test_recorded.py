"""Recorded input through the core into a store."""

from pathlib import Path
from typing import Any

import msgspec

from engine.core.core import HOT_SESSIONS, Core
from engine.core.effects import DeadLetter
from engine.input.files import SourceMessage
from engine.runtime.recorded import RecordedRun
from engine.runtime.stores import store_settings
from engine.runtime.writer import Writer
from engine.settings import PrivacySettings, Settings
from replay.directory_store import DirectoryStore
from tests.engine.core.batches import T0, batch, event

YEAR_MS = 365 * 86_400_000


async def _run(batches: list[bytes], out: Path, settings: Settings | None = None) -> RecordedRun:
    settings = settings or Settings()
    letters: list[DeadLetter] = []
    store = DirectoryStore(out, store_settings(settings))
    run = RecordedRun(Core(settings), Writer(store, "test", "w", keep_state=True), bury=letters.append)
    await run.run(SourceMessage(value, None, "f", line, line) for line, value in enumerate(batches))
    await store.close()
    assert run.report().dead_letters == len(letters)
    return run


def _recording(session_id: str, start: int, count: int = 12) -> list[bytes]:
    return [
        batch(seq, event(start + seq * 1_000), session_id=session_id, sent_at=start + seq * 1_000)
        for seq in range(count)
    ]


def _lines(path: Path) -> list[Any]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


async def test_recordings_that_lie_years_apart_are_both_complete(tmp_path: Path) -> None:
    older_after_newer = _recording("new", T0 + YEAR_MS) + _recording("old", T0) + _recording("newest", T0 + 3 * YEAR_MS)
    report = (await _run(older_after_newer, tmp_path)).report()
    assert report.events == {"read": 36, "published": 36, "dropped": {}}
    assert report.sessions == 3


async def test_more_sessions_than_are_at_work_all_end_with_the_input(tmp_path: Path) -> None:
    names = [f"s{number:04}" for number in range(HOT_SESSIONS + 88)]
    report = (await _run([batch(session_id=name) for name in names], tmp_path)).report()
    assert report.sessions == len(names)
    ended = {record["session_id"]: record["end_reason"] for record in _lines(tmp_path / "sessions.jsonl")}
    assert ended == dict.fromkeys(names, "input_end")


async def test_a_withdrawn_session_is_not_in_the_results(tmp_path: Path) -> None:
    settings = Settings(privacy=PrivacySettings(exclude_users=("u1",)))
    batches = [*_recording("seen", T0), *_recording("gone", T0), batch(12, session_id="gone", user_id="u1")]
    report = (await _run(batches, tmp_path, settings)).report()
    assert (report.sessions, report.withdrawn) == (1, 1)
    assert [record["session_id"] for record in _lines(tmp_path / "sessions.jsonl")] == ["seen"]
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == ["seen.jsonl"]


async def test_the_books_balance(tmp_path: Path) -> None:
    batches = [*_recording("a", T0), b"not json", batch(3, session_id="a"), batch(consent=False, session_id="b")]
    report = (await _run(batches, tmp_path)).report()
    dropped = report.batches["dropped"]
    assert isinstance(dropped, dict)
    assert dropped == {"no_consent": 1, "not_json": 1, "sequence_conflict": 1}
    assert report.batches["read"] == report.batches["used"] + sum(dropped.values())  # type: ignore[operator]
    assert report.dead_letters == 1
