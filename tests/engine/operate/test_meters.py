"""Metrics are declared once, documented from there, and bounded in number."""

import re
from pathlib import Path

import pytest

from engine.operate.declaring import Meter
from engine.operate.meters import METERS, Count, Gauge, Histogram, metrics_document

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "metrics.md"
BASE_UNITS = {"seconds", "bytes"}
IDENTIFIERS = {"project", "session", "user", "window", "project_id", "session_id", "user_id", "window_id"}


@pytest.mark.parametrize("meter", METERS, ids=str)
def test_names_follow_the_conventions_of_prometheus(meter: Meter) -> None:
    assert re.fullmatch(r"wince_[a-z]+(_[a-z]+)*", meter.metric)
    assert meter.metric.endswith("_total") == isinstance(meter, Count)
    if meter.unit in BASE_UNITS:
        assert meter.metric.removesuffix("_total").endswith(f"_{meter.unit}")
    assert "milli" not in meter.metric


@pytest.mark.parametrize("meter", METERS, ids=str)
def test_every_metric_explains_itself(meter: Meter) -> None:
    assert meter.unit
    assert re.match(r"[A-Z].+\.$", meter.meaning)
    assert "|" not in meter.meaning


def test_every_metric_is_declared_once() -> None:
    assert len({meter.metric for meter in METERS}) == len(METERS)
    assert len({meter.meaning for meter in METERS}) == len(METERS)
    assert set(METERS) == {*Count, *Gauge, *Histogram}


@pytest.mark.parametrize("meter", METERS, ids=str)
def test_no_label_can_grow_without_bound(meter: Meter) -> None:
    """Topics and partitions are bounded by the assignment and forgotten with it, cohorts by a file; else: listed."""
    for label in meter.labels:
        assert label.name not in IDENTIFIERS
        assert label.values or (isinstance(meter, Gauge) and label.name in {"topic", "partition", "version", "cohort"})


def test_the_number_of_series_is_bounded() -> None:
    series = 0
    for meter in METERS:
        each = 1
        for label in meter.labels:
            each *= len(label.values or ("one",))
        series += each * (len(meter.buckets) + 3 if meter.buckets else 1)
    assert series < 650


@pytest.mark.parametrize("meter", Histogram, ids=str)
def test_buckets_rise(meter: Histogram) -> None:
    assert meter.buckets
    assert list(meter.buckets) == sorted(set(meter.buckets))


@pytest.mark.parametrize("meter", METERS, ids=str)
def test_every_metric_is_fed(meter: Meter) -> None:
    declarations = ROOT / "engine" / "operate" / "meters.py"
    sources = [path.read_text("utf-8") for path in (ROOT / "engine").rglob("*.py") if path != declarations]
    assert any(re.search(rf"\b{meter}\b", source) for source in sources)


def test_the_documentation_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text() == metrics_document(), "run: python -m engine.operate.meters > docs/metrics.md"
