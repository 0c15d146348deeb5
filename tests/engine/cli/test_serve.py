"""`wince serve` as a process: it answers, ends when asked to, and writes no secret into its log."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import main
from tests.servers.redis_server import FoundRedis


class Served:
    """The command as a process, its log in a file."""

    def __init__(self, log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen([sys.executable, "-m", "engine.cli", "serve"], stderr=output, stdout=output)
        self.url = f"http://127.0.0.1:{self._port()}"

    def _port(self) -> int:
        while self.process.poll() is None:
            for line in self.lines():
                if line["event"] == "server_started":
                    return int(str(line["port"]))
        raise AssertionError(self.log.read_text())

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]

    def get(self, path: str, token: str = "", method: str = "GET") -> tuple[int, bytes]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(self.url + path, headers=headers, method=method)  # noqa: S310 - ours
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - ours
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


@pytest.fixture
def variables(redis_server: FoundRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINCE_STORE_REDIS_URL", redis_server.url)
    monkeypatch.setenv("WINCE_STORE_KEY_PREFIX", "served")
    monkeypatch.setenv("WINCE_SERVE_HTTP_ADDRESS", "127.0.0.1:0")


@pytest.fixture
def served(variables: None, tmp_path: Path) -> Iterator[Served]:
    assert variables is None
    server = Served(tmp_path / "log")
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait()


def make_token(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["token", "create", "--name", "test"]) == 0
    return capsys.readouterr().out.strip()


def test_it_answers_who_may_ask_and_ends_when_asked_to(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    token = make_token(capsys)
    assert served.get("/livez")[0] == served.get("/readyz")[0] == 200
    assert served.get("/api/v1/access")[0] == 401
    status, body = served.get("/api/v1/access", token)
    assert (status, json.loads(body)["scopes"]) == (200, ["read"])
    metrics = served.get("/metrics")[1].decode()
    assert 'wince_http_requests_total{area="other",status="401"} 1.0' in metrics
    assert "wince_batches_read_total" not in metrics, "that is a worker's"
    assert served.stop() == 0
    assert [line["event"] for line in served.lines()][-1] == "server_stopped"


def test_nothing_secret_is_logged(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    token = make_token(capsys)
    link, session = "c2VjcmV0.0123456789abcdef.tokenofashare", "session-of-a-person"
    for path in (f"/p/{link}", f"/api/v1/shared/{link}/events?window_id=w", f"/api/v1/sessions/{session}?q={token}"):
        served.get(path, token)
    served.stop()
    log = served.log.read_text()
    assert [part for part in (token, token.split("_")[2], link, session) if part in log] == []
    routes = {line.get("route") for line in served.lines() if line["event"] == "request_answered"}
    assert "/api/v1/sessions/{session_id}" in routes


def test_an_address_that_is_taken_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = served.url.removeprefix("http://")
    monkeypatch.setenv("WINCE_SERVE_HTTP_ADDRESS", address)
    assert main(["serve"]) == 1
    assert f"wince: Address already in use: {address}" in capsys.readouterr().err


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"HTTP_ADDRESS": "0.0.0.0:1"}, "serve.allowed_hosts"),
        ({"HTTP_ADDRESS": "replay.test:1", "LOGIN": "none"}, "serve.login"),
        ({"LOGIN": "none", "ALLOWED_HOSTS": '["*"]'}, "serve.allowed_hosts"),
        ({"TLS_KEY_FILE": "key.pem"}, "serve.tls_cert_file"),
        ({"HTTP_ADDRESS": "127.0.0.1"}, "serve.http_address"),
        ({"ALLOWED_HOSTS": '["Replay.test:80"]'}, "serve.allowed_hosts"),
        ({"CORS_ORIGINS": '["*"]'}, "serve.cors_origins"),
        ({"TRUSTED_PROXIES": '["proxy"]'}, "serve.trusted_proxies"),
    ],
)
def test_settings_that_would_open_it_to_others_are_refused(
    changes: dict[str, str], wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(f"WINCE_SERVE_{name}", value)
    assert main(["serve"]) == 2
    assert wrong in capsys.readouterr().err


@pytest.mark.usefixtures("variables")
def test_certificates_that_are_none_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    for name in ("cert.pem", "missing.pem"):
        monkeypatch.setenv("WINCE_SERVE_TLS_CERT_FILE", str(tmp_path / name))
        assert main(["serve"]) == 1
    assert capsys.readouterr().err.count("wince: ") == 2
