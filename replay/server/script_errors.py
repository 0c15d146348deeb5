"""Script errors of a project in words: lists of sessions know them by fingerprint only."""

from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.api.types_errors import ScriptError, ScriptErrors
from replay.error_book import ErrorBook, ErrorEntry
from replay.server.endpoints import Endpoint, json_response, path_id
from replay.server.services import Services

MAX_ERRORS: Final = 100
"""Errors of one answer: more than a list shows beside its filters."""

_Fingerprint = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class ErrorsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which errors: `fingerprint` repeated, or none for those seen last."""

    fingerprint: Annotated[list[_Fingerprint], msgspec.Meta(max_length=MAX_ERRORS)] = []


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    book = ErrorBook(services.redis, services.settings.key_prefix)

    async def errors(request: Request, query: ErrorsQuery) -> Response:
        project_id = path_id(request, "project_id")
        if query.fingerprint:
            found = await book.read(project_id, query.fingerprint)
        else:
            found = await book.latest(project_id, MAX_ERRORS)
        return json_response(ScriptErrors([_told(fingerprint, entry) for fingerprint, entry in found.items()]))

    return [
        Endpoint(
            path="/api/v1/projects/{project_id}/errors", handler=errors, takes=ErrorsQuery, gives=ScriptErrors,
            summary="Tell script errors in words, by fingerprint or those seen last",
        )
    ]  # fmt: skip


def _told(fingerprint: str, entry: ErrorEntry) -> ScriptError:
    return ScriptError(fingerprint, entry.what, entry.first_t, entry.last_t, entry.last_release, entry.status)
