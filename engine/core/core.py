"""The core: messages and the passing of time in, effects out. No I/O, no clock."""

import heapq
from collections import Counter, OrderedDict
from typing import Final, NamedTuple

import msgspec

from engine.core.counts import Counts
from engine.core.effects import DeadLetter, SessionEffects
from engine.core.phases import Phase
from engine.core.projects import Projects
from engine.core.session import Session, SessionState
from engine.core.shared import Shared
from engine.errors import Poison
from engine.input.messages import DecodedBatch, decode_message
from engine.reasons import Reason
from engine.settings import Settings

HOT_SESSIONS: Final = 512
"""Sessions kept unpacked; the least recently touched others are packed, to be unpacked with their next batch."""

FATES_MAX: Final = 100_000
"""Session ids whose end is remembered (closed, excluded), so that data coming later is told apart from new."""


class PackedSession(msgspec.Struct, frozen=True, gc=False):
    """A session at rest."""

    project_id: str
    data: bytes


class Refusal(NamedTuple):
    """A session of which batches were refused, and why."""

    session_id: str
    project_id: str
    reason: Reason


class CoreState(msgspec.Struct, frozen=True):
    """A core at rest: its sessions, and the ids that are not to come again, with the reason."""

    sessions: dict[str, PackedSession]
    fates: dict[str, Reason]


