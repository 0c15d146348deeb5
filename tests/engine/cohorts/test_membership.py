"""Whatever happens, in whatever order, what a receiver was told adds up to who is in the cohort."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from engine.cohorts.events import CohortEvent, Source, batch_of, event_of, support_digest, webhook_body
from engine.cohorts.membership import (
    Match,
    Member,
    Moment,
    attempted,
    confirmed,
    due_event,
    left,
    narrowed,
    observed,
)

WINDOW = 100
SOURCE = Source("shop", "angry")
USERS = st.sampled_from(["u0", "u1", "u2"])


class Receiver:
    """Keeps a set of users by the events it gets; `remembering` skips those it has seen."""

    def __init__(self, *, remembering: bool) -> None:
        self.members: set[str] = set()
        self._seen: set[str] | None = set() if remembering else None

    def take(self, events: Sequence[CohortEvent]) -> None:
        for event in events:
            if self._seen is not None and event.id in self._seen:
                continue
            if self._seen is not None:
                self._seen.add(event.id)
            (self.members.add if event.event == "enter" else self.members.discard)(event.user_id)


class World:
    """Sessions that are stored, members that are known, receivers; changed in the ways in which runs change them."""

    def __init__(self) -> None:
        self.now = 1_000
        self.sessions: dict[str, tuple[str, int]] = {}
        self.known: dict[str, Member] = {}
        self.receivers = [Receiver(remembering=True), Receiver(remembering=False)]
        self.texts: dict[str, bytes] = {}
        self.walk = self.sequence = 0

    def truth(self) -> set[str]:
        return {user for user, start in self.sessions.values() if start + WINDOW > self.now}

    def latest(self, user: str) -> Match | None:
        starts = [(start, name) for name, (whose, start) in self.sessions.items()
                  if whose == user and start + WINDOW > self.now]  # fmt: skip
        return Match(max(starts)[0], support_digest(max(starts)[1])) if starts else None

    def moment(self) -> Moment:
        self.sequence += 1
        return Moment(self.now, self.sequence)

    def put(self, user: str, member: Member | None) -> None:
        self.known.pop(user, None)
        if member is not None:
            self.known[user] = member

    def see(self, user: str, match: Match) -> None:
        self.put(user, observed(self.known.get(user), match, WINDOW, self.moment(), self.walk))

    def check(self, user: str) -> None:
        if (member := self.known.get(user)) is not None:
            match = self.latest(user)
            self.put(user, left(member, self.moment()) if match is None
                     else narrowed(member, match, WINDOW, self.moment()))  # fmt: skip

    def reconcile(self) -> None:
        self.walk += 1
        for user in sorted({user for user, _ in self.sessions.values()}):
            if match := self.latest(user):
                self.see(user, match)
        for user, member in list(self.known.items()):
            if member.until and member.walk < self.walk:
                self.check(user)

    def expire(self) -> None:
        for user, member in list(self.known.items()):
            if member.until and member.until <= self.now:
                self.put(user, left(member, self.moment()))

    def send(self, limit: int, *, arrives: bool, is_confirmed: bool) -> None:
        def due() -> list[str]:
            return sorted((u for u, m in self.known.items() if due_event(m)), key=lambda u: self.known[u].sequence)

        events: list[CohortEvent] = []
        while not events and (chosen := due()[:limit]):
            for user in [user for user in chosen if due_event(self.known[user]) == "enter"]:
                self.check(user)
            # Only of these: who is due now that others are not was not looked at.
            members = [(user, self.known[user]) for user in chosen if user in self.known]
            events = [event for user, member in members if (event := event_of(SOURCE, user, member))]
        for event in events:
            assert event.event == "exit" or event.user_id in self.truth()
            text = webhook_body(batch_of(SOURCE, [event]))
            assert self.texts.setdefault(event.id, text) == text
            self.known[event.user_id] = attempted(self.known[event.user_id], event.event)
        if arrives:
            for receiver in self.receivers:
                receiver.take(events)
        if is_confirmed and arrives:
            for event in events:
                self.put(event.user_id, confirmed(self.known[event.user_id], event.event))


class Starts(NamedTuple):
    name: str
    user: str
    ago: int
    is_followed: bool


class Goes(NamedTuple):
    name: str
    is_followed: bool


class Passes(NamedTuple):
    time: int


class Reconciles(NamedTuple):
    pass


class Expires(NamedTuple):
    pass


class Sends(NamedTuple):
    limit: int
    arrives: bool
    is_confirmed: bool


NAMES = st.sampled_from([f"s{number}" for number in range(6)])
STEPS = st.lists(
    st.one_of(
        st.builds(Starts, NAMES, USERS, st.integers(-20, 120), st.booleans()),
        st.builds(Goes, NAMES, st.booleans()),
        st.builds(Passes, st.integers(0, 60)),
        st.builds(Reconciles),
        st.builds(Expires),
        st.builds(Sends, st.integers(1, 3), st.booleans(), st.booleans()),
    ),
    max_size=40,
)


def go_through(steps: Sequence[NamedTuple]) -> World:
    world = World()
    for step in steps:
        go(world, step)
    return world


def go(world: World, step: NamedTuple) -> None:
    match step:
        case Starts(name, user, ago, is_followed):
            world.sessions[name] = (user, world.now - ago)
            if is_followed:
                world.see(user, Match(world.now - ago, support_digest(name)))
        case Goes(name, is_followed):
            gone = world.sessions.pop(name, None)
            member = world.known.get(gone[0]) if gone else None
            if gone and is_followed and member and member.support == support_digest(name):
                world.check(gone[0])
        case Passes(time):
            world.now += time
        case Reconciles():
            world.reconcile()
        case Expires():
            world.expire()
        case Sends(limit, arrives, is_confirmed):
            world.send(limit, arrives=arrives, is_confirmed=is_confirmed)
        case _:
            raise AssertionError(step)


@given(STEPS)
def test_events_add_up_to_who_is_in_the_cohort(steps: list[NamedTuple]) -> None:
    world = go_through(steps)
    world.reconcile()
    world.expire()
    for _ in range(3):
        world.send(3, arrives=True, is_confirmed=True)
    for receiver in world.receivers:
        assert receiver.members == world.truth()
    assert not [member for member in world.known.values() if due_event(member)]
    assert {user for user, member in world.known.items() if member.until} == world.truth()


@given(STEPS)
def test_nothing_is_kept_of_users_who_left_once_that_is_told(steps: list[NamedTuple]) -> None:
    world = go_through(steps)
    world.sessions.clear()
    world.reconcile()
    for _ in range(3):
        world.send(3, arrives=True, is_confirmed=True)
    assert world.known == {}
    assert all(receiver.members == set() for receiver in world.receivers)


@given(STEPS)
def test_a_second_run_over_the_same_sessions_has_nothing_to_tell(steps: list[NamedTuple]) -> None:
    world = go_through(steps)
    world.reconcile()
    world.expire()
    for _ in range(3):
        world.send(3, arrives=True, is_confirmed=True)
    told = dict(world.texts)
    world.reconcile()
    world.send(3, arrives=True, is_confirmed=True)
    assert world.texts == told


def test_a_user_of_whom_nothing_was_sent_leaves_without_a_word() -> None:
    entered = observed(None, Match(1_000, "s"), WINDOW, Moment(1_000, 1), 1)
    assert entered is not None
    assert left(entered, Moment(1_050, 2)) is None


def test_a_user_who_may_have_been_told_of_leaves_with_an_event_that_tells_no_session() -> None:
    entered = observed(None, Match(1_000, "s"), WINDOW, Moment(1_000, 1), 1)
    assert entered is not None
    gone = left(attempted(entered, "enter"), Moment(1_050, 2))
    assert gone is not None
    event = event_of(SOURCE, "u", gone)
    assert event is not None
    assert (event.event, event.matched_at, event.sequence) == ("exit", None, 2)


def test_who_leaves_and_comes_back_before_anything_is_sent_is_told_nothing_about() -> None:
    entered = observed(None, Match(1_000, "s"), WINDOW, Moment(1_000, 1), 1)
    assert entered is not None
    known = confirmed(attempted(entered, "enter"), "enter")
    assert known is not None
    gone = left(known, Moment(1_100, 2))
    back = observed(gone, Match(1_090, "t"), WINDOW, Moment(1_110, 3), 2)
    assert due_event(gone) == "exit"
    assert due_event(back) is None


def test_a_member_is_one_until_the_window_has_passed_and_no_longer() -> None:
    match = Match(1_000, "s")
    assert observed(None, match, WINDOW, Moment(1_099, 1), 1) is not None
    assert observed(None, match, WINDOW, Moment(1_100, 1), 1) is None


def test_the_same_batch_is_the_same_bytes() -> None:
    entered = observed(None, Match(1_000, "s"), WINDOW, Moment(1_000, 1), 1)
    assert entered is not None
    events = [event for user in ("a", "b") if (event := event_of(SOURCE, user, entered))]
    first, second = batch_of(SOURCE, events), batch_of(SOURCE, list(events))
    assert (first.id, webhook_body(first)) == (second.id, webhook_body(second))
    assert batch_of(SOURCE, events[:1]).id != first.id
