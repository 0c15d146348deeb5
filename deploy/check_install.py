"""Checks an installation of Wince: complete, at home where it runs, of the right version, compiled, nothing besides.

    python -I deploy/check_install.py SOURCE_FOLDER

Every file of the packages in the source has to be in what was installed (scripts of Redis, samples, schemas, the
viewer), but for what the wheel leaves out by its own declaration, and the command has to run outside of the source.
"""

import importlib.metadata
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

PACKAGES = ("detectors", "engine", "replay", "schemas")
MADE_BY_PYTHON = {".pyc", ".pyo"}


def problems(source: Path) -> list[str]:
    """Return what is wrong with the installation of this interpreter, compared to a source folder."""
    declared = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))
    expected = declared["project"]["version"]
    left_out = [source / path for path in declared["tool"]["hatch"]["build"]["targets"]["wheel"].get("exclude", ())]
    installed = importlib.metadata.version("wince")
    found = [] if installed == expected else [f"version {installed} is installed instead of {expected}"]
    for package in PACKAGES:
        found += _problems_of(package, source / package, left_out)
    if importlib.util.find_spec("tests") is not None:
        found.append("the tests are installed")
    return found + _problems_of_command(expected)


def _problems_of(package: str, source: Path, left_out: list[Path]) -> list[str]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return [f"{package} is not installed"]
    home = Path(spec.origin).parent
    if not home.is_relative_to(sys.prefix):
        return [f"{package} is used from {home}, not from the installation"]
    files = (path for path in source.rglob("*") if path.is_file() and not _is_left_out(path, left_out))
    wanted = {path.relative_to(source) for path in files}
    missing = {path for path in wanted if path.suffix not in MADE_BY_PYTHON and not (home / path).is_file()}
    return [f"{package}/{path} is not installed" for path in sorted(missing)]


def _is_left_out(path: Path, left_out: list[Path]) -> bool:
    """Tell whether a file lies in one of some folders that a wheel leaves out on purpose."""
    return any(path.is_relative_to(folder) for folder in left_out)


def _problems_of_command(version: str) -> list[str]:
    command = Path(sys.prefix) / "bin" / "wince"
    for argument, answer in (("--version", f"wince {version} (compiled)\n"), ("--help", "usage: wince")):
        done = subprocess.run([command, argument], cwd="/", capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode or not done.stdout.startswith(answer):
            return [f"wince {argument} fails or says something else than {answer.strip()!r}"]
    return []


def main() -> int:
    """Print all problems; the exit status is 1 if there are any."""
    found = problems(Path(sys.argv[1]).resolve())
    print("\n".join(found) or "the installation is complete")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
