"""Signing in with a browser: the cookie, requests of other sites, and how often one may be wrong."""

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.types import Message, Receive, Send
from starlette.types import Scope as Connection

from replay.errors import Unavailable
from replay.server import ServeOptions, Services, create_app
from replay.server.access import Scope
from replay.server.limits import Rate
from replay.server.share_links import ShareLinks
from replay.server.signing_in import Rates, SigningIn
from replay.server.tokens import Logins, Tokens
from tests.replay.server.asking import Answer, ask
from tests.replay.server.conftest import NOW

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = {"x-wince-request": "1"}
RECORD = "/api/v1/sessions/a"


@pytest_asyncio.fixture(loop_scope="session")
async def text(stocked: Services) -> str:
    tokens = Tokens(stocked.redis, stocked.names, stocked.clock_ms)
    return (await tokens.create("Ada", "shop", (Scope.READ, Scope.SHARE)))[0]


@pytest.fixture
def app(stocked: Services) -> Starlette:
    options = ServeOptions(failed_logins_per_minute=3, allowed_hosts=frozenset({"127.0.0.1", "replay.test"}))
    return create_app(stocked, options)


async def sign_in(app: Starlette, text: str, host: str = "127.0.0.1", **headers: str) -> Answer:
    named = {"host": host, **OWN, **headers}
    return await ask(app, "/login", method="POST", headers=named, body={"token": text})


def cookie_of(answer: Answer) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


async def test_a_cookie_is_as_good_as_its_token(app: Starlette, text: str) -> None:
    answer = await sign_in(app, text)
    assert (answer.status, answer.json()) == (
        200, {"name": "Ada", "project_id": "shop", "scopes": ["read", "share"], "expires_at": 0},
    )  # fmt: skip
    cookie = {"cookie": cookie_of(answer)}
    assert (await ask(app, RECORD, headers=cookie)).status == 200
    assert (await ask(app, "/api/v1/access", headers=cookie)).json() == answer.json()
    assert (await ask(app, "/", headers=cookie)).status == 200


