"""Modules are compiled from the sources that are there, where that is possible and wanted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hatch_build
from tests.servers.required import give_up

SCRIPT = Path(hatch_build.__file__)
PYPROJECT = """\
[tool.hatch.build.targets.wheel.hooks.custom]
modules = ["detectors/doubling.py"]
[tool.mypy]
strict = true
"""
DOUBLING = "from detectors.numbers import FACTOR\n\n\ndef double(number: int) -> int:\n    return number * FACTOR\n"
ASK = "import detectors.doubling as it; print(it.double(21), it.__spec__.origin.rpartition('.')[2])"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one module to compile, which takes a constant from another."""
    shutil.copyfile(SCRIPT, tmp_path / SCRIPT.name)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "detectors").mkdir()
    (tmp_path / "detectors" / "__init__.py").touch()
    (tmp_path / "detectors" / "doubling.py").write_text(DOUBLING)
    (tmp_path / "detectors" / "numbers.py").write_text("from typing import Final\n\nFACTOR: Final = 2\n")
    return tmp_path


def run(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name not in {"WINCE_COMPILE", "PYTHONPATH"}}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=project, env=environ | variables, capture_output=True, text=True, check=False, timeout=600
    )


def state(project: Path) -> str:
    return run(project, "-c", "import hatch_build; print(hatch_build.state())").stdout.strip()


def answer(project: Path) -> str:
    return run(project, "-c", ASK).stdout.strip()


def compile_here(project: Path) -> None:
    done = run(project, SCRIPT.name, WINCE_COMPILE="require")
    if "no C compiler" in done.stderr or "no headers" in done.stderr:
        give_up("compiled", done.stderr)
    assert done.returncode == 0, done.stderr


def test_what_was_compiled_runs_and_is_known_to_belong_to_its_sources(project: Path) -> None:
    assert (state(project), answer(project)) == ("pure", "42 py")
    compile_here(project)
    assert (state(project), answer(project)) == ("compiled", "42 so")
    again = run(project, SCRIPT.name)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_what_is_old_is_known_and_compiled_again(project: Path) -> None:
    compile_here(project)
    # Not even of the module itself: the constant is in its machine code.
    (project / "detectors" / "numbers.py").write_text("from typing import Final\n\nFACTOR: Final = 3\n")
    assert (state(project), answer(project)) == ("stale", "42 so")
    compile_here(project)
    assert (state(project), answer(project)) == ("compiled", "63 so")


def test_one_that_cannot_be_compiled_any_more_leaves_nothing_old_behind(project: Path) -> None:
    compile_here(project)
    (project / "detectors" / "doubling.py").write_text(DOUBLING.replace("-> int", "-> str"))
    done = run(project, SCRIPT.name)
    assert done.returncode == 0
    assert "detectors/doubling.py:5: error: Incompatible return value type" in done.stderr
    assert "Wince runs uncompiled" in done.stderr
    assert (state(project), answer(project)) == ("pure", "42 py")
    assert run(project, SCRIPT.name, WINCE_COMPILE="require").returncode == 1


def _pretend_to_compile(project: Path) -> list[Path]:
    """Make the files that compiling would make, with nothing in them; return them."""
    group = run(project, "-c", "import hatch_build; print(hatch_build._group())").stdout.strip()
    made = [f"{group}__mypyc", "detectors/doubling"]
    files = [project / (name + hatch_build.ENDING) for name in made]
    for file in files:
        file.touch()
    return files


def test_a_file_too_few_or_too_many_is_no_compiled_state(project: Path) -> None:
    library, module = _pretend_to_compile(project)
    assert state(project) == "compiled"
    library.unlink()
    assert state(project) == "stale"
    library.touch()
    module.rename(project / "detectors" / f"gone{hatch_build.ENDING}")
    assert state(project) == "stale"


def test_another_python_is_not_meant(project: Path) -> None:
    (project / "detectors" / "doubling.cpython-39-other.so").touch()
    assert state(project) == "pure"


def test_never_leaves_nothing_compiled(project: Path) -> None:
    _pretend_to_compile(project)
    done = run(project, SCRIPT.name, WINCE_COMPILE="never")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert state(project) == "pure"


def test_without_a_compiler_it_says_so_in_one_line(project: Path) -> None:
    done = run(project, SCRIPT.name, CC="no-such-compiler")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "no C compiler (no-such-compiler) found: Wince runs uncompiled, detectors take about three times as long\n"
    )


@pytest.mark.parametrize("wish", ["require", "maybe"])
def test_it_fails_where_it_must_compile_or_the_wish_is_none(project: Path, wish: str) -> None:
    done = run(project, SCRIPT.name, CC="no-such-compiler", WINCE_COMPILE=wish)
    assert done.returncode == 1
    assert done.stderr.startswith("WINCE_COMPILE")


def test_the_tests_refuse_to_run_what_is_old(tmp_path: Path) -> None:
    root = SCRIPT.parent
    for name in (SCRIPT.name, "pyproject.toml"):
        shutil.copyfile(root / name, tmp_path / name)
    for name in hatch_build.PACKAGES:
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    (tmp_path / "tests").mkdir()
    shutil.copyfile(root / "tests" / "conftest.py", tmp_path / "tests" / "conftest.py")
    (tmp_path / "tests" / "servers").symlink_to(root / "tests" / "servers")
    (tmp_path / "tests" / "test_nothing.py").write_text("def test_nothing() -> None:\n    pass\n")
    assert run(tmp_path, "-m", "pytest", "-q", WINCE_TEST_REQUIRE="").returncode == 0
    (tmp_path / "detectors" / f"gone{hatch_build.ENDING}").touch()
    done = run(tmp_path, "-m", "pytest", "-q", WINCE_TEST_REQUIRE="")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "compiled from other sources" in done.stderr
