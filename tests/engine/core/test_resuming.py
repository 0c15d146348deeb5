"""Sessions go on in another core, from a state that lacks what was published since: nothing is lost or told twice."""

import msgspec
import pytest

from engine.core.core import Core, StoredState
from engine.core.effects import SessionEffects
from engine.core.saving import SavingRules
from engine.reasons import Reason
from engine.settings import OrderSettings, SessionSettings, Settings
from replay.blocks import decode_block
from tests.engine.core.batches import MINUTE_MS, SESSION, T0, batch
from tests.engine.core.shelf import Shelf

NEVER = 1 << 40
SELDOM = SavingRules(NEVER, NEVER)


class Owner:
    """A core that goes on with what is on a shelf; everything it publishes goes there."""

    def __init__(self, shelf: Shelf, settings: Settings | None = None, saving: SavingRules = SELDOM) -> None:
        self.core = Core(settings or Settings(), saving=saving)
        self.shelf = shelf
        self.effects: list[SessionEffects] = []

    def feed(self, position: int, value: bytes, at_ms: int = T0) -> "Owner":
        opened = self.core.open(value, None, "test", position)
        assert opened is not None
        self.shelf.hand_over(self.core, opened)
        self.core.feed(opened, position, at_ms)
        return self

    def publish(self, at_ms: int = T0, *, save_all: bool = False) -> "Owner":
        effects = self.core.take(at_ms, save_all=save_all)
        self.shelf.add(effects)
        self.effects += effects
        return self

    @property
    def published(self) -> list[int]:
        """The times of the events published, after the start."""
        lines = [
            line
            for effect in self.effects
            for block in effect.blocks
            for line in decode_block(block.data, 1 << 20).splitlines()
        ]
        return [msgspec.json.decode(line)["timestamp"] - T0 for line in lines]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_what_was_published_after_the_state_is_fed_again_and_left_out(shelf: Shelf) -> None:
    before = Owner(shelf).feed(10, batch(0)).publish(save_all=True)
    before.feed(11, batch(1)).feed(12, batch(2)).publish()
    assert before.core.replay_from() == 11
    after = Owner(shelf)
    for position, seq in ((11, 1), (12, 2), (13, 3)):
        after.feed(position, batch(seq))
    after.publish()
    assert before.published == [0, 1, 2]
    assert after.published == [3]
    assert after.core.replay_from() == 11


def test_a_session_whose_state_was_never_stored_is_fed_from_its_first_batch(shelf: Shelf) -> None:
    Owner(shelf).feed(10, batch(0)).publish()
    after = Owner(shelf).feed(10, batch(0)).feed(11, batch(1)).publish()
    assert after.published == [1]


def test_nothing_is_given_up_for_time_while_catching_up(shelf: Shelf) -> None:
    """The clock of one who reads again is not that of the one before: there, nothing had been given up."""
    wait_ms = OrderSettings().gap_wait_ms
    before = Owner(shelf).feed(10, batch(0)).publish(save_all=True)
    before.feed(11, batch(2), T0 + 5_000).publish().feed(12, batch(3), T0 + wait_ms).publish()
    assert before.published == [0]
    after = Owner(shelf).feed(11, batch(2), T0).feed(12, batch(3), T0 + wait_ms)
    after.feed(13, batch(1), T0 + wait_ms).publish()
    assert after.published == [1, 2, 3]
    assert not any(effect.holes for effect in after.effects)


def test_what_waited_too_long_is_given_up_once_it_has_caught_up(shelf: Shelf) -> None:
    wait_ms = OrderSettings().gap_wait_ms
    before = Owner(shelf).feed(10, batch(0)).publish(save_all=True)
    before.feed(11, batch(2)).publish()
    after = Owner(shelf).feed(11, batch(2)).publish()
    after.core.tick(T0 + wait_ms)
    after.publish()
    assert after.published == [2]
    assert [hole.reason for effect in after.effects for hole in effect.holes] == ["gap"]
    assert before.published == [0]


def test_nothing_is_given_up_for_room_before_it_was_read_again(shelf: Shelf) -> None:
    before = Owner(shelf).feed(10, batch(0)).feed(11, batch(2)).publish(save_all=True)
    assert before.core.replay_from() == 11
    after = Owner(shelf)
    after.core.limit_held(1)
    other = batch(1, session_id="22222222-2222-3333-4444-555555555555")
    after.shelf.hand_over_session(after.core, SESSION)
    after.feed(5, other).publish()
    assert after.published == [1], "only the other session had to go on without what it waited for"
    after.feed(11, batch(2)).feed(12, batch(1)).publish()
    assert after.published == [1, 2, 1], "now there was no room for its wait either: the last one came late"


def test_nothing_is_given_up_for_room_while_catching_up(shelf: Shelf) -> None:
    before = Owner(shelf).feed(10, batch(0)).publish(save_all=True)
    before.feed(11, batch(2)).feed(12, batch(3)).publish()
    after = Owner(shelf)
    after.core.limit_held(1)
    after.feed(11, batch(2)).feed(12, batch(3))
    assert after.publish().published == []
    after.feed(13, batch(1)).publish()
    assert after.published == [1, 2, 3]


