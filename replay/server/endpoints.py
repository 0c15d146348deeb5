"""Endpoints of the API: one declaration each, for routing, checking of parameters, access, and documentation."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from replay.api.parameters import read_parameters
from replay.errors import Poison
from replay.server.access import Scope, access_of, require
from replay.server.problems import TooLarge

MAX_BODY_BYTES: Final = 64 << 10
"""Bytes of a request's body."""

MAX_ID_CHARS: Final = 1_024

SESSION_PATH: Final = "/api/v1/sessions/{session_id}"
SHARED_PATH: Final = "/api/v1/shared/{share_token}"

Inputs = TypeVar("Inputs", bound=msgspec.Struct)

Handler = Callable[[Request, Inputs], Awaitable[Response]]
"""Answers a request, given its parameters: those of the query, or with POST the body, checked and typed."""


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Inputs]):
    """One method of one path.

    `takes` is a struct of the query's parameters, or with POST of the body; say `forbid_unknown_fields=True`, so that
    a misspelt filter is an error rather than ignored. A list field is a parameter that may be repeated. `needs_one_of`
    tells readers of the documentation which fields cannot all be left out.

    `scope` is checked before anything is read, with the project where the path names a `{project_id}`; a handler of a
    session calls `load_record`. Without a scope the endpoint is open to everybody.

    `gives` is the type of the answer's JSON, or a tuple of the types it may have; `None` where it has another
    `media_type`, or one of `other_media_types` if the request asks for that. `other_statuses` are those of answers that
    are no problems, such as 206 and 304. `refusals` are statuses of problems besides those that every endpoint of its
    kind has (400, 401, 403, 404 with ids in the path, 409 with parameters, 429, 503).

    `is_shared` endpoints, whose path begins with `SESSION_PATH`, are also there for who has a share link, and have to
    keep to `Access.clip` and `Access.covers`. `is_watching` endpoints show what a visitor did: who uses them is noted
    in the audit log.
    """

    path: str
    handler: Handler[Inputs]
    summary: str
    takes: type[Inputs]
    gives: object = None
    method: Literal["GET", "POST", "DELETE"] = "GET"
    scope: Scope | None = Scope.READ
    status: int = 200
    media_type: str = "application/json"
    other_media_types: tuple[str, ...] = ()
    other_statuses: tuple[int, ...] = ()
    needs_one_of: tuple[str, ...] = ()
    refusals: tuple[int, ...] = ()
    is_shared: bool = False
    is_watching: bool = False

    def paths(self) -> list[str]:
        """List where it is: its path, and the one for who has a share link."""
        shared = [SHARED_PATH + self.path.removeprefix(SESSION_PATH)] if self.is_shared else []
        return [self.path, *shared]

    async def answer(self, request: Request) -> Response:
        """Check a request, and have it answered."""
        request.state.route = self.path
        if self.scope is not None:
            self._check_access(request, self.scope)
        inputs = await read_body(request, self.takes) if self.method == "POST" else read_query(request, self.takes)
        return await self.handler(request, inputs)

    def _check_access(self, request: Request, scope: Scope) -> None:
        if "project_id" in request.path_params:
            require(request, scope, path_id(request, "project_id"))
        elif scope not in access_of(request).scopes:
            require(request, scope, access_of(request).project_id)

    def route(self) -> Route:
        """Make the framework's route of it."""
        return Route(self.path, self.answer, methods=[self.method])


def json_response(value: object, status: int = 200) -> Response:
    """Answer with JSON of a typed value."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def path_id(request: Request, name: str) -> str:
    """Read an id from the path, where it is percent-encoded. Raises Poison if it is no text."""
    raw: str = request.path_params[name]
    try:
        text = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise Poison("an id in a path is percent-encoded UTF-8") from None
    if len(text) > MAX_ID_CHARS:
        raise Poison(f"an id has at most {MAX_ID_CHARS} characters")
    return text


def read_query(request: Request, kind: type[Inputs]) -> Inputs:
    """Read the parameters of the query. Raises Poison with what is wrong."""
    return read_parameters(request.query_params.multi_items(), kind)


async def read_body(request: Request, kind: type[Inputs]) -> Inputs:
    """Read the JSON of a body; an empty one is an empty object. Raises TooLarge, or Poison with what is wrong."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"a body has at most {MAX_BODY_BYTES} bytes")
    try:
        return msgspec.convert(_with_integers(msgspec.json.decode(bytes(body) or b"{}")), kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Poison(f"the body is not what is expected: {error}") from None


def _with_integers(value: object) -> object:
    """Turn 5.0 into 5: to JSON they are the same number."""
    if isinstance(value, dict):
        return {name: _with_integers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_integers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
