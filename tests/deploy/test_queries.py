"""Dashboard and alarms ask for metrics and labels that exist; advice is there for every alarm."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.operate.meters import METERS
from tests.deploy.files import (
    DEPLOY,
    FOREIGN,
    ROOT,
    TARGET_LABELS,
    by_series,
    dashboard_queries,
    groupings_in,
    load_yaml,
    matchers_in,
    metrics_in,
    program,
    rules,
    run,
)
from tests.docs.documents import anchors

SERIES = by_series()
QUERIES = [*dashboard_queries(), *((rule["alert"], rule["expr"]) for rule in rules())]


def test_queries_are_taken_apart_rightly() -> None:
    query = 'sum by (le, operation) (rate(a_total{job=~"$job", kind="x y"}[5m])) > 0.5 unless b offset 15m == 1e3'
    assert metrics_in(query) == {"a_total", "b"}
    assert groupings_in(query) == {"le", "operation"}
    assert list(matchers_in(query)) == [("a_total", "job", "=~", "$job"), ("a_total", "kind", "=", "x y")]


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=str)
def test_every_metric_is_declared(title: str, query: str) -> None:
    assert metrics_in(query), title
    assert metrics_in(query) <= {*SERIES, *FOREIGN}


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=str)
def test_every_label_is_declared(title: str, query: str) -> None:
    known = set(TARGET_LABELS)
    for name in metrics_in(query) & set(SERIES):
        known |= {label.name for label in SERIES[name].labels} | ({"le"} if name.endswith("_bucket") else set())
    assert groupings_in(query) <= known, title


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=str)
def test_every_value_of_a_label_exists(title: str, query: str) -> None:
    for name, label, _, value in matchers_in(query):
        if label in TARGET_LABELS:
            continue
        (declared,) = [each for each in SERIES[name].labels if each.name == label]
        assert set(value.split("|")) <= set(declared.values or ()), title


def test_counters_are_never_asked_for_bare_values() -> None:
    """A counter's value says when its process started; rates and increases say what happens."""
    counters = {meter.metric for meter in METERS if meter.metric.endswith("_total")}
    for title, query in QUERIES:
        bare = re.sub(r"(rate|increase)\([^()]*\)", "", query)
        if "unless" not in query:
            assert not metrics_in(bare) & counters, title


def test_the_dashboard_shows_every_metric() -> None:
    shown = {SERIES[name] for _, query in dashboard_queries() for name in metrics_in(query) & set(SERIES)}
    assert set(METERS) - shown == set()


def test_the_dashboard_is_what_its_script_builds() -> None:
    built = run(sys.executable, "deploy/grafana/build.py")
    file = DEPLOY / "grafana" / "dashboard.json"
    assert file.read_text() == built, "run: python deploy/grafana/build.py > deploy/grafana/dashboard.json"


def test_panels_have_places_of_their_own() -> None:
    panels = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))["panels"]
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_grafana_finds_the_dashboard_and_prometheus() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = load_yaml(provisioning / "datasources" / "prometheus.yaml")["datasources"]
    (provider,) = load_yaml(provisioning / "dashboards" / "wince.yaml")["providers"]
    compose = load_yaml(DEPLOY / "compose.yaml")
    assert source["url"] == "http://prometheus:9090"
    assert any(
        each.split(":")[1].startswith(provider["options"]["path"]) for each in compose["services"]["grafana"]["volumes"]
    )


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alarm_has_its_advice(rule: dict[str, Any]) -> None:
    document, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(ROOT / document)
    assert rule["annotations"]["summary"].endswith((".", ")"))
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def test_every_alarm_is_tested() -> None:
    tests = load_yaml(DEPLOY / "prometheus" / "rules_test.yaml")["tests"]
    fired = {each["alertname"] for test in tests for each in test["alert_rule_test"] if each["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules()}


def test_prometheus_accepts_rules_and_settings() -> None:
    promtool = program("promtool")
    run(promtool, "check", "config", DEPLOY / "prometheus" / "prometheus.yaml")
    run(promtool, "test", "rules", DEPLOY / "prometheus" / "rules_test.yaml")


def test_prometheus_accepts_every_query_of_the_dashboard(tmp_path: Path) -> None:
    promtool = program("promtool")
    recorded = [
        {"record": f"query_{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, (_, query) in enumerate(dashboard_queries())
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    run(promtool, "check", "rules", file)
