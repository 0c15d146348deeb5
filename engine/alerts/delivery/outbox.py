"""The outbox: messages that wait to be sent, in Redis, beside the state of their project.

A message is put in by the write that stores what its alert came of (`ENQUEUE`), so that there is one exactly if there
is the other. Who sends holds a message for the time of a lease; if that runs out, another sends it again. All other
steps are scripts that bear being carried out twice.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from importlib.resources import files
from typing import Final, NamedTuple, cast

import msgspec

from engine.alerts.names import AlertNames, ProjectKeys
from engine.alerts.routing import KNOWN_MS, SENT_KEPT_MS, Message, message_id
from engine.settings._units import DAY_MS, MINUTE_MS
from replay.redis_client import Argument, Call, RedisClient, Script
from schemas.alert_messages import AlertLink

MAX_WAITING: Final = 10_000
"""Messages of a project that wait at a time; beyond, they are among the failed at once."""

MAX_FAILED: Final = 1_000
FAILED_KEPT_MS: Final = 30 * DAY_MS

_MAX_LISTED: Final = 10_000
_FORGET_ATTEMPTS: Final = 5

_CLAIM_KEPT_MS: Final = MINUTE_MS
"""Longer than redis-py repeats what got no reply."""


def _text(name: str) -> str:
    return files("engine.alerts.delivery").joinpath("lua", f"{name}.lua").read_text("utf-8")


def _script(text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


ENQUEUE: Final = _text("enqueue")
"""Lua: the function `enqueue`, to be put in front of a script that calls it with `enqueue_arguments` among its own."""

_CLAIM: Final = _script(_text("claim"))
_SENT: Final = _script(_text("sent"))
_POSTPONE: Final = _script(_text("postpone"))
_FAIL: Final = _script(_text("trim") + _text("fail"))
_TIDY: Final = _script(_text("trim") + _text("tidy"))
_RESEND: Final = _script(_text("resend"))
_PACE: Final = _script(_text("pace"))
_REWRITE: Final = _script(_text("rewrite"))
_TAKE: Final = _script(_text("take"))


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message in the outbox and what has happened to it; times are epoch ms of the wall clock.

    `held_until_ms` is the end of the silence it waits for. `note` says what came of the last attempt. `links` are those
    made for it, so that another attempt makes no more.
    """

    message: Message
    put_ms: int
    held_until_ms: int = 0
    attempts: int = 0
    note: str = ""
    links: list[AlertLink] | None = None

    @property
    def project_id(self) -> str:
        """The project it is about."""
        return self.message.alert.project_id


class Held(NamedTuple):
    """An entry, and until when we hold it (epoch ms)."""

    entry: Entry
    lease_ms: int


class Claimed(NamedTuple):
    """Entries that we hold, and when the next one of the project is due (epoch ms).

    `unreadable` is how many are written as this version does not know; they are left to others.
    """

    held: list[Held]
    next_due_ms: int | None
    unreadable: int


class Disabled(msgspec.Struct, frozen=True):
    """A route whose receiver answered 410: since when (epoch ms), a hash of its URL, and what it said."""

    at_ms: int
    url_hash: str
    note: str


_entry: Final = msgspec.json.Decoder(Entry)
_disabled: Final = msgspec.json.Decoder(Disabled)
_encode: Final = msgspec.json.encode


def enqueue_arguments(messages: Sequence[Message], now_ms: int) -> list[Argument]:
    """Write messages as `enqueue` takes them; `now_ms` is the wall clock (epoch ms)."""
    arguments: list[Argument] = [now_ms, MAX_WAITING, len(messages)]
    for message in messages:
        entry = Entry(message, put_ms=now_ms, held_until_ms=message.due_ms if message.due_ms > now_ms else 0)
        must_be_known = bool(message.after) and now_ms - message.alert.fired_at < KNOWN_MS
        arguments += [message.id, message.after, message.due_ms, int(must_be_known), _encode(entry)]
    return arguments