async def test_no_script_and_no_other_site_gets_the_cookie(app: Starlette, text: str) -> None:
    here, there = await sign_in(app, text), await sign_in(app, text, "replay.test")
    attributes = {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"}
    name, *rest = here.headers["set-cookie"].split("; ")
    assert set(rest) == attributes, "browsers take no Secure cookie from a loopback address without TLS everywhere"
    name, *rest = there.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-wince_login=")
    assert set(rest) == attributes | {"Secure"}
    assert text not in str(here.headers) + str(there.headers)


async def test_where_cookies_are_secure_no_other_is_one(app: Starlette, text: str) -> None:
    """Other hosts of our domain can set a cookie for us, and so sign a visitor in as themselves."""
    _, _, value = cookie_of(await sign_in(app, text)).partition("=")
    for name, status in (("wince_login", 401), ("__Host-wince_login", 200)):
        named = {"host": "replay.test", "cookie": f"{name}={value}"}
        assert (await ask(app, RECORD, headers=named)).status == status, name


async def test_changes_need_the_header_of_our_own_pages(app: Starlette, text: str) -> None:
    cookie = {"cookie": cookie_of(await sign_in(app, text))}
    path = f"{RECORD}/shares"
    refused = await ask(app, path, method="POST", headers=cookie)
    assert (refused.status, refused.json()["title"]) == (403, "not allowed")
    assert (await ask(app, path, method="POST", headers=cookie | OWN)).status == 201


async def test_without_a_login_changes_need_it_too(stocked: Services) -> None:
    """A page of others can send a form to this machine; it cannot send the header."""
    app = create_app(stocked, ServeOptions(login="none"))
    assert (await ask(app, RECORD, method="DELETE")).status == 403
    assert (await ask(app, RECORD)).status == 200
    assert (await ask(app, RECORD, method="DELETE", headers=OWN)).status == 200


async def test_signing_in_and_out_need_it(app: Starlette, text: str) -> None:
    assert (await ask(app, "/login", method="POST", body={"token": text})).status == 403
    cookie = {"cookie": cookie_of(await sign_in(app, text))}
    assert (await ask(app, "/logout", method="POST", headers=cookie)).status == 403
    out = await ask(app, "/logout", method="POST", headers=cookie | OWN)
    assert (out.status, "Max-Age=0" in out.headers["set-cookie"]) == (204, True)
    assert (await ask(app, RECORD, headers=cookie)).status == 401


async def test_wrong_logins_are_few_and_right_ones_are_not_shut_out(app: Starlette, text: str) -> None:
    assert [(await sign_in(app, "wince_0_no")).status for _ in range(4)] == [401, 401, 401, 429]
    refused = await sign_in(app, "wince_0_no")
    assert (refused.status, refused.json()["title"]) == (429, "too many requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await sign_in(app, text)).status == 200


@pytest.mark.parametrize("header", ["Bearer wince_0_no", "Bearer", "Basic YTpi", "", "Bearer \u00e9"])
async def test_wrong_tokens_count_as_wrong_logins(app: Starlette, header: str) -> None:
    statuses = [(await ask(app, RECORD, headers={"authorization": header})).status for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    assert (await ask(app, RECORD, headers={"authorization": header}, client="192.0.2.9")).status == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"token":1}', b'{"token":"a","more":1}', b'{"token":"\xff"}'])
async def test_a_body_that_is_none_is_refused(app: Starlette, body: bytes) -> None:
    assert (await ask(app, "/login", method="POST", headers=OWN, body=body)).status == 400


async def test_a_body_that_is_too_large_is_refused(app: Starlette) -> None:
    answer = await ask(app, "/login", method="POST", headers=OWN, body=b" " * 65_537)
    assert (answer.status, answer.json()["title"]) == (413, "too large")


@pytest.mark.parametrize("cookie", ["wince_login=", "wince_login=" + "a" * 5_000, "__Host-wince_login=\x01", "a=b"])
async def test_cookies_that_are_none_of_ours_are_nothing(app: Starlette, cookie: str) -> None:
    assert (await ask(app, RECORD, headers={"cookie": cookie})).status == 401


async def test_a_live_stream_ends_soon_after_its_token(stocked: Services, text: str) -> None:
    clock_ms = NOW
    sent: list[str] = []
    tokens = Tokens(stocked.redis, stocked.names, lambda: clock_ms)

    async def stream(scope: Connection, _receive: Receive, send: Send) -> None:
        nonlocal clock_ms
        assert scope["state"]["access"].name == "Ada"
        await send({"type": "http.response.start", "status": 200})
        await Tokens(stocked.redis, stocked.names, stocked.clock_ms).revoke(text.split("_")[1])
        for _ in range(100):
            clock_ms += 1_000
            await send({"type": "http.response.body", "body": b": beat", "more_body": True})

    async def keep(message: Message) -> None:
        sent.append(message["type"])

    rate = Rate(100, 100, stocked.clock_ms)
    door = SigningIn(
        stream, needs_login=True, tokens=tokens, logins=Logins(stocked.redis, stocked.names, tokens, 1),
        links=ShareLinks(stocked.redis, stocked.names, stocked.clock_ms),
        rates=Rates(addresses=rate, tokens=rate, failures=rate),
    )  # fmt: skip
    scope = {"type": "http", "method": "GET", "path": "/api/v1/projects/shop/live", "query_string": b"",
             "headers": [(b"authorization", f"Bearer {text}".encode())]}  # fmt: skip
    with pytest.raises(Unavailable, match="not valid any more"):
        await door(scope, nothing, keep)
    assert 1 <= sent.count("http.response.body") < 6


async def nothing() -> Message:
    raise AssertionError("nobody reads the request")


async def test_requests_are_counted_by_token_and_by_address(stocked: Services, text: str) -> None:
    app = create_app(stocked, ServeOptions(requests_per_second=1))
    bearer = {"authorization": f"Bearer {text}"}
    statuses = [(await ask(app, RECORD, headers=bearer, client=f"192.0.2.{n}")).status for n in range(6)]
    assert statuses == [200] * 5 + [429]
    anonymous = [(await ask(app, "/livez", client="198.51.100.1")).status for _ in range(6)]
    assert anonymous == [200] * 5 + [429]
