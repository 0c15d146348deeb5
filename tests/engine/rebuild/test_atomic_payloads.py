"""One payload is one moment: what is masked before it or after it is masked in it, in whatever order it is written."""

from typing import Any

import pytest

from engine.masking.flags import UNKNOWN
from engine.rebuild import page as pages
from engine.rebuild.page_state import page_state, restore_page
from tests.engine.rebuild.recorder import SECRET, Replayed, add, element, incremental, meta, mutation, snapshot, text

PRIVATE: dict[str, Any] = {"class": "private"}


def test_a_text_added_below_an_element_that_becomes_masked_is_masked() -> None:
    payload = mutation(adds=[add(10, text(12, SECRET))], attributes=[{"id": 10, "attributes": PRIVATE}])
    replayed = Replayed(meta(), snapshot(element(10, "div", text(11, "calm"))), payload, mask=(".private",))
    assert SECRET not in replayed.all_text()


def test_an_element_that_is_added_and_then_changed_is_judged_by_both() -> None:
    added = add(10, element(12, "p", text(13, SECRET), title=SECRET))
    payload = mutation(adds=[added], attributes=[{"id": 12, "attributes": PRIVATE}])
    replayed = Replayed(meta(), snapshot(element(10, "div")), payload, mask=(".private",))
    assert SECRET not in replayed.all_text()
    assert "private" in replayed.all_text()


def test_a_field_that_is_added_and_becomes_a_password_is_one() -> None:
    payload = mutation(
        adds=[add(10, element(12, "input", type="text", value=SECRET))],
        attributes=[{"id": 12, "attributes": {"type": "password"}}],
    )
    typed = incremental(5, id=12, text=SECRET, isChecked=False)
    replayed = Replayed(meta(), snapshot(element(10, "div")), payload, typed, level="light")
    assert SECRET not in replayed.all_text()


def test_what_was_typed_stays_masked_when_its_node_moves_out_of_the_editor() -> None:
    editor = element(9, "div", element(7, "b", text(8, SECRET)), contenteditable="true")
    payload = mutation(removes=[{"parentId": 9, "id": 7}], adds=[add(20, element(7, "b")), add(7, text(8, SECRET))])
    replayed = Replayed(meta(), snapshot(editor, element(20, "p")), payload)
    assert SECRET not in replayed.all_text()


def test_a_node_that_comes_back_as_another_element_stays_masked() -> None:
    page = snapshot(element(10, "p", text(11, SECRET), class_="private"), element(20, "div"))
    gone = mutation(removes=[{"parentId": 3, "id": 10}])
    back = mutation(adds=[add(20, element(10, "section", text(11, SECRET)))])
    replayed = Replayed(meta(), page, gone, back, mask=(".private",))
    assert SECRET not in replayed.all_text()


def test_what_sticks_to_too_many_removed_nodes_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ASIDE_MAX", 2)
    rows = [element(number, "p", text(number + 1, SECRET), class_="private") for number in range(10, 30, 2)]
    gone = mutation(removes=[{"parentId": 3, "id": number} for number in range(10, 30, 2)])
    back = mutation(adds=[add(3, element(10, "p", text(11, SECRET))), add(3, element(99, "p", text(100, "Welcome")))])
    replayed = Replayed(meta(), snapshot(*rows), gone, mask=(".private",))
    assert restore_page(page_state(replayed.page), replayed.page.policy).forgotten_id == replayed.page.forgotten_id
    replayed.feed(back)
    assert SECRET not in replayed.all_text()
    assert replayed.page.flags(10) & UNKNOWN
    assert "Welcome" in replayed.all_text()


def test_between_a_navigation_and_its_snapshot_nothing_is_known() -> None:
    old = snapshot(element(10, "p", text(11, "calm")), element(12, "input", type="text"))
    loaded = {"type": 0, "timestamp": 3_000, "data": {}}
    changed = mutation(texts=[{"id": 11, "value": SECRET}], attributes=[{"id": 10, "attributes": {"title": SECRET}}])
    typed = incremental(5, id=12, text=SECRET, isChecked=True)
    replayed = Replayed(meta(), old, loaded, changed, typed, level="light")
    assert SECRET not in replayed.all_text()
    replayed.feed(meta("https://shop.example/thanks"), snapshot(element(10, "p", text(11, "Welcome"))))
    assert "Welcome" in replayed.all_text()


def test_an_annotation_is_masked_unless_the_level_is_light() -> None:
    note = {"type": 8, "timestamp": 2_000, "data": {"type": "caption", "text": SECRET}}
    assert SECRET not in Replayed(meta(), snapshot(), note).all_text()
    assert SECRET in Replayed(meta(), snapshot(), note, level="light").all_text()


@pytest.mark.parametrize("name", ["name", "publicId", "systemId"])
def test_a_doctype_names_nothing_but_standards(name: str) -> None:
    doctype = {"type": 1, "id": 9, "name": "html", "publicId": "", "systemId": ""}
    page = snapshot()
    page["data"]["node"]["childNodes"].insert(0, {**doctype, name: "Aurelia"})
    assert "Aurelia" not in Replayed(meta(), page).all_text()
    known = {
        "publicId": "-//W3C//DTD XHTML 1.0 Strict//EN",
        "systemId": "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd",
    }
    page["data"]["node"]["childNodes"][0] = {**doctype, **known}
    assert Replayed(meta(), page).out[1]["data"]["node"]["childNodes"][0]["systemId"] == known["systemId"]
