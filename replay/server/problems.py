"""Errors as `application/problem+json` (RFC 9457)."""

import math
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from replay.errors import Mismatched, Poison, Saturated, Unavailable

MEDIA_TYPE: Final = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """What went wrong; `type` and `title` are the same for every problem of its kind."""

    type: str
    title: str
    status: int
    detail: str


def problem(status: int, title: str, detail: str) -> Response:
    """Make an answer of a problem."""
    content = Problem(f"urn:wince:problem:{title.replace(' ', '-')}", title, status, detail)
    return Response(msgspec.json.encode(content), status, media_type=MEDIA_TYPE)


class NotFound(Exception):
    """What was asked for is not there; the text says what."""


class NotSignedIn(Exception):
    """Nobody is known to ask this; the text says how to sign in."""


class NotAllowed(Exception):
    """Who asks this may not; the text says what is lacking."""


class TooLarge(Exception):
    """The body of a request is larger than any that is expected."""


async def answer_too_large(_: Request, error: Exception) -> Response:
    """Answer 413."""
    return problem(413, "too large", str(error))


async def answer_broken(_: Request, __: Exception) -> Response:
    """Answer 500, and tell nothing: what went wrong is in the log."""
    return problem(500, "broken", "This is a fault of the server. Its log says which.")


def too_many(seconds: float) -> Response:
    """Answer 429."""
    answer = problem(429, "too many requests", "Try again later.")
    answer.headers["retry-after"] = str(max(1, math.ceil(seconds)))
    return answer


async def answer_not_found(_: Request, error: Exception) -> Response:
    """Answer 404."""
    return problem(404, "not found", str(error))


async def answer_not_signed_in(_: Request, error: Exception) -> Response:
    """Answer 401."""
    answer = problem(401, "not signed in", str(error))
    answer.headers["www-authenticate"] = 'Bearer realm="wince"'
    return answer


async def answer_not_allowed(_: Request, error: Exception) -> Response:
    """Answer 403."""
    return problem(403, "not allowed", str(error))


async def answer_wrong(_: Request, error: Exception) -> Response:
    """Answer 400 to parameters that make no sense."""
    return problem(400, "wrong request", str(error))


async def answer_mismatched(_: Request, error: Exception) -> Response:
    """Answer 409 to what is well-formed and cannot be done."""
    return problem(409, "does not fit", str(error))


async def answer_unavailable(_: Request, error: Exception) -> Response:
    """Answer 503 when the store cannot be read now."""
    return problem(503, "store unavailable", str(error))


async def answer_http(_: Request, error: Exception) -> Response:
    """Answer for the framework: no such route, no such method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    answer = problem(status, HTTPStatus(status).phrase.lower(), "See /openapi.json for what there is.")
    answer.headers.update(headers or {})
    return answer


HANDLERS: Final = {
    NotFound: answer_not_found,
    TooLarge: answer_too_large,
    NotSignedIn: answer_not_signed_in,
    NotAllowed: answer_not_allowed,
    Poison: answer_wrong,
    Mismatched: answer_mismatched,
    Saturated: answer_unavailable,
    Unavailable: answer_unavailable,
    HTTPException: answer_http,
    Exception: answer_broken,
}
