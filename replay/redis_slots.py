"""Writes of sessions to their own slots: one guarded script call for each."""

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import msgspec

from replay.holes import change_holes
from replay.index import cap_blocks
from replay.redis_client import Argument, Call, RedisClient, Reply, load_script
from replay.redis_keys import KeyNames
from replay.redis_reads import decode_holes
from replay.store import StoreSettings
from replay.writes import BlockDraft, Outcome, SessionWrite, WriteResult
from schemas.bundle_index import Hole

_WRITE: Final = load_script("write")

_encode: Final = msgspec.json.Encoder().encode


class Prepared(NamedTuple):
    """A write with what is made of it: names of listings it is new to, and ids of its signals with their JSON."""

    write: SessionWrite
    names: Sequence[str]
    signals: Sequence[tuple[str, bytes]]


class _Unplaced(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A block of the index to which the script adds the offset."""

    window_id: str
    sequence: int
    length: int
    raw_length: int
    events: int
    first_t: int
    last_t: int
    keyframe: bool = False
    late: bool = False
    policy: str = ""


class _Reply(NamedTuple):
    status: str
    version: int
    blocks: int
    raw_bytes: int


class Slots:
    """Applies writes to the sessions' own keys, and nothing else."""

    def __init__(self, client: RedisClient, settings: StoreSettings, names: KeyNames) -> None:
        self._client = client
        self._settings = settings
        self._names = names
        # Every write needs one of them.
        self._retention = settings.retention.text()
        self._project_retention = {id_: rule.text() for id_, rule in settings.project_retention.items()}

    async def apply(self, prepared: Sequence[Prepared]) -> list[WriteResult]:
        """Apply writes, each whole or not at all; those of one session in their order."""
        holes = await self._changed_holes([each.write for each in prepared])
        calls = [self._call(each, change, cut=False) for each, change in zip(prepared, holes, strict=True)]
        stand_alone = len({each.write.session_id for each in prepared}) == len(prepared)
        replies = await self._client.run_many(calls, "write", in_order=not stand_alone)
        results: list[WriteResult] = []
        for each, answer in zip(prepared, replies, strict=True):
            reply = _read(answer)
            if reply.status == "over":
                reply = await self._apply_cut(each, reply.raw_bytes)
            results.append(WriteResult(Outcome(reply.status), reply.version, reply.blocks))
        return results

    async def _changed_holes(self, writes: Sequence[SessionWrite]) -> list[list[Hole] | None]:
        """Work out the holes after each write that changes them.

        The guard makes this safe: a write that finds its base version finds the holes that were read here.
        """
        ids = list(dict.fromkeys(write.session_id for write in writes if write.holes or write.filled))
        calls = [Call("LINDEX", (self._names.session(id_).bundle_index,), (1,)) for id_ in ids]
        replies = await self._client.run_many(calls, "write", in_order=False)
        current = {id_: decode_holes(reply) for id_, reply in zip(ids, replies, strict=True)}
        changed: list[list[Hole] | None] = []
        for write in writes:
            if not (write.holes or write.filled):
                changed.append(None)
                continue
            old = current[write.session_id] if write.base_version else []
            current[write.session_id] = change_holes(old, write.holes, write.filled)
            changed.append(current[write.session_id])
        return changed

    async def _apply_cut(self, prepared: Prepared, raw_bytes: int) -> _Reply:
        """Apply a write with only the blocks that still fit, and a hole for the rest."""
        write = prepared.write
        kept, lost = cap_blocks(write.blocks, self._settings.max_session_bytes - raw_bytes)
        cut = msgspec.structs.replace(write, blocks=kept, holes=(*write.holes, *lost))
        (holes,) = await self._changed_holes([cut])
        return _read(await self._client.run(self._call(prepared._replace(write=cut), holes, cut=True), "write"))

    def _call(self, prepared: Prepared, holes: list[Hole] | None, *, cut: bool) -> Call:
        write, names, signals = prepared
        arguments: list[Argument] = [
            f"{write.base_version} {write.base_token}",
            write.token,
            write.project_id,
            write.position,
            "" if write.deadline_ms is None else write.deadline_ms,
            write.shard,
            self._project_retention.get(write.project_id, self._retention),
            self._settings.max_session_bytes,
            int(cut),
            index_head(write.session_id, write.project_id),
            b"" if holes is None else _encode(holes),
            write.state,
            write.outbox,
            _encode(write.record),
            len(names),
            *names,
            len(signals),
        ]
        for signal in signals:
            arguments += signal
        arguments.append(len(write.blocks))
        for block in write.blocks:
            arguments += (_unplaced(block), block.raw_length, block.data)
        return Call(_WRITE, self._names.session(write.session_id)[:7], arguments)


def index_head(session_id: str, project_id: str) -> bytes:
    """Make the part of an index's head to which the scripts add the rest."""
    return b'{"format":1,"session_id":%s,"project_id":%s}' % (_encode(session_id), _encode(project_id))


def _unplaced(block: BlockDraft) -> bytes:
    return _encode(
        _Unplaced(
            block.window_id,
            block.sequence,
            len(block.data),
            block.raw_length,
            block.events,
            block.first_t,
            block.last_t,
            block.keyframe,
            block.late,
            block.policy,
        )
    )


def _read(reply: Reply) -> _Reply:
    status, version, blocks, raw_bytes = cast("bytes", reply).split()
    return _Reply(status.decode(), int(version), int(blocks), int(raw_bytes))
