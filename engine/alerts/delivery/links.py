"""Links to the moments of an alert: for everybody who has them, for some days, or for who can sign in."""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote

import msgspec

from engine.alerts.routes import Route
from engine.settings._units import MINUTE_MS
from replay.errors import Mismatched
from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.redis_reads import decode_record
from replay.server.audit import AuditEntry, note_call
from replay.server.problems import NotFound
from replay.server.share_links import ShareLinks
from schemas.alert_messages import AlertLink
from schemas.alerts import Alert, Moment
from schemas.session_record import SessionRecord

BEFORE_MS: Final = 2 * MINUTE_MS
AFTER_MS: Final = 2 * MINUTE_MS
"""Of a shared session, only what is around the moment is shown."""

SHARED_BY: Final = "alerts"


class ViewerSettings(NamedTuple):
    """Where people find the viewer (`public_url`, empty if nobody does), and what holds for share links."""

    public_url: str
    max_share_lifetime_ms: int
    max_audit_entries: int


class Shown(NamedTuple):
    """An alert with the moments that can still be watched, and links to them."""

    alert: Alert
    links: list[AlertLink]


class Links(Protocol):
    """Who makes links; raises what RedisClient raises. `public_url` is where people find the viewer."""

    @property
    def public_url(self) -> str:
        """Where people find the viewer."""
        ...

    async def make(self, alert: Alert, route: Route, made: list[AlertLink] | None, *, may_share: bool) -> Shown:
        """Leave moments out whose sessions were deleted, and make links to the others; `made` are from before."""
        ...


class SampleLinks:
    """Makes links to the viewer alone, for samples: their sessions are not there."""

    def __init__(self, public_url: str) -> None:
        self.public_url = public_url

    async def make(self, alert: Alert, route: Route, made: list[AlertLink] | None, *, may_share: bool) -> Shown:
        """Make links to the viewer."""
        del made, may_share
        links = [AlertLink(each.session_id, each.t, f"{self.public_url}/") for each in alert.moments]
        return Shown(alert, links if self.public_url and route.links != "none" else [])


class MomentLinks:
    """Makes links. Raises what RedisClient raises."""

    def __init__(
        self, client: RedisClient, key_prefix: str, viewer: ViewerSettings, clock_ms: Callable[[], int]
    ) -> None:
        self._client = client
        self._names = KeyNames(key_prefix)
        self._viewer = viewer
        self._clock_ms = clock_ms
        self._shares = ShareLinks(client, self._names, clock_ms)

    @property
    def public_url(self) -> str:
        """Where people find the viewer."""
        return self._viewer.public_url

    async def make(self, alert: Alert, route: Route, made: list[AlertLink] | None, *, may_share: bool) -> Shown:
        """Leave moments out whose sessions were deleted, and make links to the others; `made` are from before."""
        records = await self._records(alert)
        there = [moment for moment in alert.moments if moment.session_id in records]
        shown = msgspec.structs.replace(alert, moments=there)
        if route.links == "none" or not self._viewer.public_url:
            return Shown(shown, [])
        if made is not None:
            return Shown(shown, [link for link in made if link.session_id in records])
        is_shared = route.links == "share" and may_share
        links = [await self._link(moment, route, records[moment.session_id] if is_shared else None) for moment in there]
        return Shown(shown, links)

    async def _records(self, alert: Alert) -> dict[str, SessionRecord | None]:
        """Read what is stored of sessions, nothing where that is not there yet; deleted ones are left out."""
        calls = []
        for moment in alert.moments:
            keys = self._names.session(moment.session_id)
            calls += [Call("HEXISTS", (keys.meta,), ("withdrawn",)), Call("GET", (keys.record,))]
        replies = await self._client.run_many(calls) if calls else []
        found: dict[str, SessionRecord | None] = {}
        for moment, withdrawn, text in zip(alert.moments, replies[::2], replies[1::2], strict=True):
            record = decode_record(text)
            if not withdrawn and (record is None or record.project_id == alert.project_id):
                found[moment.session_id] = record
        return found

    async def _link(self, moment: Moment, route: Route, record: SessionRecord | None) -> AlertLink:
        if record is not None:
            try:
                return await self._share(moment, route, record)
            except (Mismatched, NotFound):
                pass  # too many links already, or deleted just now: who can sign in sees what there is
        path = f"s/{quote(moment.session_id, safe='')}"
        return AlertLink(moment.session_id, moment.t, f"{self._viewer.public_url}/{path}?t={moment.t}")

    async def _share(self, moment: Moment, route: Route, record: SessionRecord) -> AlertLink:
        expires_at = self._clock_ms() + min(route.share_lifetime_ms, self._viewer.max_share_lifetime_ms)
        token, share = await self._shares.create(
            record, SHARED_BY, expires_at, from_t=moment.t - BEFORE_MS, to_t=moment.t + AFTER_MS
        )
        entry = AuditEntry(
            entry_id="*", t=self._clock_ms(), who=SHARED_BY, name=f"{SHARED_BY}: {route.name}", action="share",
            session_id=record.session_id, detail=share.share_id,
        )  # fmt: skip
        await self._client.run(note_call(self._names, record.project_id, entry, self._viewer.max_audit_entries), "list")
        return AlertLink(moment.session_id, moment.t, f"{self._viewer.public_url}/p/{token}?t={moment.t}", expires_at)
