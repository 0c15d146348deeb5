"""Pages as nobody builds them: unknown, cyclic, doubled, huge; and what work they may cost."""

import json
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from engine.reasons import Reason
from engine.settings import LimitSettings, PrivacySettings, Settings
from tests.engine.attack import (
    MARK,
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
    small,
    snapshot,
    text,
    unpacked,
)
from tests.engine.core.shelf import packed_states

UNKNOWN_IDS = [-2, -1, 0, 1, 99, 2**53]
MEDIUM = Settings(privacy=PrivacySettings(level="medium"))
"""Page text is shown at this level: what must not show is masked for another reason."""


@pytest.fixture
def attack() -> Iterator[Attack]:
    """Give a core at level conservative; what no input may break is looked at afterwards."""
    made = Attack()
    yield made
    made.check()


def named_everywhere(node_id: int) -> list[dict[str, Any]]:
    """Make events of all kinds about one node."""
    position = [{"x": 1, "y": 1, "id": node_id, "timeOffset": -5}]
    return [
        incremental(1, positions=position),
        *click(node_id),
        incremental(2, type=5, id=node_id),
        incremental(3, id=node_id, x=1, y=2),
        incremental(5, id=node_id, text=MARK, isChecked=True),
        incremental(6, positions=position),
        incremental(7, id=node_id, type=0),
        incremental(8, id=node_id, adds=[{"rule": f'p {{ content: "{MARK}" }}'}]),
        incremental(9, id=node_id, type=0, property=MARK, args=[MARK]),
        incremental(12, positions=position),
        incremental(13, id=node_id, index=[0], set={"property": "content", "value": f'"{MARK}"', "priority": MARK}),
        incremental(14, ranges=[{"start": node_id, "startOffset": 0, "end": node_id, "endOffset": 3}]),
        incremental(15, id=node_id, styleIds=[1], styles=[{"styleId": 1, "rules": [{"rule": f"/* {MARK} */"}]}]),
        mutation(texts=[{"id": node_id, "value": MARK}]),
        mutation(
            attributes=[{"id": node_id, "attributes": {"title": MARK, "data-x": MARK, "value": MARK, MARK: MARK}}]
        ),
        mutation(removes=[{"parentId": 3, "id": node_id}]),
    ]


@pytest.mark.parametrize("node_id", UNKNOWN_IDS)
@pytest.mark.parametrize("settings", [Attack().settings, MEDIUM], ids=["conservative", "medium"])
def test_events_about_unknown_nodes_are_masked_before_and_after_a_snapshot(node_id: int, settings: Settings) -> None:
    attack = Attack(settings)
    page = json.loads(json.dumps(snapshot(element(4))).replace(MARK, "x")) if node_id != 1 else []
    attack.events(*named_everywhere(node_id), beacon(0))
    attack.events(*page, *named_everywhere(node_id), beacon(1), seq=1)
    attack.resume().events(*named_everywhere(node_id), beacon(2), seq=2)
    assert attack.beacons() == [0, 1, 2]
    attack.check()


@pytest.mark.parametrize("parent_id", UNKNOWN_IDS)
@pytest.mark.parametrize("count", [1, 2, 40])
def test_nodes_below_unknown_nodes_are_masked_with_all_below(parent_id: int, count: int) -> None:
    attack = Attack(MEDIUM)
    adds = [addition(parent_id, element(100 + 2 * n, text(101 + 2 * n), title=MARK)) for n in range(count)]
    attack.events(mutation(adds=adds))
    attack.events(mutation(adds=[addition(100, text(50))], texts=[{"id": 101, "value": MARK}]), seq=1)
    attack.resume().events(mutation(texts=[{"id": 50, "value": MARK}, {"id": 101, "value": MARK}]), seq=2)
    attack.check()


def test_documents_of_frames_below_unknown_nodes_are_masked() -> None:
    attack = Attack(MEDIUM)
    frame = {"type": 0, "id": 20, "childNodes": [element(21, text(22), tag="html")]}
    for parent_id in (-1, 98, 99):
        attack.events(
            {**mutation(adds=[addition(parent_id, frame)]), "isAttachIframe": True},
            mutation(adds=[addition(21, text(23))]),
            seq=len(attack.messages),
        )
    attack.check()


def test_two_nodes_with_one_id_show_only_what_was_masked(attack: Attack) -> None:
    double = element(4, element(5, text(6)), element(5, text(7)), text(6), text(3), element(4, text(8)))
    attack.events(*snapshot(double), *click(5), beacon(0))
    adds = [addition(4, node) for node in (text(10), text(10), element(11, text(12)), element(11, text(13)), text(4))]
    attack.events(mutation(adds=adds), mutation(adds=adds), mutation(adds=adds[::-1]), beacon(1), seq=1)
    assert attack.beacons() == [0, 1]
    assert attack.repaired[Reason.NODE_DROPPED] >= 6
    attack.resume()


