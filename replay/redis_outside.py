"""What lies outside a session's slot: listings, deadlines, the stream of signals.

All of it follows from the stored session, may be sent any number of times, and is sent again when a session is loaded.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from replay.entries import listing_names
from replay.redis_client import Call, load_script
from replay.redis_keys import KeyNames
from replay.store import StoreSettings
from schemas.session_record import SessionRecord
from schemas.signals import Signal

_PUBLISH: Final = load_script("publish")
_TRIM: Final = load_script("trim")

_REMEMBERED: Final = 50_000
"""Sessions, and keys, of which it is remembered what was sent last; forgetting one costs sending it again."""

_TRIM_EVERY_MS: Final = 60_000
_TRIM_AT_ONCE: Final = 1_000


class Deadline(NamedTuple):
    """When a session wants to be looked at (epoch ms; `None`: never), and the shard whose list says so."""

    shard: str
    deadline_ms: int | None


class _Recent:
    """The last value for each of a bounded number of names."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, int] = OrderedDict()

    def get(self, name: str) -> int | None:
        return self._values.get(name)

    def put(self, name: str, value: int) -> None:
        self._values[name] = value
        self._values.move_to_end(name)
        if len(self._values) > _REMEMBERED:
            self._values.popitem(last=False)


class Outside:
    """Plans the calls; what this process sent before and has not changed is left out."""

    def __init__(self, settings: StoreSettings, names: KeyNames) -> None:
        self._settings = settings
        self._names = names
        self._sent = _Recent()
        self._trimmed = _Recent()

    def forget(self, session_id: str) -> None:
        """Send all of a session again next time."""
        self._sent.put(session_id, 0)

    def session_calls(self, record: SessionRecord, deadline: Deadline, now_ms: int) -> list[Call]:
        """List a session and set its deadline."""
        calls = [self._deadline(record.session_id, deadline)]
        names = listing_names(record)
        print_ = hash((record.project_id, record.started_at, record.score, *names)) | 1
        if self._sent.get(record.session_id) == print_:
            return calls
        self._sent.put(record.session_id, print_)
        project_id = record.project_id
        calls.append(Call("SADD", (self._names.projects,), (project_id,)))
        for name, place in (("time", record.started_at), ("score", record.score)):
            calls.append(Call("ZADD", (self._names.project(project_id, name),), (place, record.session_id)))
        for name in names:
            key = self._names.project(project_id, name)
            calls.append(Call("ZADD", (key,), (record.started_at, record.session_id)))
            calls += self._listing_upkeep(key, now_ms)
        return calls + self._project_upkeep(project_id, now_ms)

    def _deadline(self, session_id: str, deadline: Deadline) -> Call:
        keys = (self._names.deadlines(deadline.shard),)
        if deadline.deadline_ms is None:
            return Call("ZREM", keys, (session_id,))
        return Call("ZADD", keys, (deadline.deadline_ms, session_id))

    def _listing_upkeep(self, key: str, now_ms: int) -> list[Call]:
        if not self._due(key, now_ms):
            return []
        oldest = f"({now_ms - self._settings.retention_ms}"
        return [
            Call("PEXPIRE", (key,), (self._settings.retention_ms,)),
            Call("ZREMRANGEBYSCORE", (key,), ("-inf", oldest)),
        ]

    def _project_upkeep(self, project_id: str, now_ms: int) -> list[Call]:
        """Trim the two listings every session is in; the one by time says what is old in the one by score."""
        keys = (self._names.project(project_id, "time"), self._names.project(project_id, "score"))
        if not self._due(keys[0], now_ms):
            return []
        retention_ms = self._settings.retention_ms
        expiries = [Call("PEXPIRE", (key,), (retention_ms,)) for key in keys]
        return [*expiries, Call(_TRIM, keys, (now_ms - retention_ms, _TRIM_AT_ONCE))]

    def _due(self, name: str, now_ms: int) -> bool:
        last = self._trimmed.get(name)
        if last is not None and now_ms - last < _TRIM_EVERY_MS:
            return False
        self._trimmed.put(name, now_ms)
        return True

    def signal_calls(self, signals: Iterable[Signal], now_ms: int) -> list[Call]:
        """Append signals to their project's stream."""
        calls: list[Call] = []
        for signal in signals:
            text = msgspec.json.encode(signal)
            keys = (
                self._names.project(signal.project_id, "signals"),
                self._names.project(signal.project_id, "published"),
            )
            limits = (now_ms, self._settings.retention_ms, self._settings.stream_max_signals)
            calls.append(Call(_PUBLISH, keys, (*limits, identity(signal.id, text), signal.id, signal.session_id, text)))
        return calls


def identity(signal_id: str, text: bytes) -> str:
    """Name one content of a signal: the same signal may be published again when it has grown."""
    return f"{signal_id}:{hashlib.blake2b(text, digest_size=8).hexdigest()}"
