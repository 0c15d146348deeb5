"""The HTTP surface: what it gives, what it refuses, and that a recording cannot speak through it."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio
from starlette.types import ASGIApp, Message

from replay.directory_store import DirectoryStore
from replay.errors import Unavailable
from replay.server import create_app
from replay.store import StoreSettings
from schemas.bundle_index import BundleIndex, Hole
from schemas.session_record import PageVisit, SessionRecord
from schemas.signals import Signal, Target
from tests.replay.samples import T0, block, event, record, signal, write

HOSTILE = "<script>alert(1)</script>\"'&\u202e/../"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self, kind: Any = object) -> Any:
        return msgspec.json.decode(self.body, type=kind)


async def get(app: ASGIApp, path: str, *hosts: str, method: str = "GET") -> Answer:
    """Ask the application as a server would."""
    sent: list[Message] = []
    route, _, query = path.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
        "path": "decoded by the server, not to be used", "raw_path": route.encode(), "query_string": query.encode(),
        "headers": [(b"host", host.encode()) for host in hosts or ("127.0.0.1:8000",)],
    }  # fmt: skip

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("the client stays until it has its answer")

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[DirectoryStore]:
    store = DirectoryStore(tmp_path, StoreSettings())
    drafts = [block([0, 10], keyframe=True), block([20], sequence=1), block([5], window="w2", keyframe=True)]
    await store.apply(write(blocks=drafts, signals=[signal()], holes=[Hole("w1", "gap", T0, 7, 8)]))
    await store.apply(write("calm", record_of=record("calm", score=0.0, tags={})))
    await store.note_fate("ghost", "shop", "not_json", 2, T0)
    yield store
    store.discard()


@pytest.fixture
def app(store: DirectoryStore) -> ASGIApp:
    return create_app(store, {"not_json": "The message is no JSON text."})


class TestRoutes:
    async def test_sessions_come_with_the_highest_score_first(self, app: ASGIApp) -> None:
        answer = await get(app, "/sessions")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert [each["session_id"] for each in answer.json()["sessions"]] == ["a", "calm"]

    async def test_sessions_with_a_tag(self, app: ASGIApp) -> None:
        answer = await get(app, "/sessions?tag=rage_click&project=shop")
        assert [each["session_id"] for each in answer.json()["sessions"]] == ["a"]
        assert (await get(app, "/sessions?tag=none")).json() == {"sessions": [], "cursor": ""}

    async def test_pages_follow_each_other(self, app: ASGIApp) -> None:
        first = (await get(app, "/sessions?limit=1")).json()
        second = (await get(app, f"/sessions?limit=1&cursor={quote(first['cursor'])}")).json()
        assert [page["sessions"][0]["session_id"] for page in (first, second)] == ["a", "calm"]
        assert second["cursor"] == ""

    async def test_a_session_in_parts(self, app: ASGIApp, store: DirectoryStore) -> None:
        assert (await get(app, "/sessions/a")).json(SessionRecord) == await store.record("a")
        assert (await get(app, "/sessions/a/signals")).json(list[Signal]) == [signal()]
        assert (await get(app, "/sessions/a/index")).json(BundleIndex) == await store.index("a")

    async def test_events_from_the_keyframe_before(self, app: ASGIApp) -> None:
        answer = await get(app, f"/sessions/a/events?window_id=w1&from={T0 + 15}&to={T0 + 15}")
        assert answer.headers["content-type"] == "application/jsonl"
        assert answer.body.splitlines() == [b'{"window_id":"w1","event":%s}' % event(t, text="") for t in (0, 10)]
        assert len((await get(app, "/sessions/a/events?window_id=w1")).body.splitlines()) == 3

    async def test_a_whole_bundle(self, app: ASGIApp) -> None:
        answer = await get(app, "/sessions/a/bundle")
        windows = [line["window_id"] for line in map(msgspec.json.decode, answer.body.splitlines())]
        assert windows == ["w1", "w1", "w1", "w2"]

    async def test_a_long_bundle_comes_in_pieces(self, app: ASGIApp, store: DirectoryStore) -> None:
        await store.apply(write("long", blocks=[block(range(2_000), padding=100)]))
        assert len((await get(app, "/sessions/long/bundle")).body.splitlines()) == 2_000

    @pytest.mark.parametrize(
        ("name", "stored", "reason"), [("a", True, "gap"), ("ghost", False, "not_json"), ("x", False, "")]
    )
    async def test_every_session_is_explained(self, app: ASGIApp, name: str, *, stored: bool, reason: str) -> None:
        explained = (await get(app, f"/sessions/{name}/explain")).json()
        assert explained["stored"] is stored
        assert reason in [statement["reason"] for statement in explained["statements"]]


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/sessions/nobody", 404), ("/sessions/nobody/signals", 404), ("/sessions/nobody/index", 404),
            ("/sessions/nobody/bundle", 404), ("/sessions/nobody/events?window_id=w1", 404), ("/nothing", 404),
            ("/sessions/a/events", 404), ("/sessions/a/events?window_id=w9", 404), ("/sessions/a/bundle/", 404),
            ("/sessions/a/events?window_id=w1&from=soon", 400), ("/sessions/a/events?window_id=w1&to=1e9", 400),
            (f"/sessions/a/events?window_id=w1&from={10**30}", 400), ("/sessions/%ff", 400),
            ("/sessions?limit=0", 400), ("/sessions?limit=501", 400), ("/sessions?limit=x", 400),
            ("/sessions?cursor=%21", 400),
        ],
    )  # fmt: skip
    async def test_wrong_requests_are_problems(self, app: ASGIApp, path: str, status: int) -> None:
        answer = await get(app, path)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json().keys() == {"title", "status", "detail"}
        assert answer.json()["status"] == status

    async def test_nothing_can_be_changed(self, app: ASGIApp) -> None:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = await get(app, "/sessions/a", method=method)
            assert (answer.status, answer.json()["status"], "GET" in answer.headers["allow"]) == (405, 405, True)

    @pytest.mark.parametrize(
        "hosts",
        [("evil.test",), ("evil.test:8000",), ("127.0.0.1.evil.test",), ("localhost", "evil.test"), ("",), ("[::1",),
         ("localhost@evil.test",), ("10.0.0.1",)],
    )  # fmt: skip
    async def test_other_names_of_this_host_are_refused(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        answer = await get(app, "/sessions", *hosts)
        assert (answer.status, answer.json()["title"]) == (421, "unknown host")

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:8000"])
    async def test_names_of_this_machine_are_served(self, app: ASGIApp, host: str) -> None:
        assert (await get(app, "/sessions", host)).status == 200

    async def test_several_projects_must_be_told_apart(self, app: ASGIApp, store: DirectoryStore) -> None:
        await store.apply(write("other", project_id="travel"))
        assert (await get(app, "/sessions")).status == 400
        answer = await get(app, "/sessions?project=travel")
        assert [each["session_id"] for each in answer.json()["sessions"]] == ["other"]

    async def test_without_any_project_the_list_is_empty(self, tmp_path: Path) -> None:
        empty = DirectoryStore(tmp_path / "empty", StoreSettings())
        assert (await get(create_app(empty, {}), "/sessions")).json() == {"sessions": [], "cursor": ""}
        assert b"No sessions yet" in (await get(create_app(empty, {}), "/")).body
        empty.discard()

    async def test_a_store_that_is_away_is_a_503(self, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
        async def away(_session_id: str) -> SessionRecord | None:
            raise Unavailable("Redis cannot be reached")

        monkeypatch.setattr(store, "record", away)
        answer = await get(create_app(store, {}), "/sessions/a")
        assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")


class TestSafety:
    @pytest.mark.parametrize("path", ["/", "/sessions", "/sessions/a", "/nothing"])
    async def test_every_answer_forbids_guessing_and_sharing(self, app: ASGIApp, path: str) -> None:
        headers = (await get(app, path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["referrer-policy"] == "no-referrer"
        assert not [name for name in headers if name.startswith("access-control-")]

    async def test_the_page_shows_the_moments_and_runs_nothing(self, app: ASGIApp) -> None:
        answer = await get(app, "/")
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        page = answer.body.decode()
        assert "button.pay" in page
        assert page.index(">a<") < page.index(">calm<")

    async def test_words_from_recordings_stay_words(self, app: ASGIApp, store: DirectoryStore) -> None:
        hurt = Signal(
            "s", HOSTILE, HOSTILE, HOSTILE, HOSTILE, T0, T0, HOSTILE, Target(1, HOSTILE, HOSTILE), HOSTILE, {}
        )
        page = [PageVisit(HOSTILE, HOSTILE, T0)]
        shown = record(HOSTILE, project_id=HOSTILE, tags={HOSTILE: 1}, pages=page, started_at=2**60)
        await store.apply(write(HOSTILE, project_id=HOSTILE, record_of=shown, signals=[hurt] * 1))
        html = (await get(app, "/")).body.decode()
        assert "<script" not in html
        tags = set(re.findall(r"<([a-z0-9]+)", html))
        assert tags == {"html", "meta", "title", "style", "h1", "h2", "article", "span", "code", "bdi", "small", "ol",
                        "li", "a"}  # fmt: skip
        assert html.count("alert(1)") >= 6
        links = re.findall(r'href="([^"]*)"', html)
        for link in links:
            assert (await get(app, link)).status == 200
        assert all(link.startswith("/sessions/") for link in links)

    async def test_long_lists_of_moments_are_cut(self, app: ASGIApp, store: DirectoryStore) -> None:
        await store.apply(write("loud", signals=[signal(f"n{n}", session_id="loud", t=n) for n in range(50)]))
        page = (await get(app, "/")).body.decode()
        assert page.count("<li>") == 21
        assert "and 30 more" in page