def test_nodes_below_themselves_end_no_walk(attack: Attack) -> None:
    attack.events(
        *snapshot(element(4, element(5, element(6, text(7))))),
        mutation(adds=[addition(5, element(5, text(8)))]),
        mutation(adds=[addition(6, element(4, text(9)))]),
        mutation(adds=[addition(11, element(10)), addition(10, element(11))]),
        mutation(adds=[addition(10, element(11, element(10, text(12))))]),
        mutation(adds=[addition(3, element(20, element(20, element(20, text(21)))))]),
        mutation(adds=[addition(31, element(30)), addition(32, element(31)), addition(3, element(32))]),
        mutation(adds=[addition(1, {"type": 0, "id": 1, "childNodes": [text(40)]})]),
        *(event for node_id in (4, 5, 6, 10, 11, 20, 30, 31, 32, 1) for event in named_everywhere(node_id)),
        beacon(0),
    )
    assert attack.beacons() == [0]
    attack.resume()


def test_a_node_moved_within_its_own_payload_keeps_its_mask() -> None:
    attack = Attack(MEDIUM)
    page = json.loads(json.dumps(snapshot(element(4, **{"class": "rr-mask"}), element(5))).replace(MARK, "x"))
    attack.events(
        *page,
        mutation(adds=[addition(4, element(10)), addition(10, text(11)), addition(5, element(12, element(10)))]),
        mutation(adds=[addition(10, text(13))], removes=[{"parentId": 4, "id": 10}]),
        mutation(removes=[{"parentId": 12, "id": 10}], adds=[addition(5, element(10)), addition(10, text(14))]),
        beacon(0),
    )
    assert attack.beacons() == [0]
    attack.check()


def test_more_nodes_than_a_page_may_have_are_left_out() -> None:
    attack = Attack(small(max_nodes_per_page=50))
    attack.events(*snapshot(*(element(10 + n, text(200 + n)) for n in range(60))), beacon(0))
    attack.events(*(mutation(adds=[addition(3, text(400 + n))]) for n in range(30)), beacon(1), seq=1)
    assert attack.beacons() == [0, 1]
    assert attack.repaired[Reason.TOO_MANY_NODES] > 60
    attack.check()


@pytest.mark.parametrize("depth", [500, 8])
def test_the_deepest_page_the_settings_allow_is_no_trouble(depth: int) -> None:
    attack = Attack(small(max_depth=depth))
    node = text(10_000)
    for level in range(400):
        node = element(9_999 - level, node, tag="button")
    attack.send(envelope(0, snapshot(node)))
    chain = [addition(3 if not level else 20_000 + level - 1, element(20_000 + level)) for level in range(400)]
    attack.events(mutation(adds=chain), *click(20_000), mutation(adds=[addition(20_100, node)]), beacon(0), seq=1)
    assert attack.beacons() == [0]
    assert attack.repaired[Reason.NODE_TOO_DEEP] > 0
    attack.resume().check()


def test_known_pages_are_the_same_page_at_every_look() -> None:
    page = snapshot(*(element(4 + n, text(100 + n), tag="button", **{"class": "a"}) for n in range(40)))
    change = mutation(attributes=[{"id": 5, "attributes": {"class": "rr-block"}}], texts=[{"id": 106, "value": MARK}])
    results = []
    for known_bytes in (1, 1 << 26):
        attack = Attack(small(max_known_pages_bytes=known_bytes))
        for seq in range(0, 12, 3):
            load = [{"type": 0, "timestamp": T0, "data": {}}] if seq % 2 else []
            attack.events(*load, *page, *click(5), seq=seq).events(change, *click(5), seq=seq + 1).resume()
            attack.events(mutation(removes=[{"parentId": 3, "id": 6}]), *page, *named_everywhere(6), seq=seq + 2)
        attack.check()
        results.append((attack.lines(), attack.signals, attack.record().repaired))
    assert results[0] == results[1]


# -- growth -------------------------------------------------------------------------------------------------------


def grown(count: int) -> list[dict[str, Any]]:
    """Make a page with so many nodes below one button."""
    return [
        *snapshot(element(4, tag="button"), element(5)),
        mutation(adds=[addition(4, element(10 + n)) for n in range(count)]),
    ]


def class_changes(count: int, names: tuple[str, str]) -> list[dict[str, Any]]:
    return [mutation(attributes=[{"id": 4, "attributes": {"class": names[n % 2]}}]) for n in range(count)]