class TestAnotherInput:
    """A topic made again, or another partition: positions say nothing, numbers of batches do."""

    def rebased(self, shelf: Shelf) -> Owner:
        stored = shelf.sessions[SESSION]
        after = Owner(Shelf())
        after.core.adopt(msgspec.structs.replace(stored, is_of_other_input=True))
        return after

    def test_batches_are_known_by_their_numbers(self, shelf: Shelf) -> None:
        Owner(shelf).feed(10, batch(0)).publish(save_all=True).feed(11, batch(1)).publish()
        after = self.rebased(shelf).feed(0, batch(0)).feed(1, batch(1)).feed(2, batch(2)).publish()
        assert after.published == [2]
        assert after.core.counts.batches_dropped == {Reason.DUPLICATE_BATCH: 2}

    def test_what_was_held_back_comes_again(self, shelf: Shelf) -> None:
        Owner(shelf).feed(10, batch(0)).feed(11, batch(2)).publish(save_all=True)
        after = self.rebased(shelf).feed(0, batch(0)).feed(1, batch(2)).feed(2, batch(1)).publish()
        assert after.published == [1, 2]

    def test_a_hole_that_was_filled_is_not_filled_again(self, shelf: Shelf) -> None:
        before = Owner(shelf).feed(10, batch(0)).feed(11, batch(2)).publish()
        before.core.tick(T0 + OrderSettings().gap_wait_ms)
        before.publish().feed(12, batch(1), T0 + 20 * MINUTE_MS).publish()
        assert before.published == [0, 2, 1]
        after = self.rebased(shelf).feed(0, batch(1)).publish()
        assert after.published == []

    def test_a_session_whose_state_was_never_stored_goes_on_as_it_was_published(self, shelf: Shelf) -> None:
        before = Owner(shelf).feed(10, batch(0, user_id="ann")).feed(11, batch(1)).publish()
        record = before.effects[-1].record
        after = self.rebased(shelf)
        after.core.tick(T0 + 29 * MINUTE_MS)
        assert after.publish().effects == []
        after.feed(0, batch(2)).publish()
        assert after.published == [2]
        went_on = after.effects[-1].record
        assert (went_on.status, went_on.started_at, went_on.user_id) == ("open", record.started_at, "ann")
        assert went_on.totals.events == 3
        assert went_on.tags == record.tags

    def test_one_that_only_held_batches_back_goes_on_too(self, shelf: Shelf) -> None:
        Owner(shelf).feed(10, batch(1)).publish()
        after = self.rebased(shelf)
        after.core.tick(T0 + 1)
        assert after.publish().effects == []
        after.feed(0, batch(0)).feed(1, batch(1)).publish()
        assert after.published == [0, 1]

    def test_one_that_was_published_as_ended_is_opened_again_by_data(self, shelf: Shelf) -> None:
        Owner(shelf).feed(10, batch(0, ended=True)).publish()
        after = self.rebased(shelf)
        after.core.tick(T0 + 31 * MINUTE_MS)
        assert after.publish().effects == [], "its grace is not over"
        after.feed(0, batch(1), T0 + 31 * MINUTE_MS).publish()
        assert (after.effects[-1].record.status, after.effects[-1].record.reopened) == ("open", 1)

    def test_one_that_was_published_as_too_large_takes_nothing_more(self, shelf: Shelf) -> None:
        settings = Settings(session=SessionSettings(max_bytes=100))
        before = Owner(shelf, settings).feed(10, batch(0)).feed(11, batch(1)).publish()
        assert before.effects[-1].record.end_reason == "max_bytes"
        after = Owner(Shelf(), settings)
        after.core.adopt(msgspec.structs.replace(shelf.sessions[SESSION], is_of_other_input=True))
        after.feed(0, batch(2)).publish()
        assert after.published == []
        assert after.effects[-1].record.end_reason == "max_bytes"
        assert after.core.counts.events_dropped == {Reason.SESSION_MAX_BYTES: 1}

    def test_windows_that_the_state_does_not_know_go_on_after_what_is_stored_of_them(self, shelf: Shelf) -> None:
        Owner(shelf).feed(10, batch(0)).publish(save_all=True).feed(11, batch(0, window_id="w2")).publish()
        after = self.rebased(shelf).feed(0, batch(0, window_id="w2")).feed(1, batch(1, window_id="w2")).publish()
        assert after.published == [1]


