"""Who may do what: every endpoint there is, without a token, with one of another project, and with each scope."""

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.routing import Route

from replay.server import ServeOptions, Services, create_app
from replay.server.access import Scope
from replay.server.endpoints import Endpoint, Nothing
from replay.server.tokens import Tokens
from tests.replay.server.asking import Answer, ask
from tests.replay.server.conftest import NOW, application

ENDPOINTS: list[Endpoint[Any]] = application().state.endpoints
GUARDED = [each for each in ENDPOINTS if each.scope is not None]
OPEN = {"POST /login", "POST /logout", "GET /livez", "GET /readyz", "GET /metrics", "GET /openapi.json"}

OF_NO_PROJECT = {
    # They answer by what the token reaches: see the tests of each.
    "GET /api/v1/access", "GET /api/v1/projects", "POST /api/v1/deletions",
    "GET /api/v1/sessions/{session_id}/explain", "DELETE /api/v1/shares/{share_id}",
}  # fmt: skip

OPEN_PAGES = {"/login", "/p/{share_token}", "/replay"}


def named(endpoint: Endpoint[Any]) -> str:
    return f"{endpoint.method} {endpoint.path}"


def asked(endpoint: Endpoint[Any], *, project: str = "shop") -> str:
    """Fill in the path of an endpoint, and what it cannot do without."""
    path = endpoint.path.format_map(Ids(project_id=project, session_id="a"))
    required = {"/events": "?window_id=w1", "/blocks": "?window_id=w1", "/heatmap": "?page=https://shop.test/cart"}
    return path + next((query for end, query in required.items() if path.endswith(end)), "")


class Ids(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "unknown"


@pytest_asyncio.fixture(loop_scope="session")
async def tokens(stocked: Services) -> Tokens:
    return Tokens(stocked.redis, stocked.names, stocked.clock_ms)


@pytest.fixture
def guarded_app(stocked: Services) -> Starlette:
    return create_app(stocked, ServeOptions())


async def ask_with(app: Starlette, endpoint: Endpoint[Any], text: str | None, *, project: str = "shop") -> Answer:
    headers = {} if text is None else {"authorization": f"Bearer {text}"}
    body: object = b"" if endpoint.method != "POST" or endpoint.takes is Nothing else {}
    return await ask(app, asked(endpoint, project=project), method=endpoint.method, headers=headers, body=body)


def test_the_list_of_what_is_open_is_complete() -> None:
    assert {named(each) for each in ENDPOINTS if each.scope is None} == OPEN
    assert {named(each) for each in GUARDED} >= OF_NO_PROJECT


def test_no_path_is_served_twice() -> None:
    names = [named(each) for each in ENDPOINTS]
    assert len(names) == len(set(names))


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("endpoint", GUARDED, ids=named)
class TestEveryEndpoint:
    async def test_needs_a_token(self, endpoint: Endpoint[Any], guarded_app: Starlette) -> None:
        answer = await ask_with(guarded_app, endpoint, None)
        assert (answer.status, answer.json()["title"]) == (401, "not signed in")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    async def test_refuses_a_wrong_token(self, endpoint: Endpoint[Any], guarded_app: Starlette, tokens: Tokens) -> None:
        text, _ = await tokens.create("right", "shop", tuple(Scope))
        assert (await ask_with(guarded_app, endpoint, text[:-1] + ("a" if text[-1] != "a" else "b"))).status == 401

    async def test_refuses_the_token_of_another_project(
        self, endpoint: Endpoint[Any], guarded_app: Starlette, tokens: Tokens
    ) -> None:
        text, _ = await tokens.create("foreign", "travel", tuple(Scope))
        answer = await ask_with(guarded_app, endpoint, text)
        if named(endpoint) in OF_NO_PROJECT:
            assert b"button.pay" not in answer.body
        else:
            assert answer.status in {403, 404}
            assert answer.headers["content-type"] == "application/problem+json"

    async def test_needs_its_scope(self, endpoint: Endpoint[Any], guarded_app: Starlette, tokens: Tokens) -> None:
        others = tuple(scope for scope in Scope if scope is not endpoint.scope)
        text, _ = await tokens.create("other scopes", "shop", others)
        answer = await ask_with(guarded_app, endpoint, text)
        assert (answer.status, answer.json()["detail"]) == (403, f"this token lacks the scope {endpoint.scope}")

    async def test_is_not_refused_to_who_may(
        self, endpoint: Endpoint[Any], guarded_app: Starlette, tokens: Tokens
    ) -> None:
        assert endpoint.scope is not None
        if endpoint.path.endswith("/live"):
            return  # a stream without an end: its own tests open it
        text, _ = await tokens.create("right", "shop", (endpoint.scope,))
        assert (await ask_with(guarded_app, endpoint, text)).status not in {401, 403, 405, 500}

    async def test_an_expired_token_is_none(
        self, endpoint: Endpoint[Any], stocked: Services, guarded_app: Starlette
    ) -> None:
        earlier = Tokens(stocked.redis, stocked.names, lambda: NOW - 2_000)
        text, _ = await earlier.create("over", "shop", tuple(Scope), expires_at=NOW - 1_000)
        assert (await ask_with(guarded_app, endpoint, text)).status == 401


def pages() -> Iterator[str]:
    api = {path for endpoint in ENDPOINTS for path in endpoint.paths()}
    for route in application().routes:
        if isinstance(route, Route) and route.path not in api and not route.path.startswith("/assets/"):
            yield route.path


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("path", sorted(pages()))
async def test_pages_send_who_is_not_signed_in_to_the_login(path: str, guarded_app: Starlette) -> None:
    answer = await ask(guarded_app, path.format_map(Ids()))
    if path in OPEN_PAGES:
        assert answer.status == 200
    else:
        assert answer.status == 303
        assert answer.headers["location"].startswith("/login?next=")
