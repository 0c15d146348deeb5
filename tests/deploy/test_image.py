"""The image: how its Dockerfile is written, and that its steps give an installation that works."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.check_install import PACKAGES, problems
from deploy.image_steps import instructions, run_build_stage
from tests.deploy.files import DEPLOY, ROOT, program, run
from tests.servers.required import give_up

DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
ALL = [*instructions("build"), *instructions("")]


def test_bases_are_chosen_and_pinned() -> None:
    default = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert default is not None
    assert re.fullmatch(r"python:3\.13-slim-\w+", default[1])
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2


def test_it_never_runs_as_root() -> None:
    words = [word for word, _ in instructions("")]
    assert words.count("USER") == 1
    assert words.index("USER") < words.index("ENTRYPOINT")
    (user,) = [rest for word, rest in instructions("") if word == "USER"]
    uid, gid = user.split(":")
    assert int(uid) >= 10_000
    assert int(gid) >= 10_000


def test_nothing_is_fetched_but_by_locked_requirements() -> None:
    assert "ADD" not in {word for word, _ in ALL}
    for word, rest in ALL:
        if word == "RUN":
            assert not re.search(r"curl|wget|git clone|https?:", rest), rest
            for install in re.findall(r"pip install [^&]*", rest):
                assert re.search(r"--require-hashes|--no-deps|uv==[\d.]+", install), install


def test_there_is_a_compiler_where_it_is_built_and_nowhere_else() -> None:
    assert [word for word, rest in instructions("") if "apt" in rest] == []
    fetched = [
        words for _, rest in instructions("build") for words in re.findall(r"apt-get install (?:-\S+ )*([^&]*)", rest)
    ]
    assert fetched == ["gcc libc6-dev "]


def test_no_cache_and_no_secret_stays_in_a_layer() -> None:
    assert not re.search(r"password|secret|token", DOCKERFILE, re.IGNORECASE)
    for _, rest in ALL:
        assert "pip install" not in rest or "uv pip" in rest or "--no-cache-dir" in rest
    assert "UV_NO_CACHE=1" in DOCKERFILE


def test_it_stops_and_answers_as_orchestrators_expect() -> None:
    final = dict(instructions(""))
    assert final["STOPSIGNAL"] == "SIGTERM"
    assert final["ENTRYPOINT"] == '["wince"]'
    assert "/livez" in final["HEALTHCHECK"]
    assert final["EXPOSE"] == "9464"
    assert "0.0.0.0:9464" in final["ENV"]


def test_only_what_is_needed_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    kept = {rule.removeprefix("!").rstrip("/") for rule in rules if rule.startswith("!")}
    copied = {name.rstrip("/") for word, rest in instructions("build") if word == "COPY" for name in rest.split()[:-1]}
    assert {name.replace("requirements/*.txt", "requirements") for name in kept} == copied
    assert set(PACKAGES) <= copied


def test_the_linter_of_dockerfiles_is_content() -> None:
    run(program("hadolint"), DEPLOY / "Dockerfile")


def test_its_steps_give_an_installation_that_works(tmp_path: Path) -> None:
    """The build stage in a plain folder: the locked requirements with their hashes, then the wheel, then the checks."""
    if shutil.which("gcc") is None:
        give_up("compiled", "no gcc, and tests install none")
    try:
        home = run_build_stage(tmp_path / "image", sys.executable)
    except subprocess.CalledProcessError as error:
        if "uv==" not in str(error.cmd):
            raise
        # The first step of all fetches something; without a network there is nothing to be tested.
        give_up("packages", "no package index answers")
    listed = run(home / "bin" / "wince", "--help")
    assert "process" in listed
    assert run(home / "bin" / "wince", "--version").endswith("(compiled)\n")
    # What was forgotten would be told.
    source = tmp_path / "image" / "src"
    (source / "engine" / "forgotten.lua").write_text("")
    done = subprocess.run(
        [home / "bin" / "python", "-I", source / "deploy" / "check_install.py", source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "engine/forgotten.lua is not installed\n")


def test_an_editable_installation_is_not_taken_for_one_that_is_complete() -> None:
    assert any("not from the installation" in problem for problem in problems(ROOT))


@pytest.mark.parametrize("name", ["run", "traces", "pictures"])
def test_requirements_for_images_are_locked(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    pins = re.findall(r"^([a-z0-9][\w.-]*)==", text, re.MULTILINE)
    assert len(pins) > 40
    assert ("opentelemetry-sdk" in pins) == (name == "traces")
    assert ("playwright" in pins) == (name == "pictures")
    assert "pytest" not in pins
    dev = (ROOT / "requirements" / "dev.txt").read_text("utf-8")
    assert set(re.findall(r"^\S+==\S+", text, re.MULTILINE)) <= set(re.findall(r"^\S+==\S+", dev, re.MULTILINE))
