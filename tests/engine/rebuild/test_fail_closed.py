"""The fail-closed state machine: decisions stick, payloads are atomic, what is not known is masked."""

from typing import Any

import msgspec
import pytest

from detectors import interactions as told
from engine.input.snapshots import UnopenedSnapshot
from engine.masking.flags import UNKNOWN
from engine.reasons import Reason
from engine.rebuild.page_state import page_state, restore_page
from tests.engine.rebuild.recorder import SECRET, Replayed, add, element, incremental, meta, mutation, snapshot, text

FIELD = element(10, "input", type="text", value=SECRET)
INPUT = incremental(5, text=SECRET, isChecked=False, id=10)


def test_an_input_is_masked_in_the_snapshot_the_input_event_and_the_value_mutation() -> None:
    replayed = Replayed(
        meta(), snapshot(FIELD), INPUT, mutation(attributes=[{"id": 10, "attributes": {"value": SECRET}}])
    )
    assert SECRET not in replayed.all_text()
    assert replayed.out[2]["data"]["text"] == "***"


def test_a_textarea_is_masked_as_child_text_added_text_and_changed_text() -> None:
    replayed = Replayed(
        meta(),
        snapshot(element(10, "textarea", text(11, SECRET))),
        mutation(adds=[add(10, text(12, SECRET))]),
        mutation(texts=[{"id": 11, "value": SECRET}]),
    )
    assert SECRET not in replayed.all_text()


def test_ordinary_page_text_is_kept_at_medium_and_masked_at_conservative() -> None:
    page = snapshot(element(10, "p", text(11, "Free delivery")))
    assert "Free delivery" in Replayed(meta(), page).all_text()
    assert "Free delivery" not in Replayed(meta(), page, level="conservative").all_text()


def test_before_the_first_snapshot_everything_is_unknown() -> None:
    replayed = Replayed(INPUT, incremental(2, type=2, id=10, x=1, y=2), mutation(texts=[{"id": 11, "value": SECRET}]))
    assert SECRET not in replayed.all_text()
    assert replayed.out[1]["data"]["id"] == -1
    assert replayed.notes[Reason.MASKED_UNKNOWN] == 1


def test_a_field_with_id_minus_one_is_masked() -> None:
    replayed = Replayed(meta(), snapshot(FIELD), incremental(5, text=SECRET, isChecked=True, id=-1))
    assert SECRET not in replayed.all_text()


def test_an_add_below_an_unknown_parent_is_masked_until_the_next_snapshot() -> None:
    replayed = Replayed(meta(), snapshot(), mutation(adds=[add(99, element(20, "p", text(21, SECRET)))]))
    replayed.feed(mutation(texts=[{"id": 21, "value": SECRET}]), mutation(adds=[add(20, text(22, SECRET))]))
    assert SECRET not in replayed.all_text()
    assert replayed.page.flags(22) & UNKNOWN


def test_a_child_may_come_before_its_parent_in_one_payload() -> None:
    payload = mutation(adds=[add(20, text(21, "Hello")), add(3, element(20, "p"))])
    replayed = Replayed(meta(), snapshot(), payload)
    assert [addition["node"]["id"] for addition in replayed.last()["data"]["adds"]] == [21, 20]
    assert "Hello" in replayed.all_text()
    assert not replayed.page.flags(21) & UNKNOWN


def test_text_added_or_changed_below_a_masked_ancestor_is_masked() -> None:
    replayed = Replayed(
        meta(),
        snapshot(element(10, "div", element(11, "p", text(12, SECRET)), class_="private")),
        mutation(adds=[add(11, text(13, SECRET))]),
        mutation(texts=[{"id": 12, "value": SECRET}]),
        mask=(".private",),
    )
    assert SECRET not in replayed.all_text()


def test_a_mask_class_that_comes_with_the_text_masks_it() -> None:
    payload = mutation(texts=[{"id": 11, "value": SECRET}], attributes=[{"id": 10, "attributes": {"class": "private"}}])
    replayed = Replayed(meta(), snapshot(element(10, "p", text(11, "calm"))), payload, mask=(".private",))
    assert SECRET not in replayed.all_text()


