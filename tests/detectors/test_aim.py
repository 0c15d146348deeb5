"""Aims: the same answers as the questions they save, asked once a click, and never of an older page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.aim import Aim, Aims
from detectors.elements import Element
from detectors.interactions import Click
from detectors.interactive import closest_interactive, is_ignored
from detectors.targets import describe, label_of, place_of
from tests.detectors.tape import BODY, BUTTON, FIELD, PAGE, STATIC, element

TAGS = st.sampled_from(["div", "button", "a", "input", "textarea", "canvas", "video", "p", "svg", "label"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["role", "class", "id", "tabindex", "onclick", "contenteditable", "data-wince-ignore", "type"]),
    st.sampled_from(["", "button", "0", "btn wide", "true", "false", "text", "checkbox"]),
    max_size=2,
)


@st.composite
def elements(draw: st.DrawFn) -> Element:
    node = BODY
    for number in range(draw(st.integers(1, 6))):
        node = Element(100 + number, draw(TAGS), draw(ATTRIBUTES), node, draw(st.sampled_from(["", "Buy now"])))
    return node


@given(elements())
def test_it_answers_as_the_rules_do(clicked: Element) -> None:
    aim, control = Aim(clicked), closest_interactive(clicked)
    assert aim.element is clicked
    assert aim.is_interactive is (control is not None)
    assert aim.control is (control or clicked)
    for _ in range(2):
        assert aim.is_ignored() is is_ignored(clicked)
        assert aim.target() == describe(aim.control)
        assert aim.place() == place_of(aim.control, label_of(aim.control))


@pytest.mark.parametrize(
    ("clicked", "expected"),
    [
        (FIELD, True),
        (element("b", 1, element("div", 2, BODY, contenteditable="true")), True),
        (element("canvas", 1, BUTTON), True),
        (element("iframe", 1), True),
        (element("b", 1, element("canvas", 2)), False),
        (element("input", 1, type="checkbox"), False),
        (BUTTON, False),
        (STATIC, False),
    ],
)
def test_fields_and_media_answer_out_of_sight(clicked: Element, *, expected: bool) -> None:
    assert Aim(clicked).answers_unseen() is expected


class TestAims:
    def test_one_click_has_one_aim(self) -> None:
        aims, click = Aims(), Click(1, PAGE, BUTTON)
        assert aims.of(click) is aims.of(click)

    def test_the_next_click_on_a_changed_element_is_looked_at_anew(self) -> None:
        aims, button = Aims(), element("button", 1, BODY, "Buy")
        first = aims.of(Click(1, PAGE, button))
        assert first is not None
        assert first.target().text == "Buy"
        button.text = "Bought"
        second = aims.of(Click(1, PAGE, button))
        assert second is not None
        assert second.target().text == "Bought"
        assert first.target().text == "Buy"

    def test_what_the_recording_does_not_know_has_none(self) -> None:
        aims = Aims()
        assert aims.of(Click(1, PAGE, BUTTON)) is not None
        assert aims.of(Click(1, PAGE, None)) is None
