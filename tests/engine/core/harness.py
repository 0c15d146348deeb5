"""Runs batches through a core as a runtime would, and collects what came out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
import zstandard

from engine.core.core import Core
from engine.core.effects import SessionEffects
from engine.samples import SAMPLES_FOLDER
from engine.settings import Settings
from replay.blocks import decode_block
from replay.index import place_blocks, playing_order
from replay.writes import BlockDraft
from schemas.activity import Activity
from schemas.envelope import Envelope
from schemas.session_record import SessionRecord
from schemas.signals import Signal
from tests.engine.core.shelf import Shelf

START_MS = 1_796_000_000_000


def sample_batches() -> dict[str, list[bytes]]:
    """Return the batches of each shipped sample recording, by session id."""
    recordings = {}
    for path in sorted(SAMPLES_FOLDER.glob("*.jsonl.zst")):
        lines = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read().splitlines()
        recordings[msgspec.json.decode(lines[0], type=Envelope).session_id] = lines
    return recordings


class Collected:
    """Everything a store would hold: signals by id, blocks in playing order, the latest records."""

    def __init__(self) -> None:
        self.signals: dict[str, Signal] = {}
        self.signal_writes = 0
        self.activities: dict[str, Activity] = {}
        self.activity_writes = 0
        self.records: dict[str, SessionRecord] = {}
        self.withdrawn: set[str] = set()
        self.shelf = Shelf()
        self._blocks: dict[str, list[BlockDraft]] = defaultdict(list)

    def add(self, effects: Iterable[SessionEffects]) -> None:
        """Apply effects as a store would."""
        effects = list(effects)
        self.shelf.add(effects)
        for effect in effects:
            if effect.withdrawn:
                self.withdrawn.add(effect.session_id)
                continue
            self.records[effect.session_id] = effect.record
            self._blocks[effect.session_id] += effect.blocks
            self.signal_writes += len(effect.signals)
            self.signals.update({signal.id: signal for signal in effect.signals})
            self.activity_writes += len(effect.activities)
            self.activities.update({activity.id: activity for activity in effect.activities})

    def bundle(self, session_id: str) -> list[tuple[str, bytes]]:
        """Return a session's masked events with their window, in playing order."""
        drafts = self._blocks[session_id]
        order = playing_order(place_blocks(drafts, 0))
        by_offset = {entry.offset: draft for entry, draft in zip(place_blocks(drafts, 0), drafts, strict=True)}
        return [
            (entry.window_id, line)
            for entry in order
            for line in decode_block(by_offset[entry.offset].data, 1 << 30).splitlines()
        ]

    def _comparable(self, activity: Activity) -> Activity:
        """Leave out when a session of several windows started, and as what: with the window that was heard first."""
        if len(self.records[activity.session_id].window_ids) > 1:
            if activity.kind == "session_start":
                return msgspec.structs.replace(activity, t=0, attributes={})
            if activity.kind == "session_end":
                return msgspec.structs.replace(activity, duration_ms=None, attributes={})
        return activity

    def content(self) -> dict[str, object]:
        """Return what has to be the same however the input was cut."""
        return {
            "signals": sorted(self.signals.values(), key=lambda signal: (signal.session_id, signal.t, signal.id)),
            "activities": sorted(map(self._comparable, self.activities.values()), key=lambda activity: activity.id),
            "bundles": {session_id: self.bundle(session_id) for session_id in sorted(self._blocks)},
            "tags": {session_id: record.tags for session_id, record in sorted(self.records.items())},
        }


def run_core(
    batches: Sequence[bytes], *, settings: Settings | None = None, poll: int = 10, finish: bool = True
) -> Collected:
    """Feed batches one millisecond apart, taking effects every `poll` of them."""
    core, collected = Core(settings or Settings()), Collected()
    feed(core, collected, batches, range(len(batches)), poll)
    if finish:
        core.finish()
    collected.add(core.take())
    return collected


def feed(core: Core, collected: Collected, batches: Sequence[bytes], positions: Iterable[int], poll: int = 10) -> None:
    """Feed the batches at some positions."""
    for position in positions:
        opened = core.open(batches[position], None, "test", position)
        if opened is not None:
            collected.shelf.hand_over(core, opened)
            core.feed(opened, position, START_MS + position)
        if position % poll == poll - 1:
            collected.add(core.take(START_MS + position))


def feed_marked(core: Core, collected: Collected, batches: Sequence[bytes], positions: range, poll: int) -> int | None:
    """Feed the batches at some positions; return from where a core after a crash has to be fed, `None` if as this."""
    mark = None
    for start in range(positions.start, positions.stop, poll):
        if start + poll > positions.stop:
            feed(core, collected, batches, range(start, positions.stop), poll=1 << 60)
            break
        feed(core, collected, batches, range(start, start + poll), poll=1 << 60)
        collected.add(core.take(START_MS + start))
        behind = core.replay_from()
        mark = start + poll if behind is None else behind
    return mark
