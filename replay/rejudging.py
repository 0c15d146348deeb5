"""Judging stored sessions anew in Redis: reading what was judged and on what, and replacing the judgement.

Blocks, holes and state are never written. A replacement is one guarded script in the session's slot, which also keeps
what has to be told outside (listings, stream of signals) until that is done: whoever comes after a crash finds it.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, TypeAlias, cast

import msgspec

from replay.blocks import decode_block
from replay.entries import listing_names
from replay.errors import Broken
from replay.index import playing_order
from replay.redis_client import Argument, Call, RedisClient, Reply, load_script
from replay.redis_keys import KeyNames
from replay.redis_outside import Listed, Outside, identity
from replay.redis_reads import data_reader, decode_index, decode_record, decode_signals, index_call, signal_texts
from replay.redis_removal import Removal
from replay.redis_store import wall_clock_ms
from replay.store import StoreSettings
from replay.writes import Outcome
from schemas.bundle_index import BlockEntry, BundleIndex
from schemas.session_record import SessionRecord
from schemas.signals import Signal

_LOAD: Final = load_script("load")
_REJUDGE: Final = load_script("rejudge")
_RETRACT: Final = load_script("retract")

_META_FIELDS: Final = ("version", "token", "deadline", "withdrawn", "telling")
_STREAM_PAGE: Final = 1_000
_IDS_AT_ONCE: Final = 500


Publish: TypeAlias = Callable[[Sequence[Signal]], Awaitable[None]]
"""Tells others of signals that are new or other than before; raises if it may not have come to that."""


class Telling(msgspec.Struct, frozen=True):
    """What has to be told outside of a session.

    `news` are the ids of signals that are new or other than before; `old` has ids and texts of those that went or were
    other, `left` the listings of values the session is in no more.
    """

    news: tuple[str, ...] = ()
    old: dict[str, str] = {}
    left: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it was judged last, and where its bundle is.

    `may_go_on` says that a worker may still add to it: it is open, or in its grace. `deadline_ms` (epoch ms) is when a
    worker next looks whether that is over.
    """

    record: SessionRecord
    signals: tuple[Signal, ...]
    index: BundleIndex
    data_key: str
    version: int
    token: str
    may_go_on: bool
    deadline_ms: int | None
    telling: Telling | None


