"""The core: messages and the passing of time in, effects out. No I/O, no clock."""

from collections import Counter, deque
from typing import Final

import msgspec

from engine.core.counts import Counts
from engine.core.deadlines import Deadlines
from engine.core.effects import DeadLetter, SessionEffects
from engine.core.fates import WITHDRAWALS, Fate, Fates, Refusal
from engine.core.holding import Holding
from engine.core.phases import Phase
from engine.core.residents import Residents
from engine.core.saving import SAVE_ALWAYS, Saving, SavingRules
from engine.core.session import Session
from engine.core.shared import Shared
from engine.errors import Poison
from engine.input.messages import DecodedBatch, decode_message
from engine.reasons import Reason
from engine.settings import Settings
from schemas.session_record import SessionRecord

HOT_SESSIONS: Final = 512
"""Sessions kept unpacked; the least recently touched others are packed, to be unpacked with their next batch."""

TICK_SESSIONS: Final = 512
"""Sessions unpacked by one `tick`: after a long pause all may be due at once."""


class StoredState(msgspec.Struct, frozen=True):
    """A session as a store has it.

    `state` is what `SessionEffects.state` gave last, empty if it never did. What the session published is stored up to
    input position `position`, maybe beyond what `state` knows; `next_seqs` has the number of the next batch by window.
    `record` and `deadline_ms` are what was published and asked for last. With `is_of_other_input` positions are not
    those of the input that is fed.
    """

    session_id: str
    project_id: str
    state: bytes
    position: int
    next_seqs: dict[str, int]
    record: SessionRecord
    deadline_ms: int | None
    is_of_other_input: bool = False


