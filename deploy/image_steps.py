"""Runs the build stage of the image in a plain folder, for machines without a container engine.

    python deploy/image_steps.py FOLDER [PYTHON]

Takes the steps from the Dockerfile as they stand there: COPY, RUN and ENV of the stage `build`, with `/src` and
`/opt/wince` inside FOLDER, and PYTHON (by default this one) in the place of the base image's.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py[cod]", "*.so")


def instructions(stage: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions of a stage, such as `("RUN", "uv venv ...")`, without comments and continued lines."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    inside = False
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            inside = rest.endswith(f" AS {stage}") or (stage == "" and " AS " not in rest)
        elif inside:
            yield word, re.sub(r"\s+", " ", rest)


def run_build_stage(folder: Path, python: str) -> Path:
    """Run the stage and return the folder that became `/opt/wince`. Raises CalledProcessError if a step fails."""
    source, home = folder / "src", folder / "opt" / "wince"
    source.mkdir(parents=True)
    tools = folder / "tools"
    subprocess.run([python, "-m", "venv", tools], check=True)  # noqa: S603
    environ = {**os.environ, "PATH": f"{tools / 'bin'}:{os.environ['PATH']}", "VIRTUAL_ENV": str(tools)}
    for word, rest in instructions("build"):
        if word == "COPY":
            _copy(rest, source)
        elif word == "ARG":
            name, _, default = rest.partition("=")
            environ.setdefault(name, os.environ.get(name, default))
        elif word == "ENV":
            # An image has no use for a cache; this machine has.
            environ |= dict(pair.split("=", 1) for pair in rest.split() if not pair.startswith("UV_NO_CACHE="))
        elif word == "RUN":
            step = rest.replace("/opt/wince", str(home)).replace("/usr/local/bin/python", python)
            step = re.sub(r"(?<= )/src\b", str(source), step)
            print("RUN", step, flush=True)
            subprocess.run(["/bin/sh", "-eu", "-c", step], cwd=source, env=environ, check=True)  # noqa: S603
    return home


def _copy(rest: str, source: Path) -> None:
    *names, target = rest.split()
    for name in names:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, source / target, ignore=LEFT_OUT, dirs_exist_ok=True)
        else:
            place = source / target / origin.name if target.endswith("/") else source / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, place)


def main() -> int:
    """Run it."""
    home = run_build_stage(Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else sys.executable)  # noqa: PLR2004
    print(f"installed in {home}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
