"""The manifests: what they are made of, and what Kustomize makes of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.alerts.rules_file import read_rules
from engine.cli._commands import COMMANDS
from engine.settings import Settings, load_settings
from tests.deploy.files import KUBERNETES, load_yaml, manifests, program, run

OVERLAYS = {"dev": "wince-dev", "production": "wince"}
FOLDERS = [KUBERNETES / "base", *(KUBERNETES / "overlays" / name for name in OVERLAYS)]
SELECTOR = {"app.kubernetes.io/name": "wince-worker"}
NAME = "wince-worker"
API = "wince-api"
ALERTS = "wince-alerts"
RULES = "wince-alert-rules"


def base(kind: str, name: str = NAME) -> dict[str, Any]:
    every = manifests(KUBERNETES / "base")
    (found,) = [each for each in every if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pods() -> list[tuple[str, dict[str, Any]]]:
    """Return every pod specification there is, with the name of what makes it."""
    every = [each for folder in FOLDERS for each in manifests(folder)]
    return [
        (each["metadata"]["name"], each["spec"]["template"]["spec"])
        for each in every
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}
    ]


SECRETS = dict.fromkeys(load_yaml(KUBERNETES / "secret.example.yaml")["stringData"], "invented-for-tests")
POD: dict[str, Any] = base("StatefulSet")["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_is_used_and_every_used_file_is_there(folder: Path) -> None:
    kustomization = load_yaml(folder / "kustomization.yaml")
    generated = [name for each in kustomization["configMapGenerator"] for name in each["files"]]
    named = {*kustomization["resources"], *generated}
    assert {path.name for path in folder.iterdir() if path.is_file()} - {"kustomization.yaml"} <= named
    for name in named:
        assert (folder / name).exists(), name


@pytest.mark.parametrize(("name", "pod"), pods(), ids=lambda each: each if isinstance(each, str) else "")
def test_every_pod_is_restricted(name: str, pod: dict[str, Any]) -> None:
    """As the profile `restricted` of the pod security standards asks for, and some more."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context.get("readOnlyRootFilesystem") is (None if name == "kafka" else True)
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_a_pod_keeps_its_place_in_the_group() -> None:
    variables = {each["name"]: each for each in CONTAINER["env"]}
    assert variables["WINCE_KAFKA_INSTANCE_ID"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert base("StatefulSet")["spec"]["podManagementPolicy"] == "Parallel"


def test_a_worker_has_the_time_to_stop() -> None:
    assert POD["terminationGracePeriodSeconds"] * 1_000 > Settings().worker.drain_timeout_ms + 5_000


def test_probes_ask_what_they_are_for() -> None:
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert CONTAINER["startupProbe"]["httpGet"]["path"] == "/livez"
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"
    (port,) = CONTAINER["ports"]
    address = next(each["value"] for each in CONTAINER["env"] if each["name"] == "WINCE_WORKER_HTTP_ADDRESS")
    assert address == f"0.0.0.0:{port['containerPort']}"
    assert {CONTAINER[f"{kind}Probe"]["httpGet"]["port"] for kind in ("liveness", "startup", "readiness")} == {
        port["name"]
    }


def test_everything_selects_the_workers() -> None:
    assert base("StatefulSet")["spec"]["selector"]["matchLabels"] == SELECTOR
    assert base("StatefulSet")["spec"]["template"]["metadata"]["labels"] == SELECTOR
    assert base("Service")["spec"]["selector"] == SELECTOR
    assert base("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == SELECTOR
    assert base("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == SELECTOR
    assert {each["topologyKey"] for each in POD["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname", "topology.kubernetes.io/zone",
    }  # fmt: skip
    assert base("StatefulSet")["spec"]["serviceName"] == base("Service")["metadata"]["name"]
    assert base("ServiceAccount")["automountServiceAccountToken"] is False


def test_everything_of_the_alerters_belongs_together() -> None:
    deployment = base("Deployment", ALERTS)
    pod, selector = deployment["spec"]["template"]["spec"], {"app.kubernetes.io/name": ALERTS}
    assert deployment["spec"]["selector"]["matchLabels"] == selector
    assert deployment["spec"]["template"]["metadata"]["labels"] == selector
    assert base("Service", ALERTS)["spec"]["selector"] == selector
    assert base("PodDisruptionBudget", ALERTS)["spec"]["selector"]["matchLabels"] == selector
    assert base("NetworkPolicy", ALERTS)["spec"]["podSelector"]["matchLabels"] == selector
    assert base("ServiceAccount", ALERTS)["automountServiceAccountToken"] is False
    assert pod["terminationGracePeriodSeconds"] * 1_000 > Settings().alerts.drain_timeout_ms + 5_000
    (container,) = pod["containers"]
    (port,) = container["ports"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    settings = load_settings(KUBERNETES / "base" / "wince.toml", variables)
    assert settings.alerts.http_port == port["containerPort"]
    folder, _, name = settings.alerts.rules_file.rpartition("/")
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    (volume,) = [each for each in pod["volumes"] if each["name"] == mounts[folder]]
    assert volume["configMap"]["name"] == RULES
    assert read_rules(KUBERNETES / "base" / name).rules
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("liveness", "startup", "readiness")}
    assert {kind: each["path"] for kind, each in asked.items()} == {
        "liveness": "/livez", "startup": "/livez", "readiness": "/readyz",
    }  # fmt: skip


def test_everything_of_the_server_belongs_together() -> None:
    deployment, pod = base("Deployment", API), base("Deployment", API)["spec"]["template"]["spec"]
    selector = {"app.kubernetes.io/name": API}
    assert deployment["spec"]["selector"]["matchLabels"] == selector
    assert deployment["spec"]["template"]["metadata"]["labels"] == selector
    assert base("Service", API)["spec"]["selector"] == selector
    assert base("PodDisruptionBudget", API)["spec"]["selector"]["matchLabels"] == selector
    assert base("NetworkPolicy", API)["spec"]["podSelector"]["matchLabels"] == selector
    assert base("ServiceAccount", API)["automountServiceAccountToken"] is False
    assert pod["terminationGracePeriodSeconds"] * 1_000 > Settings().serve.drain_timeout_ms + 10_000
    (container,) = pod["containers"]
    (port,) = container["ports"]
    (address,) = [each["value"] for each in container["env"]]
    assert address == f"0.0.0.0:{port['containerPort']}"
    assert (port["name"], base("Service", API)["spec"]["ports"][0]["targetPort"]) == ("http", "http")
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("liveness", "startup", "readiness")}
    assert {kind: each["path"] for kind, each in asked.items()} == {
        "liveness": "/livez", "startup": "/livez", "readiness": "/readyz",
    }  # fmt: skip
    for folder in FOLDERS:
        secrets = {name: value for name, value in SECRETS.items() if folder.name == "production" or "SASL" not in name}
        settings = load_settings(folder / "wince.toml", {"WINCE_SERVE_HTTP_ADDRESS": address} | secrets)
        assert settings.serve.login == "token"
        assert settings.serve.allowed_hosts


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_settings_load(folder: Path) -> None:
    environ = {each["name"]: each["value"] for each in CONTAINER["env"] if "value" in each}
    # A password without a login is an error: those who have no logins leave it out of the Secret.
    secrets = {name: value for name, value in SECRETS.items() if folder.name == "production" or "SASL" not in name}
    settings = load_settings(folder / "wince.toml", environ | secrets)
    assert settings.kafka.session_timeout_ms >= 15_000
    for _, pod in pods():
        for container in pod["containers"]:
            if container["image"] == "wince":
                assert container["args"][0] in {command.name for command in COMMANDS}


def test_more_workers_than_partitions_are_never_started() -> None:
    folder = KUBERNETES / "overlays" / "production"
    (scaled,) = [each for each in manifests(folder) if each["kind"] == "ScaledObject"]
    settings = load_settings(folder / "wince.toml", SECRETS)
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["metadata"]["allowIdleConsumers"] == "false"
    assert trigger["metadata"]["topic"] == settings.kafka.events_topic
    assert trigger["metadata"]["consumerGroup"] == settings.kafka.group_id
    assert trigger["metadata"]["bootstrapServers"] == ",".join(settings.kafka.servers)
    assert scaled["spec"]["maxReplicaCount"] == settings.kafka.events_partitions
    assert scaled["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": NAME}


@pytest.mark.parametrize(("overlay", "namespace"), OVERLAYS.items())
def test_kustomize_puts_it_together(overlay: str, namespace: str) -> None:
    text = run(program("kubectl"), "kustomize", KUBERNETES / "overlays" / overlay)
    built = list(yaml.safe_load_all(text))
    by_kind = {(each["kind"], each["metadata"]["name"]): each for each in built}
    assert {each["metadata"]["namespace"] for each in built} == {namespace}
    workers = by_kind["StatefulSet", NAME]
    pod = workers["spec"]["template"]["spec"]
    (config,) = [name for kind, name in by_kind if kind == "ConfigMap" and name != RULES]
    assert ("ConfigMap", RULES) in by_kind, "its name stays, so that running alerters see it change"
    assert config.startswith("wince-")
    assert {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume} == {config}
    assert by_kind["ConfigMap", config]["data"]["wince.toml"] == (
        KUBERNETES / "overlays" / overlay / "wince.toml"
    ).read_text("utf-8")
    assert workers["spec"].get("replicas") == (1 if overlay == "dev" else None)
    assert pod["containers"][0]["image"].endswith("wince:0.1.0")
    secret = pod["containers"][0]["envFrom"][0]["secretRef"]["name"]
    assert secret == "wince" if overlay == "production" else ("Secret", secret) in by_kind
