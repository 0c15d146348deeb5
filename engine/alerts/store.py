"""What alerting keeps in Redis: of each project its state, position, alerts and messages, which move together.

Owning is fenced by tokens: a write builds on the very write its writer knows of, or is refused. All keys of a project
share a slot, so one script moves them; keys and their contents: docs/redis.md.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from importlib.resources import files
from typing import Final, cast

import msgspec

from engine.alerts.delivery.outbox import ENQUEUE, enqueue_arguments
from engine.alerts.names import AlertNames
from engine.alerts.parts import Changes, read_parts
from engine.alerts.routing import Message
from engine.alerts.state import ProjectState
from engine.settings._units import DAY_MS
from replay.redis_client import Argument, Call, RedisClient, Reply, Script
from schemas.alerts import Alert

_CONTROL: Final = b"!"
"""Begins the names of fields of a state that are none of its parts."""

KEPT_MS: Final = 30 * DAY_MS

_encode: Final = msgspec.json.Encoder().encode
_decode_alert: Final = msgspec.json.Decoder(Alert).decode


class Read(msgspec.Struct, frozen=True):
    """How far a partition was read: up to and with `offset` of `log` (-1: nothing)."""

    log: str
    offset: int


Position = dict[int, Read]
"""By partition, how far it was read for a project: more than one, if a project moved when partitions were added."""

_decode_position: Final = msgspec.json.Decoder(Position).decode


class Outcome(Enum):
    """What became of a write; a repeated one had been applied before."""

    REFUSED = -1
    REPEATED = 0
    APPLIED = 1


class Forgetting(Enum):
    """What became of a project that was to be forgotten: somebody else has written, it has to stay, or it is gone."""

    REFUSED = -1
    STAYS = 0
    GONE = 1


class ProjectWrite(msgspec.Struct, frozen=True):
    """One write of a project, built on the write with `base_token` (empty: nothing is stored of it).

    `unlisted` are ids of alerts that are not listed any more. `now_ms` is the wall clock (epoch ms). `kept_ms` is how
    long all of it is kept if nobody writes any more. `told` says of each alert that fired or
    ended which of both it did.
    """

    project_id: str
    base_token: str
    token: str
    position: Position
    changes: Changes
    alerts: Sequence[Alert] = ()
    unlisted: Sequence[str] = ()
    messages: Sequence[Message] = ()
    now_ms: int = 0
    kept_ms: int = KEPT_MS
    told: Sequence[str] = ()


class StoredProject(msgspec.Struct, frozen=True):
    """What is stored of a project; its alerts by id, those that fired first in front."""

    token: str
    position: Position
    state: ProjectState
    alerts: dict[str, Alert]
    size: int


def _script(name: str, before: str = "") -> Script:
    text = before + files("engine.alerts").joinpath("lua", f"{name}.lua").read_text("utf-8")
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


_SAVE: Final = _script("save", ENQUEUE)
_FORGET: Final = _script("forget")


class AlertStore:
    """Reads and writes projects. Methods raise Unavailable, Saturated and Broken as the client does."""

    def __init__(self, client: RedisClient, key_prefix: str) -> None:
        self._client = client
        self._names = AlertNames(key_prefix)

    async def projects(self) -> list[str]:
        """List the projects that are stored."""
        members = cast("set[bytes] | list[bytes]", await self._client.run(Call("SMEMBERS", (self._names.projects,))))
        return sorted(member.decode("utf-8", "surrogatepass") for member in members)

    async def register(self, project_ids: Iterable[str]) -> None:
        """Take note that there are these projects, before anything of them is stored."""
        ids = [id_.encode("utf-8", "surrogatepass") for id_ in project_ids]
        if ids:
            await self._client.run(Call("SADD", (self._names.projects,), ids), "write")

    async def forget(self, project_id: str, token: str, heard_ms: int, after_ms: int) -> Forgetting:
        """Forget a project, if the write with `token` is the last one, and no message waits or has failed.

        It was heard of last at `heard_ms` (epoch ms); that has to be `after_ms` ago by the clock of Redis as well.
        """
        keys = self._names.project(project_id)
        reply = await self._client.run(Call(_FORGET, keys, (token, heard_ms, after_ms)), "write")
        if reply == 1:
            name = project_id.encode("utf-8", "surrogatepass")
            await self._client.run(Call("SREM", (self._names.projects,), (name,)), "write")
        return Forgetting(cast("int", reply))

    async def load(self, project_ids: Sequence[str]) -> list[StoredProject]:
        """Read projects, in their order; one that is not stored has an empty token."""
        keys = [self._names.project(id_) for id_ in project_ids]
        # A state and its alerts are read one after the other: a write in between shows when the next one is refused.
        calls = [call for each in keys for call in (Call("HGETALL", (each.state,)), Call("HGETALL", (each.alerts,)))]
        replies = await self._client.run_many(calls, "load")
        return [_stored(state, alerts) for state, alerts in zip(replies[::2], replies[1::2], strict=True)]

    async def alerts(self, project_ids: Sequence[str]) -> list[Alert]:
        """Read the alerts that are listed of some projects, those that fired first in front."""
        calls = [Call("HVALS", (self._names.project(id_).alerts,)) for id_ in project_ids]
        replies = cast("list[list[bytes]]", await self._client.run_many(calls))
        found = [_decode_alert(text) for texts in replies for text in texts]
        return sorted(found, key=lambda alert: (alert.fired_at, alert.id))

    async def save(self, writes: Sequence[ProjectWrite]) -> list[Outcome]:
        """Apply writes of different projects, each by itself; the very same one again changes nothing."""
        calls = [self._call(write) for write in writes]
        replies = await self._client.run_many(calls, "write", in_order=False)
        return [Outcome(cast("int", reply)) for reply in replies]

    def _call(self, write: ProjectWrite) -> Call:
        keys = self._names.project(write.project_id)
        stored, gone = write.changes
        arguments: list[Argument] = [write.base_token, write.token, _encode(write.position), len(stored)]
        for pair in stored.items():
            arguments += pair
        arguments += [len(gone), *gone, len(write.alerts)]
        for alert in write.alerts:
            arguments += (alert.id, _encode(alert))
        arguments += [
            len(write.unlisted),
            *write.unlisted,
            write.kept_ms,
            *enqueue_arguments(write.messages, write.now_ms),
        ]
        return Call(_SAVE, keys, arguments)


def _stored(state_reply: Reply, alerts_reply: Reply) -> StoredProject:
    fields = _fields(state_reply)
    parts = {name: part for name, part in fields.items() if not name.startswith(_CONTROL)}
    alerts = [_decode_alert(text) for text in _fields(alerts_reply).values()]
    return StoredProject(
        token=fields.get(b"!token", b"").decode(),
        position=_decode_position(fields.get(b"!position", b"{}")),
        state=read_parts(parts) if parts else ProjectState(),
        alerts={alert.id: alert for alert in sorted(alerts, key=lambda alert: alert.fired_at)},
        size=sum(len(name) + len(part) for name, part in fields.items()),
    )


def _fields(reply: Reply) -> Mapping[bytes, bytes]:
    if isinstance(reply, dict):
        return reply
    flat = cast("list[bytes]", reply)
    return dict(zip(flat[::2], flat[1::2], strict=True))
