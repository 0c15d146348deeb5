"""`wince process`, as a user calls it."""

from pathlib import Path

import pytest

from engine.cli import main
from tests.engine.core.batches import batch


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Give a folder with two recordings."""
    folder = tmp_path / "recordings"
    (folder / "more").mkdir(parents=True)
    for name in ("a", "more/b"):
        (folder / f"{name}.jsonl").write_bytes(batch(0, session_id=name[-1]) + b"\n" + batch(1, session_id=name[-1]))
    return folder


def results(folder: Path) -> dict[str, bytes]:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name != "report.json"}


@pytest.mark.parametrize("out", ["out", "more/out", "more/../out"])
def test_results_within_the_input_are_not_read_again(recordings: Path, tmp_path: Path, out: str) -> None:
    assert main(["process", str(recordings), "--out", str(tmp_path / "elsewhere"), "--quiet"]) == 0
    for _ in range(2):
        assert main(["process", str(recordings), "--out", str(recordings / out), "--quiet"]) == 0
        assert results(recordings / out) == results(tmp_path / "elsewhere")


def test_a_file_named_itself_is_read_wherever_it_lies(recordings: Path) -> None:
    out = recordings / "more"
    assert main(["process", str(out / "b.jsonl"), "--out", str(out), "--quiet"]) == 0
    assert (out / "bundles" / "b.jsonl").exists()


def test_results_have_a_folder_of_their_own(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = results(recordings)
    assert main(["process", str(recordings / "more"), str(recordings), "--out", str(recordings), "--quiet"]) == 2
    assert "folder of their own" in capsys.readouterr().err
    assert results(recordings) == before