def test_a_mask_class_that_goes_leaves_the_mask() -> None:
    replayed = Replayed(
        meta(),
        snapshot(element(10, "p", text(11, SECRET), class_="private")),
        mutation(attributes=[{"id": 10, "attributes": {"class": "open"}}], texts=[{"id": 11, "value": SECRET}]),
        mutation(texts=[{"id": 11, "value": SECRET}]),
        mask=(".private",),
    )
    assert SECRET not in replayed.all_text()


def test_a_node_moved_out_of_a_mask_stays_masked() -> None:
    replayed = Replayed(
        meta(),
        snapshot(element(10, "div", element(11, "p", text(12, SECRET)), class_="private"), element(13, "div")),
        mutation(removes=[{"parentId": 10, "id": 11}], adds=[add(13, element(11, "p")), add(11, text(12, SECRET))]),
        mask=(".private",),
    )
    assert SECRET not in replayed.all_text()


def test_a_password_field_that_shows_its_text_stays_masked_even_if_unmasked_by_settings() -> None:
    replayed = Replayed(
        meta(),
        snapshot(element(10, "input", type="password", value=SECRET)),
        mutation(attributes=[{"id": 10, "attributes": {"type": "text"}}]),
        INPUT,
        level="light",
        unmask=("input",),
    )
    assert SECRET not in replayed.all_text()


def test_a_checkout_keeps_what_sticks() -> None:
    hidden = snapshot(element(10, "p", text(11, SECRET), class_="private"))
    shown = snapshot(element(10, "p", text(11, SECRET)))
    replayed = Replayed(meta(), hidden, meta(), shown, mask=(".private",))
    assert SECRET not in replayed.all_text()
    assert not replayed.told_of(told.PageExit)


def test_a_checkout_is_known_by_its_names_in_any_case() -> None:
    hidden = snapshot(element(10, "p", text(11, SECRET), class_="private"))
    shown = snapshot(element(10, "P", text(11, SECRET)))
    assert SECRET not in Replayed(meta(), hidden, meta(), shown, mask=(".private",)).all_text()


def test_a_new_page_forgets_what_stuck_to_its_ids() -> None:
    old = snapshot(element(10, "p", text(11, SECRET), class_="private"))
    new = snapshot(element(10, "p", text(11, "Welcome")))
    loaded = {"type": 0, "timestamp": 3_000, "data": {}}
    replayed = Replayed(meta(), old, loaded, meta("https://shop.example/thanks"), new, mask=(".private",))
    assert "Welcome" in replayed.all_text()
    assert len(replayed.told_of(told.PageExit)) == 1


def test_mask_crosses_shadow_roots_and_iframes_and_unmask_does_not() -> None:
    inner = {"type": 0, "id": 31, "rootId": 31, "childNodes": [element(32, "html", text(33, SECRET))]}
    page = snapshot(
        element(10, "x-card", text(11, SECRET, isShadow=True), class_="private"),
        element(20, "div", element(30, "iframe"), class_="private"),
    )
    replayed = Replayed(meta(), page, mutation(adds=[add(30, inner)], isAttachIframe=True), mask=(".private",))
    assert SECRET not in replayed.all_text()
    open_page = snapshot(element(10, "x-card", text(11, "open"), text(12, SECRET, isShadow=True), class_="public"))
    opened = Replayed(meta(), open_page, level="conservative", unmask=(".public",))
    assert "open" in opened.all_text()
    assert SECRET not in opened.all_text()


def test_nothing_of_a_blocked_element_is_left_but_its_box() -> None:
    page = snapshot(element(10, "section", element(11, "p", text(12, SECRET)), class_="secret", title=SECRET))
    replayed = Replayed(meta(), page, block=(".secret",))
    blocked = replayed.out[1]["data"]["node"]["childNodes"][0]["childNodes"][0]["childNodes"][0]
    assert blocked["childNodes"] == []
    assert blocked["tagName"] == "section"
    replayed.feed(
        mutation(adds=[add(11, text(13, SECRET))]),
        mutation(texts=[{"id": 12, "value": SECRET}]),
        incremental(5, id=11, text=SECRET, isChecked=False),
    )
    assert replayed.out[2:] == [None, None, None]
    assert SECRET not in replayed.all_text()


