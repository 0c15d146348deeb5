"""The benchmark measures what it says it measures; how fast that is is not for tests to judge."""

from pathlib import Path

import msgspec
import pytest

from detectors.registry import make_detectors
from engine.bench.limits import measure_limits
from engine.bench.load import LARGE_EVENT_BYTES, file_load, measure_load, sample_load, without_large_events
from engine.bench.memory import measure_memory
from engine.bench.stages import STAGES, measure_stages
from engine.bench.whole import measure_core, run_core, without_detectors, without_known_pages
from engine.cli import main
from engine.compiled import is_compiled
from engine.core.core import Core
from engine.errors import Poison
from engine.samples import SAMPLES_FOLDER
from engine.settings import LimitSettings, Settings
from schemas.envelope import Envelope

LOAD = sample_load(4_000_000)


def _events(batch: bytes) -> list[msgspec.Raw]:
    return msgspec.json.decode(msgspec.json.decode(batch, type=Envelope).events, type=list[msgspec.Raw])


def test_a_repeated_sample_is_a_new_session_each_time() -> None:
    sessions = {msgspec.json.decode(batch, type=Envelope).session_id for batch in LOAD.batches}
    assert len(sessions) > len(list(SAMPLES_FOLDER.glob("*.zst")))


def test_the_core_takes_all_of_a_load() -> None:
    core = Core(Settings())
    run_core(core, LOAD, after_poll=lambda: None)
    counts = core.counts
    assert counts.events_read == counts.events_published + sum(counts.events_dropped.values()) > 0
    assert not set(counts.batches_dropped) - {"duplicate_batch"}


def test_a_load_without_large_events_has_none() -> None:
    small = without_large_events(LOAD)
    assert 0 < small.events < LOAD.events
    assert max(len(bytes(event)) for batch in small.batches for event in _events(batch)) <= LARGE_EVENT_BYTES


def test_every_stage_and_every_limit_took_time_over_the_whole_load() -> None:
    rates = [*measure_limits(LOAD).values(), *measure_stages(LOAD, Settings()).values(), measure_core(LOAD, Settings())]
    assert len(rates) == 4 + len(STAGES) + 1
    assert all(rate.seconds > 0 and rate.events == LOAD.events for rate in rates)


def test_pages_can_be_kept_from_being_known() -> None:
    core = Core(without_known_pages(Settings()))
    run_core(core, LOAD, after_poll=lambda: None)
    assert core.known_page_hits == 0
    remembering = Core(Settings())
    run_core(remembering, LOAD, after_poll=lambda: None)
    assert remembering.known_page_hits > 0


def test_the_core_can_do_without_detectors() -> None:
    bare = without_detectors(Settings())
    assert make_detectors(Settings().detectors, print)
    assert not make_detectors(bare.detectors, print)
    looking, passing = Core(Settings()), Core(bare)
    for core in (looking, passing):
        run_core(core, LOAD, after_poll=lambda: None)
    assert looking.counts.events_published == passing.counts.events_published > 0


def test_an_idle_session_takes_a_few_kilobytes() -> None:
    sessions, size_bytes = measure_memory(LOAD, Settings())
    assert sessions > 10
    assert 100 < size_bytes < 100_000


def test_a_file_with_a_broken_batch_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_bytes(LOAD.batches[0] + b"\n{]\n")
    with pytest.raises(Poison):
        file_load(path, 10**9, LimitSettings())


def test_the_command_prints_one_json_object(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "load.jsonl"
    path.write_bytes(b"\n".join(LOAD.batches[:20]))
    assert main(["bench", str(path), "--json"]) == 0
    result = msgspec.json.decode(capsys.readouterr().out)
    assert result["compiled"] is is_compiled()
    assert result["loads"][0]["events"] == measure_load("x", LOAD.batches[:20]).events
    assert {"core", "core, every page new", "core, no detectors", "zstd_level_1", *STAGES} <= set(
        result["loads"][0]["rates"]
    )


def test_an_empty_file_is_no_load(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert main(["bench", str(tmp_path / "empty.jsonl")]) == 2
