"""Small sessions to store."""

from collections.abc import Sequence

import msgspec

from replay.blocks import encode_block, join_lines
from replay.writes import BlockDraft, FilledRange, SessionWrite
from schemas.bundle_index import Hole
from schemas.session_record import PageVisit, SessionRecord, Totals
from schemas.signals import Signal, Target

T0 = 1_795_295_291_000


def event(t: int, **data: object) -> bytes:
    return msgspec.json.encode({"type": 3, "data": data, "timestamp": T0 + t})


def block(
    times: Sequence[int],
    *,
    window: str = "w1",
    sequence: int = 0,
    keyframe: bool = False,
    late: bool = False,
    padding: int = 0,
) -> BlockDraft:
    lines = join_lines([event(t, text="x" * padding) for t in times])
    return BlockDraft(
        window_id=window,
        sequence=sequence,
        data=encode_block(lines),
        raw_length=len(lines),
        events=len(times),
        first_t=T0 + min(times),
        last_t=T0 + max(times),
        keyframe=keyframe,
        late=late,
    )


def signal(name: str = "s1", *, session_id: str = "a", t: int = 0, count: int | None = None) -> Signal:
    return Signal(
        id=name,
        detector="rage_click",
        session_id=session_id,
        window_id="w1",
        project_id="shop",
        t=T0 + t,
        end_t=T0 + t + 500,
        page="https://shop.test/cart",
        target=Target(node_id=7, selector="button.pay", tag="button", text="Pay"),
        rule="rage_click@1",
        evidence={"clicks": 4, "times": [1, 2, 3]},
        count=count,
    )


def record(session_id: str = "a", *, project_id: str = "shop", **changes: object) -> SessionRecord:
    base = SessionRecord(
        session_id=session_id,
        project_id=project_id,
        started_at=T0,
        last_event_at=T0 + 1_000,
        status="open",
        window_ids=["w1"],
        pages=[PageVisit(url="https://shop.test/cart?x=1#top", window_id="w1", t=T0)],
        totals=Totals(batches=1, events=2, bytes=100),
        tags={"rage_click": 1},
        score=12.5,
        score_parts=[],
        privacy_level="medium",
        policy_version="1",
        anonymous_id="anon-1",
    )
    return msgspec.structs.replace(base, **changes)


def write(  # noqa: PLR0913
    session_id: str = "a",
    *,
    base: int = 0,
    token: str = "",
    blocks: Sequence[BlockDraft] = (),
    holes: Sequence[Hole] = (),
    filled: Sequence[FilledRange] = (),
    signals: Sequence[Signal] = (),
    record_of: SessionRecord | None = None,
    state: bytes = b"state",
    deadline_ms: int | None = None,
    project_id: str = "shop",
    shard: str = "",
    outbox: bytes = b"",
    base_token: str = "",
) -> SessionWrite:
    return SessionWrite(
        project_id=project_id,
        session_id=session_id,
        base_version=base,
        token=token or f"token-{session_id}-{base}",
        position=f"log/{base + 1}",
        record=record_of or record(session_id, project_id=project_id),
        state=state,
        blocks=tuple(blocks),
        holes=tuple(holes),
        filled=tuple(filled),
        signals=tuple(signals),
        deadline_ms=deadline_ms,
        shard=shard,
        outbox=outbox,
        base_token=base_token,
    )
