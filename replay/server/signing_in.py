"""Middleware: how many requests are taken of whom, and who asks.

A request has an access by a token (`Authorization: Bearer`), by the cookie of a login, or by a share link in its path.
Handlers demand what they need of it.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from replay.errors import StoreError, Unavailable
from replay.server.access import ANY_PROJECT, Access, Scope
from replay.server.cookies import cookie_of, is_own_request
from replay.server.limits import Rate, network_of
from replay.server.problems import answer_unavailable, problem, too_many
from replay.server.share_links import ShareLinks
from replay.server.shares import share_access
from replay.server.tokens import Logins, Tokens

EVERYBODY: Final = Access(who="local", name="everybody", project_id=ANY_PROJECT, scopes=frozenset(Scope))
"""Whoever reaches a server without a login."""

SHARED_PREFIXES: Final = ("/api/v1/shared/", "/p/")
"""Paths that go on with the token of a share link."""


ENDLESS: Final = "/live"
"""How paths of streams end that have no end of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is taken: requests of each address and each token, and failed logins of each address."""

    addresses: Rate
    tokens: Rate
    failures: Rate


class _Refused(Exception):
    """The request is answered here."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class SigningIn:
    """Puts the `Access` of a request into its state, if it has one; refuses wrong tokens, and too many requests."""

    def __init__(
        self, app: ASGIApp, *, needs_login: bool, tokens: Tokens, logins: Logins, links: ShareLinks, rates: Rates
    ) -> None:
        self._app = app
        self._needs_login = needs_login
        self._tokens = tokens
        self._logins = logins
        self._links = links
        self._rates = rates

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Pass a request on with its access."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            request.state.access = await self._access(request)
        except _Refused as refusal:
            await refusal.answer(scope, receive, send)
        except StoreError as error:
            await (await answer_unavailable(request, error))(scope, receive, send)
        else:
            await self._app(scope, receive, self._while_valid(request, send))

    def _while_valid(self, request: Request, send: Send) -> Send:
        """End a stream that has no end of its own soon after its token was revoked or has expired."""
        access: Access | None = request.state.access
        has_token = access is not None and access is not EVERYBODY and not access.is_share
        if access is None or not has_token or not request.scope["path"].endswith(ENDLESS):
            return send

        async def send_if_valid(message: Message) -> None:
            if await self._tokens.find(access.who) is None:
                raise Unavailable("the token is not valid any more")
            await send(message)

        return send_if_valid

    async def _access(self, request: Request) -> Access | None:
        _limit(self._rates.addresses, address_of(request))
        path: str = request.scope["path"]
        for prefix in SHARED_PREFIXES:
            if path.startswith(prefix):
                return await self._by_share(request, path.removeprefix(prefix).partition("/")[0], prefix)
        if not self._needs_login:
            if not is_own_request(request):
                raise _Refused(_foreign())
            return EVERYBODY
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return await self._by_token(request, authorization)
        return await self._by_cookie(request)

    async def _by_share(self, request: Request, token: str, prefix: str) -> Access | None:
        share = await self._links.recognise(token)
        if share is not None:
            return share_access(share)
        self._count_failure(request)
        if prefix == SHARED_PREFIXES[0]:
            raise _Refused(problem(404, "not found", "This share link has expired, was revoked, or never was."))
        return None

    async def _by_token(self, request: Request, authorization: str) -> Access:
        scheme, _, text = authorization.partition(" ")
        token = await self._tokens.recognise(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            self._count_failure(request)
            answer = problem(401, "not signed in", "This is no token that is valid.")
            answer.headers["www-authenticate"] = 'Bearer realm="wince", error="invalid_token"'
            raise _Refused(answer)
        _limit(self._rates.tokens, token.token_id)
        return token.access()

    async def _by_cookie(self, request: Request) -> Access | None:
        cookie = cookie_of(request)
        token = await self._logins.recognise(cookie) if cookie else None
        if token is None:
            return None
        _limit(self._rates.tokens, token.token_id)
        if not is_own_request(request):
            raise _Refused(_foreign())
        return token.access()

    def _count_failure(self, request: Request) -> None:
        _limit(self._rates.failures, address_of(request))


def address_of(request: Request) -> str:
    """Return what the sender of a request is counted as."""
    return network_of(request.client.host if request.client else "")


def _limit(rate: Rate, key: str) -> None:
    seconds = rate.take(key)
    if seconds:
        raise _Refused(too_many(seconds))


def _foreign() -> Response:
    return problem(403, "not allowed", "Send the header X-Wince-Request: 1 with what changes something.")