class Outbox:
    """Gives out messages that are due, notes what came of them. Raises what RedisClient raises."""

    def __init__(self, client: RedisClient, names: AlertNames) -> None:
        self._client = client
        self._names = names

    # -- messages ------------------------------------------------------------------------------------------------

    async def projects(self) -> list[str]:
        """List the projects that may have messages."""
        reply = cast("set[bytes]", await self._run(Call("SMEMBERS", (self._names.projects,))))
        return sorted(name.decode("utf-8", "surrogatepass") for name in reply)

    async def next_due(self, project_ids: Sequence[str]) -> dict[str, int]:
        """Say when the next message of each project is due (epoch ms); those without are left out."""
        calls = [Call("ZRANGE", (self._keys(each).due,), (0, 0, "WITHSCORES")) for each in project_ids]
        replies = cast("list[list[bytes]]", await self._client.run_many(calls, "list", in_order=False))
        return {each: int(float(reply[1])) for each, reply in zip(project_ids, replies, strict=True) if reply}

    async def claim(self, project_id: str, now_ms: int, lease_ms: int, most: int) -> Claimed:
        """Take messages that are due; they are ours for `lease_ms` milliseconds."""
        keys, end_ms = self._keys(project_id), now_ms + lease_ms
        mine = self._names.claim(project_id, secrets.token_hex(8))
        call = Call(_CLAIM, (keys.due, keys.messages, mine), (now_ms, end_ms, most, _CLAIM_KEPT_MS))
        reply = cast("list[bytes]", await self._run(call))
        read = [_read(text) for text in reply[2::2]]
        held = [Held(entry, end_ms) for entry in read if entry is not None]
        return Claimed(held, int(float(reply[0])) if reply[0] else None, len(read) - len(held))

    async def sent(self, entry: Entry, now_ms: int) -> None:
        """Note that a message arrived; the one that waited for it is due now."""
        keys = self._keys(entry.project_id)
        arguments = (entry.message.id, _waiting_for(entry.message), now_ms, SENT_KEPT_MS)
        await self._run(Call(_SENT, (keys.due, keys.messages, keys.sent), arguments))

    async def postpone(self, held: Held, entry: Entry, due_ms: int) -> bool:
        """Put a message off until `due_ms` (epoch ms), as it is now; return whether it was still ours."""
        keys = self._keys(entry.project_id)
        arguments = (entry.message.id, held.lease_ms, due_ms, _encode(entry))
        return await self._run(Call(_POSTPONE, (keys.due, keys.messages), arguments)) == 1

    async def fail(self, held: Held, entry: Entry, now_ms: int) -> bool:
        """Put a message among the failed, as it is now; return whether it was still ours."""
        keys = self._keys(entry.project_id)
        waiting = _waiting_for(entry.message)
        arguments = (
            entry.message.id, held.lease_ms, _encode(entry), waiting, now_ms, MAX_FAILED, FAILED_KEPT_MS,
        )  # fmt: skip
        return await self._run(Call(_FAIL, (keys.due, keys.messages, keys.failed, keys.failed_at), arguments)) == 1

    async def failed(self, project_id: str) -> list[tuple[Entry, int]]:
        """List messages of a project that failed, and since when (epoch ms), the latest first."""
        keys = self._keys(project_id)
        call = Call("ZREVRANGE", (keys.failed_at,), (0, _MAX_LISTED - 1, "WITHSCORES"))
        flat = cast("list[bytes]", await self._run(call))
        if not flat:
            return []
        texts = cast("list[bytes | None]", await self._run(Call("HMGET", (keys.failed,), flat[::2])))
        since = [int(float(score)) for score in flat[1::2]]
        read = [(_read(text), at) for text, at in zip(texts, since, strict=True) if text is not None]
        return [(entry, at) for entry, at in read if entry is not None]

    async def resend(self, entry: Entry, now_ms: int) -> bool:
        """Make a failed message due again, as new; return false if it is not there or follows one that failed."""
        keys = self._keys(entry.project_id)
        new = msgspec.structs.replace(entry, put_ms=now_ms, held_until_ms=0, attempts=0, note="", links=None)
        arguments = (entry.message.id, _encode(new), entry.message.after, now_ms)
        return await self._run(Call(_RESEND, (keys.due, keys.messages, keys.failed, keys.failed_at), arguments)) == 1

    async def forget(self, project_id: str, session_ids: Collection[str]) -> int:
        """Take moments of sessions that were deleted out of messages that wait or failed; return out of how many."""
        keys, gone, changed = self._keys(project_id), frozenset(session_ids), 0
        for key in (keys.messages, keys.failed):
            for _ in range(_FORGET_ATTEMPTS):
                texts = cast("dict[bytes, bytes]", await self._run(Call("HGETALL", (key,))))
                calls = [
                    Call(_REWRITE, (key,), (entry.message.id, text, _encode(_without(entry, gone))))
                    for text in texts.values()
                    if (entry := _read(text)) is not None and _names(entry, gone)
                ]
                replies = await self._client.run_many(calls, "list") if calls else []
                changed += replies.count(1)
                if 0 not in replies:
                    break
        return changed

    async def waiting(self, project_ids: Sequence[str]) -> tuple[int, int]:
        """Count the messages that wait, and those that failed, of some projects."""
        named = [self._keys(each) for each in project_ids]
        calls = [Call("HLEN", (key,)) for keys in named for key in (keys.messages, keys.failed)]
        counts = cast("list[int]", await self._client.run_many(calls, "list", in_order=False))
        return sum(counts[::2]), sum(counts[1::2])

    async def tidy(self, project_ids: Sequence[str], now_ms: int) -> None:
        """Forget messages of some projects that failed long ago, or that are too many."""
        keys = [self._keys(each) for each in project_ids]
        arguments = (now_ms, MAX_FAILED, FAILED_KEPT_MS)
        calls = [Call(_TIDY, (each.failed, each.failed_at), arguments) for each in keys]
        await self._client.run_many(calls, "list", in_order=False)

    # -- routes --------------------------------------------------------------------------------------------------

    async def disabled(self) -> dict[str, Disabled]:
        """List the routes whose receivers want nothing any more."""
        reply = await self._run(Call("HGETALL", (self._names.disabled,)))
        found = cast("dict[bytes, bytes]", reply)
        return {name.decode(): _disabled.decode(text) for name, text in found.items()}

    async def disable(self, route: str, disabled: Disabled) -> None:
        """Send nothing on a route any more."""
        await self._run(Call("HSET", (self._names.disabled,), (route, _encode(disabled))))

    async def enable(self, route: str) -> bool:
        """Send on a route again; return whether it was disabled."""
        return await self._run(Call("HDEL", (self._names.disabled,), (route,))) == 1

    async def may_send(self, route: str, max_per_minute: int, now_ms: int) -> bool:
        """Count one more message on a route in this minute, of all who send; return whether it may be sent."""
        key = self._names.pace(f"{route}:{now_ms // MINUTE_MS}")
        return await self._run(Call(_PACE, (key,), (max_per_minute, 2 * MINUTE_MS))) == 1

    async def take_left_out(self, route: str) -> int:
        """Take the count of messages that were too many for a route: who takes it tells it, or gives it back."""
        return cast("int", await self._run(Call(_TAKE, (self._names.left_out,), (route,))))

    async def count_left_out(self, route: str, more: int) -> None:
        """Count messages that were too many for a route."""
        await self._run(Call("HINCRBY", (self._names.left_out,), (route, more)))

    def _keys(self, project_id: str) -> ProjectKeys:
        return self._names.project(project_id)

    async def _run(self, call: Call) -> object:
        return await self._client.run(call, "list")


def _read(text: bytes) -> Entry | None:
    """Read an entry; nothing where a later version of ours wrote it in another form."""
    try:
        return _entry.decode(text)
    except msgspec.DecodeError:
        return None


def _names(entry: Entry, session_ids: Collection[str]) -> bool:
    return any(moment.session_id in session_ids for moment in entry.message.alert.moments)


def _without(entry: Entry, session_ids: Collection[str]) -> Entry:
    alert = entry.message.alert
    moments = [moment for moment in alert.moments if moment.session_id not in session_ids]
    links = entry.links and [link for link in entry.links if link.session_id not in session_ids]
    message = msgspec.structs.replace(entry.message, alert=msgspec.structs.replace(alert, moments=moments))
    return msgspec.structs.replace(entry, message=message, links=links or None)


def _waiting_for(message: Message) -> str:
    """Name the message that is sent after this one only."""
    return message_id(message.alert.id, message.route, "resolved") if message.state == "firing" else ""
