"""Share links: random secrets that let their holder watch one session, or a part of it, for a while.

They are kept in the session's own slot and go with it. A link's token names its session, so that nothing else has to.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Final, cast

import msgspec

from replay.errors import Mismatched
from replay.redis_client import Call, RedisClient, load_script
from replay.redis_keys import KeyNames
from replay.server.problems import NotFound
from replay.server.secrets import digest, is_same, new_id, new_secret
from schemas.session_record import SessionRecord

MAX_SHARES: Final = 100
"""Share links of one session that are valid at a time."""

_SHARE: Final = load_script("share")
_NO_SESSION: Final = 0
_TOO_MANY: Final = -1


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a share link. Times are epoch ms; without `from_t` or `to_t` (both included) there is no bound.

    `created_by` is the id of the token it was made with.
    """

    share_id: str
    session_id: str
    project_id: str
    created_by: str
    created_at: int
    expires_at: int
    sha256: str
    from_t: int | None = None
    to_t: int | None = None


class ShareLinks:
    """Makes, lists, revokes and recognises share links."""

    def __init__(self, redis: RedisClient, names: KeyNames, clock_ms: Callable[[], int]) -> None:
        self._redis = redis
        self._names = names
        self._clock_ms = clock_ms

    async def create(
        self, record: SessionRecord, created_by: str, expires_at: int, *, from_t: int | None, to_t: int | None
    ) -> tuple[str, Share]:
        """Make a share link of a session; give its token, which nothing can tell again, and what is kept.

        Raises NotFound if the session is gone, Mismatched if it has too many.
        """
        now_ms, secret = self._clock_ms(), new_secret()
        share = Share(
            share_id=_share_id(record.session_id), session_id=record.session_id, project_id=record.project_id,
            created_by=created_by, created_at=now_ms, expires_at=expires_at, sha256=digest(secret), from_t=from_t,
            to_t=to_t,
        )  # fmt: skip
        await self._forget_expired(record.session_id, now_ms)
        keys = self._names.session(record.session_id)
        arguments = (share.share_id, msgspec.json.encode(share), expires_at - now_ms, MAX_SHARES)
        made = await self._redis.run(Call(_SHARE, (keys.record, keys.shares), arguments), "list")
        if made == _NO_SESSION:
            raise NotFound("there is no such session any more")
        if made == _TOO_MANY:
            raise Mismatched(f"a session has at most {MAX_SHARES} share links: revoke some")
        return f"{share.share_id}.{secret}", share

    async def _forget_expired(self, session_id: str, now_ms: int) -> None:
        expired = [each.share_id for each in await self._all(session_id) if each.expires_at <= now_ms]
        if expired:
            await self._redis.run(Call("HDEL", (self._names.session(session_id).shares,), expired), "list")

    async def in_force(self, session_id: str) -> list[Share]:
        """List the share links of a session that are valid, the latest first."""
        now_ms = self._clock_ms()
        valid = [share for share in await self._all(session_id) if share.expires_at > now_ms]
        return sorted(valid, key=lambda share: (-share.created_at, share.share_id))

    async def _all(self, session_id: str) -> list[Share]:
        reply = await self._redis.run(Call("HVALS", (self._names.session(session_id).shares,)))
        return [msgspec.json.decode(text, type=Share) for text in cast("list[bytes]", reply)]

    async def find(self, share_id: str) -> Share | None:
        """Return a valid share link by its id."""
        session_id = _session_of(share_id)
        if session_id is None:
            return None
        reply = await self._redis.run(Call("HGET", (self._names.session(session_id).shares,), (share_id,)))
        share = None if reply is None else msgspec.json.decode(cast("bytes", reply), type=Share)
        return share if share is not None and share.expires_at > self._clock_ms() else None

    async def revoke(self, share: Share) -> None:
        """Revoke a share link."""
        key = self._names.session(share.session_id).shares
        await self._redis.run(Call("HDEL", (key,), (share.share_id,)), "list")

    async def recognise(self, token: str) -> Share | None:
        """Return the share link of a token, if it is one that is valid."""
        share_id, _, secret = token.rpartition(".")
        share = await self.find(share_id) if share_id and secret else None
        return share if share is not None and is_same(secret, share.sha256) else None


def _share_id(session_id: str) -> str:
    named = base64.urlsafe_b64encode(session_id.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    return f"{named}.{new_id()}"


def _session_of(share_id: str) -> str | None:
    """Read which session a share link is of; nothing where the id is not one of ours."""
    named, dot, _ = share_id.partition(".")
    try:
        session = base64.b64decode(named + "=" * (-len(named) % 4), altchars=b"-_", validate=True)
        return session.decode("utf-8", "surrogatepass") if dot and session else None
    except (binascii.Error, ValueError):
        return None