def test_a_page_with_a_blocked_area_can_be_changed_there_and_shown_again() -> None:
    page = snapshot(element(10, "ul", element(11, "li", element(12, "b", element(13, "i")))))
    removal = mutation(removes=[{"parentId": 11, "id": 12}])
    replayed = Replayed(meta(), page, removal, meta(), page, block=("ul",))
    assert replayed.out[2] is None
    assert replayed.out[4] == replayed.out[1]
    assert set(replayed.page.parents) == {1, 2, 3, 10, 11, 12, 13}


def test_a_frame_is_not_locked_by_what_is_left_of_its_sandbox() -> None:
    replayed = Replayed(meta(), snapshot(element(10, "iframe", sandbox="allow-scripts", frameborder="0")))
    assert "sandbox" not in replayed.all_text()
    assert '"frameborder":"0"' in replayed.all_text()


def test_pointers_below_a_blocked_or_masked_area_point_at_its_root() -> None:
    page = snapshot(element(10, "div", element(11, "button"), element(12, "button"), class_="pad"))
    privacies: list[dict[str, Any]] = [{"block": (".pad",)}, {"mask": (".pad",)}]
    for privacy in privacies:
        replayed = Replayed(meta(), page, incremental(2, type=2, id=12, x=5, y=5), **privacy)
        assert replayed.last()["data"]["id"] == 10
        assert replayed.told_of(told.Click)[0].target.node_id == 10
        replayed.feed(incremental(1, positions=[{"x": 1, "y": 1, "id": 11, "timeOffset": 0}]))
        assert replayed.last()["data"]["positions"][0]["id"] == 10


def test_an_id_that_comes_again_below_itself_makes_no_circle() -> None:
    page = snapshot(element(10, "div", element(11, "p")))
    replayed = Replayed(meta(), page, mutation(adds=[add(11, element(10, "div", text(12, SECRET)))]))
    assert replayed.page.flags(10) & UNKNOWN
    assert SECRET not in replayed.all_text()
    assert all(len(replayed.page.bits_outwards(node_id)) < 20 for node_id in replayed.page.parents)


def test_nodes_too_deep_or_too_many_are_left_out_with_a_reason() -> None:
    nested = text(999, "bottom")
    for node_id in range(500, 520):
        nested = element(node_id, "div", nested)
    deep = Replayed(meta(), snapshot(nested), max_depth=10)
    assert deep.notes[Reason.NODE_TOO_DEEP] == 1
    assert "bottom" not in deep.all_text()
    wide = Replayed(meta(), snapshot(*(element(number, "p") for number in range(10, 60))), max_nodes=20)
    assert wide.notes[Reason.TOO_MANY_NODES] == 33
    assert len(wide.page.parents) == 20


def test_unknown_keys_do_not_survive() -> None:
    page = snapshot({**element(10, "p"), "oldValue": SECRET})
    page["data"]["node"]["extra"] = SECRET
    replayed = Replayed(meta(), page, {**INPUT, "secret": SECRET})
    assert SECRET not in replayed.all_text()


@pytest.mark.parametrize("tag", ["x y", "Ünï", "<script>", "", "1a"])
def test_names_no_player_can_create_become_a_div(tag: str) -> None:
    replayed = Replayed(meta(), snapshot(element(10, tag)))
    assert replayed.page.tag(10) == "div"


def test_urls_titles_and_unknown_custom_events_do_not_leak() -> None:
    custom = {"type": 5, "timestamp": 2_000, "data": {"tag": "checkout", "payload": {"name": SECRET}}}
    replayed = Replayed(meta(f"https://shop.example/a?name={SECRET}#{SECRET}"), snapshot(), custom)
    assert replayed.out[0]["data"]["href"].startswith("https://shop.example/a")
    assert SECRET not in replayed.all_text()
    assert replayed.last() is None


