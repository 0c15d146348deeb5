"""What stands in front of the handlers: names, origins, headers, health, and what the operator is told."""

import asyncio
from dataclasses import replace

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replay.redis_client import connect
from replay.server import ServeOptions, Services, create_app
from replay.server.noting import METHODS, OTHER, PAGES, Noting
from replay.server.operations import Silent
from tests.replay.server.asking import ask
from tests.replay.server.conftest import application

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECORD = "/api/v1/sessions/a"


class Notes(Silent):
    def __init__(self) -> None:
        self.requests: list[tuple[str, str, int, int]] = []
        self.under_way = 0

    def started(self) -> None:
        self.under_way += 1

    def finished(self, route: str, method: str, status: int, seconds: float, sent_bytes: int) -> None:
        assert seconds >= 0
        self.under_way -= 1
        self.requests.append((route, method, status, sent_bytes))

    def exposition(self) -> bytes:
        return b"wince_up 1\n"


@pytest.fixture
def notes() -> Notes:
    return Notes()


class TestHealth:
    async def test_metrics_come_from_the_operators_side(self, stocked: Services, notes: Notes) -> None:
        answer = await ask(create_app(replace(stocked, operations=notes), ServeOptions()), "/metrics")
        assert (answer.headers["content-type"], answer.body) == (
            "text/plain; version=0.0.4; charset=utf-8",
            b"wince_up 1\n",
        )

    async def test_a_server_without_redis_lives_and_is_not_ready(self) -> None:
        client = connect("unix:///nowhere/redis.sock")
        broken = application(client)
        assert (await ask(broken, "/livez")).status == 200
        answer = await ask(broken, "/readyz")
        assert (answer.status, answer.json()["checks"]["redis"]) == (503, "not in reach")
        bearer = {"authorization": "Bearer wince_0_a"}
        assert (await ask(broken, RECORD, headers=bearer)).status == 503

    async def test_a_server_that_ends_is_not_ready(self, stocked: Services) -> None:
        stocked.stopping.set()
        answer = await ask(create_app(stocked, ServeOptions()), "/readyz")
        assert (answer.status, answer.json()["checks"]["drain"]) == (503, "draining")

    @pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
    async def test_probes_call_the_server_by_its_address(self, stocked: Services, path: str) -> None:
        app = create_app(stocked, ServeOptions(allowed_hosts=frozenset({"replay.test"})))
        assert (await ask(app, path, headers={"host": "10.1.2.3:8320"})).status == 200
        assert (await ask(app, "/login", headers={"host": "10.1.2.3:8320"})).status == 421
        assert (await ask(app, "/login", headers={"host": "replay.test"})).status == 200

    @pytest.mark.parametrize("host", ["elsewhere@127.0.0.1", "127.0.0.1/elsewhere", "127.0.0.1?a", "127.0.0.1#a"])
    async def test_a_name_with_more_around_it_is_none(self, app: ASGIApp, host: str) -> None:
        assert (await ask(app, RECORD, headers={"host": host})).status == 421

    async def test_any_name_is_allowed_if_that_is_said(self, stocked: Services) -> None:
        app = create_app(stocked, ServeOptions(allowed_hosts=frozenset({"*"})))
        assert (await ask(app, "/login", headers={"host": "whatever.test"})).status == 200


class TestOrigins:
    async def test_pages_of_others_are_told_nothing(self, app: ASGIApp) -> None:
        foreign = {"origin": "https://other.test"}
        answer = await ask(app, RECORD, headers=foreign)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        asked = foreign | {"access-control-request-method": "DELETE"}
        assert (await ask(app, RECORD, method="OPTIONS", headers=asked)).status == 405

    async def test_pages_of_origins_that_are_named_may_ask(self, stocked: Services) -> None:
        options = ServeOptions(login="none", cors_origins=frozenset({"https://support.test"}))
        app = create_app(stocked, options)
        answer = await ask(app, RECORD, headers={"origin": "https://support.test"})
        assert answer.headers["access-control-allow-origin"] == "https://support.test"
        assert "access-control-allow-credentials" not in answer.headers
        other = await ask(app, RECORD, headers={"origin": "https://other.test"})
        assert "access-control-allow-origin" not in other.headers
        asked = {"origin": "https://support.test", "access-control-request-method": "GET",
                 "access-control-request-headers": "authorization"}  # fmt: skip
        assert (await ask(app, RECORD, method="OPTIONS", headers=asked)).status == 200
        refused = asked | {"access-control-request-headers": "x-wince-request"}
        assert (await ask(app, RECORD, method="OPTIONS", headers=refused)).status == 400


class TestNotes:
    async def test_a_request_is_told_by_the_template_of_its_path(self, stocked: Services, notes: Notes) -> None:
        app = create_app(replace(stocked, operations=notes), ServeOptions(login="none"))
        for path in (RECORD, "/s/a", "/p/token.secret", "/assets/x/nothing.js", "/a/secret", "/"):
            await ask(app, path)
        await ask(app, RECORD, method="BREW")
        told = [(route, method) for route, method, *_ in notes.requests]
        assert told == [
            ("/api/v1/sessions/{session_id}", "GET"), ("/s", "GET"), ("/p", "GET"), ("/assets", "GET"),
            (OTHER, "GET"), ("/", "GET"), (OTHER, OTHER),
        ]  # fmt: skip
        assert notes.under_way == 0
        assert notes.requests[0][3] > 100
        assert {method for _, method in told} <= set(METHODS)
        assert {route for route, _ in told} - {OTHER} <= {*PAGES, "/api/v1/sessions/{session_id}"}

    async def test_a_handler_that_breaks_is_a_500_that_tells_nothing(
        self, stocked: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken(_session_id: str) -> None:
            raise RuntimeError("private")

        monkeypatch.setattr(stocked.store, "record", broken)
        app = create_app(replace(stocked, operations=notes), ServeOptions(login="none"))
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": RECORD,
                 "raw_path": RECORD.encode(), "query_string": b"", "headers": [(b"host", b"localhost")],
                 "client": ("127.0.0.1", 1)}  # fmt: skip
        with pytest.raises(RuntimeError):
            await app(scope, receive, send)
        assert sent[0]["status"] == 500
        assert b"private" not in b"".join(message.get("body", b"") for message in sent)
        assert notes.requests[0][2] == 500

    async def test_who_leaves_is_told_as_well(self, notes: Notes) -> None:
        async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200})
            await asyncio.Event().wait()

        async def send(_: Message) -> None:
            started.set()

        async def receive() -> Message:
            raise AssertionError("nobody reads")

        started = asyncio.Event()
        scope = {"type": "http", "method": "GET", "path": "/s/a"}
        task = asyncio.create_task(Noting(endless, notes)(scope, receive, send))
        await started.wait()
        assert notes.under_way == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (notes.under_way, notes.requests) == (0, [("/s", "GET", 200, 0)])


async def test_over_https_browsers_are_told_to_stay_there(stocked: Services) -> None:
    app = create_app(stocked, ServeOptions())

    async def over_https(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "scheme": "https"}, receive, send)

    assert (await ask(over_https, "/livez")).headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in (await ask(app, "/livez")).headers


async def test_ids_in_parameters_are_read_as_they_were_sent(app: ASGIApp) -> None:
    answer = await ask(app, "/api/v1/sessions/a%2Fb%20%C3%A9/explain")
    assert answer.json()["session_id"] == "a/b é"
