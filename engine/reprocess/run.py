"""Reprocessing: many stored sessions are judged again, one after the other, and replaced if that is wanted."""

import enum
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Final

import msgspec

from engine.core.projects import Projects
from engine.core.shared import Shared
from engine.reprocess.comparison import Changes, compare
from engine.reprocess.judging import BundleJudge, Verdict
from engine.reprocess.settled import SettledPolicy
from engine.settings import Settings
from replay.errors import Broken, Poison, Unavailable
from replay.rejudging import Judged, Publish, Rejudging
from schemas.session_record import SessionRecord

TOLD_AT_ONCE: Final = 100
"""Sessions whose listings and signals are brought in line together: a long stream is searched once for all of them."""

MAY_DIFFER: Final = frozenset({"canvas_dropped", "custom_dropped", "plugin_dropped", "nothing_left", "masking_failed"})
"""Reasons of a record for which events are not in its bundle that may have answered a click."""


class Skip(enum.StrEnum):
    """Why a session was left as it is."""

    GONE = "gone"
    """Not stored, or deleted."""
    MAY_GO_ON = "may_go_on"
    """A worker may still add to it: it is open, or data in its grace would open it again."""
    MOVED_ON = "moved_on"
    """It was written or deleted while it was judged."""
    DAMAGED = "damaged"
    """Its bundle cannot be read."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one session: why it was skipped, or else what would change (or has, if `written`).

    One that may go on can be judged from `closes_at` on (epoch ms) if nothing more comes of it, and will then be over.
    `notes` count by reason what can make a verdict over a bundle differ from the live one.
    """

    session_id: str
    skipped: Skip | None = None
    closes_at: int | None = None
    changes: Changes | None = None
    written: bool = False
    notes: dict[str, int] = {}


def reprocess_tools(settings: Settings) -> Shared:
    """Make what all judges share. Raises what `Shared` raises."""
    shared = Shared(settings)
    shared.projects = Projects(settings, SettledPolicy)
    return shared


class Reprocessing:
    """Judges sessions of a store by the rules of `settings`; with `writes` it replaces what they were judged before.

    Signals that are new or other than before go to `publish` as well. Raises Unavailable, Saturated and Broken as the
    store's client does, and what `publish` raises.
    """

    def __init__(self, store: Rejudging, settings: Settings, *, writes: bool, publish: Publish | None = None) -> None:
        self._store = store
        self._shared = reprocess_tools(settings)
        self._writes = writes
        self._publish = publish
        self._untold: list[str] = []

    async def run(self, session_ids: Iterable[str]) -> AsyncIterator[Outcome]:
        """Give the outcome of each session, in their order. What is told outside of sessions lags behind a little."""
        for session_id in session_ids:
            yield await self._one(session_id)
            if len(self._untold) >= TOLD_AT_ONCE:
                await self._tell()
        await self._tell()

    async def _tell(self) -> None:
        untold, self._untold = self._untold, []
        if untold:
            await self._store.tell(untold, self._publish)

    async def _one(self, session_id: str) -> Outcome:
        judged = await self._store.read(session_id)
        if judged is None:
            return Outcome(session_id, Skip.GONE)
        if judged.telling is not None and self._writes:
            self._untold.append(session_id)
        if judged.record.status == "open" or (self._writes and judged.may_go_on):
            return Outcome(session_id, Skip.MAY_GO_ON, self._closes_at(judged))
        try:
            verdict = await self._judge(judged)
        except (Unavailable, Poison, Broken):
            return Outcome(session_id, await self._why_unread(judged))
        changes = compare(judged.record, judged.signals, verdict)
        notes = _notes(judged.record, verdict)
        if not self._writes or not changes.is_any:
            return Outcome(session_id, changes=changes, notes=notes)
        if not await self._store.replace(judged, _judged_record(judged.record, verdict), verdict.signals):
            return Outcome(session_id, Skip.MOVED_ON)
        self._untold.append(session_id)
        return Outcome(session_id, changes=changes, written=True, notes=notes)

    def _closes_at(self, judged: Judged) -> int | None:
        """Work out when a session is over for good: an open one ends first, and then has its grace."""
        if judged.deadline_ms is None or judged.record.status != "open":
            return judged.deadline_ms
        return judged.deadline_ms + self._shared.projects.of(judged.record.project_id).session.grace_ms

    async def _why_unread(self, judged: Judged) -> Skip:
        """Find out why a bundle could not be read. Raises what the store raises, if it was that."""
        now = await self._store.read(judged.record.session_id)
        if now is None:
            return Skip.GONE
        is_same = (now.version, now.data_key) == (judged.version, judged.data_key)
        return Skip.DAMAGED if is_same else Skip.MOVED_ON

    async def _judge(self, judged: Judged) -> Verdict:
        judge = BundleJudge(judged.record, judged.signals, judged.index.holes, self._shared)
        async for block, lines in self._store.blocks(judged):
            judge.feed(block, lines)
        return judge.verdict()


def _judged_record(record: SessionRecord, verdict: Verdict) -> SessionRecord:
    return msgspec.structs.replace(
        record, tags=verdict.tags, errors=verdict.errors, score=verdict.score, score_parts=verdict.score_parts
    )


def _notes(record: SessionRecord, verdict: Verdict) -> dict[str, int]:
    lacking = Counter({reason: count for reason, count in record.dropped.items() if reason in MAY_DIFFER})
    lacking.update(verdict.notes)
    if record.reopened:
        lacking["reopened"] += record.reopened
    return dict(sorted(lacking.items()))