def test_canvas_and_assets_are_dropped() -> None:
    drawn = incremental(9, id=3, type=0, property="fillText", args=[SECRET, 1, 1])
    asset = {"type": 7, "timestamp": 2_000, "data": {"url": "https://x.example/a.png", "payload": {"a": SECRET}}}
    replayed = Replayed(meta(), snapshot(), drawn, asset)
    assert replayed.out[2:] == [None, None]
    assert len(replayed.told_of(told.CanvasChange)) == 1


def test_interaction_events_are_masked_like_elements() -> None:
    target = {
        "id": "name-field",
        "tag": "input",
        "attributes": {"type": "text", "value": SECRET, "class": "wide"},
        "text": SECRET,
        "ancestors": [{"id": "form", "tag": "form", "text": "Your name"}],
    }
    replayed = Replayed({"kind": "input", "t": 5, "target": target, "page": f"https://x.example/?q={SECRET}"})
    assert SECRET not in replayed.all_text()
    assert replayed.told_of(told.Input)[0].target.parent.tag == "form"
    assert msgspec.json.encode(replayed.last()).decode().count("wide") == 1


def test_after_a_loss_nodes_may_be_others_until_the_next_snapshot() -> None:
    page = [meta(), snapshot(element(10, "p", text(11, "Free delivery")))]
    more = [
        mutation(texts=[{"id": 11, "value": SECRET}]),
        mutation(adds=[add(10, text(20, SECRET))]),
        mutation(attributes=[{"id": 10, "attributes": {"title": SECRET}}]),
        incremental(5, text=SECRET, isChecked=True, id=10),
    ]
    replayed = Replayed(*page, level="light")
    replayed.page.doubt()
    replayed.feed(*more)
    assert SECRET not in replayed.all_text()
    assert replayed.page.element(10).tag == "p"
    replayed.feed(*page, mutation(texts=[{"id": 11, "value": "Free again"}]))
    assert "Free again" in replayed.all_text()


def test_a_doubt_survives_a_restart_and_sticks_to_nothing() -> None:
    page = snapshot(element(10, "p", text(11, "Free delivery")), element(12, "input", type="password"))
    replayed = Replayed(meta(), page, level="light")
    replayed.page.doubt()
    replayed.feed(mutation(removes=[{"parentId": 3, "id": 10}]))
    resumed = Replayed(level="light")
    resumed.rebuilder.context.page = restore_page(page_state(replayed.page), resumed.page.policy)
    resumed.feed(incremental(5, text=SECRET, isChecked=True, id=3))
    assert SECRET not in resumed.all_text()
    resumed.feed(page, mutation(texts=[{"id": 11, "value": "Free again"}]))
    assert "Free again" in resumed.all_text()
    assert not resumed.page.flags(10) & UNKNOWN


def test_a_snapshot_that_cannot_be_opened_leaves_no_trust_in_the_page_before() -> None:
    replayed = Replayed(meta(), snapshot(element(10, "p", text(11, "Free delivery"))))
    (unopened,) = replayed.decoder.decode(msgspec.json.encode([snapshot()])).events
    assert isinstance(unopened, UnopenedSnapshot)
    unopened.data.node = msgspec.Raw(b"7")
    assert replayed.rebuilder.feed(unopened, 2_000) is None
    replayed.feed(mutation(texts=[{"id": 11, "value": SECRET}]))
    assert SECRET not in replayed.all_text()


def test_a_page_without_an_address_has_the_strictest_level_of_all_rules() -> None:
    rules = [("https://bank.example/*", "conservative")]
    page = snapshot(element(10, "p", text(11, SECRET)))
    assert SECRET not in Replayed(page, rules=rules).all_text()
    assert SECRET in Replayed(meta(), page, rules=rules).all_text()


def test_a_font_is_named_as_style_sheets_name_it() -> None:
    font = incremental(10, family=SECRET, fontSource="url(https://x.example/a.woff)", buffer=False)
    sheet = incremental(8, id=3, adds=[{"rule": f'@font-face {{ font-family: "{SECRET}"; }}'}])
    replayed = Replayed(meta(), snapshot(), font, sheet, key=b"k" * 16)
    assert SECRET not in replayed.all_text()
    assert replayed.out[2]["data"]["family"] in replayed.out[3]["data"]["adds"][0]["rule"]