class Core:
    """All open sessions of one input, and what has to be written of them.

    Call `open` and `feed` for every message in the input's order, `tick` when time has passed, and `take` for the
    effects; what `take` gave has to be written before a snapshot of it counts. `now_ms` is the arrival clock (epoch
    ms) and never falls. Cores of one process can have their decoders, counts and known pages `shared`.

    A core that goes on with stored sessions wants to know each of them (`knows`, `adopt`) before its first batch is
    fed, and wants to be fed from the `replay_from` of the core before on: what was taken before is recognised by its
    position.
    """

    def __init__(self, settings: Settings, shared: Shared | None = None, saving: SavingRules = SAVE_ALWAYS) -> None:
        self._shared = Shared(settings) if shared is None else shared
        self._sessions = Residents(self._shared)
        self._saving = Saving(saving)
        self._hot_limit = HOT_SESSIONS
        self._touched: dict[str, Session] = {}
        self._holding = Holding()
        self._max_held_bytes = settings.order.max_total_held_bytes
        self._catching_up: dict[str, StoredState] = {}
        self._fates = Fates()
        self._withdrawn: list[SessionEffects] = []
        self._unfinished: deque[str] = deque()
        self._deadlines = Deadlines()
        self._dead_letters: list[DeadLetter] = []
        self._refused: Counter[Refusal] = Counter()

    @property
    def counts(self) -> Counts:
        """What became of everything read so far."""
        return self._shared.counts

    @property
    def open_sessions(self) -> int:
        """How many sessions are held, packed or not."""
        return len(self._sessions)

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
            self._refuse(batch, refused, position)
            return
        envelope = batch.envelope
        session = self._session(batch)
        self._saving.fed(envelope.session_id, position, batch.size_bytes, now_ms)
        if envelope.session_id in self._catching_up and self._catch_up(session, batch, position, now_ms):
            return
        was_ended = session.phase is Phase.ENDED
        session.offer(batch, position, now_ms)
        self._touch(session)
        self._make_room()
        if was_ended:
            # It is open again, and so ends sooner than its grace was to.
            self._deadlines.schedule(session.ledger.session_id, session.deadline())

    def _catch_up(self, session: Session, batch: DecodedBatch, position: int, now_ms: int) -> bool:
        """Bring a session to where it was, what comes of it being stored; say whether the batch was part of that."""
        known = self._catching_up[session.ledger.session_id].position
        if position <= known:
            session.offer(batch, position, now_ms, decides=False)
            session.take(saves=False)
            self._holding.note(session)
        if position >= known:
            self._end_catching_up(session)
        return position <= known

    def _end_catching_up(self, session: Session) -> None:
        session_id = session.ledger.session_id
        session.take(saves=False)
        # Some of it may be gone from the input by now.
        self._skip(session, self._catching_up.pop(session_id))
        if session.must_save:
            self._touch(session)
        self._deadlines.schedule(session_id, session.deadline())

    def read_up_to(self, position: int) -> None:
        """Take note that the input was read up to and with this position: what did not come by now is gone from it."""
        for session_id, stored in list(self._catching_up.items()):
            session = self._sessions.get(session_id) if stored.position <= position else None
            if session is not None:
                self._end_catching_up(session)

    def _refusal(self, batch: DecodedBatch) -> Reason | None:
        envelope = batch.envelope
        if envelope.consent is False:
            return Reason.NO_CONSENT
        if self._is_another_projects(batch):
            return Reason.PROJECT_CONFLICT
        if self._shared.excludes(envelope.project_id, envelope.user_id, envelope.anonymous_id):
            return Reason.EXCLUDED_USER
        fate = self._fates.get(envelope.session_id)
        return None if fate is None else fate.reason

    def _is_another_projects(self, batch: DecodedBatch) -> bool:
        envelope = batch.envelope
        fate = self._fates.get(envelope.session_id)
        project_id = self._sessions.project_of(envelope.session_id) or (fate.project_id if fate else "")
        return bool(project_id) and project_id != envelope.project_id

    def _refuse(self, batch: DecodedBatch, reason: Reason, position: int) -> None:
        """Count a batch of which nothing may be used; a session that may not be there is withdrawn and kept out."""
        self._shared.drop_batch(batch, reason)
        envelope = batch.envelope
        if reason not in WITHDRAWALS:
            self._refused[Refusal(envelope.session_id, envelope.project_id, reason)] += 1
        elif not self._is_settled(batch, reason, position):
            self._withdraw(batch, reason)

    def _is_settled(self, batch: DecodedBatch, reason: Reason, position: int) -> bool:
        """Say whether a session is withdrawn already, or not to be for this batch."""
        fate = self._fates.get(session_id := batch.envelope.session_id)
        if (fate is not None and fate.is_withdrawn) or self._is_another_projects(batch):
            return True
        # A refusal that is read again was followed by consent: else there would be a tombstone.
        return reason is Reason.NO_CONSENT and position <= self._known_position(session_id)

    def _known_position(self, session_id: str) -> int:
        """Return the highest input position that is known, or stored, of a session."""
        session, fate = self._sessions.get(session_id), self._fates.get(session_id)
        stored = self._catching_up.get(session_id)
        return max(
            -1 if session is None else session.position,
            -1 if fate is None else fate.position,
            -1 if stored is None else stored.position,
        )

    def _withdraw(self, batch: DecodedBatch, reason: Reason) -> None:
        session_id = batch.envelope.session_id
        is_known = session_id in self._sessions or session_id in self._fates
        if is_known or reason is Reason.EXCLUDED_USER:
            # One that was closed here is still written somewhere. Of one nobody knows batches may follow that name
            # nobody, and then, after a restart, only a tombstone tells whose they are.
            withdrawn = self._session(batch).withdraw(reason)
            self._withdrawn.append(msgspec.structs.replace(withdrawn, is_new=not is_known))
            self.refuse(session_id, reason)

    def _session(self, batch: DecodedBatch) -> Session:
        envelope = batch.envelope
        session = self._sessions.get(envelope.session_id)
        return self._sessions.create(envelope.project_id, envelope.session_id) if session is None else session

    def _drop(self, session_id: str) -> None:
        self._sessions.remove(session_id)
        self._saving.saved(session_id)
        self._holding.forget(session_id)
        self._deadlines.forget(session_id)
        self._touched.pop(session_id, None)
        self._catching_up.pop(session_id, None)

    def _touch(self, session: Session) -> None:
        session_id = session.ledger.session_id
        self._sessions.touch(session)
        self._touched[session_id] = session
        self._holding.note(session)
        # New data only puts an end off; what is held back may want to be looked at sooner.
        if session.holds or session_id not in self._deadlines:
            self._deadlines.schedule(session_id, session.deadline())

    def _make_room(self) -> None:
        """Give up the oldest waits while more is held back than there is room for.

        But none of a session that is not yet where it was: what it holds back may be about to be read again.
        """
        holding = self._holding
        if holding.total_bytes <= self._max_held_bytes:
            return
        for session_id, session in holding.sessions():
            if session_id not in self._catching_up and not session.awaits:
                session.give_up()
                self._touch(session)
            if holding.total_bytes <= self._max_held_bytes:
                return

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """Return the next moment (epoch ms) at which `tick` may have something to do."""
        return self._deadlines.nearest()

    def tick(self, now_ms: int) -> None:
        """Let time pass: gaps are given up, silent sessions end, ended ones close.

        While `next_deadline` is not later than `now_ms` after it, there is more to do: take effects, and call it again.
        """
        for session_id in self._deadlines.due(now_ms, TICK_SESSIONS):
            session = None if session_id in self._catching_up else self._sessions.get(session_id)
            if session is not None:
                self._tick_session(session, now_ms)

    def _tick_session(self, session: Session, now_ms: int) -> None:
        if session.deadline() <= now_ms:
            session.tick(now_ms)
            self._touch(session)
        session_id = session.ledger.session_id
        if session.phase is Phase.CLOSED:
            self._note_closed(session)
            self._deadlines.forget(session_id)
        else:
            self._deadlines.schedule(session_id, max(session.deadline(), now_ms + 1))

    def _note_closed(self, session: Session) -> None:
        ledger = session.ledger
        self._sessions.remove(ledger.session_id)
        self._fates.note(ledger.session_id, Fate(Reason.AFTER_END, ledger.project_id, session.position))

    def finish(self, limit: int | None = None) -> bool:
        """The input ended: every session ends with it, at most `limit` of them with each call.

        Return whether there are more: take effects, which packs sessions again, and call it again.
        """
        if not self._unfinished:
            self._unfinished.extend(self._sessions)
        for _ in range(len(self._unfinished) if limit is None else min(limit, len(self._unfinished))):
            session = self._sessions.get(self._unfinished.popleft())
            if session is not None:
                session.finish()
                self._touch(session)
        return bool(self._unfinished)

    # -- out ----------------------------------------------------------------------------------------------------

    def take(self, now_ms: int = 0, *, save_all: bool = False) -> list[SessionEffects]:
        """Give the effects of every session touched since the last call, then pack those long untouched.

        `now_ms` decides which states are stored with them, by the rules for saving; `save_all` stores every state.
        """
        saving = self._saving
        cooling = [session for session in self._sessions.coldest(self._hot_limit) if not session.holds]
        behind = saving.sessions() if save_all else saving.overdue(now_ms)
        behind += [session_id for session in cooling if saving.is_behind(session_id := session.ledger.session_id)]
        for session_id in behind:
            session = None if session_id in self._catching_up else self._sessions.get(session_id)
            if session is not None:
                session.must_save = True
                self._touched[session_id] = session
        effects = self._withdrawn + [self._effects(session, now_ms) for session in self._touched.values()]
        self._withdrawn = []
        self._touched.clear()
        self._sessions.pack_all_but(self._hot_limit)
        return effects

    def _effects(self, session: Session, now_ms: int) -> SessionEffects:
        session_id = session.ledger.session_id
        saves = session.must_save or self._saving.is_due(session_id, now_ms)
        if saves:
            self._saving.saved(session_id)
        return session.take(saves=saves)

    def take_refusals(self) -> list[tuple[Refusal, int]]:
        """Give which sessions' batches were refused since the last call, and how many: none to be withdrawn."""
        refused, self._refused = self._refused, Counter()
        return list(refused.items())

    def take_dead_letters(self) -> list[DeadLetter]:
        """Give the dead letters since the last call."""
        letters, self._dead_letters = self._dead_letters, []
        return letters

    def evict(self, limit: int) -> list[str]:
        """Hold no more than `limit` packed sessions: forget others, least recently touched first; return their ids.

        They go on by `adopt`, when they have a batch or are due. What `take` gave has to be written before.
        """
        evicted = self._sessions.evict(limit, keep=self._catching_up)
        for session_id in evicted:
            self._deadlines.forget(session_id)
        return evicted

    def cool(self) -> None:
        """Pack all sessions, as if none were busy. Effects have to be taken before."""
        self._sessions.pack_all_but(0)

    def limit_hot(self, sessions: int) -> None:
        """Keep this many sessions unpacked from the next `take` on, at most."""
        self._hot_limit = sessions

    def limit_held(self, max_bytes: int) -> None:
        """Hold no more than so many bytes back behind missing batches, from the next batch on."""
        self._max_held_bytes = max_bytes

    # -- resuming -----------------------------------------------------------------------------------------------

    def knows(self, session_id: str) -> bool:
        """Say whether a batch of this session can be fed without asking a store about it."""
        return session_id in self._sessions or session_id in self._fates

    def is_over(self, session_id: str) -> bool:
        """Say whether a session is known to want nothing more, be it closed or withdrawn."""
        fate = self._fates.get(session_id)
        return fate is not None and (fate.reason is Reason.AFTER_END or fate.is_withdrawn)

    def adopt(self, stored: StoredState) -> None:
        """Go on with a session. Raises ValueError if its state is damaged, of another format or other settings."""
        session_id = stored.session_id
        session = self._sessions.adopt(session_id, stored.project_id, stored.state)
        if session.phase is Phase.CLOSED:
            self._note_closed(session)
            return
        if stored.is_of_other_input:
            self._skip(session, stored)
        elif stored.position > session.position:
            self._catching_up[session_id] = stored
            return
        self._holding.note(session)
        self._deadlines.schedule(session_id, session.deadline())

    def _skip(self, session: Session, stored: StoredState) -> None:
        """Go on after what is stored, whether or not it is known here."""
        if session.position < stored.position:
            session.go_on_from(stored.record, stored.deadline_ms)
        if stored.is_of_other_input:
            session.forget_positions()
        session.skip_to(stored.next_seqs)

    def refuse(self, session_id: str, reason: Reason) -> None:
        """Take nothing of a session from now on; what is known of it is forgotten, and not written."""
        self._drop(session_id)
        self._fates.note(session_id, Fate(reason))

    def replay_from(self) -> int | None:
        """Return the lowest input position that has to be read again after a restart.

        That is the first batch that is held back, or that a stored state does not know; `None`: nothing has to.
        """
        positions = (self._holding.replay_from(), self._saving.replay_from())
        return min((position for position in positions if position is not None), default=None)
