"""What interaction events describe of elements reaches detectors, as far as masking lets it."""

from typing import Any

import msgspec
import pytest

from detectors import interactions as told
from detectors.interactions import Interaction
from engine.core.shared import Shared
from engine.masking.policy import Policy
from engine.rebuild.context import Context
from engine.rebuild.rebuilder import Rebuilder
from engine.settings import PrivacyLevel, Settings
from schemas.interaction_events import InteractionEvent

DECODER = msgspec.json.Decoder(InteractionEvent)


def tell(
    event: dict[str, Any], level: PrivacyLevel = "light", *before: dict[str, Any]
) -> tuple[list[Interaction], dict[str, Any]]:
    """Give what an event told, after others `before` it, and what of it is published."""
    interactions: list[Interaction] = []
    context = Context(
        Policy(level=level, mask=(), unmask=(), block=(), rules=[], key=None),
        Shared(Settings()).tools,
        interactions.append,
        frozenset(told.Interaction.__args__),
        lambda _reason: None,
    )
    rebuilder = Rebuilder(context)
    rebuilder.feed(DECODER.decode(b'{"kind":"navigation","t":0,"url":"https://shop.example/"}'), 1_000)
    for earlier in before:
        rebuilder.feed(DECODER.decode(msgspec.json.encode({"t": 1_000, **earlier})), 1_000)
    interactions.clear()
    masked = rebuilder.feed(DECODER.decode(msgspec.json.encode({"t": 1_000, **event})), 1_000)
    return interactions, msgspec.json.decode(msgspec.json.encode(masked))


def click(level: PrivacyLevel = "light", **described: Any) -> tuple[told.Click, dict[str, Any]]:
    target = {"id": 7, "tag": "a", **described}
    interactions, masked = tell({"kind": "click", "target": target}, level)
    found = next(one for one in interactions if isinstance(one, told.Click))
    return found, masked["target"]


def test_a_pointer_cursor_is_told_and_no_other() -> None:
    one, masked = click(cursor="pointer")
    assert one.target is not None
    assert (one.target.cursor, masked["cursor"]) == ("pointer", "pointer")
    other, masked = click(cursor="url(https://shop.example/jane.png), auto")
    assert other.target is not None
    assert (other.target.cursor, "cursor" in masked) == ("", False)


def test_a_label_is_told_with_its_control() -> None:
    control = {"id": 8, "tag": "input", "attributes": {"type": "text", "value": "Jane Roe"}}
    found, masked = click(tag="label", attributes={"for": "name"}, control=control)
    assert found.target is not None
    assert found.target.control is not None
    assert (found.target.control.node_id, found.target.control.attributes["type"]) == (8, "text")
    assert masked["control"]["id"] == 8


@pytest.mark.parametrize("level", ["light", "medium", "conservative"])
def test_a_control_is_masked_as_everything_is(level: PrivacyLevel) -> None:
    secret = "4111 1111 1111 1111"
    control = {"id": 8, "tag": "input", "attributes": {"type": "password", "value": secret}, "text": secret}
    control["ancestors"] = [{"id": 9, "tag": "p", "text": secret}]
    control["control"] = {"id": 10, "tag": "p", "text": secret}
    _, masked = click(level, tag="label", control=control)
    assert secret not in str(masked)
    assert "control" not in masked["control"]


def test_attributes_whose_values_are_not_shown_are_there() -> None:
    attributes = {"onclick": "pay()", "href": "#", "data-x": "4111111111111111", "srcdoc": "<b>"}
    found, masked = click(attributes=attributes)
    assert found.target is not None
    assert found.target.attributes.keys() == attributes.keys()
    assert found.target.attributes["href"] == "#"
    assert found.target.attributes["onclick"] == found.target.attributes["srcdoc"] == ""
    assert masked["attributes"].keys() == {"onclick", "href", "data-x"}
    assert "4111111111111111" not in str(found.target.attributes)


def test_a_blocked_element_tells_what_it_was_blocked_by() -> None:
    around = {"id": 1, "tag": "div", "attributes": {"class": "ph-no-capture jane", "id": "jane", "onclick": "x"}}
    found, _ = click(ancestors=[around], text="Jane")
    assert found.target is not None
    assert (found.target.node_id, found.target.attributes) == (1, {"class": "ph-no-capture"})


def test_a_click_without_a_label_says_so() -> None:
    assert click()[0].label == ""
    assert click(label="Buy")[0].label == "Buy"


def test_gestures_of_all_buttons_are_told_with_their_times() -> None:
    event = {"kind": "auxclick", "target": {"id": 7, "tag": "a"}, "t": 1_000, "down_t": 800, "up_t": 950}
    (one,) = tell(event)[0]
    assert isinstance(one, told.AuxClick)
    assert (one.press_t, one.release_t, one.is_primary) == (800, 950, True)


def test_a_change_is_told_with_the_element_that_changed() -> None:
    target = {"id": 7, "tag": "p", "ancestors": [{"id": 6, "tag": "div", "attributes": {"data-quiet": True}}]}
    (one,) = tell({"kind": "mutation", "target": target})[0]
    assert isinstance(one, told.Mutation)
    assert one.target is not None
    assert one.target.parent is not None
    assert "data-quiet" in one.target.parent.attributes


@pytest.mark.parametrize("level", ["light", "medium", "conservative"])
def test_a_label_does_not_repeat_a_control_that_was_masked_before(level: PrivacyLevel) -> None:
    control = {"id": 8, "tag": "span", "text": "Jane Roe"}
    before = {"kind": "click", "target": {**control, "attributes": {"class": "rr-mask"}}}
    label = {"id": 7, "tag": "label", "text": "Total Jane Roe", "control": control}
    _, masked = tell({"kind": "click", "target": label}, level, before)
    assert "Jane" not in str(masked)


def test_a_label_does_not_repeat_a_control_that_stands_in_what_is_masked() -> None:
    around = {"id": 6, "tag": "div", "attributes": {"class": "rr-mask"}}
    control = {"id": 8, "tag": "span", "text": "Jane Roe", "ancestors": [around]}
    _, masked = click(tag="label", text="Total Jane Roe", control=control)
    assert "Jane" not in str(masked)
