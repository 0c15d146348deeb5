"""Fields that are secret for what was there before them, for their labels, or for what was typed into them."""

from typing import Any

import pytest

from engine.masking.flags import FLOOR, SENSITIVE
from engine.rebuild import field_memory
from engine.rebuild.page_state import page_state, restore_page
from tests.engine.rebuild.recorder import SECRET, Replayed, add, element, incremental, meta, mutation, snapshot, text

PASSWORD = element(10, "input", type="password", name="pw", id="secret-box", value=SECRET)
FORM = element(9, "form", PASSWORD, element(11, "p", text(12, "Sign in")))
GONE = {"parentId": 9, "id": 10}


def typed(node_id: int, value: str = SECRET) -> dict[str, Any]:
    return incremental(5, id=node_id, text=value, isChecked=False)


def resumed(replayed: Replayed) -> Replayed:
    """Go on in another process, with what is stored."""
    other = Replayed(like=replayed)
    other.rebuilder.context.page = restore_page(page_state(replayed.page), replayed.page.policy)
    return other


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "new",
    [
        element(20, "input", type="text", name="pw"),
        element(20, "input", type="text", id="secret-box"),
        element(20, "textarea", ID="secret-box"),
    ],
)
def test_a_field_with_the_name_or_id_of_a_password_is_one(new: dict[str, Any], *, restart: bool) -> None:
    replayed = Replayed(meta(), snapshot(FORM, element(13, "div")), level="light", unmask=("input", "textarea"))
    if restart:
        replayed = resumed(replayed)
    replayed.feed(mutation(removes=[GONE]), mutation(adds=[add(13, new)]), typed(20))
    assert SECRET not in replayed.all_text()
    assert replayed.page.flags(20) & FLOOR


def test_an_element_in_the_place_of_a_password_shows_nothing() -> None:
    swap = mutation(removes=[GONE], adds=[add(9, element(20, "span"), next_id=11), add(20, text(21, SECRET))])
    replayed = Replayed(meta(), snapshot(FORM), swap, mutation(texts=[{"id": 21, "value": SECRET}]))
    assert SECRET not in replayed.all_text()
    assert "Sign in" in replayed.all_text()


@pytest.mark.parametrize("restart", [False, True])
def test_a_field_in_the_place_of_a_password_is_one_later_too(*, restart: bool) -> None:
    wrapped = element(30, "div", element(31, "label", element(32, "input", type="password")))
    replayed = Replayed(meta(), snapshot(element(9, "form", wrapped)), level="light")
    replayed.feed(mutation(removes=[{"parentId": 9, "id": 30}]))
    if restart:
        replayed = resumed(replayed)
    again = [add(9, element(40, "div")), add(40, element(41, "label")), add(41, element(42, "input", type="text"))]
    other = add(9, element(50, "input", type="text"))
    replayed.feed(mutation(adds=[*again, other]), typed(42), typed(50, "blue"))
    assert SECRET not in replayed.all_text()
    assert "blue" in replayed.all_text()


def test_a_hidden_field_lends_its_place_to_nobody() -> None:
    hidden = element(10, "input", type="hidden", name="csrf", value=SECRET)
    replayed = Replayed(meta(), snapshot(element(9, "form", hidden)), level="light")
    swap = mutation(removes=[GONE], adds=[add(9, element(20, "input", type="text"))])
    replayed.feed(swap, typed(20, "blue"))
    assert "blue" in replayed.all_text()
    assert SECRET not in replayed.all_text()


LABELS: dict[str, tuple[dict[str, Any], ...]] = {
    "for": (element(8, "label", text(7, "Passport number"), for_="f1"), element(10, "input", id="f1", value=SECRET)),
    "after": (element(10, "input", id="f1", value=SECRET), element(8, "label", text(7, "Date of birth"), for_="f1")),
    "around": (element(8, "label", text(7, "Phone"), element(10, "input", value=SECRET)),),
    "aria": (element(8, "b", text(7, "IBAN"), id="t"), element(10, "input", aria_labelledby="x t", value=SECRET)),
    "select": (
        element(8, "label", element(6, "b", text(7, "Tax"), text(5, "ID")), for_="f1"),
        element(10, "select", element(11, "option", text(12, SECRET), value=SECRET), id="f1"),
    ),
}


