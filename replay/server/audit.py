"""The audit log: who did what in a project. One capped stream in Redis for each project, and lines in the log."""

from typing import Annotated, Any, Final, Literal, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.errors import Saturated, StoreError
from replay.redis_client import Call
from replay.redis_keys import KeyNames
from replay.server.access import Access, Scope, access_of
from replay.server.endpoints import Endpoint, json_response, path_id
from replay.server.options import ServeOptions
from replay.server.services import Services
from schemas.session_record import SessionRecord

Action = Literal["watch", "share", "unshare", "delete", "sign_in"]

ONCE_IN_MS: Final = 300_000
"""Watching a session takes many requests; within this time they are one entry."""

_MAX_RECENT: Final = 10_000
_STREAM_ID: Final = r"\A([0-9]{1,16}-[0-9]{1,16})?\Z"


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done: when (epoch ms), by which token or share and what people call it, and to what.

    `detail` is the id of a share link, or how many sessions were deleted.
    """

    entry_id: str
    t: int
    who: str
    name: str
    action: str
    session_id: str = ""
    detail: str = ""


class AuditPage(msgspec.Struct, frozen=True):
    """Entries, the latest first; `cursor` leads to older ones and is empty at the end."""

    entries: list[AuditEntry]
    cursor: str


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many entries, and where to go on."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(pattern=_STREAM_ID)] = ""


class Audit:
    """Writes the log."""

    def __init__(self, services: Services, options: ServeOptions) -> None:
        self._services = services
        self._max_entries = options.audit_max_entries
        self._recent: dict[tuple[str, str], int] = {}

    async def watched(self, request: Request) -> None:
        """Note that a session is being watched; the request has its access and the record in its state."""
        record: SessionRecord | None = getattr(request.state, "record", None)
        access = access_of(request)
        if record is None or not self._is_news((access.who, record.session_id)):
            return
        try:
            await self.note("watch", record.project_id, access, record.session_id)
        except StoreError:
            self._recent.pop((access.who, record.session_id), None)
            raise

    def _is_news(self, watching: tuple[str, str]) -> bool:
        """Say whether this has to be noted, and remember that it is: a page asks for several things at once."""
        now_ms = self._services.clock_ms()
        if now_ms - self._recent.get(watching, -ONCE_IN_MS) < ONCE_IN_MS:
            return False
        self._recent.pop(watching, None)
        if len(self._recent) >= _MAX_RECENT:
            self._recent.pop(next(iter(self._recent)))
        self._recent[watching] = now_ms
        return True

    async def note(
        self, action: Action, project_id: str, access: Access, session_id: str = "", detail: str = ""
    ) -> None:
        """Write an entry. A Redis that is full takes none; the line in the log is written all the same."""
        t = self._services.clock_ms()
        entry = AuditEntry(
            entry_id="*", t=t, who=access.who, name=access.name, action=action, session_id=session_id, detail=detail
        )
        is_kept = True
        try:
            await self._services.redis.run(
                note_call(self._services.names, project_id, entry, self._max_entries), "list"
            )
        except Saturated:
            is_kept = False
        # The first part of a share's id names a session, which is not for logs.
        self._services.operations.audited(action, access.who.rpartition(".")[2], is_kept=is_kept)


def note_call(names: KeyNames, project_id: str, entry: AuditEntry, max_entries: int) -> Call:
    """Make the call that writes an entry; its id is given by Redis."""
    what = ("t", entry.t, "who", entry.who, "name", entry.name, "action", entry.action)
    where = ("session_id", entry.session_id.encode("utf-8", "surrogatepass"), "detail", entry.detail)
    return Call("XADD", (names.audit(project_id),), ("MAXLEN", "~", max_entries, "*", *what, *where))


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoint."""

    async def read(request: Request, query: AuditQuery) -> Response:
        return json_response(await read_audit(services, path_id(request, "project_id"), query))

    return [
        Endpoint(
            path="/api/v1/projects/{project_id}/audit", handler=read, takes=AuditQuery, gives=AuditPage,
            scope=Scope.ADMIN, summary="Read who did what in a project, the latest first",
        )
    ]  # fmt: skip


async def read_audit(services: Services, project_id: str, query: AuditQuery) -> AuditPage:
    """Read a page of a project's log. Raises what Redis raises."""
    end = f"({query.cursor}" if query.cursor else "+"
    call = Call("XREVRANGE", (services.names.audit(project_id),), (end, "-", "COUNT", query.limit))
    reply = cast("list[tuple[bytes, dict[bytes, bytes]]]", await services.redis.run(call))
    entries = [_entry(entry_id, fields) for entry_id, fields in reply]
    return AuditPage(entries, entries[-1].entry_id if len(entries) == query.limit else "")


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> AuditEntry:
    told = {name.decode(): value.decode("utf-8", "replace") for name, value in fields.items()}
    return msgspec.convert({"entry_id": entry_id.decode(), **told}, AuditEntry, strict=False)