class TestInputThatIsGone:
    """The input begins after what the state lacks: it goes on with what was published."""

    def test_the_next_batch_goes_on_after_what_is_stored(self, shelf: Shelf) -> None:
        Owner(shelf).feed(10, batch(0)).publish(save_all=True).feed(11, batch(1)).publish()
        after = Owner(shelf).feed(12, batch(2)).publish()
        assert after.published == [2]
        assert [effect.saves for effect in after.effects] == [True], "a third owner has nothing to read again"
        assert not any(effect.holes for effect in after.effects)

    def test_without_a_next_batch_it_ends_all_the_same(self, shelf: Shelf) -> None:
        Owner(shelf).feed(10, batch(0)).publish(save_all=True).feed(11, batch(1)).publish()
        after = Owner(shelf)
        shelf.hand_over_session(after.core, SESSION)
        after.core.tick(T0 + 31 * MINUTE_MS)
        assert after.publish().effects == [], "its input may still come"
        after.core.read_up_to(10)
        after.core.tick(T0 + 31 * MINUTE_MS)
        assert after.publish().effects == []
        after.core.read_up_to(11)
        after.core.tick(T0 + 31 * MINUTE_MS)
        assert [effect.record.status for effect in after.publish().effects] == ["ended"]

    def test_one_whose_state_was_never_stored_keeps_its_record(self, shelf: Shelf) -> None:
        before = Owner(shelf).feed(10, batch(0)).feed(11, batch(1)).publish()
        after = Owner(shelf)
        shelf.hand_over_session(after.core, SESSION)
        after.core.read_up_to(11)
        after.core.tick(T0 + 31 * MINUTE_MS)
        (effect,) = after.publish(T0 + 31 * MINUTE_MS).effects
        published = before.effects[-1].record
        assert effect.record.status == "ended"
        assert effect.record.totals == published.totals
        assert effect.record.started_at == published.started_at

    def test_its_state_is_not_stored_half_way(self, shelf: Shelf) -> None:
        before = Owner(shelf).feed(10, batch(0)).publish(save_all=True)
        before.feed(11, batch(1)).feed(12, batch(2)).publish()
        after = Owner(shelf).feed(11, batch(1))
        after.core.limit_hot(0)
        assert after.publish(T0 + NEVER, save_all=True).effects == []
        assert after.core.evict(0) == []
        assert after.core.replay_from() == 11


class TestLettingGo:
    def test_sessions_over_the_limit_are_let_go_and_can_be_taken_up_again(self, shelf: Shelf) -> None:
        owner = Owner(shelf)
        ids = [f"{n}1111111-2222-3333-4444-555555555555" for n in range(4)]
        for position, session_id in enumerate(ids):
            owner.feed(position, batch(0, session_id=session_id))
        owner.core.limit_hot(1)
        owner.publish()
        assert owner.core.evict(1) == ids[:2]
        assert [owner.core.knows(session_id) for session_id in ids] == [False, False, True, True]
        assert owner.core.open_sessions == 2
        assert owner.core.replay_from() == 3, "only the one that is unpacked has no stored state"
        owner.feed(4, batch(1, session_id=ids[0])).publish()
        assert owner.published == [0, 0, 0, 0, 1]

    def test_one_that_holds_batches_back_stays(self, shelf: Shelf) -> None:
        owner = Owner(shelf).feed(0, batch(0)).feed(1, batch(2))
        owner.core.limit_hot(0)
        owner.publish()
        assert owner.core.evict(0) == []
        assert owner.core.knows(SESSION)

    def test_one_that_was_let_go_is_not_ticked(self, shelf: Shelf) -> None:
        owner = Owner(shelf).feed(0, batch(0))
        owner.core.limit_hot(0)
        owner.publish()
        assert owner.core.evict(0) == [SESSION]
        owner.core.tick(T0 + NEVER)
        assert owner.core.take(T0 + NEVER) == []

    def test_coming_and_going_leaves_nothing_behind(self, shelf: Shelf) -> None:
        owner = Owner(shelf)
        owner.core.limit_hot(0)
        for position in range(300):
            owner.feed(position, batch(position)).publish()
            owner.core.evict(0)
        assert len(owner.core._deadlines) < 10


def test_a_session_that_is_refused_takes_nothing() -> None:
    core = Core(Settings())
    assert not core.knows(SESSION)
    core.refuse(SESSION, Reason.STATE_UNREADABLE)
    assert core.knows(SESSION)
    opened = core.open(batch(0), None, "test", 0)
    assert opened is not None
    core.feed(opened, 0, T0)
    assert core.take(T0) == []
    assert [(refusal.reason, count) for refusal, count in core.take_refusals()] == [(Reason.STATE_UNREADABLE, 1)]


@pytest.mark.parametrize("state", [b"x", b"W2", b"W2\x28\xb5\x2f\xfd"])
def test_a_state_that_is_none_is_told_and_changes_nothing(state: bytes) -> None:
    core, record = Core(Settings()), Owner(Shelf()).feed(0, batch(0)).publish().effects[-1].record
    with pytest.raises(ValueError, match="state"):
        core.adopt(StoredState(SESSION, "shop", state, 3, {}, record, None))
    assert not core.knows(SESSION)
    assert core.open_sessions == 0


def test_a_tick_looks_at_so_many_sessions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.core.core.TICK_SESSIONS", 8)
    owner = Owner(Shelf())
    for position in range(20):
        owner.feed(position, batch(0, session_id=f"{position:08d}-2222-3333-4444-555555555555"))
    owner.publish()
    late_ms = T0 + 31 * MINUTE_MS
    ended = []
    while (deadline_ms := owner.core.next_deadline()) is not None and deadline_ms <= late_ms:
        owner.core.tick(late_ms)
        ended.append(sum(effect.ended for effect in owner.core.take(late_ms)))
    assert ended == [8, 8, 4]
