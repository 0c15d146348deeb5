"""compose.yaml: valid, limited, locked down, and with settings that exist."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine.alerts.rules_file import read_rules
from engine.cli._commands import COMMANDS
from engine.settings import load_settings
from tests.deploy.files import DEPLOY, ROOT, load_yaml
from tests.servers.kafka_jars import VERSION

COMPOSE = load_yaml(DEPLOY / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"topics"}
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("wince:")]


def test_it_is_what_the_specification_allows() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text("utf-8"))
    jsonschema.validate(COMPOSE, schema)


def test_it_has_what_is_needed_to_run_and_watch() -> None:
    assert set(SERVICES) == {"kafka", "redis", "topics", "worker", "api", "alerts", "prometheus", "grafana"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_limited_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    assert float(limits["cpus"]) > 0
    assert service["restart"] == ("on-failure:5" if name in ONE_SHOT else "unless-stopped")
    assert service["logging"]["options"]["max-size"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT - {"worker"}))
def test_every_foreign_service_says_whether_it_is_well(name: str) -> None:
    """The worker's check is in its image."""
    check = SERVICES[name]["healthcheck"]
    assert {"test", "interval", "timeout", "retries"} <= set(check)


def test_images_are_pinned() -> None:
    for service in SERVICES.values():
        assert re.fullmatch(r"[\w./-]+:v?\d[\w.-]*", service["image"]), service["image"]
        assert not service["image"].endswith(":latest")
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{VERSION}", "tests run another Kafka"


@pytest.mark.parametrize("name", OURS)
def test_variables_and_commands_exist(name: str) -> None:
    service = SERVICES[name]
    environ = {key: re.sub(r"\$\{[^}]*\}", "", value) for key, value in service["environment"].items()}
    settings = load_settings(DEPLOY / "wince.toml", environ)
    assert settings.kafka.bootstrap_servers == "kafka:9092"
    assert settings.store.redis_url == "redis://redis:6379/0"
    assert service["command"][0] in {command.name for command in COMMANDS}


def test_no_secret_is_written_down() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    variables = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    example = (DEPLOY / ".env.example").read_text("utf-8")
    assert variables == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))
    for required in ("REDIS_PASSWORD", "GRAFANA_PASSWORD"):
        assert f"${{{required}:?" in text
    assert "deploy/.env" in (ROOT / ".gitignore").read_text("utf-8")


def test_ports_are_open_to_this_machine_only() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name


def test_whatever_has_to_last_is_in_a_volume() -> None:
    named = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {name for name in named if not name.startswith(".")} == set(COMPOSE["volumes"])
    for path in named - set(COMPOSE["volumes"]):
        assert (DEPLOY / path).exists(), path


def test_redis_keeps_everything_or_says_that_it_is_full() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command
    (memory,) = re.findall(r"--maxmemory (\d+)gb", command)
    limit = SERVICES["redis"]["deploy"]["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("g")) >= 2 * int(memory)


def grace_ms(name: str) -> int:
    return int(SERVICES[name]["stop_grace_period"].removesuffix("s")) * 1_000


def test_worker_and_server_have_the_time_to_stop() -> None:
    settings = load_settings(DEPLOY / "wince.toml", {})
    assert grace_ms("worker") > settings.worker.drain_timeout_ms + 5_000
    assert grace_ms("alerts") > settings.alerts.drain_timeout_ms + 5_000
    assert grace_ms("api") > settings.serve.drain_timeout_ms + 5_000


def test_the_server_is_reached_where_its_port_is_open() -> None:
    service = SERVICES["api"]
    settings = load_settings(
        DEPLOY / "wince.toml",
        {key: value for key, value in service["environment"].items() if key.startswith("WINCE_SERVE_")},
    )
    assert service["ports"] == [f"127.0.0.1:8320:{settings.serve.http_port}"]
    assert (settings.serve.login, set(settings.serve.allowed_hosts)) == ("token", {"localhost", "127.0.0.1"})
    assert f"127.0.0.1:{settings.serve.http_port}/livez" in service["healthcheck"]["test"][-1]
    assert service["depends_on"] == {"redis": {"condition": "service_healthy"}}


def test_the_alerter_reads_rules_that_can_be_changed() -> None:
    service = SERVICES["alerts"]
    environ = {key: value for key, value in service["environment"].items() if key.startswith("WINCE_ALERTS_")}
    settings = load_settings(DEPLOY / "wince.toml", environ)
    assert f"127.0.0.1:{settings.alerts.http_port}/livez" in service["healthcheck"]["test"][-1]
    mounted = dict(reversed(volume.split(":")[:2]) for volume in service["volumes"])
    folder, _, name = settings.alerts.rules_file.rpartition("/")
    assert read_rules(DEPLOY / mounted[folder] / name).rules


def test_things_start_in_order() -> None:
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert SERVICES["worker"]["depends_on"] == {
        "topics": {"condition": "service_completed_successfully"},
        "redis": {"condition": "service_healthy"},
    }


def test_prometheus_finds_every_worker() -> None:
    jobs = {job["job_name"]: job for job in load_yaml(DEPLOY / "prometheus" / "prometheus.yaml")["scrape_configs"]}
    (found,) = jobs["wince-worker"]["dns_sd_configs"]
    assert found["names"] == ["worker"]
    assert f"EXPOSE {found['port']}\n" in (DEPLOY / "Dockerfile").read_text("utf-8")
    (alerter,) = jobs["wince-alerts"]["dns_sd_configs"]
    assert (alerter["names"], alerter["port"]) == (["alerts"], 9474)
    (server,) = jobs["wince-server"]["dns_sd_configs"]
    assert (server["names"], server["port"]) == (["api"], 8320)
