"""Compiled code decides as its source does, to the byte."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hatch_build
from engine.samples import SAMPLES_FOLDER
from tests.servers.required import give_up

ROOT = Path(hatch_build.__file__).parent
CASES = sorted(map(str, (ROOT / "tests" / "data" / "conformance").glob("*.json")))
LABELS = str(ROOT / "tests" / "data" / "sample_labels.json")


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    if hatch_build.state() == "pure":
        give_up("compiled", "`make compiled` needs a C compiler and the headers of Python")


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages without what was compiled."""
    home = tmp_path_factory.mktemp("pure")
    for package in hatch_build.PACKAGES:
        shutil.copytree(ROOT / package, home / package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return home


def wince(home: Path, folder: Path, *arguments: str) -> bytes:
    """Run the command of the packages in one folder inside of another; return what it prints."""
    environ = os.environ | {"PYTHONPATH": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *arguments], cwd=folder, env=environ, capture_output=True, check=False
    )
    assert done.stderr == b""
    return done.stdout


def test_one_is_compiled_and_the_other_is_not(pure: Path, tmp_path: Path) -> None:
    assert wince(ROOT, tmp_path, "--version").endswith(b" (compiled)\n")
    assert wince(pure, tmp_path, "--version").endswith(b" (not compiled)\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("conformance", "--json", *CASES),
        ("evaluate", "--json", "--quiet", "--labels", LABELS, str(SAMPLES_FOLDER)),
    ],
    ids=["cases", "samples and all presets"],
)
def test_both_print_the_same(arguments: tuple[str, ...], pure: Path, tmp_path: Path) -> None:
    printed = wince(ROOT, tmp_path, *arguments)
    assert len(printed) > 1000
    assert printed == wince(pure, tmp_path, *arguments)


def _content(file: Path) -> bytes:
    """Return what is in a file, without what the work took."""
    return re.sub(rb'"seconds": {[^}]*}', b"", file.read_bytes()) if file.name == "report.json" else file.read_bytes()


def test_both_write_the_same(pure: Path, tmp_path: Path) -> None:
    written: list[dict[str, bytes]] = []
    for name, home in (("compiled", ROOT), ("pure", pure)):
        folder = tmp_path / name
        folder.mkdir()
        wince(home, folder, "process", "--quiet", "--out", "out", str(SAMPLES_FOLDER))
        written.append({str(file.relative_to(folder)): _content(file) for file in folder.rglob("*") if file.is_file()})
    compiled, source = written
    assert len(compiled["out/signals.jsonl"]) > 1000
    assert compiled.keys() == source.keys()
    assert [name for name in compiled if compiled[name] != source[name]] == []
