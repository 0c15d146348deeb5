"""Selectors that look at siblings are decided again when siblings change; what they masked once stays masked."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.masking.flags import MASKED, UNMASKED
from engine.rebuild.page_state import page_state, restore_page
from tests.engine.rebuild.recorder import SECRET, Replayed, add, element, meta, mutation, snapshot, text


def row(number: int, tag: str = "li", **attributes: Any) -> dict[str, Any]:
    return element(number, tag, text(number + 1, f"row {number}"), **attributes)


def page(*rows: dict[str, Any]) -> dict[str, Any]:
    return snapshot(element(4, "ul", *rows))


ROWS = page(row(10), text(90, " "), row(20, class_="a"), row(30, "p"), row(40, class_="b"), row(50))


@pytest.mark.parametrize(
    ("selector", "masked"),
    [
        ("li:first-child", {10}),
        ("li:last-child", {50}),
        ("li:nth-child(2)", {20}),
        ("li:nth-child(odd)", {10, 50}),
        ("li:nth-child(-n+2)", {10, 20}),
        ("li:nth-last-child(2)", {40}),
        ("li:nth-of-type(3)", {40}),
        ("ul > :nth-last-of-type(2)", {40}),
        ("p:only-of-type", {30}),
        (".a + p", {30}),
        (".a + .b", set()),
        (".a ~ .b", {40}),
        (".a ~ *", {30, 40, 50}),
        ("li:not(:first-child):not(.b)", {20, 50}),
        (":is(p, .b):nth-child(3)", {30}),
        ("ul:first-child > .b", {40}),
        ("li:nth-child(1), .b", {10, 40}),
        ("body:only-child .a", {20}),
    ],
)
def test_places_in_a_snapshot(selector: str, masked: set[int]) -> None:
    replayed = Replayed(meta(), ROWS, mask=(selector,))
    rows = (10, 20, 30, 40, 50)
    assert {number for number in rows if replayed.page.flags(number) & MASKED} == masked
    assert all((f"row {number}" in replayed.all_text()) == (number not in masked) for number in rows)


CHANGES: dict[str, tuple[str, dict[str, Any], int]] = {
    "a sibling before comes": ("li:nth-child(3)", mutation(adds=[add(4, element(60, "li"), next_id=10)]), 20),
    "a sibling before goes": ("li:nth-child(3)", mutation(removes=[{"parentId": 4, "id": 10}]), 40),
    "the last one goes": ("li:last-child", mutation(removes=[{"parentId": 4, "id": 50}]), 40),
    "one before changes": (".z + li", mutation(attributes=[{"id": 40, "attributes": {"class": "z"}}]), 50),
    "one far before changes": (".z ~ .b", mutation(attributes=[{"id": 10, "attributes": {"class": "z"}}]), 40),
    "below a changed one": (".z + p > b", mutation(attributes=[{"id": 20, "attributes": {"class": "z"}}]), 32),
}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_places_are_decided_again(change: str, *, restart: bool) -> None:
    selector, payload, node = CHANGES[change]
    rows = page(row(10), row(20), element(30, "p", element(32, "b", text(33, "calm"))), row(40, class_="b"), row(50))
    replayed = Replayed(meta(), rows, mask=(selector,))
    if restart:
        other = Replayed(like=replayed)
        other.rebuilder.context.page = restore_page(page_state(replayed.page), replayed.page.policy)
        replayed = other
    assert not replayed.page.flags(node) & MASKED
    payload["data"]["texts"] = [{"id": node + 1, "value": SECRET}]
    replayed.feed(payload)
    assert replayed.page.flags(node) & MASKED
    assert SECRET not in replayed.all_text()


def test_a_place_sticks() -> None:
    replayed = Replayed(meta(), ROWS, mask=("li:last-child",))
    replayed.feed(mutation(adds=[add(4, element(60, "li"))]), mutation(texts=[{"id": 51, "value": SECRET}]))
    assert SECRET not in replayed.all_text()


def test_nodes_that_come_in_any_order_get_their_places() -> None:
    adds = [add(70, text(71, SECRET)), add(4, element(60, "li"), next_id=70), add(4, element(70, "li"), next_id=10)]
    replayed = Replayed(meta(), ROWS, mutation(adds=adds), mask=("li:nth-child(2)",))
    assert SECRET not in replayed.all_text()
    assert replayed.page.flags(70) & MASKED
    assert replayed.page.flags(10) & MASKED == 0


def test_shadow_children_are_no_siblings_of_others() -> None:
    host = element(10, "x-card", {**row(20), "isShadow": True}, {**row(30), "isShadow": True}, row(40))
    replayed = Replayed(meta(), snapshot(host), mask=("li:first-child",))
    assert [bool(replayed.page.flags(number) & MASKED) for number in (20, 30, 40)] == [True, False, True]


def test_unmasking_by_place_ends_with_the_place() -> None:
    replayed = Replayed(meta(), ROWS, level="conservative", unmask=("li:first-child",))
    assert "row 10" in replayed.all_text()
    assert "row 20" not in replayed.all_text()
    replayed.feed(mutation(adds=[add(4, element(60, "li"), next_id=10)], texts=[{"id": 11, "value": SECRET}]))
    assert not replayed.page.flags(10) & UNMASKED
    assert SECRET not in replayed.all_text()


def test_in_interaction_events_siblings_are_not_known() -> None:
    def click(tag: str) -> dict[str, Any]:
        outer = {"id": 4, "tag": "ul"}
        return {"kind": "click", "t": 5, "target": {"id": 5, "tag": tag, "text": SECRET, "ancestors": [outer]}}

    for selector in ("li:first-child", ".a + li", "ul > .a ~ li"):
        assert SECRET not in Replayed(click("li"), mask=(selector,)).all_text()
        assert SECRET in Replayed(click("p"), mask=(selector,)).all_text()
    assert SECRET not in Replayed(click("li"), level="conservative", unmask=("li:first-child",)).all_text()


ACTS = st.tuples(st.sampled_from(["add", "remove", "class"]), st.integers(0, 9), st.integers(0, 9))


@settings(deadline=None, max_examples=60)
@given(st.lists(ACTS, max_size=12), st.sampled_from(["li:nth-child(2)", ".a + li", ".a ~ li", "li:last-child"]))
def test_whatever_changes_the_order_is_the_documents(acts: list[tuple[str, int, int]], selector: str) -> None:
    order, classes, fresh = [10, 20, 30], dict.fromkeys((10, 20, 30), ""), 100
    replayed = Replayed(meta(), page(*(row(number) for number in order)), mask=(selector,))
    for act, first, second in acts:
        here = order[first % len(order)] if order else None
        if act == "add":
            fresh += 10
            replayed.feed(mutation(adds=[add(4, element(fresh, "li"), next_id=here)]))
            order.insert(order.index(here) if here else 0, fresh)
            classes[fresh] = ""
        elif here is None:
            continue
        elif act == "remove":
            replayed.feed(mutation(removes=[{"parentId": 4, "id": here}]))
            order.remove(here)
        else:
            classes[here] = "a" if second % 2 else ""
            replayed.feed(mutation(attributes=[{"id": here, "attributes": {"class": classes[here]}}]))
    assert replayed.page.structure.children.get(4, []) == order
    for place, node in enumerate(order):
        expected = {
            "li:nth-child(2)": place == 1,
            "li:last-child": place == len(order) - 1,
            ".a + li": place > 0 and classes[order[place - 1]] == "a",
            ".a ~ li": any(classes[before] == "a" for before in order[:place]),
        }[selector]
        assert not expected or replayed.page.flags(node) & MASKED
