"""The files of `deploy/`, taken apart for tests."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from engine.operate.declaring import Meter
from engine.operate.meters import METERS, Histogram
from tests.servers.required import give_up

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
KUBERNETES: Final = DEPLOY / "kubernetes"

# What is not ours: made by Prometheus about each target, and by its client about each process.
FOREIGN: Final = {"up": set[str](), "process_start_time_seconds": set(), "process_cpu_seconds_total": set()}
FOREIGN["process_resident_memory_bytes"] = set()
TARGET_LABELS: Final = {"job", "instance"}

_TEXTS: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR: Final = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_NAME: Final = re.compile(r"(?<![\w$\"])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w(])")
_WORDS: Final = {
    "by",
    "without",
    "on",
    "ignoring",
    "and",
    "or",
    "unless",
    "offset",
    "bool",
    "sum",
    "min",
    "max",
    "count",
}


def load_yaml(path: Path) -> Any:
    """Return the only document of a file."""
    return yaml.safe_load(path.read_text("utf-8"))


def manifests(folder: Path) -> list[dict[str, Any]]:
    """Return the resources in a folder's files."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            found += list(yaml.safe_load_all(path.read_text("utf-8")))
    return found


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    return [rule for group in load_yaml(DEPLOY / "prometheus" / "rules.yaml")["groups"] for rule in group["rules"]]


def dashboard_queries() -> Iterator[tuple[str, str]]:
    """Yield the title of a panel and one of its queries."""
    for panel in json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def by_series() -> dict[str, Meter]:
    """Return each metric by the names of the series that it gives."""
    found: dict[str, Meter] = {}
    for meter in METERS:
        endings = ("_bucket", "_sum", "_count") if isinstance(meter, Histogram) else ("",)
        found |= {meter.metric + ending: meter for ending in endings}
    return found


def metrics_in(query: str) -> set[str]:
    """Return the names of metrics in a query of Prometheus."""
    bare = re.sub(r"\[[^\]]*\]", "", _GROUPING.sub("", re.sub(r"\{[^}]*\}", "", _TEXTS.sub("", query))))
    return {name for name in _NAME.findall(bare) if name not in _WORDS and not re.fullmatch(r"\d+[smhd]|[smhd]", name)}


def matchers_in(query: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield what a query asks of labels: metric, label, operator, value."""
    for metric, inside in _SELECTOR.findall(query):
        for label, operator, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"', inside):
            yield metric, label, operator, value


def groupings_in(query: str) -> set[str]:
    """Return the labels by which a query groups."""
    return {label.strip() for inside in _GROUPING.findall(query) for label in inside.split(",") if label.strip()}


def program(name: str) -> str:
    """Return the path of a program that checks files of ours; give the test up without it."""
    found = shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if found is None:
        give_up(name, "it is not on PATH")
    return found


def run(*command: str | Path) -> str:
    """Run a program and return all it says; fail with it if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
