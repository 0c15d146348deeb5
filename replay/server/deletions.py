"""Deleting sessions over HTTP, with the same proof and receipt as on the command line."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from replay.deletion import Deletable, Deletion, DeletionQuery
from replay.errors import Mismatched
from replay.receipts import Receipt, make_receipt, receipt_chunks
from replay.server.access import ANY_PROJECT, Access, Scope, access_of, load_record, require
from replay.server.audit import Audit
from replay.server.endpoints import SESSION_PATH, Endpoint, Nothing, json_response, path_id
from replay.server.options import ServeOptions
from replay.server.services import Services
from replay.tombstones import Removed

AT_ONCE: Final = 200
"""Sessions deleted before readers are told of them."""

MAX_IDS: Final = 1_000

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=1_024)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
_Time = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


CHOICES: Final = ("session_ids", "project_id", "user", "tag", "page", "from", "to")
"""What sessions can be chosen by."""


class DeletionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sessions: those of which everything given here is true; at least one thing has to be given.

    `user` is a user id or anonymous id, `page` a URL (query and fragment are ignored); `from` and `to` bound the start
    of a session (epoch ms; the first included, the second not). A token of one project deletes in that project only.
    """

    session_ids: Annotated[list[_Id], msgspec.Meta(min_length=1, max_length=MAX_IDS)] = []
    project_id: Annotated[str, msgspec.Meta(min_length=1, max_length=1_024)] = ""
    user: _Text = ""
    tag: _Text = ""
    page: _Text = ""
    from_t: _Time | None = msgspec.field(default=None, name="from")
    to_t: _Time | None = msgspec.field(default=None, name="to")
    dry_run: bool = False

    def query(self) -> DeletionQuery:
        """Say the same to the store. Raises Poison if nothing is given."""
        return DeletionQuery(
            session_ids=tuple(self.session_ids), project_id=self.project_id, user=self.user, tag=self.tag,
            page=self.page, from_ms=self.from_t, to_ms=self.to_t,
        )  # fmt: skip


class DeletionPlan(msgspec.Struct, frozen=True):
    """The sessions that would be deleted."""

    dry_run: bool
    sessions: list[Deletable]


def routes(services: Services, audit: Audit, options: ServeOptions) -> list[Endpoint[Any]]:
    """List the endpoints."""
    deletions = _Deletions(services, audit, options)
    return [
        Endpoint(
            path=SESSION_PATH, method="DELETE", handler=deletions.one, takes=Nothing, gives=Receipt,
            scope=Scope.DELETE, summary="Delete a session, with proof",
        ),
        Endpoint(
            path="/api/v1/deletions", method="POST", handler=deletions.many, takes=DeletionRequest,
            gives=(DeletionPlan, Receipt), scope=Scope.DELETE, needs_one_of=CHOICES,
            summary="Delete sessions by id or by what they have in common, with proof; or list them with `dry_run`",
        ),
    ]  # fmt: skip


class _Deletions:
    def __init__(self, services: Services, audit: Audit, options: ServeOptions) -> None:
        self._services = services
        self._audit = audit
        self._max_sessions = options.max_deletions
        self._deletion = Deletion(services.redis, services.settings, services.clock_ms)
        # Each searches all of Redis, for what is meant and for what is left.
        self._one_at_a_time = asyncio.Lock()

    async def one(self, request: Request, _: Nothing) -> Response:
        """Delete a session."""
        record = await load_record(request, self._services, path_id(request, "session_id"), Scope.DELETE)
        query = DeletionQuery(session_ids=(record.session_id,), project_id=record.project_id)
        return await self._delete(access_of(request), query, [record.session_id])

    async def many(self, request: Request, asked: DeletionRequest) -> Response:
        """Delete sessions, or list them."""
        access = access_of(request)
        query = asked.query()
        if query.project_id:
            require(request, Scope.DELETE, query.project_id)
        elif access.project_id != ANY_PROJECT:
            query = msgspec.structs.replace(query, project_id=access.project_id)
        async with self._one_at_a_time:
            planned = await self._plan(query)
        if asked.dry_run:
            return json_response(DeletionPlan(dry_run=True, sessions=planned))
        return await self._delete(access, query, [each.session_id for each in planned])

    async def _plan(self, query: DeletionQuery) -> list[Deletable]:
        found: dict[str, Deletable] = {}
        for user in self._services.known_as(query.project_id, query.user) if query.user else [""]:
            planned = await self._deletion.plan(msgspec.structs.replace(query, user=user))
            found |= {each.session_id: each for each in planned}
        if len(found) > self._max_sessions:
            raise Mismatched(f"these are more than {self._max_sessions} sessions: narrow it down, or use wince delete")
        return list(found.values())

    async def _delete(self, access: Access, query: DeletionQuery, session_ids: Sequence[str]) -> Response:
        started_at = self._services.clock_ms()
        async with self._one_at_a_time:
            removed = await self._remove(session_ids)
            await self._note(access, removed)
            proof = await self._deletion.prove(removed)
        receipt = make_receipt(
            query, removed, proof, key_prefix=self._services.settings.key_prefix, started_at=started_at,
            finished_at=self._services.clock_ms(), readers=self._services.readers,
        )  # fmt: skip
        return StreamingResponse(_chunks(receipt), media_type="application/json")

    async def _remove(self, session_ids: Sequence[str]) -> list[Removed]:
        removed: list[Removed] = []
        async with self._services.open_readers() as tell:
            for start in range(0, len(session_ids), AT_ONCE):
                some = [each async for each in self._deletion.delete(session_ids[start : start + AT_ONCE])]
                await tell(some)
                removed += some
        return removed

    async def _note(self, access: Access, removed: Sequence[Removed]) -> None:
        per_project = Counter(each.tombstone.project_id for each in removed)
        for project_id, sessions in per_project.items():
            only = removed[0].session_id if len(removed) == 1 else ""
            await self._audit.note("delete", project_id or access.project_id, access, only, str(sessions))


async def _chunks(receipt: Receipt) -> AsyncIterator[bytes]:
    for chunk in receipt_chunks(receipt):
        yield chunk
