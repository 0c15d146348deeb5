"""`wince errors` on a real Redis."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from engine.cli import main
from replay.redis_client import connect
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from tests.replay.samples import T0, record, write
from tests.replay.test_error_book import error
from tests.servers.redis_server import find_redis_binary


async def fill(url: str) -> None:
    store = RedisStore(connect(url), StoreSettings(), lambda: T0)
    for number in range(3):
        of = record(f"s{number}", errors={f"f{number}": 1})
        seen = error(f"e{number}", f"s{number}", number, f"f{number}", release="1.4")
        await store.apply(write(f"s{number}", signals=[seen], record_of=of))
    await store.close()


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with asyncio.Runner() as runner:
        server = RedisServer(find_redis_binary())
        runner.run(server.__aenter__())
        monkeypatch.setenv("WINCE_STORE_REDIS_URL", server.url)
        runner.run(fill(server.url))
        yield
        runner.run(server.__aexit__(None, None, None))


@pytest.mark.usefixtures("filled")
def test_errors_are_listed_latest_first_and_resolved(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["errors", "list", "--project", "shop", "--json", "--limit", "2"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["fingerprint"], line["status"], line["first_release"]) for line in lines] == [
        ("f2", "open", "1.4"),
        ("f1", "open", "1.4"),
    ]
    assert main(["errors", "resolve", "--project", "shop", "f2"]) == 0
    assert main(["errors", "resolve", "--project", "shop", "f1", "f9"]) == 1
    assert "1 of 2" in capsys.readouterr().out
    assert main(["errors", "list", "--project", "shop"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("resolved") == 2
    assert "1.4" in printed
    assert main(["errors", "list", "--project", "nobody", "--json"]) == 0
    assert capsys.readouterr().out == ""