class Core:
    """All open sessions of one input, and what has to be written of them.

    Call `open` and `feed` for every message in the input's order, `tick` when time has passed, and `take` for the
    effects; what `take` gave has to be written before a snapshot of it counts. `now_ms` is the arrival clock (epoch
    ms) and never falls.
    """

    def __init__(self, settings: Settings) -> None:
        self._shared = Shared(settings)
        self._projects = Projects(settings)
        self._hot: OrderedDict[str, Session] = OrderedDict()
        self._packed: dict[str, PackedSession] = {}
        self._touched: dict[str, Session] = {}
        self._fates: OrderedDict[str, Reason] = OrderedDict()
        self._withdrawn: list[SessionEffects] = []
        self._deadlines: list[tuple[int, str]] = []
        self._scheduled: dict[str, int] = {}
        self._dead_letters: list[DeadLetter] = []
        self._refused: Counter[Refusal] = Counter()

    @property
    def counts(self) -> Counts:
        """What became of everything read so far."""
        return self._shared.counts

    @property
    def open_sessions(self) -> int:
        """How many sessions are held, packed or not."""
        return len(self._hot) + len(self._packed)

    @property
    def known_page_hits(self) -> int:
        """How many full snapshots were those of pages known from before."""
        return self._shared.tools.known_pages.hits

    # -- in -----------------------------------------------------------------------------------------------------

    def open(self, value: bytes, encoding: str | None, source: str, position: int) -> DecodedBatch | None:
        """Open one message: `value` as it arrived, `encoding` as its header says, `position` rising with the input.

        Nothing is raised for what a sender can do: poison becomes a dead letter, and `None` is returned.
        """
        counts = self._shared.counts
        counts.batches_read += 1
        counts.bytes_read += len(value)
        try:
            return decode_message(value, encoding, self._shared.limits)
        except Poison as poison:
            counts.batches_dropped[poison.reason] += 1
            self._dead_letters.append(DeadLetter(source, position, poison.reason, len(value)))
            return None

    def feed(self, batch: DecodedBatch, position: int, now_ms: int) -> None:
        """Take an opened batch; its effects are in the next `take`."""
        refused = self._refusal(batch)
        if refused is not None:
            self._refuse(batch, refused)
            return
        session = self._session(batch)
        was_ended = session.phase is Phase.ENDED
        session.offer(batch, position, now_ms)
        self._touch(session)
        if was_ended:
            # It is open again, and so ends sooner than its grace was to.
            self._schedule(session.ledger.session_id, session.deadline())

    def _refusal(self, batch: DecodedBatch) -> Reason | None:
        envelope = batch.envelope
        if envelope.consent is False:
            return Reason.NO_CONSENT
        # First of all: whom another project excludes must not withdraw this one's session.
        project_id = self._project_of(envelope.session_id)
        if project_id is not None and project_id != envelope.project_id:
            return Reason.PROJECT_CONFLICT
        excluded = self._projects.of(envelope.project_id).excluded_users
        if envelope.user_id in excluded or envelope.anonymous_id in excluded:
            return Reason.EXCLUDED_USER
        return self._fates.get(envelope.session_id)

    def _project_of(self, session_id: str) -> str | None:
        session = self._hot.get(session_id)
        if session is not None:
            return session.ledger.project_id
        packed = self._packed.get(session_id)
        return None if packed is None else packed.project_id

    def _refuse(self, batch: DecodedBatch, reason: Reason) -> None:
        """Count a batch of which nothing may be used; an excluded user's session is withdrawn and kept out."""
        self._shared.drop_batch(batch, reason)
        session_id = batch.envelope.session_id
        if reason is not Reason.EXCLUDED_USER:
            self._refused[Refusal(session_id, batch.envelope.project_id, reason)] += 1
            return
        fate = self._fates.get(session_id)
        if fate is Reason.EXCLUDED_USER:
            return
        session = self._load(session_id)
        if session is None and fate is not None:
            # It was closed here, but what was written of it is still there.
            session = self._session(batch)
        self._note_fate(session_id, Reason.EXCLUDED_USER)
        if session is None:
            return
        self._hot.pop(session_id, None)
        self._touched.pop(session_id, None)
        self._withdrawn.append(session.withdraw())

    def _note_fate(self, session_id: str, reason: Reason) -> None:
        self._fates[session_id] = reason
        if len(self._fates) > FATES_MAX:
            self._fates.popitem(last=False)

    def _session(self, batch: DecodedBatch) -> Session:
        envelope = batch.envelope
        session = self._load(envelope.session_id)
        if session is None:
            project = self._projects.of(envelope.project_id)
            session = Session(envelope.project_id, envelope.session_id, project, self._shared)
        return session

    def _load(self, session_id: str) -> Session | None:
        session = self._hot.get(session_id)
        if session is None and session_id in self._packed:
            session = self._unpack(session_id, self._packed.pop(session_id))
        return session

    def _unpack(self, session_id: str, packed: PackedSession) -> Session:
        session = Session(packed.project_id, session_id, self._projects.of(packed.project_id), self._shared)
        session.restore(self._shared.packer.unpack(packed.data, SessionState))
        return session

    def _touch(self, session: Session) -> None:
        session_id = session.ledger.session_id
        self._hot[session_id] = session
        self._hot.move_to_end(session_id)
        self._touched[session_id] = session
        # New data only puts an end off; what is held back may want to be looked at sooner.
        if session.holds or session_id not in self._scheduled:
            self._schedule(session_id, session.deadline())

    def _schedule(self, session_id: str, deadline_ms: int) -> None:
        """Note when to look at a session again; an entry that is too early is corrected when it comes up."""
        scheduled = self._scheduled.get(session_id)
        if scheduled is None or deadline_ms < scheduled:
            self._scheduled[session_id] = deadline_ms
            heapq.heappush(self._deadlines, (deadline_ms, session_id))

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """Return the next moment (epoch ms) at which `tick` may have something to do."""
        return self._deadlines[0][0] if self._deadlines else None

    def tick(self, now_ms: int) -> None:
        """Let time pass: gaps are given up, silent sessions end, ended ones close."""
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            deadline_ms, session_id = heapq.heappop(self._deadlines)
            if self._scheduled.get(session_id) != deadline_ms:
                continue
            del self._scheduled[session_id]
            session = self._load(session_id)
            if session is None:
                continue
            if session.deadline() <= now_ms:
                session.tick(now_ms)
                self._touch(session)
            else:
                self._hot.setdefault(session_id, session)
            self._retire(session, now_ms)

    def _retire(self, session: Session, now_ms: int) -> None:
        session_id = session.ledger.session_id
        if session.phase is Phase.CLOSED:
            self._note_fate(session_id, Reason.AFTER_END)
            del self._hot[session_id]
            self._scheduled.pop(session_id, None)
        else:
            self._schedule(session_id, max(session.deadline(), now_ms + 1))

    def finish(self) -> None:
        """The input ended: every session ends with it."""
        for session_id in [*self._hot, *self._packed]:
            session = self._load(session_id)
            if session is not None:
                session.finish()
                self._touch(session)

    # -- out ----------------------------------------------------------------------------------------------------

    def take(self) -> list[SessionEffects]:
        """Give the effects of every session touched since the last call, then pack those long untouched."""
        effects = self._withdrawn + [session.take() for session in self._touched.values()]
        self._withdrawn = []
        self._touched.clear()
        self._cool(HOT_SESSIONS)
        return effects

    def take_refusals(self) -> list[tuple[Refusal, int]]:
        """Give which sessions' batches were refused since the last call, and how many: not those of excluded users."""
        refused, self._refused = self._refused, Counter()
        return list(refused.items())

    def take_dead_letters(self) -> list[DeadLetter]:
        """Give the dead letters since the last call."""
        letters, self._dead_letters = self._dead_letters, []
        return letters

    def _cool(self, limit: int) -> None:
        """Pack the least recently touched sessions, but none that holds batches back: a packed state has none."""
        for _ in range(len(self._hot) - limit):
            session_id, session = self._hot.popitem(last=False)
            if session.holds:
                self._hot[session_id] = session
            else:
                self._packed[session_id] = PackedSession(session.ledger.project_id, session.snapshot())

    def cool(self) -> None:
        """Pack all sessions, as if none were busy. Effects have to be taken before."""
        self._cool(0)

    # -- resuming -----------------------------------------------------------------------------------------------

    def snapshot(self) -> CoreState:
        """Describe everything that later input depends on. Effects have to be taken before."""
        hot = {
            session_id: PackedSession(session.ledger.project_id, session.snapshot())
            for session_id, session in self._hot.items()
        }
        return CoreState({**self._packed, **hot}, dict(self._fates))

    def replay_from(self) -> int | None:
        """Return the smallest input position of a batch that is held back: a snapshot doesn't have its content."""
        held = (session.replay_from() for session in self._hot.values())
        return min((position for position in held if position is not None), default=None)

    def restore(self, state: CoreState) -> None:
        """Take over the state of a core with equal settings. Raises ValueError for states of another format.

        Go on feeding at that core's `replay_from`, or after its last position if that was `None`: what was taken
        before is recognised by its position.
        """
        for session_id, packed in state.sessions.items():
            session = self._unpack(session_id, packed)
            self._hot[session_id] = session
            self._schedule(session_id, session.deadline())
        self._fates.update(state.fates)
