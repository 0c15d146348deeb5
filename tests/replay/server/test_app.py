"""What every request passes, and the reads of one session."""

import pytest
from starlette.types import ASGIApp

from replay.errors import Unavailable
from replay.server import ServeOptions, Services, create_app
from schemas.session_record import SessionRecord
from schemas.signals import Signal
from tests.replay.samples import signal
from tests.replay.server.asking import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSION = "/api/v1/sessions"


class TestOneSession:
    async def test_its_record_and_its_signals(self, app: ASGIApp, stocked: Services) -> None:
        assert (await ask(app, f"{SESSION}/a")).json(SessionRecord) == await stocked.store.record("a")
        assert (await ask(app, f"{SESSION}/a/signals")).json(list[Signal]) == [signal()]

    @pytest.mark.parametrize(
        ("name", "stored", "reason"), [("a", True, "gap"), ("ghost", False, "not_json"), ("x", False, "")]
    )
    async def test_every_session_is_explained(self, app: ASGIApp, name: str, *, stored: bool, reason: str) -> None:
        explained = (await ask(app, f"{SESSION}/{name}/explain")).json()
        assert explained["stored"] is stored
        assert reason in [statement["reason"] for statement in explained["statements"]]

    async def test_a_deleted_one_is_explained(self, app: ASGIApp, stocked: Services) -> None:
        await stocked.store.withdraw("a", "session_deleted")
        explained = (await ask(app, f"{SESSION}/a/explain")).json()
        assert [statement["reason"] for statement in explained["statements"]] == ["session_deleted"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/nobody", 404), ("/nobody/signals", 404), ("/a/nothing", 404), ("/a/signals/", 404), ("/%ff", 400),
            ("/a?unknown=1", 400), ("/" + "a" * 1_025, 400), ("/a?" + "&".join(["x=1"] * 101), 400),
        ],
    )  # fmt: skip
    async def test_wrong_requests_are_problems(self, app: ASGIApp, path: str, status: int) -> None:
        answer = await ask(app, SESSION + path)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json().keys() == {"type", "title", "status", "detail"}
        assert answer.json()["status"] == status

    async def test_methods_that_are_not_there(self, app: ASGIApp) -> None:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = await ask(app, f"{SESSION}/a/signals", method=method, headers={"x-wince-request": "1"})
            assert (answer.status, answer.json()["status"], "GET" in answer.headers["allow"]) == (405, 405, True)

    @pytest.mark.parametrize(
        "hosts",
        [("evil.test",), ("evil.test:8000",), ("127.0.0.1.evil.test",), ("localhost", "evil.test"), ("",), ("[::1",),
         ("localhost@evil.test",), ("10.0.0.1",)],
    )  # fmt: skip
    async def test_other_names_of_this_host_are_refused(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        answer = await ask(app, f"{SESSION}/a", headers=[("host", host) for host in hosts])
        assert (answer.status, answer.json()["title"]) == (421, "unknown host")

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:8000"])
    async def test_names_of_this_machine_are_served(self, app: ASGIApp, host: str) -> None:
        assert (await ask(app, f"{SESSION}/a", headers={"host": host})).status == 200

    async def test_a_store_that_is_away_is_a_503(self, stocked: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        async def away(_session_id: str) -> SessionRecord | None:
            raise Unavailable("Redis cannot be reached")

        monkeypatch.setattr(stocked.store, "record", away)
        answer = await ask(create_app(stocked, ServeOptions(login="none")), f"{SESSION}/a")
        assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")


class TestSafety:
    @pytest.mark.parametrize("path", ["/", "/livez", f"{SESSION}/a", f"{SESSION}/nobody", "/nothing"])
    async def test_every_answer_forbids_guessing_and_sharing(self, app: ASGIApp, path: str) -> None:
        headers = (await ask(app, path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert not [name for name in headers if name.startswith("access-control-")]
