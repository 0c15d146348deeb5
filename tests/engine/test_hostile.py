"""What a hostile or broken sender can do to a core: each attack by name, with the reason it is counted under."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.reasons import Reason
from engine.settings import OrderSettings, PrivacySettings, SessionSettings, Settings
from tests.engine.attack import (
    CONSERVATIVE,
    MARK,
    MARKED_LINK,
    SESSION,
    T0,
    Attack,
    addition,
    beacon,
    click,
    element,
    envelope,
    incremental,
    mutation,
    snapshot,
    text,
)
from tests.engine.core.shelf import packed_states

HOUR_MS = 3_600_000
HALF = "\\ud83d"


@pytest.fixture
def attack() -> Iterator[Attack]:
    """Give a core at level conservative; what no input may break is looked at afterwards."""
    made = Attack()
    yield made
    made.check()


# -- events -------------------------------------------------------------------------------------------------------


def nested(depth: int) -> str:
    return '{"a":' * depth + f'"{MARK}"' + "}" * depth


def nested_nodes(depth: int) -> str:
    opened = "".join(
        f'{{"type":2,"id":{10 + level},"tagName":"div","attributes":{{}},"childNodes":[' for level in range(depth)
    )
    return opened + "]}" * depth


DEEP: dict[str, Any] = {
    "payload": lambda depth: f'{{"type":5,"timestamp":{T0},"data":{{"tag":"network","payload":{nested(depth)}}}}}',
    "unknown key": lambda depth: f'{{"type":1,"timestamp":{T0},"data":{{}},"more":{nested(depth)}}}',
    "canvas": lambda depth: json.dumps(incremental(9, id=3, type=0, args="#")).replace('"#"', f"[{nested(depth)}]"),
    "added nodes": lambda depth: json.dumps(
        incremental(0, adds=[{"parentId": 3, "nextId": None, "node": "#"}])
    ).replace('"#"', nested_nodes(depth)),
    "snapshot": lambda depth: (
        f'{{"type":2,"timestamp":{T0},"data":{{"node":{{"type":0,"id":1,"childNodes":[{nested_nodes(depth)}]}}}}}}'
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", DEEP)
@pytest.mark.parametrize("depth", [90, 150, 300, 400, 10_000])
def test_depth_costs_an_event_at_most_its_batch(place: str, depth: int, attack: Attack) -> None:
    page = json.dumps(snapshot(element(4)))[1:-1]
    parts = [page, json.dumps(beacon(0)), DEEP[place](depth), json.dumps(beacon(1))]
    attack.send(envelope(0).replace(b'"events":[]', f'"events":[{",".join(parts)}]'.encode()))
    attack.events(beacon(2), seq=1)
    if depth == 10_000:
        assert attack.dropped_batches == {Reason.TOO_DEEP: 1}
    else:
        assert attack.beacons() == [0, 1, 2]
        left = {Reason.EVENT_TOO_DEEP, Reason.CUSTOM_DROPPED, Reason.CANVAS_DROPPED, Reason.NOTHING_LEFT}
        assert set(attack.dropped_events) <= left


@pytest.mark.parametrize(
    "timestamp", ["-1", "-1e300", "1e400", "9.1e15", "9" * 400, '"1"', "null", "true", "[]", "{}", ""]
)
def test_a_timestamp_that_is_none_is_taken_from_a_neighbour(timestamp: str, attack: Attack) -> None:  # fmt: skip
    bad = json.dumps(beacon(1)).replace(f'"timestamp": {T0}', f'"timestamp": {timestamp}' if timestamp else '"no": 1')
    parts = [json.dumps(beacon(0, T0 + 7)), bad, json.dumps(beacon(2, T0 + 9))]
    attack.send(envelope(0).replace(b'"events":[]', f'"events":[{",".join(parts)}]'.encode()))
    assert attack.beacons() == [0, 1, 2]
    assert [event["timestamp"] for event in attack.published()] == [T0 + 7, T0 + 7, T0 + 9]
    assert attack.repaired == {Reason.TIMESTAMP_REPAIRED: 1}


NUMBERS = ["1e400", "-1e400", "9" * 400, "-" + "9" * 5_000, "1e999999999", "NaN", "Infinity", "-Infinity"]
ANY = "#"
NUMBERED: dict[str, Any] = {
    "a place": incremental(2, type=2, id=4, x=ANY, y=5),
    "a pointer": incremental(1, positions=[{"x": x, "y": 1, "id": 4, "timeOffset": 0} for x in (1, ANY)]),
    "a node": incremental(2, type=2, id=ANY, x=5, y=5),
    "a type": {"type": ANY, "timestamp": T0, "data": {}},
    "a source": incremental(ANY),  # type: ignore[arg-type]
    "an unknown key": incremental(4, width=1, height=1, more=ANY),
    "an error": {"type": 5, "timestamp": T0, "data": {"tag": "js_error", "payload": {"kind": "error", "line": ANY}}},
    "a console": {"type": 6, "timestamp": T0, "data": {"plugin": "rrweb/console@1", "payload": {"level": ANY}}},
    "a style": mutation(attributes=[{"id": 4, "attributes": {"style": {"top": ANY}, "data-x": ANY}}]),
    "an added node": mutation(adds=[addition(4, text(ANY), ANY)]),  # type: ignore[arg-type]
    "a snapshot": snapshot(element(4, element(ANY), title=ANY))[1],  # type: ignore[arg-type]
    "a canvas": incremental(9, id=3, type=0, commands=[{"property": "x", "args": [ANY]}]),
    "an interaction": {"kind": "request_end", "t": T0, "status": ANY},
    "an event": ANY,
}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:9])
@pytest.mark.parametrize("place", NUMBERED)
def test_a_number_that_is_none_costs_no_neighbour(place: str, number: str, attack: Attack) -> None:
    events = json.dumps([*snapshot(element(4)), beacon(0), NUMBERED[place], beacon(1)]).replace(f'"{ANY}"', number)
    attack.send(envelope(0).replace(b'"events":[]', f'"events":{events}'.encode())).events(beacon(2), seq=1)
    assert attack.beacons() == [0, 1, 2]
    assert (Reason.NUMBER_REPAIRED in attack.repaired) is ("N" in number or "I" in number)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": 9, "timestamp": T0, "data": {}}, Reason.UNKNOWN_EVENT_TYPE),
        ({"type": "3", "timestamp": T0, "data": {"source": 4}}, Reason.UNKNOWN_EVENT_TYPE),
        ({"type": True, "timestamp": T0, "data": {}}, Reason.UNKNOWN_EVENT_TYPE),
        ({"kind": "rant", "t": T0}, Reason.UNKNOWN_EVENT_TYPE),
        (incremental(17), Reason.UNKNOWN_SOURCE),
        (incremental(-1), Reason.UNKNOWN_SOURCE),
        ({"type": 3, "timestamp": T0, "data": {}}, Reason.UNKNOWN_SOURCE),
        ({"type": 3, "timestamp": T0, "data": MARK}, Reason.PACKED_EVENT),
        (MARK, Reason.PACKED_EVENT),
        ({}, Reason.INVALID_EVENT),
        ([], Reason.INVALID_EVENT),
        (None, Reason.INVALID_EVENT),
        (1e308, Reason.INVALID_EVENT),
        ({"type": 7, "timestamp": T0, "data": {"url": MARKED_LINK, "payload": MARK}}, Reason.ASSET_DROPPED),
        ({"type": 5, "timestamp": T0, "data": {"tag": MARK, "payload": MARK}}, Reason.CUSTOM_DROPPED),
        ({"type": 6, "timestamp": T0, "data": {"plugin": MARK, "payload": {MARK: MARK}}}, Reason.PLUGIN_DROPPED),
    ],
)
def test_an_event_that_is_not_known_is_counted_and_its_neighbours_stay(
    event: object, reason: Reason, attack: Attack
) -> None:
    attack.events(beacon(0), event, beacon(1))
    assert attack.dropped_events == {reason: 1}
    assert attack.beacons() == [0, 1]


def test_unknown_keys_vanish_everywhere(attack: Attack) -> None:
    page = snapshot(element(4, text(5)))

    def salt(value: Any) -> Any:
        if isinstance(value, dict):
            salted = {key: part if key == "attributes" else salt(part) for key, part in value.items()}
            return {**salted, "oldValue": MARK, MARK: {MARK: MARK}}
        return [salt(part) for part in value] if isinstance(value, list) else value

    attack.events(*salt([*page, beacon(0)]), more=MARK)
    assert attack.beacons() == [0]
    assert len(attack.lines()) == 3
    assert b"oldValue" not in b"".join(attack.lines())


def test_lone_surrogates_are_replaced_wherever_they_stand(attack: Attack) -> None:
    page = snapshot(element(4, text(5), title=MARK, **{"class": MARK}))
    clean = json.dumps([*page, *click(4), beacon(0), {"kind": "click", "t": T0, "target": {"id": "a", "tag": "b"}}])
    broken = "".join(f'"{HALF}' if place % 2 else part for place, part in enumerate(clean.split('"')) for _ in (0,))
    for events in (clean.replace(MARK, HALF + MARK), clean.replace('"div"', f'"div{HALF}"'), broken):
        attack.send(envelope(len(attack.messages)).replace(b'"events":[]', f'"events":{events}'.encode()))
    assert attack.beacons() == [0, 0]
    assert attack.repaired[Reason.SURROGATE_REPAIRED] == clean.count(MARK) + 1


# -- time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "jumps",
    [[HOUR_MS], [-HOUR_MS], [HOUR_MS, -HOUR_MS], [-HOUR_MS, HOUR_MS], [2**52, -(2**52)], [-T0, T0], [10_000 * HOUR_MS]],
    ids=str,
)
def test_a_clock_that_jumps_loses_nothing(jumps: list[int], attack: Attack) -> None:
    t = T0
    attack.events(*snapshot(element(4)), beacon(0))
    for number, jump in enumerate(jumps, start=1):
        t += jump
        attack.events(*click(4, t), beacon(number, t), beacon(number, t + 100), seq=number)
    assert attack.beacons() == [0] + [number for number in range(1, len(jumps) + 1) for _ in (0, 1)]
    assert attack.record().started_at >= 0
    assert attack.record().last_event_at <= T0 + 24 * HOUR_MS


def test_a_clock_that_jumps_without_end_does_not_outgrow_the_state(attack: Attack) -> None:
    attack.events(*(beacon(number, T0 if number % 2 else 2**53 - number) for number in range(9_000)))
    assert attack.beacons() == list(range(9_000))
    attack.resume().events(beacon(1), seq=1)


def test_sessions_do_not_end_by_the_clock_of_one_sender(attack: Attack) -> None:
    attack.events(beacon(0)).events(beacon(1, 2**53), session_id="ahead", sent_at=2**53)
    attack.events(beacon(2), seq=1)
    assert not any(effect.ended for effect in attack.effects)


def test_the_bytes_of_a_session_are_capped_also_after_its_end() -> None:
    attack = Attack(Settings(session=SessionSettings(max_bytes=300)))
    # The end arrives while an earlier batch is missing; the batch held back fills the session up when it is given up.
    attack.events(beacon(0)).events(*map(beacon, range(9)), seq=2, ended=True)
    attack.tick(HOUR_MS // 3)
    assert attack.record().end_reason == "max_bytes"
    assert attack.dropped_events[Reason.SESSION_MAX_BYTES] == 10 - len(attack.beacons())
    attack.check()


# -- order --------------------------------------------------------------------------------------------------------


def test_duplicates_gaps_and_disorder_are_told_apart(attack: Attack) -> None:
    for seq in (0, 0, 2, 1, 1, 3, 9, 8):
        attack.events(beacon(seq, T0 + seq), seq=seq)
    attack.tick(HOUR_MS // 3)
    assert attack.beacons() == [0, 1, 2, 3, 8, 9]
    assert attack.dropped_batches == {Reason.DUPLICATE_BATCH: 2}
    assert [(hole.reason, hole.first_seq, hole.last_seq) for hole in attack.holes] == [("gap", 4, 7)]
    attack.events(beacon(5), seq=5)
    assert attack.repaired == {Reason.GAP_ABANDONED: 1, Reason.LATE_BATCH: 1}


def test_two_tabs_with_one_window_id_lose_batches_by_name_only(attack: Attack) -> None:
    for seq in range(5):
        attack.events(beacon(seq), seq=seq).events(beacon(100 + seq), seq=seq)
    assert attack.beacons() == [0, 1, 2, 3, 4]
    assert attack.dropped_batches == {Reason.SEQUENCE_CONFLICT: 5}


def test_interleaved_windows_and_sessions_do_not_meet(attack: Attack) -> None:
    for seq in range(4):
        for session_id in ("a", "b"):
            for window_id in ("v", "w"):
                attack.events(beacon(seq), seq=seq, session_id=session_id, window_id=window_id)
    assert len(attack.beacons()) == 16
    assert {name: attack.record(name).window_ids for name in ("a", "b")} == {"a": ["v", "w"], "b": ["v", "w"]}


def test_a_forged_number_does_not_make_good_batches_late(attack: Attack) -> None:
    attack.events(beacon(0)).events(beacon(99), seq=2**53)
    for seq in range(1, 5):
        attack.events(beacon(seq), seq=seq)
    attack.tick(HOUR_MS // 3)
    assert attack.beacons() == [0, 1, 2, 3, 4]
    assert attack.dropped_batches == {Reason.SEQUENCE_JUMP: 1}


def test_many_batches_behind_a_gap_are_not_held_without_end(attack: Attack) -> None:
    for seq in range(1, 400):
        attack.events(beacon(seq), seq=seq)
    assert attack.repaired == {Reason.GAP_ABANDONED: 1}
    assert len(attack.beacons()) == 399


def test_what_all_windows_of_a_session_hold_back_is_bounded() -> None:
    size_bytes = len(envelope(1, [beacon(0)], window_id="w00"))
    attack = Attack(Settings(order=OrderSettings(max_held_bytes=10 * size_bytes)))
    for number in range(60):
        # The windows hold one each, but for the first, which holds every second.
        window = 0 if number % 2 else number
        attack.events(beacon(number), seq=2 * number + 1, window_id=f"w{window:02}").check_states()
        if number % 7 == 0:
            attack.resume()
    assert attack.repaired == {Reason.GAP_ABANDONED: 51}
    assert [hole.window_id for hole in attack.holes[:5]] == ["w00"] * 5
    attack.check()


def test_reading_again_after_a_restart_changes_nothing_of_a_session(attack: Attack) -> None:
    attack.events(beacon(0)).events(beacon(2), seq=2).events(beacon(3), seq=3, ended=True)
    assert attack.record().end_reason == "explicit"
    attack.resume()
    assert attack.record().status == "ended"
    assert attack.record().reopened == 0
    attack.events(beacon(1), seq=1)
    assert attack.beacons() == [0, 1, 2, 3]


def test_too_many_windows_are_refused(attack: Attack) -> None:
    for number in range(70):
        attack.events(beacon(number), window_id=f"w{number}")
    assert attack.dropped_batches == {Reason.TOO_MANY_WINDOWS: 6}
    assert attack.beacons() == list(range(64))


# -- floods -------------------------------------------------------------------------------------------------------


def test_a_flood_of_signals_is_capped_and_counted(attack: Attack) -> None:
    attack.events(*snapshot(element(4, tag="button")))
    dead = [event for number in range(1_200) for event in click(4, T0 + number * 10_000)]
    for seq in range(1, 5):
        attack.events(*dead[(seq - 1) * 900 : seq * 900], seq=seq)
    attack.finish()
    assert len(attack.signals) == 1_000
    assert attack.repaired[Reason.TOO_MANY_SIGNALS] > 190
    assert attack.record().tags == {"dead_click": 1_000}


def test_clicks_of_one_moment_are_one_incident(attack: Attack) -> None:
    attack.events(*snapshot(element(4, tag="button")), *(event for _ in range(8) for event in click(4)))
    attack.events(beacon(0, T0 + 60_000), seq=1)
    assert len(attack.signals) == sum(attack.record().tags.values())


def test_errors_without_end_do_not_grow_the_state(attack: Attack) -> None:
    def error(number: int) -> dict[str, Any]:
        payload = {
            "kind": "error",
            "message": f"TypeError: {'ab'[number % 2] * (number % 97)} {MARK}",
            "stack": MARKED_LINK,
        }
        return {"type": 5, "timestamp": T0 + number, "data": {"tag": "js_error", "payload": payload}}

    for seq in range(3):
        attack.events(*(error(seq * 3_000 + number) for number in range(3_000)), seq=seq)
    assert len(packed_states(attack.core)[SESSION].data) < 20_000


def test_excluded_users_leave_no_trace_in_any_effect() -> None:
    user = f"u-{MARK}"
    privacy = PrivacySettings(level="conservative", exclude_users=(user,))
    attack = Attack(Settings(privacy=privacy))
    attack.events(beacon(0), user_id=user).events(beacon(1), seq=1, anonymous_id=user)
    assert attack.dropped_batches == {Reason.EXCLUDED_USER: 2}
    # A tombstone is wanted, so that batches which do not name the user are kept out after a restart; nothing else.
    assert [(effect.withdrawal, effect.is_new) for effect in attack.effects] == [(Reason.EXCLUDED_USER, True)]
    assert (attack.effects[0].blocks, attack.effects[0].signals, attack.effects[0].activities) == ((), (), ())
    assert attack.core.take_refusals() == []
    attack.check()


def test_no_consent_leaves_no_event() -> None:
    attack = Attack(CONSERVATIVE)
    attack.events(*snapshot(text(4)), consent=False)
    assert attack.dropped_batches == {Reason.NO_CONSENT: 1}
    assert attack.effects == []
    attack.check()
