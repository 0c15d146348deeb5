"""Share links over HTTP: making, listing and revoking them."""

from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.errors import Mismatched
from replay.server.access import Access, Scope, access_of, load_record
from replay.server.audit import Audit
from replay.server.endpoints import SESSION_PATH, Endpoint, Nothing, json_response, path_id
from replay.server.options import ServeOptions
from replay.server.problems import NotFound
from replay.server.services import Services
from replay.server.share_links import Share, ShareLinks

DAY_S: Final = 86_400

_Time = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class ShareRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to share: moments `from` to `to` (epoch ms, both included; all where left out), and for how many seconds."""

    from_t: _Time | None = msgspec.field(default=None, name="from")
    to_t: _Time | None = msgspec.field(default=None, name="to")
    expires_in_s: Annotated[int, msgspec.Meta(ge=1, le=10 * 366 * DAY_S)] = 7 * DAY_S


class SharedLink(msgspec.Struct, frozen=True):
    """A new share link. Its address cannot be told again. `expires_at` is epoch ms."""

    share_id: str
    url: str
    expires_at: int


class ShareEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A share link in force; `created_by` is the id of a token. Times are epoch ms."""

    share_id: str
    created_by: str
    created_at: int
    expires_at: int
    from_t: int | None = msgspec.field(default=None, name="from")
    to_t: int | None = msgspec.field(default=None, name="to")


class ShareList(msgspec.Struct, frozen=True):
    """The share links of a session that are in force, the latest first."""

    shares: list[ShareEntry]


def share_access(share: Share) -> Access:
    """Say what a share link allows: reading of its session, from its first moment to its last."""
    bounds = {name: t for name, t in (("from_t", share.from_t), ("to_t", share.to_t)) if t is not None}
    return Access(
        who=share.share_id, name="share link", project_id=share.project_id, scopes=frozenset({Scope.READ}),
        session_id=share.session_id, expires_at=share.expires_at, **bounds,
    )  # fmt: skip


def routes(services: Services, links: ShareLinks, audit: Audit, options: ServeOptions) -> list[Endpoint[Any]]:
    """List the endpoints."""
    shares = _Shares(services, links, audit, options)
    path = f"{SESSION_PATH}/shares"
    return [
        Endpoint(
            path=path, method="POST", handler=shares.create, takes=ShareRequest, gives=SharedLink, status=201,
            scope=Scope.SHARE, summary="Make a link with which anyone can watch a session, or a part of it",
        ),
        Endpoint(
            path=path, handler=shares.list, takes=Nothing, gives=ShareList, scope=Scope.SHARE,
            summary="List the share links of a session that are in force",
        ),
        Endpoint(
            path="/api/v1/shares/{share_id}", method="DELETE", handler=shares.revoke, takes=Nothing, status=204,
            scope=Scope.SHARE, summary="Revoke a share link at once",
        ),
    ]  # fmt: skip


class _Shares:
    def __init__(self, services: Services, links: ShareLinks, audit: Audit, options: ServeOptions) -> None:
        self._services = services
        self._links = links
        self._audit = audit
        self._max_lifetime_ms = options.max_share_lifetime_ms

    async def create(self, request: Request, asked: ShareRequest) -> Response:
        """Make a share link."""
        record = await load_record(request, self._services, path_id(request, "session_id"), Scope.SHARE)
        access, lifetime_ms = access_of(request), asked.expires_in_s * 1_000
        if lifetime_ms > self._max_lifetime_ms:
            raise Mismatched(f"a share link lives for at most {self._max_lifetime_ms // 1_000} seconds")
        if asked.from_t is not None and asked.to_t is not None and asked.from_t > asked.to_t:
            raise Mismatched("from is not after to")
        expires_at = self._services.clock_ms() + lifetime_ms
        token, share = await self._links.create(
            record, access.who, expires_at, from_t=asked.from_t, to_t=asked.to_t
        )  # fmt: skip
        await self._audit.note("share", record.project_id, access, record.session_id, share.share_id)
        url = f"{request.url.scheme}://{request.url.netloc}/p/{token}"
        return json_response(SharedLink(share.share_id, url, share.expires_at), 201)

    async def list(self, request: Request, _: Nothing) -> Response:
        """List share links."""
        record = await load_record(request, self._services, path_id(request, "session_id"), Scope.SHARE)
        return json_response(ShareList([_entry(share) for share in await self._links.in_force(record.session_id)]))

    async def revoke(self, request: Request, _: Nothing) -> Response:
        """Revoke a share link."""
        access = access_of(request)
        share = await self._links.find(path_id(request, "share_id"))
        if share is None or not access.reaches(share.project_id):
            raise NotFound("there is no such share link")
        await self._links.revoke(share)
        await self._audit.note("unshare", share.project_id, access, share.session_id, share.share_id)
        return Response(status_code=204)


def _entry(share: Share) -> ShareEntry:
    return ShareEntry(
        share_id=share.share_id, created_by=share.created_by, created_at=share.created_at,
        expires_at=share.expires_at, from_t=share.from_t, to_t=share.to_t,
    )  # fmt: skip
