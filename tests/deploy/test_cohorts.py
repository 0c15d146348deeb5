"""The component that tells cohorts on schedule: what it is made of, and what Kustomize makes of it."""

import argparse
import os
from pathlib import Path
from typing import Any

import yaml

from engine.cli import cohort as command
from engine.cohorts.file import read_cohorts
from engine.settings import Settings
from tests.deploy.files import KUBERNETES, load_yaml, program, run

FOLDER = KUBERNETES / "components" / "cohorts"
JOB: dict[str, Any] = load_yaml(FOLDER / "cronjob.yaml")
POD: dict[str, Any] = JOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]


def test_the_file_of_cohorts_is_one() -> None:
    assert read_cohorts(FOLDER / "cohorts.toml", Settings())


def test_the_command_is_one_and_its_files_are_mounted() -> None:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(CONTAINER["args"])
    assert args.action == "run"
    mounted = {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert {str(args.config.parent), str(args.cohorts.parent)} <= mounted
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {volume["name"] for volume in POD["volumes"]}


def test_the_pod_is_restricted_and_no_second_one_is_started_beside_it() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert "memory" in CONTAINER["resources"]["limits"]
    assert JOB["spec"]["concurrencyPolicy"] == "Forbid"


def test_kustomize_puts_it_beside_the_base(tmp_path: Path) -> None:
    base, component = (os.path.relpath(each, tmp_path) for each in (KUBERNETES / "base", FOLDER))
    overlay = {"resources": [base], "components": [component], "namespace": "mine"}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    built = list(yaml.safe_load_all(run(program("kubectl"), "kustomize", tmp_path)))
    (job,) = [each for each in built if each["kind"] == "CronJob"]
    configs = {each["metadata"]["name"] for each in built if each["kind"] == "ConfigMap"}
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    named = {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
    assert named <= configs
    assert {name.rpartition("-")[0] for name in named} == {"wince", "wince-cohorts"}
    assert pod["containers"][0]["image"] == "wince:0.1.0"
