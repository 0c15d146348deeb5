"""Compiles the modules that `pyproject.toml` lists for it, with mypyc: into each wheel, or in this folder.

    python hatch_build.py

compiles in this folder, unless what is there was made of the same sources. `WINCE_COMPILE=never` leaves modules
uncompiled; `WINCE_COMPILE=require` fails where nothing can be compiled, which otherwise is only said.

The name of the library that all compiled modules share holds a digest of what they were made of. So what is old can be
told from what is new, in checkouts and copies too, where the times of files say nothing.
"""

import ast
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).resolve().parent
PACKAGES: Final = ("detectors", "engine", "replay", "schemas")
ENDING: Final = str(sysconfig.get_config_var("EXT_SUFFIX"))
"""What the name of a compiled module ends with, for this Python only: another one does not see it."""

LINES_TOLD: Final = 15


class CannotCompile(Exception):
    """Nothing can be compiled here; the message says why."""


class CustomBuildHook(BuildHookInterface[BuilderConfig]):
    """Adds the compiled modules to a wheel. Hatchling knows it by this name."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless the installation is an editable one: that uses what is in this folder."""
        self._folder = TemporaryDirectory()
        home = Path(self._folder.name)
        if version != "editable" and compile_into(home):
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"] |= {str(file): str(file.relative_to(home)) for file in home.rglob(f"*{ENDING}")}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what is in the wheel now."""
        self._folder.cleanup()


def listed() -> list[str]:
    """Return the paths of the modules to compile, relative to the root of the repository."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return sorted(declared["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["modules"])


def state() -> Literal["compiled", "pure", "stale"]:
    """Tell whether this folder's modules are compiled for this Python, and from the sources that are there now."""
    found = {str(file.relative_to(ROOT)) for file in _compiled_files()}
    if not found:
        return "pure"
    wanted = {module.removesuffix(".py") + ENDING for module in listed()}
    return "compiled" if found == wanted | {f"{_group()}__mypyc{ENDING}"} else "stale"


def _compiled_files() -> list[Path]:
    inside = [file for package in PACKAGES for file in (ROOT / package).rglob(f"*{ENDING}")]
    return inside + list(ROOT.glob(f"wince_*__mypyc{ENDING}"))


def _group() -> str:
    """Name what is compiled together, by this file and all modules of ours that may shape the machine code."""
    digest = hashlib.sha256()
    for path in sorted({*_with_imports(listed()), Path(__file__).name}):
        digest.update(f"{path}\0".encode() + (ROOT / path).read_bytes() + b"\0")
    return f"wince_{digest.hexdigest()[:16]}"


def _with_imports(modules: list[str]) -> set[str]:
    """Add what modules import: mypyc copies constants, so that their sources count as well."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _imports(path)
    return seen


def _imports(path: str) -> Iterator[str]:
    """Yield the paths of our modules that a module imports."""
    for node in ast.walk(ast.parse((ROOT / path).read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            stem = name.replace(".", "/")
            yield from (file for file in (f"{stem}.py", f"{stem}/__init__.py") if (ROOT / file).is_file())


def compile_in_place() -> None:
    """Put each compiled module beside its source, unless it is there. Raises SystemExit as `compile_into` does."""
    never = os.environ.get("WINCE_COMPILE") == "never"
    if state() == "compiled" and not never:
        return
    for file in _compiled_files():
        file.unlink()
    with TemporaryDirectory() as folder:
        if compile_into(Path(folder)):
            shutil.copytree(folder, ROOT, dirs_exist_ok=True)


def compile_into(folder: Path) -> bool:
    """Compile into an empty folder, and return whether that was done.

    Raises:
        SystemExit: It must be done and cannot be, or `WINCE_COMPILE` is none of its values.
    """
    wish = os.environ.get("WINCE_COMPILE", "auto")
    if wish not in {"auto", "never", "require"}:
        sys.exit("WINCE_COMPILE must be auto, never or require")
    if wish == "never":
        return False
    try:
        _check_tools()
        _compile_apart(folder)
    except CannotCompile as reason:
        if wish == "require":
            sys.exit(f"WINCE_COMPILE=require: {reason}")
        print(f"{reason}: Wince runs uncompiled, detectors take about three times as long", file=sys.stderr)
        return False
    return True


def _check_tools() -> None:
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        raise CannotCompile(f"no C compiler ({compiler}) found")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise CannotCompile(f"no headers of Python {version} found (Debian: python{version}-dev)")
    for package, module in (("mypy", "mypyc"), ("setuptools", "setuptools")):
        if importlib.util.find_spec(module) is None:
            raise CannotCompile(f"{package} is not installed")


def _compile_apart(folder: Path) -> None:
    """Compile in a process of its own: mypyc ends its process when it fails, and compilers print what they like."""
    print("Compiling the detectors (up to a minute)", flush=True)
    command = [sys.executable, str(Path(__file__)), str(folder)]
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise CannotCompile("\n".join([*done.stdout.splitlines()[-LINES_TOLD:], "compiling failed"]))


def _compile(folder: str) -> None:
    # Before mypyc, which otherwise takes the distutils of old Pythons.
    from setuptools import Distribution  # noqa: I001, PLC0415
    from mypyc.build import mypycify  # noqa: PLC0415

    with TemporaryDirectory() as scratch:
        extensions = mypycify(listed(), group_name=_group(), target_dir=scratch, debug_level="0")
        command: Any = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp, command.parallel = folder, scratch, os.cpu_count()
        command.ensure_finalized()
        command.run()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _compile(sys.argv[1])
    else:
        compile_in_place()
