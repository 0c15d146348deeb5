"""The files of a processed directory: complete, in order, and the same however the input was cut."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.directory_files import bundle_path, read_session
from replay.directory_store import DirectoryStore
from replay.store import StoreSettings
from replay.writes import FilledRange
from schemas.bundle_index import Hole
from tests.replay.samples import T0, block, event, record, signal, write


def files(directory: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def fill(directory: Path, cuts: list[int]) -> None:
    """Write a session of ten batches with a gap that is filled late, cut into writes of these sizes."""
    store = DirectoryStore(directory, StoreSettings())
    batches, version = iter(range(10)), 0
    for size in [*cuts, 10]:
        drafts = [
            block([n], sequence=n, window=f"w{n % 2}") for _, n in zip(range(size), batches, strict=False) if n != 4
        ]
        kept = record(last_event_at=T0 + 9)
        await store.apply(write(base=version, blocks=drafts, signals=[signal(t=5), signal("s0", t=5)], record_of=kept))
        version += 1
    await store.apply(write(base=version, holes=[Hole("w0", "gap", T0, 4, 6)], record_of=record(last_event_at=T0 + 9)))
    late = block([4], window="w0", sequence=4, late=True)
    filled = [FilledRange("w0", 4, 5)]
    await store.apply(write(base=version + 1, blocks=[late], filled=filled, record_of=record(last_event_at=T0 + 9)))
    await store.close()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 4), max_size=8))
def test_the_files_do_not_depend_on_how_the_input_was_cut(cuts: list[int]) -> None:
    with TemporaryDirectory() as with_cuts, TemporaryDirectory() as whole:
        asyncio.run(fill(Path(with_cuts), cuts))
        asyncio.run(fill(Path(whole), []))
        assert files(Path(with_cuts)) == files(Path(whole))


async def test_a_bundle_is_its_events_in_playing_order(tmp_path: Path) -> None:
    await fill(tmp_path, [3, 3])
    expected = [
        b'{"window_id":"%s","event":%s}' % (window.encode(), event(n, text=""))
        for window, numbers in (("w0", (0, 2, 4, 6, 8)), ("w1", (1, 3, 5, 7, 9)))
        for n in numbers
    ]
    assert bundle_path(tmp_path, "a").read_bytes().splitlines() == expected


async def test_sessions_and_signals_are_sorted(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, StoreSettings())
    for name, t in (("b", 5), ("c", 1), ("a", 5)):
        signals = [signal(f"{name}2", session_id=name, t=t), signal(f"{name}1", session_id=name, t=t)]
        await store.apply(write(name, record_of=record(name, started_at=T0 + t), signals=signals))
    await store.close()
    assert [row["session_id"] for row in rows(tmp_path / "sessions.jsonl")] == ["c", "a", "b"]
    assert [row["id"] for row in rows(tmp_path / "signals.jsonl")] == ["c1", "c2", "a1", "a2", "b1", "b2"]
    first = msgspec.json.decode((tmp_path / "sessions.jsonl").read_bytes().splitlines()[0])
    assert first == msgspec.to_builtins(record("c", started_at=T0 + 1))


async def test_an_empty_run_gives_empty_files(tmp_path: Path) -> None:
    await DirectoryStore(tmp_path / "new" / "out", StoreSettings()).close()
    out = tmp_path / "new" / "out"
    assert files(out) == dict.fromkeys(["sessions.jsonl", "signals.jsonl", "activity.jsonl", "explain.jsonl"], b"")
    assert (out / "bundles").is_dir()


async def test_an_earlier_run_is_replaced_only_at_the_end(tmp_path: Path) -> None:
    first = DirectoryStore(tmp_path, StoreSettings())
    await first.apply(write("old", blocks=[block([0])]))
    await first.close()
    before = files(tmp_path)
    second = DirectoryStore(tmp_path, StoreSettings())
    await second.apply(write("new", blocks=[block([0])]))
    assert {name: data for name, data in files(tmp_path).items() if not name.startswith(".wince")} == before
    await second.close()
    names = {"sessions.jsonl", "signals.jsonl", "activity.jsonl", "explain.jsonl", "bundles/new.jsonl"}
    assert set(files(tmp_path)) == names


async def test_a_discarded_run_leaves_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, StoreSettings())
    await store.apply(write(blocks=[block([0])]))
    store.discard()
    assert files(tmp_path) == {}
    await store.close()
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    ("session_id", "name"), [("../../x", "%2E%2E%2F%2E%2E%2Fx"), ("a/b", "a%2Fb"), ("..", "%2E%2E"), ("n\0", "n%00")]
)
async def test_hostile_ids_stay_in_the_folder(tmp_path: Path, session_id: str, name: str) -> None:
    store = DirectoryStore(tmp_path / "out", StoreSettings())
    await store.apply(write(session_id, blocks=[block([0])]))
    await store.close()
    assert set(files(tmp_path)) == {
        "out/sessions.jsonl", "out/signals.jsonl", "out/activity.jsonl", "out/explain.jsonl",
        f"out/bundles/{name}.jsonl",
    }  # fmt: skip
    known = read_session(tmp_path / "out", session_id).record
    assert known is not None
    assert known.session_id == session_id


async def test_what_is_missing_can_be_read_again(tmp_path: Path) -> None:
    await fill(tmp_path, [])
    known = read_session(tmp_path, "a")
    assert [(hole.first_seq, hole.last_seq) for hole in known.holes] == [(6, 6)]
    assert known.late_events == 1
    assert read_session(tmp_path, "b").record is None


async def test_fates_of_sessions_that_were_never_stored_are_written(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, StoreSettings())
    await store.note_fate("ghost", "shop", "not_json", 3, T0)
    await store.close()
    assert rows(tmp_path / "explain.jsonl") == [
        {"session_id": "ghost", "fates": [{"project_id": "shop", "reason": "not_json", "count": 3, "last_at": T0}]}
    ]
    assert [fate.reason for fate in read_session(tmp_path, "ghost").fates] == ["not_json"]


async def test_a_thousand_sessions_keep_one_file_open(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, StoreSettings())
    for n in range(1000):
        await store.apply(write(f"s{n}", blocks=[block([n])], state=b"x" * 100))
    assert len(files(tmp_path)) == 1
    await store.close()
    assert len(list((tmp_path / "bundles").iterdir())) == 1000