@pytest.mark.parametrize("form", LABELS)
@pytest.mark.parametrize("privacy", [{"level": "light"}, {"level": "conservative", "unmask": ("form",)}])
def test_a_field_with_a_telling_label_is_sensitive(form: str, privacy: dict[str, Any]) -> None:
    replayed = Replayed(meta(), snapshot(element(4, "form", *LABELS[form])), typed(10), **privacy)
    assert SECRET not in replayed.all_text()
    assert replayed.page.flags(10) & SENSITIVE


def test_other_labels_tell_nothing() -> None:
    page = snapshot(element(8, "label", text(7, "Colour"), for_="f1"), element(10, "input", id="f1"))
    assert SECRET in Replayed(meta(), page, typed(10), level="light").all_text()


LATER: dict[str, dict[str, Any]] = {
    "a label that comes": mutation(adds=[add(3, element(20, "label", for_="f1")), add(20, text(21, "Passport"))]),
    "a text that comes": mutation(adds=[add(8, text(21, "Passport"))]),
    "a text that changes": mutation(texts=[{"id": 7, "value": "Passport"}]),
    "a label for the field": mutation(attributes=[{"id": 30, "attributes": {"for": "f1"}}]),
    "an id that is labelled": mutation(attributes=[{"id": 10, "attributes": {"id": "f2"}}]),
    "a reference": mutation(attributes=[{"id": 10, "attributes": {"aria-labelledby": "f3"}}]),
    "a text that is referred to": mutation(texts=[{"id": 41, "value": "Secret"}]),
}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("change", LATER)
def test_labels_that_come_later(change: str, *, restart: bool) -> None:
    page = snapshot(
        element(8, "label", text(7, "Colour"), for_="f1"),
        element(10, "input", id="f1", aria_labelledby="f4"),
        element(30, "label", text(31, "Mobile"), for_="f2"),
        element(32, "b", text(33, "Phone"), id="f3"),
        element(40, "b", text(41, "Taste"), id="f4"),
    )
    replayed = Replayed(meta(), page, typed(10, "blue"), level="light")
    if restart:
        replayed = resumed(replayed)
    assert not replayed.page.flags(10) & SENSITIVE
    replayed.feed(LATER[change], typed(10))
    assert SECRET not in replayed.all_text()


def test_a_field_in_which_something_was_found_is_sensitive_from_then_on() -> None:
    replayed = Replayed(meta(), snapshot(element(10, "input", type="text")), level="light")
    number = "4111 1111 1111 1111"
    for length in range(1, len(number) + 1):
        replayed.feed(typed(10, number[:length]))
    replayed.feed(typed(10, "4111 1"), typed(10, SECRET))
    assert "4111 1111" not in replayed.all_text()
    assert SECRET not in replayed.all_text()
    value = {"id": 20, "attributes": {"value": "jane@example.com"}}
    replayed.feed(mutation(adds=[add(3, element(20, "input"))]), mutation(attributes=[value]), typed(20, "jane"))
    assert "jane" not in replayed.all_text()


def test_a_page_with_too_many_names_trusts_no_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_memory, "NAMES_MAX", 3)
    passwords = [element(number, "input", type="password", name=f"n{number}") for number in range(10, 16)]
    replayed = Replayed(meta(), snapshot(*passwords), level="light")
    replayed.feed(mutation(adds=[add(3, element(20, "input", name="other"))]), typed(20))
    assert SECRET not in replayed.all_text()


def test_texts_of_interaction_events_repeat_nothing_that_is_hidden_in_them() -> None:
    def click(*chain: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "click", "t": 5, "x": 1, "y": 1, "target": {**chain[0], "ancestors": list(chain[1:])}}

    outer = {"id": 3, "tag": "div", "text": f"Dear {SECRET}, welcome", "label": SECRET}
    masked = {"id": 4, "tag": "b", "attributes": {"class": "rr-mask"}}
    assert SECRET not in Replayed(click({"id": 5, "tag": "i"}, masked, outer)).all_text()
    editor = {"id": 4, "tag": "div", "attributes": {"contenteditable": "true"}, "text": SECRET}
    assert SECRET not in Replayed(click(editor, outer)).all_text()
    assert SECRET in Replayed(click({"id": 4, "tag": "b", "text": SECRET}, outer)).all_text()
    field = {"id": 6, "tag": "input", "text": SECRET}
    label = {"id": 7, "tag": "label", "text": "Passport number"}
    assert SECRET not in Replayed(click(field, label), level="light").all_text()
