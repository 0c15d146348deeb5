"""Who may know whom: the packages' imports, and what the pure ones must not touch."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_KNOW = {
    "schemas": {"schemas"},
    "detectors": {"detectors", "schemas"},
    "replay": {"replay", "schemas"},
    "engine": {"engine", "detectors", "replay", "schemas"},
}
PURE = ["schemas", "detectors", "engine/core", "engine/rebuild", "engine/order", "engine/masking"]
IMPURE_MODULES = {
    "asyncio",
    "logging",
    "os",
    "random",
    "socket",
    "subprocess",
    "threading",
    "time",
    "redis",
    "structlog",
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _modules(folder: str) -> list[Path]:
    modules = sorted((ROOT / folder).rglob("*.py"))
    assert modules
    return modules


@pytest.mark.parametrize("package", sorted(MAY_KNOW))
def test_a_package_knows_only_those_it_may(package: str) -> None:
    for path in _modules(package):
        known = {name.partition(".")[0] for name in _imports(path)} & set(MAY_KNOW)
        assert known <= MAY_KNOW[package], path


@pytest.mark.parametrize("folder", PURE)
def test_pure_packages_touch_no_clock_no_network_and_no_log(folder: str) -> None:
    for path in _modules(folder):
        assert not {name.partition(".")[0] for name in _imports(path)} & IMPURE_MODULES, path


def test_the_tests_for_imports_see_imports() -> None:
    assert "ast" in set(_imports(Path(__file__)))
