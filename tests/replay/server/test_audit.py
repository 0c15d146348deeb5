"""The audit log: what is noted of whom, once, and within bounds."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request

from replay.errors import Saturated, Unavailable
from replay.redis_client import Call, RedisClient, Reply
from replay.server import ServeOptions, Services, create_app
from replay.server.access import Scope
from replay.server.audit import ONCE_IN_MS, Audit
from replay.server.operations import Silent
from replay.server.tokens import Tokens
from tests.replay.samples import record
from tests.replay.server.asking import ask
from tests.replay.server.conftest import NOW

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSION = "/api/v1/sessions/a"


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW

    def __call__(self) -> int:
        return self.now_ms


class Log(Silent):
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, bool]] = []

    def audited(self, action: str, token: str, *, is_kept: bool) -> None:
        self.lines.append((action, token, is_kept))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def services_here(stocked: Services, clock: Clock, log: Log) -> Services:
    return replace(stocked, clock_ms=clock, operations=log)


@pytest.fixture
def app(services_here: Services) -> Starlette:
    return create_app(services_here, ServeOptions())


@pytest_asyncio.fixture(loop_scope="session")
async def ada(services_here: Services, clock: Clock) -> dict[str, str]:
    tokens = Tokens(services_here.redis, services_here.names, clock)
    return {"authorization": "Bearer " + (await tokens.create("Ada", "shop", tuple(Scope)))[0]}


async def entries(app: Starlette, ada: dict[str, str], query: str = "") -> list[dict[str, Any]]:
    answer = await ask(app, f"/api/v1/projects/shop/audit{query}", headers=ada)
    assert answer.status == 200
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def test_watching_is_noted_once_in_a_while(app: Starlette, ada: dict[str, str], clock: Clock, log: Log) -> None:
    events = f"{SESSION}/events?window_id=w1"
    for _ in range(3):
        assert (await ask(app, events, headers=ada)).status == 200
    (entry,) = await entries(app, ada)
    assert (entry["t"], entry["name"], entry["action"], entry["session_id"]) == (NOW, "Ada", "watch", "a")
    assert log.lines == [("watch", entry["who"], True)]
    clock.now_ms += ONCE_IN_MS
    await ask(app, events, headers=ada)
    assert [each["t"] for each in await entries(app, ada)] == [NOW + ONCE_IN_MS, NOW]


@pytest.mark.parametrize("path", ["", "/signals", "/explain", "/index"])
async def test_looking_at_what_a_list_shows_is_no_watching(app: Starlette, ada: dict[str, str], path: str) -> None:
    assert (await ask(app, SESSION + path, headers=ada)).status == 200
    assert await entries(app, ada) == []


async def test_what_was_refused_was_not_watched(app: Starlette, ada: dict[str, str]) -> None:
    assert (await ask(app, f"{SESSION}/events?window_id=w9", headers=ada)).status == 404
    assert await entries(app, ada) == []


async def test_who_watches_by_a_link_is_noted_as_the_link(app: Starlette, ada: dict[str, str], log: Log) -> None:
    shared = (await ask(app, f"{SESSION}/shares", method="POST", headers=ada, body={})).json()
    token = shared["url"].rpartition("/")[2]
    assert (await ask(app, f"/api/v1/shared/{token}/events?window_id=w1")).status == 200
    watch, share = await entries(app, ada)
    assert (watch["action"], watch["who"], watch["name"]) == ("watch", shared["share_id"], "share link")
    assert (share["action"], share["detail"]) == ("share", shared["share_id"])
    named = shared["share_id"].partition(".")[0]
    assert not [line for line in log.lines if named in line[1]], "it would name the session in the log"


async def test_sharing_and_deleting_are_noted(app: Starlette, ada: dict[str, str]) -> None:
    shared = (await ask(app, f"{SESSION}/shares", method="POST", headers=ada, body={})).json()
    await ask(app, f"/api/v1/shares/{shared['share_id']}", method="DELETE", headers=ada)
    await ask(app, SESSION, method="DELETE", headers=ada)
    told = [(each["action"], each["session_id"], each["detail"]) for each in await entries(app, ada)]
    assert told == [("delete", "a", "1"), ("unshare", "a", shared["share_id"]), ("share", "a", shared["share_id"])]


async def test_pages_follow_each_other(app: Starlette, services_here: Services, ada: dict[str, str]) -> None:
    audit = Audit(services_here, ServeOptions())
    access = (await Tokens(services_here.redis, services_here.names, services_here.clock_ms).all())[0].access()
    for number in range(5):
        await audit.note("watch", "shop", access, str(number))
    first = (await ask(app, "/api/v1/projects/shop/audit?limit=3", headers=ada)).json()
    second = (await ask(app, f"/api/v1/projects/shop/audit?limit=3&cursor={first['cursor']}", headers=ada)).json()
    assert [each["session_id"] for each in first["entries"] + second["entries"]] == ["4", "3", "2", "1", "0"]
    assert second["cursor"] == ""
    assert (await ask(app, "/api/v1/projects/shop/audit?cursor=next", headers=ada)).status == 400


async def test_the_log_is_capped(services_here: Services, ada: dict[str, str], redis: Redis) -> None:
    audit = Audit(services_here, ServeOptions(audit_max_entries=10))
    access = (await Tokens(services_here.redis, services_here.names, services_here.clock_ms).all())[0].access()
    assert ada
    for number in range(500):
        await audit.note("watch", "shop", access, str(number))
    # Redis drops whole nodes of a stream, of 100 entries.
    assert await redis.xlen(services_here.names.audit("shop")) <= 110


async def test_a_full_redis_is_no_reason_not_to_watch(
    app: Starlette, ada: dict[str, str], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = RedisClient.run

    async def full(self: RedisClient, call: Call, operation: Any = "read") -> Reply:
        if call.command == "XADD":
            raise Saturated("Redis is full")
        return await usual(self, call, operation)

    monkeypatch.setattr(RedisClient, "run", full)
    assert (await ask(app, f"{SESSION}/events?window_id=w1", headers=ada)).status == 200
    assert [(action, is_kept) for action, _, is_kept in log.lines] == [("watch", False)]


async def test_what_is_remembered_is_bounded(services_here: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.server.audit._MAX_RECENT", 3)
    app = create_app(services_here, ServeOptions(login="none"))
    for _ in range(2):
        for session_id in ("a", "calm"):
            await ask(app, f"/api/v1/sessions/{session_id}/bundle")
    key = services_here.names.audit("shop")
    assert await services_here.redis.run(Call("XLEN", (key,))) == 2


async def test_what_is_asked_for_at_once_is_one_entry(
    app: Starlette, services_here: Services, ada: dict[str, str]
) -> None:
    request = Request({"type": "http"})
    request.state.access = (await Tokens(services_here.redis, services_here.names, lambda: NOW).all())[0].access()
    request.state.record = record()
    audit = Audit(services_here, ServeOptions())
    await asyncio.gather(*(audit.watched(request) for _ in range(3)))
    assert len(await entries(app, ada)) == 1


async def test_what_could_not_be_noted_is_noted_the_next_time(
    app: Starlette, ada: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = RedisClient.run

    async def away(self: RedisClient, call: Call, operation: Any = "read") -> Reply:
        if call.command == "XADD":
            raise Unavailable("Redis is away")
        return await usual(self, call, operation)

    with monkeypatch.context() as patch:
        patch.setattr(RedisClient, "run", away)
        assert (await ask(app, f"{SESSION}/events?window_id=w1", headers=ada)).status == 503
    assert (await ask(app, f"{SESSION}/events?window_id=w1", headers=ada)).status == 200
    assert len(await entries(app, ada)) == 1