class Rejudging:
    """Reads and replaces judgements. Methods raise Unavailable, Saturated and Broken as the client does."""

    def __init__(self, client: RedisClient, settings: StoreSettings) -> None:
        self._client = client
        self._settings = settings
        self._names = KeyNames(settings.key_prefix)
        self._outside = Outside(client, settings, self._names)
        self._removal = Removal(client, settings, self._names)

    async def read(self, session_id: str) -> Judged | None:
        """Read what was judged; `None` for a session that is not stored, or was withdrawn."""
        keys = self._names.session(session_id)
        reply = await self._client.run(Call(_LOAD, keys[:4], _META_FIELDS), "load")
        meta, record, _, signals = cast("list[Reply]", reply)
        version, token, deadline, withdrawn, telling = cast("list[bytes | None]", meta)
        if version is None or withdrawn is not None:
            return None
        known, read = decode_record(record), decode_index(await self._client.run(index_call(keys)))
        if known is None or read is None:
            raise Broken("a session lacks its record or index: was it evicted? Redis must not evict keys (noeviction)")
        head, index = read
        return Judged(
            record=known,
            signals=tuple(decode_signals([text for _, text in signal_texts(signals)])),
            index=index,
            data_key=head.data,
            version=int(version),
            token=(token or b"").decode(),
            may_go_on=known.status == "open" or bool(deadline),
            deadline_ms=int(deadline) if deadline else None,
            telling=msgspec.json.decode(telling, type=Telling) if telling else None,
        )

    async def blocks(self, judged: Judged) -> AsyncIterator[tuple[BlockEntry, bytes]]:
        """Read a bundle, block by block in playing order, with each its JSON lines.

        Raises Unavailable if it was compacted or deleted meanwhile, Poison if a block is damaged.
        """
        fetch = data_reader(self._client, judged.data_key)
        for block in playing_order(judged.index.blocks):
            yield block, decode_block(await fetch(block.offset, block.length), block.raw_length)

    async def replace(self, judged: Judged, record: SessionRecord, signals: Sequence[Signal]) -> bool:
        """Put another judgement in the place of the one that was read; say whether it stands now.

        It does not if somebody wrote the session since. What is outside of the session is told by `tell`.
        """
        session_id, before = record.session_id, {signal.id: signal for signal in judged.signals}
        after = {signal.id: msgspec.json.encode(signal) for signal in signals}
        gone = [id_ for id_ in before if id_ not in after]
        news = tuple(signal.id for signal in signals if before.get(signal.id) != signal)
        old = {id_: msgspec.json.encode(before[id_]).decode() for id_ in (*gone, *news) if id_ in before}
        names_before, names_after = listing_names(judged.record), listing_names(record)
        left = tuple(name for name in names_before if name not in names_after)
        arguments: list[Argument] = [
            f"{judged.version} {judged.token}",
            uuid.uuid4().hex,
            record.project_id,
            msgspec.json.encode(Telling(news, old, left)),
            msgspec.json.encode(record),
            *_counted(gone),
            *_counted([part for id_ in news for part in (id_, after[id_])], each=2),
            *_counted(left),
            *_counted(names_after),
        ]
        keys = self._names.session(session_id)
        slot = (keys.meta, keys.record, keys.signals, keys.entries)
        reply = await self._client.run(Call(_REJUDGE, slot, arguments), "write")
        return Outcome(cast("bytes", reply).decode()) is not Outcome.REFUSED

    async def tell(self, session_ids: Sequence[str], publish: Publish | None = None) -> None:
        """Bring listings and streams in line with sessions that were replaced, `publish` their news, note it as done.

        What fails before the end is done again for the same sessions. Raises what `publish` raises.
        """
        found = [await self.read(session_id) for session_id in session_ids]
        waiting = [each for each in found if each is not None and each.telling is not None]
        await self._client.run_many(list(self._leaving(waiting)), "list")
        await self._retract(waiting)
        listed = [self._listed(each) for each in waiting]
        with_news = await self._outside.tell(listed, wall_clock_ms())
        withdrawn = set(await self._removal.take_back_withdrawn(with_news))
        for session_id in withdrawn:
            self._outside.forget(session_id)
        if publish is not None:
            await publish([signal for each in waiting for signal in _news(each) if signal.session_id not in withdrawn])
        done = [Call("HDEL", (self._names.session(each.record.session_id).meta,), ("telling",)) for each in waiting]
        await self._client.run_many(done, "write", in_order=False)

    def _leaving(self, waiting: Sequence[Judged]) -> list[Call]:
        return [
            Call("ZREM", (self._names.project(each.record.project_id, name),), (each.record.session_id,))
            for each in waiting
            for name in (each.telling.left if each.telling else ())
        ]

    def _listed(self, judged: Judged) -> Listed:
        record = judged.record
        self._outside.forget(record.session_id)
        place, names = self._outside.place(record)
        signals = [(signal.id, msgspec.json.encode(signal)) for signal in _news(judged)]
        return Listed(record.session_id, place, names, signals, "", None, record.errors)

    async def _retract(self, waiting: Sequence[Judged]) -> None:
        """Take signals that went out of their projects' streams."""
        of_projects: dict[str, dict[str, str]] = {}
        for each in waiting:
            if each.telling is not None and each.telling.old:
                of_projects.setdefault(each.record.project_id, {}).update(each.telling.old)
        for project_id, gone in of_projects.items():
            ids = list(gone)
            for start in range(0, len(ids), _IDS_AT_ONCE):
                await self._retract_some(project_id, {id_: gone[id_] for id_ in ids[start : start + _IDS_AT_ONCE]})

    async def _retract_some(self, project_id: str, gone: dict[str, str]) -> None:
        stream = self._names.project(project_id, "signals")
        identities: set[str] = {identity(id_, text.encode()) for id_, text in gone.items()}
        start = b"-"
        while start:
            reply = await self._client.run(Call(_RETRACT, (stream,), (start, _STREAM_PAGE, *gone)), "list")
            start, *taken = cast("list[bytes]", reply)
            identities.update(identity(id_.decode(), text) for id_, text in zip(taken[::2], taken[1::2], strict=True))
        published = self._names.project(project_id, "published")
        await self._client.run(Call("ZREM", (published,), sorted(identities)), "list")


def _news(judged: Judged) -> list[Signal]:
    news = frozenset(judged.telling.news if judged.telling else ())
    return [signal for signal in judged.signals if signal.id in news]


def _counted(items: Sequence[Argument], each: int = 1) -> list[Argument]:
    """Write a list as the script reads it: how many there are, then they themselves."""
    return [len(items) // each, *items]
