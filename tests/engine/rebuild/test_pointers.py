"""What style sheets tell of the cursor: the classes that ask to be clicked."""

from typing import Any

import pytest

from engine.rebuild.page_state import page_state, restore_page
from engine.rebuild.pointers import MAX_POINTER_CLASSES, pointer_classes
from tests.engine.rebuild.recorder import Replayed, add, element, incremental, meta, mutation, snapshot, text

CARD = ".card { padding: 8px; cursor: pointer; }.row { color: red; }"


@pytest.mark.parametrize(
    ("css", "classes"),
    [
        (CARD, ["card"]),
        (".css-1a2b{display:flex;cursor:pointer;}", ["css-1a2b"]),
        ("td.owner, .name:hover { cursor: pointer; }", ["owner", "name"]),
        ("@media (hover) { .card { cursor: pointer } }", ["card"]),
        ("/* .no { */ .card { cursor: pointer }", ["card"]),
        (".menu div, #one, .a.b, .a > .b, button { cursor: pointer; }", []),
        (".card { cursor: pointers; } .row { cursor: default; }", []),
        ("cursor: pointer", []),
        ("} cursor: pointer {", []),
        (".card, .row {" + "cursor: pointer;" * 9 + "}", ["card", "row"]),
        ("." + "x" * 65 + "{cursor:pointer}", []),
    ],
)
def test_rules_for_one_class_name_it(css: str, classes: list[str]) -> None:
    assert list(pointer_classes(css)) == classes


def test_hostile_sheets_are_read_in_bounds() -> None:
    sheet = "".join(f".c{n}{{cursor:pointer}}" for n in range(900))
    many = Replayed(meta(), snapshot(element(10, "style", text(11, sheet))))
    assert len(many.page.pointers) == MAX_POINTER_CLASSES
    assert list(pointer_classes("{" * 50_000 + "cursor:pointer;" * 5_000)) == []


def cards(*head: dict[str, Any], **more: Any) -> Replayed:
    return Replayed(meta(), snapshot(*head, element(20, "div", element(21, "b"), class_="tile card")), **more)


def cursors(replayed: Replayed) -> list[str]:
    found = [replayed.page.target(node_id) for node_id in (20, 21)]
    return [element_.cursor for element_ in found]


SOURCES = {
    "link": lambda: cards({**element(10, "link"), "attributes": {"rel": "stylesheet", "_cssText": CARD}}),
    "style": lambda: cards(element(10, "style", text(11, CARD))),
    "inserted rule": lambda: cards(element(10, "style")).feed(incremental(8, id=10, adds=[{"rule": CARD, "index": 0}])),
    "replaced sheet": lambda: cards().feed(incremental(8, styleId=1, replace=CARD)),
    "adopted sheet": lambda: cards().feed(
        incremental(15, id=1, styleIds=[1], styles=[{"styleId": 1, "rules": [{"rule": CARD, "index": 0}]}])
    ),
    "style that came later": lambda: cards().feed(mutation(adds=[add(3, element(30, "style", text(31, CARD)))])),
}


@pytest.mark.parametrize("source", SOURCES)
def test_wherever_rules_come_from(source: str) -> None:
    assert cursors(SOURCES[source]()) == ["pointer", ""]


def test_a_class_that_goes_takes_it_along() -> None:
    replayed = cards(element(10, "style", text(11, CARD)))
    assert cursors(replayed) == ["pointer", ""]
    replayed.feed(mutation(attributes=[{"id": 20, "attributes": {"class": "tile"}}]))
    assert cursors(replayed) == ["", ""]


def test_a_resumed_page_and_a_known_one_know_it_too() -> None:
    first = cards(element(10, "style", text(11, CARD)))
    restored = restore_page(page_state(first.page), first.page.policy)
    found = restored.target(20)
    assert found is not None
    assert found.cursor == "pointer"
    assert cursors(cards(element(10, "style", text(11, CARD)), like=first)) == ["pointer", ""]


@pytest.mark.parametrize("moved", [False, True])
def test_what_was_seen_before_its_style_came_is_seen_anew_as_by_a_resumed_page(*, moved: bool) -> None:
    replayed = cards()
    assert cursors(replayed) == ["", ""]
    if moved:
        replayed.feed(mutation(removes=[{"id": 21, "parentId": 20}], adds=[add(3, element(21, "b"))]))
    restored = restore_page(page_state(replayed.page), replayed.page.policy)
    restored.learn_style(CARD)
    replayed.feed(incremental(8, styleId=1, replace=CARD))
    assert cursors(replayed) == ["pointer", ""]
    assert [found.cursor for found in map(restored.target, (20, 21)) if found is not None] == ["pointer", ""]
