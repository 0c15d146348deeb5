"""Signing in and out with a token in a browser, and saying who one is."""

from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.server.access import Access, Scope, access_of
from replay.server.audit import Audit
from replay.server.cookies import OWN_HEADER, clear_cookie, cookie_of, is_own_request, set_cookie
from replay.server.endpoints import Endpoint, Nothing, json_response
from replay.server.limits import Rate
from replay.server.problems import NotAllowed, NotSignedIn, too_many
from replay.server.services import Services
from replay.server.signing_in import address_of
from replay.server.tokens import Logins, Tokens


class LoginRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token to sign in with."""

    token: Annotated[str, msgspec.Meta(max_length=200)]

    def __repr__(self) -> str:
        """Show nothing: this may end up in a log."""
        return "LoginRequest(...)"


class Visitor(msgspec.Struct, frozen=True):
    """Who asks, and what they may: a project (`*` is all), scopes, and until when (epoch ms; 0: for good)."""

    name: str
    project_id: str
    scopes: list[Scope]
    expires_at: int


def routes(services: Services, tokens: Tokens, logins: Logins, failures: Rate, audit: Audit) -> list[Endpoint[Any]]:
    """List the endpoints."""
    login = _Login(services, tokens, logins, failures, audit)
    return [
        Endpoint(
            path="/login", method="POST", handler=login.sign_in, takes=LoginRequest, gives=Visitor, scope=None,
            refusals=(401, 403), summary="Sign a browser in with a token",
        ),
        Endpoint(
            path="/logout", method="POST", handler=login.sign_out, takes=Nothing, status=204, scope=None,
            refusals=(403,), summary="Sign a browser out",
        ),
        Endpoint(
            path="/api/v1/access", handler=login.whoami, takes=Nothing, gives=Visitor,
            summary="Say what a token may do",
        ),
    ]  # fmt: skip


class _Login:
    def __init__(self, services: Services, tokens: Tokens, logins: Logins, failures: Rate, audit: Audit) -> None:
        self._services = services
        self._tokens = tokens
        self._logins = logins
        self._failures = failures
        self._audit = audit

    async def sign_in(self, request: Request, asked: LoginRequest) -> Response:
        """Exchange a token for a cookie."""
        _demand_own(request)
        token = await self._tokens.recognise(asked.token.strip())
        if token is None:
            seconds = self._failures.take(address_of(request))
            if seconds:
                return too_many(seconds)
            raise NotSignedIn("this is no token that is valid")
        cookie, lifetime_ms = await self._logins.open(token, self._services.clock_ms())
        access = token.access()
        await self._audit.note("sign_in", access.project_id, access)
        response = json_response(_visitor(access))
        set_cookie(request, response, cookie, lifetime_ms)
        return response

    async def sign_out(self, request: Request, _: Nothing) -> Response:
        """Forget a cookie, here and in the browser."""
        _demand_own(request)
        cookie = cookie_of(request)
        if cookie:
            await self._logins.close(cookie)
        response = Response(status_code=204)
        clear_cookie(request, response)
        return response

    async def whoami(self, request: Request, _: Nothing) -> Response:
        """Tell what an access allows."""
        return json_response(_visitor(access_of(request)))


def _demand_own(request: Request) -> None:
    if not is_own_request(request):
        raise NotAllowed(f"send the header {OWN_HEADER}: 1")


def _visitor(access: Access) -> Visitor:
    return Visitor(access.name, access.project_id, sorted(access.scopes), access.expires_at)
