"""Sessions end, open again, grow over caps and lose batches, each with its reason."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from engine.reasons import Reason
from engine.settings import LimitSettings, OrderSettings, SessionSettings, Settings
from replay.blocks import decode_block
from tests.engine.core.batches import MINUTE_MS, PAGE, T0, Driver, batch, click, clicks, event


def test_a_session_ends_after_the_idle_timeout_of_the_arrival_clock() -> None:
    driver = Driver().feed(batch()).tick(T0 + 30 * MINUTE_MS - 1)
    assert driver.last.record.status == "open"
    driver.tick(T0 + 30 * MINUTE_MS)
    assert driver.last.ended
    assert driver.last.record.end_reason == "idle"


def test_data_within_the_grace_opens_it_again_and_later_data_is_too_late() -> None:
    driver = Driver().feed(batch()).tick(T0 + 30 * MINUTE_MS).feed(batch(1), T0 + 60 * MINUTE_MS)
    assert driver.last.record.status == "open"
    assert driver.last.record.reopened == 1
    much_later = T0 + 72 * 60 * MINUTE_MS
    driver.tick(T0 + 120 * MINUTE_MS).tick(much_later).feed(batch(2), much_later)
    assert driver.core.counts.batches_dropped == {Reason.AFTER_END: 1}
    assert driver.core.open_sessions == 0
    assert driver.core.counts.events_dropped == {Reason.AFTER_END: 1}


def test_an_explicit_end_ends_it_at_once() -> None:
    driver = Driver().feed(batch(ended=True))
    assert driver.last.ended
    assert driver.last.record.end_reason == "explicit"


def test_an_end_that_overtakes_an_earlier_batch_waits_for_its_turn() -> None:
    answer = event(T0 + 5_000, source=3)
    batches = [
        batch(0, PAGE, user_id="first"),
        batch(1, *click(T0 + 1), user_id="middle"),
        batch(2, answer),
        batch(3, ended=True, user_id="last"),
    ]
    signals = []
    for order in ([0, 1, 2, 3], [0, 1, 3, 2]):
        driver = Driver()
        for number in order:
            driver.feed(batches[number])
        record = driver.last.record
        assert (record.status, record.end_reason, record.user_id) == ("ended", "explicit", "last")
        signals.append([signal.id for effect in driver.effects for signal in effect.signals])
    assert signals[0] == signals[1] != []


ENDS = [[PAGE], clicks(100, 200, 300), clicks(400)]
GOES_ON = [[PAGE], clicks(100, 200, 300), clicks(400, 20_000), [event(T0 + 30_000)]]
WINDOWS = [
    *(batch(seq, *events, window_id="ends", ended=seq == 2) for seq, events in enumerate(ENDS)),
    *(batch(seq, *events, window_id="goes on") for seq, events in enumerate(GOES_ON)),
]


@given(order=st.permutations(range(len(WINDOWS))))
def test_the_end_that_one_window_tells_judges_no_other(order: list[int]) -> None:
    driver = Driver()
    for number in order:
        driver.feed(WINDOWS[number])
    driver.core.finish()
    driver.effects += driver.core.take()
    found = {(signal.detector, signal.window_id) for effect in driver.effects for signal in effect.signals}
    assert found == {("rage_click", "ends"), ("rage_click", "goes on"), ("dead_click", "goes on")}


def test_windows_are_judged_when_the_session_was_silent_long_after_one_of_them_ended_it() -> None:
    rage = batch(0, PAGE, *clicks(0, 100, 200, 300), window_id="goes on")
    driver = Driver().feed(rage).feed(batch(0, ended=True)).tick(T0 + 30 * MINUTE_MS - 1)
    assert driver.core.counts.signals == 0
    driver.tick(T0 + 30 * MINUTE_MS)
    assert driver.core.counts.signals == 1
    assert driver.last.record.end_reason == "explicit"
    driver.tick(T0 + 25 * 60 * MINUTE_MS)
    assert driver.core.open_sessions == 0


def test_the_oldest_wait_ends_when_all_sessions_hold_back_too_much() -> None:
    driver = Driver()
    driver.core.limit_held(3 * len(batch(1, PAGE, session_id="s0")))
    for number in range(3):
        driver.feed(batch(1, PAGE, session_id=f"s{number}"))
    assert driver.published == 0
    driver.feed(batch(1, PAGE, session_id="s3"))
    given_up = {effect.session_id for effect in driver.effects if effect.holes}
    assert "s0" in given_up
    assert "s3" not in given_up
    assert driver.core.counts.repaired[Reason.GAP_ABANDONED] == len(given_up)


def test_sessions_end_with_the_input_some_at_a_time() -> None:
    driver = Driver()
    for number in range(10):
        driver.feed(batch(session_id=f"s{number}"))
    driver.core.limit_hot(3)
    rounds, more = [], True
    while more:
        more = driver.core.finish(4)
        rounds.append([effect.session_id for effect in driver.core.take() if effect.record.end_reason == "input_end"])
    assert [len(ended) for ended in rounds] == [4, 4, 2]
    assert {session_id for ended in rounds for session_id in ended} == {f"s{number}" for number in range(10)}


def address(href: str) -> dict[str, Any]:
    return {"type": 4, "timestamp": T0, "data": {"href": href, "width": 1, "height": 1}}


PARTS = [address("https://shop.example/a"), PAGE, event(), *click(T0), event(), address("https://shop.example/b")]
VISIT = [{**part, "timestamp": T0 + 1_000 * number} for number, part in enumerate(PARTS * 5)]


@given(cuts=st.sets(st.integers(1, len(VISIT) - 1)), most=st.integers(50, 4_000), seconds=st.integers(1, 40))
@hypothesis_settings(deadline=None)
def test_a_cap_falls_on_the_same_event_however_the_events_are_cut(cuts: set[int], most: int, seconds: int) -> None:
    settings = Settings(session=SessionSettings(max_bytes=most, max_duration_ms=seconds * 1_000))

    def outcome(places: list[int]) -> object:
        driver = Driver(settings)
        for seq, (first, last) in enumerate(pairwise([0, *places, len(VISIT)])):
            driver.feed(batch(seq, *VISIT[first:last]))
        driver.feed(batch(0, event(T0 + 10), window_id="w2"))
        effects = driver.effects
        lines = [
            line
            for effect in effects
            for made in effect.blocks
            for line in decode_block(made.data, 1 << 20).splitlines()
        ]
        holes = [hole for effect in effects for hole in effect.holes]
        activities = [activity for effect in effects for activity in effect.activities]
        signals = [signal.id for effect in effects for signal in effect.signals]
        record = driver.last.record
        totals = msgspec.structs.replace(record.totals, batches=0)
        return lines, holes, activities, signals, msgspec.structs.replace(record, totals=totals, dropped={})

    assert outcome(sorted(cuts)) == outcome([])


def test_a_batch_delivered_twice_neither_opens_a_session_again_nor_keeps_it_open() -> None:
    driver = Driver().feed(batch(0)).feed(batch(1, ended=True))
    once = driver.last.record
    twice = driver.feed(batch(0)).feed(batch(1, ended=True)).last.record
    assert msgspec.structs.replace(twice, dropped={}) == once
    driver = Driver().feed(batch(0)).feed(batch(0), T0 + 20 * MINUTE_MS).tick(T0 + 30 * MINUTE_MS)
    assert driver.last.record.end_reason == "idle"


def test_what_is_still_held_when_a_session_closes_is_used_after_all() -> None:
    order = OrderSettings(gap_wait_ms=72 * 60 * MINUTE_MS)
    driver = Driver(Settings(order=order)).feed(batch(0)).feed(batch(2))
    for hours in (1, 25, 26):
        driver.tick(T0 + hours * 60 * MINUTE_MS)
    assert driver.core.open_sessions == 0
    assert driver.published == 2
    assert [hole.reason for effect in driver.effects for hole in effect.holes] == ["gap"]
    assert driver.last.record.end_reason == "idle"


def test_a_far_future_event_time_does_not_end_other_sessions() -> None:
    driver = Driver().feed(batch()).feed(batch(0, event(T0 * 1000), session_id="other"))
    assert driver.last.session_id == "other"
    assert driver.core.open_sessions == 2
    assert not any(effect.ended for effect in driver.effects)


def test_the_byte_cap_leaves_a_hole_and_counts_the_rest() -> None:
    driver = Driver(Settings(session=SessionSettings(max_bytes=1_000)))
    for seq in range(20):
        driver.feed(batch(seq))
    record = driver.last.record
    assert record.status == "ended"
    assert record.end_reason == "max_bytes"
    assert record.totals.bytes <= 1_000
    holes = [hole.reason for effect in driver.effects for hole in effect.holes]
    assert holes == ["max_bytes"]
    assert driver.published + record.dropped["session_max_bytes"] == 20


def test_the_duration_cap_counts_event_time() -> None:
    driver = Driver(Settings(session=SessionSettings(max_duration_ms=60 * MINUTE_MS)))
    driver.feed(batch(0, event(T0), event(T0 + 60 * MINUTE_MS), event(T0 + 60 * MINUTE_MS + 1)))
    assert driver.published == 2
    assert driver.last.record.end_reason == "max_duration"
    assert driver.last.record.dropped == {"session_max_duration": 1}


def test_a_gap_is_waited_for_then_a_hole_and_a_late_batch_fills_it() -> None:
    driver = Driver().feed(batch(0)).feed(batch(2)).feed(batch(3))
    assert driver.published == 1
    driver.tick(T0 + 15 * MINUTE_MS)
    assert driver.published == 3
    hole = driver.last.holes[0]
    assert (hole.reason, hole.first_seq, hole.last_seq) == ("gap", 1, 1)
    driver.feed(batch(1), T0 + 16 * MINUTE_MS)
    assert driver.last.filled[0].first_seq == 1
    assert [block.late for block in driver.last.blocks] == [True]
    assert driver.published == 4


LOSSES = {
    "a gap": [],
    "a batch nobody can decode": [batch(1).replace(b'"events":[', b'"events":[' + b"1," * 2_000_001)],
    "a packed event": [batch(1, {"type": 2, "timestamp": T0, "data": "packed"})],
}


@pytest.mark.parametrize("name", LOSSES)
def test_after_a_loss_the_page_before_says_nothing_about_what_may_be_shown(name: str) -> None:
    text = [{"id": 5, "value": "Aurelia Fontaine"}]
    change = event(T0 + 9, source=0, texts=text, attributes=[], removes=[], adds=[])
    driver = Driver()
    for value in (batch(0, PAGE), *LOSSES[name], batch(2, change)):
        driver.feed(value)
    driver.tick(T0 + 15 * MINUTE_MS)
    lines = b"".join(decode_block(block.data, 1 << 20) for effect in driver.effects for block in effect.blocks)
    assert b"Place order" in lines
    assert b"******* ********" in lines


def test_duplicates_and_conflicts_are_told_apart() -> None:
    driver = Driver().feed(batch(0)).feed(batch(0)).feed(batch(0, event(T0 + 5)))
    assert driver.core.counts.batches_dropped == {Reason.DUPLICATE_BATCH: 1, Reason.SEQUENCE_CONFLICT: 1}
    assert driver.last.record.dropped == {"duplicate_batch": 1, "sequence_conflict": 1}


@pytest.mark.parametrize("wrong_first", [True, False])
def test_a_window_with_a_clock_of_its_own_does_not_end_the_session(*, wrong_first: bool) -> None:
    wrong, right = batch(0, event(0), event(1), window_id="w2"), batch(0)
    driver = Driver().feed(wrong if wrong_first else right).feed(right if wrong_first else wrong).feed(batch(1))
    assert driver.published == 4
    assert driver.last.record.status == "open"
    assert driver.last.record.started_at == T0


def test_a_session_belongs_to_one_project() -> None:
    driver = Driver().feed(batch(0)).feed(batch(1, project_id="other"))
    assert driver.core.open_sessions == 1
    assert driver.last.project_id == "shop"
    assert driver.core.counts.batches_dropped == {Reason.PROJECT_CONFLICT: 1}


def test_identity_is_merged_when_a_visitor_signs_in() -> None:
    driver = Driver().feed(batch(0, anonymous_id="a")).feed(batch(1, user_id="u")).feed(batch(2))
    assert (driver.last.record.user_id, driver.last.record.anonymous_id) == ("u", "a")


def test_windows_are_capped() -> None:
    driver = Driver(Settings(limits=LimitSettings(max_windows_per_session=2)))
    for number in range(4):
        driver.feed(batch(window_id=f"w{number}"))
    assert driver.core.counts.batches_dropped == {Reason.TOO_MANY_WINDOWS: 2}
    assert driver.last.record.window_ids == ["w0", "w1"]


def test_poison_becomes_a_dead_letter_without_content() -> None:
    driver = Driver().feed(b"{secret").feed(batch())
    letter = driver.core.take_dead_letters()[0]
    assert (letter.position, letter.reason, letter.size_bytes) == (0, Reason.NOT_JSON, 7)
    assert driver.published == 1


def test_held_batches_survive_packing() -> None:
    driver = Driver(Settings(order=OrderSettings(gap_wait_ms=MINUTE_MS))).feed(batch(0)).feed(batch(2))
    driver.core.cool()
    driver.feed(batch(1))
    assert driver.published == 3


def test_a_session_that_was_opened_again_ends_again_as_soon_as_any() -> None:
    driver = Driver().feed(batch(0)).tick(T0 + 30 * MINUTE_MS).feed(batch(1), T0 + 60 * MINUTE_MS)
    assert not driver.tick(T0 + 90 * MINUTE_MS - 1).last.ended
    assert driver.tick(T0 + 90 * MINUTE_MS).last.ended
    assert driver.last.record.reopened == 1
