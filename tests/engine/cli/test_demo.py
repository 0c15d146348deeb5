"""The demo as a user starts it: one command, an address, Ctrl-C."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import zstandard

from engine.cli.demo import masking_echoes
from engine.samples import SAMPLES_FOLDER
from engine.settings import PrivacySettings, Settings
from tests.engine.attack import Attack

WAIT_S = 60


@contextmanager
def demo(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start the demo, wait for the address it prints, end it."""
    command = [sys.executable, "-m", "engine.cli", "demo", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = (re.search(r"Watch them: (\S+)/", line) for line in process.stdout)
            match = next(filter(None, found), None)
            assert match is not None, process.stderr.read() if process.stderr else ""
            yield process, match[1]
        finally:
            process.kill()


def get(address: str) -> bytes:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=WAIT_S)
    connection.request("GET", urlsplit(address).path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    return body


def test_the_demo_serves_pages_and_the_api_until_it_is_interrupted() -> None:
    with demo("--port", "0") as (process, address):
        assert b'data-page="list"' in get(f"{address}/")
        session = get(f"{address}/api/v1/sessions/1d7f8b39-259b-492a-aa48-eb21ebc300ca")
        assert msgspec.json.decode(session)["score"] > 0
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == 0


def test_names_that_visitors_type_are_not_shown_where_pages_repeat_them() -> None:
    ordered = [file for file in SAMPLES_FOLDER.glob("*.zst") if file.name.startswith("fc92b013")]
    settings = masking_echoes(Settings())
    assert settings.privacy.identifier_secret != masking_echoes(Settings()).privacy.identifier_secret
    shown = {
        level: b"".join(Attack(chosen).send(*lines_of(ordered[0])).finish().lines())
        for level, chosen in (("plain", Settings()), ("demo", settings))
    }
    assert b"Oskar" in shown["plain"]
    assert b"Oskar" not in shown["demo"]


def test_settings_with_a_secret_of_their_own_stay_as_they_are() -> None:
    own = Settings(privacy=PrivacySettings(identifier_secret="a secret of sixteen"))
    assert masking_echoes(own) is own


def lines_of(file: Path) -> list[bytes]:
    return zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read().splitlines()


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "engine.cli", "demo", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert ended.returncode == 1
    assert "wince: " in ended.stderr
    assert "in use" in ended.stderr