Make = Callable[[int], list[dict[str, Any]]]
GROWTH: dict[str, Make] = {
    "appended in one payload": grown,
    "prepended in one payload": lambda n: [
        *grown(0),
        mutation(adds=[addition(4, element(10 + k), 9 + k if k else None) for k in range(n)]),
    ],
    "appended one by one": lambda n: [*grown(0), *(mutation(adds=[addition(4, text(10 + k))]) for k in range(n))],
    "below an unknown node": lambda n: [mutation(adds=[addition(99, text(100 + k))]) for k in range(n)],
    "children before parents": lambda n: [
        *grown(0),
        mutation(adds=[addition(10 + (k + 1 if (k + 1) % 50 else n), element(10 + k)) for k in range(n)][::-1]),
    ],
    "moved": lambda n: [
        *grown(n),
        *(mutation(removes=[{"parentId": 4, "id": 10 + k}], adds=[addition(5, element(10 + k))]) for k in range(n)),
    ],
    "moved without remove": lambda n: [*grown(n), *(mutation(adds=[addition(5, element(10 + k))]) for k in range(n))],
    "removed from the front": lambda n: [
        *grown(n),
        *(mutation(removes=[{"parentId": 4, "id": 10 + k}]) for k in range(n)),
    ],
    "removed from the end": lambda n: [
        *grown(n),
        *(mutation(removes=[{"parentId": 4, "id": 9 + n - k}]) for k in range(n)),
    ],
    "an attribute that changes in one payload": lambda n: [
        *grown(0),
        mutation(attributes=[{"id": 4, "attributes": {"class": f"c{k}"}} for k in range(4 * n)]),
    ],
    "ever new attributes": lambda n: [
        *grown(0),
        *(mutation(attributes=[{"id": 4, "attributes": {f"data-a{k}": "x"}}]) for k in range(n)),
    ],
    "a mask that comes and goes": lambda n: [*grown(n), *class_changes(n, ("rr-mask", "x"))],
    "clicks on a button with many children": lambda n: [
        *grown(n),
        *(event for k in range(n // 2) for event in (mutation(adds=[addition(4, text(10 + n + k))]), *click(4))),
    ],
    "texts that change under a clicked button": lambda n: [
        *grown(n),
        *(
            event
            for k in range(n // 2)
            for event in (mutation(adds=[addition(10 + k, text(10 + n + k))]), *click(10 + k))
        ),
    ],
    "snapshots of documents in documents": lambda n: [
        event for _ in (0, 1) for event in snapshot(*({"type": 0, "id": 10 + k, "childNodes": []} for k in range(n)))
    ],
}  # fmt: skip


def work(settings: Settings, events: list[dict[str, Any]]) -> int:
    """Count the steps of a run: calls, of C too, and the turns of loops, which a clock would only guess at."""
    attack, steps = Attack(settings), 0
    message = envelope(0, events)

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal steps
        steps += event in ("call", "line")
        return trace

    sys.settrace(trace)
    try:
        attack.send(message)
    finally:
        sys.settrace(None)
    attack.check()
    return steps


LARGE = Settings(
    privacy=PrivacySettings(level="conservative"), limits=LimitSettings(max_batch_events=100_000, max_depth=300)
)


@pytest.mark.parametrize("name", GROWTH)
def test_work_grows_with_the_input_and_not_with_its_square(name: str) -> None:
    small_work, large_work = (work(LARGE, GROWTH[name](count)) for count in (100, 400))
    assert large_work < 5 * small_work


def test_selectors_that_reach_far_are_asked_again_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.rebuild.mutations.REVIEWS_MAX", 2_000)
    settings = Settings(privacy=PrivacySettings(level="medium", mask=(".pay .card",)), limits=LARGE.limits)
    steps = [work(settings, [*grown(n), *class_changes(4 * n, ("pay", "x"))]) for n in (250, 1_000)]
    assert steps[1] < 5 * steps[0]
    attack = Attack(settings)
    attack.events(*grown(250), *class_changes(20, ("pay", "x")))
    attack.resume().events(mutation(adds=[addition(10, text(9_000))]), seq=1)
    attack.check()


def test_long_attributes_do_not_fill_the_state() -> None:
    attack = Attack(MEDIUM)
    long = {"title": "word " * 10_000, "aria-label": "word " * 10_000, "class": "c " * 10_000}
    attack.events(*snapshot(*(element(10 + n, tag="button", **long) for n in range(100))), *click(10))
    changed = [{"id": 10 + n, "attributes": long} for n in range(100)]
    attack.events(mutation(attributes=changed), *click(11), seq=1).resume()
    state = packed_states(attack.core)[SESSION].data
    assert len(unpacked(state)) < 20_000
    attack.check()


def test_what_is_left_out_of_a_page_is_counted_each_time_it_is_shown(attack: Attack) -> None:
    damaged = snapshot(element(4, text(5, "x" * 2_000)), {"type": 2, "id": 6}, element(7))
    attack.events(*damaged).events(*damaged, seq=1).events(*damaged, session_id="another")
    assert attack.repaired == {Reason.NODE_DROPPED: 3}
