"""What a store would hold of sessions, and their judgement from it."""

from collections.abc import Iterable, Sequence

import msgspec

from engine.core.core import Core
from engine.core.effects import SessionEffects
from engine.core.shared import Shared
from engine.reprocess.judging import BundleJudge, Verdict
from engine.reprocess.run import reprocess_tools
from engine.settings import Settings
from replay.blocks import decode_block
from replay.holes import change_holes
from replay.index import place_blocks, playing_order
from replay.writes import BlockDraft
from schemas.bundle_index import Hole
from schemas.session_record import SessionRecord
from schemas.signals import Signal
from tests.engine.core.harness import START_MS


class StoredSession:
    """One session's bundle, record and signals."""

    def __init__(self) -> None:
        self.blocks: list[BlockDraft] = []
        self.holes: list[Hole] = []
        self.signals: dict[str, Signal] = {}
        self.record: SessionRecord | None = None

    def add(self, effects: SessionEffects) -> None:
        self.blocks += effects.blocks
        self.holes = change_holes(self.holes, effects.holes, effects.filled)
        self.signals.update({signal.id: signal for signal in effects.signals})
        self.record = effects.record

    def judged(self, settings: Settings, shared: Shared | None = None) -> Verdict:
        assert self.record is not None
        judge = BundleJudge(self.record, self.ordered(), self.holes, shared or reprocess_tools(settings))
        entries = place_blocks(self.blocks, 0)
        drafts = {entry.offset: draft for entry, draft in zip(entries, self.blocks, strict=True)}
        for entry in playing_order(entries):
            judge.feed(entry, decode_block(drafts[entry.offset].data, entry.raw_length))
        return judge.verdict()

    def ordered(self) -> list[Signal]:
        return sorted(self.signals.values(), key=lambda signal: (signal.t, signal.id))


def store(batches: Sequence[bytes], settings: Settings, poll: int = 10) -> dict[str, StoredSession]:
    """Feed batches one millisecond apart, and keep what comes of them."""
    core, stored = Core(settings), dict[str, StoredSession]()

    def take(effects: Iterable[SessionEffects]) -> None:
        for effect in effects:
            stored.setdefault(effect.session_id, StoredSession()).add(effect)

    for position, batch in enumerate(batches):
        opened = core.open(batch, None, "test", position)
        assert opened is not None
        core.feed(opened, position, START_MS + position)
        if position % poll == poll - 1:
            take(core.take())
    core.finish()
    take(core.take())
    return stored


def at_level(level: str, **more: object) -> Settings:
    return msgspec.convert({"privacy": {"level": level}, **more}, Settings)
