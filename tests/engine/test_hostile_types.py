"""Every field of every event with a value of every wrong type: nothing breaks, leaks, or harms a neighbour."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.reasons import Reason
from tests.engine.attack import CSS, MARK, MARKED_LINK, Attack, beacon, element, envelope, snapshot, text

Key = str | int
Place = tuple[Key, ...]

EXAMPLES: dict[str, Any] = {
    path.stem.split(".", 1)[1]: json.loads(path.read_text())
    for path in sorted(Path("schemas/examples/v1").glob("*_event.*.json"))
}
NUMBERS = [0, -1, -2, 1.5, -0.0, 1e308, -1e308, 5e-324, 2**53, 2**53 + 1, -(2**53), 2**63, 2**64, 10**30, -(10**30)]
TEXTS = ["", MARK, MARKED_LINK, "\ud800" + MARK, MARK * 4_000, f'["{MARK}"]', f'{{"a":"{MARK}"}}', "__proto__"]
LISTS = [[], [MARK], [[]], [1], [None], [[MARK] * 3], [{}], [{"id": 4}]]
OBJECTS = [{}, {MARK: MARK}, {"id": -1}, {"type": 2}, {"type": 3, "id": 9, "textContent": MARK}]
WRONG: list[Any] = [None, True, False, *NUMBERS, *TEXTS, *LISTS, *OBJECTS]

CSS_FIELDS = {"rule", "replace", "replaceSync", "fontSource", "_cssText", "style"}


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Name every value within a JSON document; of lists only the first two entries."""
    yield place
    for key in value if isinstance(value, dict) else range(min(len(value), 2)) if isinstance(value, list) else ():
        yield from places(value[key], (*place, key))


def replaced(document: Any, place: Place, value: Any) -> Any:
    """Return a copy with another value at a place; `...` takes it away."""
    if not place:
        return value
    copied = copy.deepcopy(document)
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return copied


def wrong_values(document: Any, place: Place) -> list[Any]:
    is_css = CSS_FIELDS.intersection(place) or place[-2:] == ("set", "value")
    wrong = [value for value in WRONG if not (is_css and MARK in json.dumps(value))]
    return [*wrong, *([CSS] if is_css else []), *([...] if place else []), *_with_more(document, place)]


def _with_more(document: Any, place: Place) -> list[Any]:
    """Return the value at a place with an unknown key or entry."""
    inner = document
    for key in place:
        inner = inner[key]
    if isinstance(inner, dict):
        return [{**inner, "more": MARK}]
    return [[*inner, *inner, MARK, None]] if isinstance(inner, list) and not CSS_FIELDS.intersection(place) else []


PAGE = snapshot(element(4, text(5), tag="button"), element(6, element(7, tag="input"), text(8)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_wrong_value_anywhere_breaks_nothing(name: str) -> None:
    example = EXAMPLES[name]
    for place in places(example):
        mutants = [replaced(example, place, value) for value in wrong_values(example, place)]
        events = list(PAGE)
        for number, mutant in enumerate(mutants):
            events += [mutant, beacon(number)]
        attack = Attack()
        # json and not msgspec: half pairs and integers of any length are to arrive.
        attack.send(envelope(0).replace(b'"events":[]', b'"events":' + json.dumps(events).encode()))
        assert attack.beacons() == list(range(len(mutants))), place
        attack.check()


@pytest.mark.parametrize("name", EXAMPLES)
def test_wrong_values_after_each_other_break_nothing_later(name: str) -> None:
    example = EXAMPLES[name]
    mutants = [replaced(example, place, value) for place in places(example) for value in wrong_values(example, place)]
    attack = Attack()
    for seq, first in enumerate(range(0, len(mutants), 500)):
        events = json.dumps([*PAGE, *mutants[first : first + 500], beacon(seq)]).encode()
        attack.send(envelope(seq).replace(b'"events":[]', b'"events":' + events)).resume()
        attack.core.cool()
    assert attack.beacons() == list(range(seq + 1))
    attack.check()


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name[0].isdigit()])
def test_every_event_before_any_snapshot_shows_nothing(name: str) -> None:
    example = EXAMPLES[name]
    attack = Attack()
    for place in places(example):
        css = CSS_FIELDS.intersection(place) or place[-2:] == ("set", "value")
        marked = replaced(example, place, CSS if css else MARK)
        attack.send(envelope(len(attack.messages), [marked, beacon(0)]))
    assert len(attack.beacons()) == len(attack.messages)
    attack.check()


ENVELOPE = {"v": 1, "project_id": "p", "session_id": "s", "window_id": "w", "seq": 0, "sent_at": 1, "events": []}
ENVELOPE |= {"user_id": None, "anonymous_id": None, "ended": False, "consent": True}


@pytest.mark.parametrize("field", ENVELOPE)
def test_a_wrong_value_in_the_envelope_is_refused_or_harmless(field: str) -> None:
    attack = Attack()
    values = [value for value in WRONG if not (isinstance(value, str) and MARK in value)]
    for number, value in enumerate(values):
        attack.send(json.dumps(ENVELOPE | {"session_id": f"s{number}"} | {field: value}).encode())
    attack.send(json.dumps({key: value for key, value in ENVELOPE.items() if key != field}).encode())
    attack.finish()
    refusals = {
        Reason.INVALID_ENVELOPE,
        Reason.INVALID_IDENTIFIER,
        Reason.UNKNOWN_VERSION,
        Reason.NO_CONSENT,
        Reason.NOT_JSON,
        Reason.PROJECT_CONFLICT,
    }
    assert set(attack.dropped_batches) <= refusals
    assert sum(attack.dropped_batches.values()) + attack.core.counts.batches_used == len(values) + 1
    attack.check()
