"""Names, places and labels of elements; what is interactive."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.elements import LABEL_MAX_CHARACTERS, Element
from detectors.interactive import MAX_ANCESTORS, candidate, closest_interactive, is_ignored, is_text_field
from detectors.targets import (
    CACHED_MAX_CHARACTERS,
    NAME_MAX_CHARACTERS,
    PLACE_MAX_CHARACTERS,
    describe,
    label_of,
    place_of,
    selector_of,
)
from tests.detectors.tape import BODY, BUTTON, PAGE, element

ROW = element("tr", 10, element("tbody", 9, element("table", 8, BODY, id="spec")))


class TestSelector:
    def test_parent_and_id(self) -> None:
        assert selector_of(BUTTON) == "div.actions > button#notify.btn"

    def test_up_to_the_first_id(self) -> None:
        cell = element("td", 11, element("tr", 10, element("table", 8, element("div", 7, BODY), id="spec")))
        assert selector_of(cell) == "table#spec > tr > td"

    def test_no_more_than_three(self) -> None:
        assert selector_of(element("td", 11, ROW, _class="spec-td")) == "tbody > tr > td.spec-td"

    def test_the_body_is_not_worth_naming(self) -> None:
        assert selector_of(element("nav", 11, BODY, _class="crumbs")) == "nav.crumbs"
        assert selector_of(BODY) == "body"

    def test_two_classes_without_an_id_and_one_with(self) -> None:
        assert selector_of(element("b", 1, _class="x y z")) == "b.x.y"
        assert selector_of(element("b", 1, id="i", _class="x y z")) == "b#i.x"

    def test_names_are_escaped(self) -> None:
        assert selector_of(element("b", 1, _class="md:flex w-1/2")) == r"b.md\:flex.w-1\/2"

    @pytest.mark.parametrize("length", [CACHED_MAX_CHARACTERS - 6, CACHED_MAX_CHARACTERS - 5, 2_000])
    def test_long_lists_of_classes_are_read_like_short_ones(self, length: int) -> None:
        classes = f"a {'x' * (length - 4)} b"
        assert [selector_of(element("b", 1, id="i", _class=classes)) for _ in range(2)] == ["b#i.a"] * 2
        assert selector_of(element("b", 1, _class=classes)) == "b.a.b"

    def test_names_made_by_machines_are_left_out(self) -> None:
        long = "x" * (NAME_MAX_CHARACTERS + 1)
        assert selector_of(element("b", 1, id=long, _class=f"{long} ok")) == "b.ok"

    @given(st.text(max_size=200), st.text(max_size=400))
    def test_nothing_breaks_it_or_makes_it_long(self, own_id: str, classes: str) -> None:
        text = selector_of(element("b", 1, element("i", 2, None, id=own_id, _class=classes), id=own_id, _class=classes))
        assert text.startswith("i")
        assert len(text) < 400


class TestLabel:
    @pytest.mark.parametrize(
        ("named", "label"),
        [
            (element("button", 1, None, "Buy", aria_label="Buy now", title="Buys"), "Buy now"),
            (element("button", 1, None, " Buy \n it ", title="Buys"), "Buy it"),
            (element("input", 1, None, type="submit", value="Send"), "Send"),
            (element("input", 1, None, type="text", value="secret"), None),
            (element("img", 1, None, alt="Promotion", title="t"), "Promotion"),
            (element("svg", 1, None, title="Close"), "Close"),
            (element("div", 1), None),
            (element("div", 1, None, "   "), None),
        ],
    )
    def test_the_first_name_that_a_visitor_knows(self, named: Element, label: str | None) -> None:
        assert label_of(named) == label
        assert describe(named).text == label

    def test_it_is_short(self) -> None:
        assert len(label_of(element("button", 1, None, "x" * 5_000)) or "") == LABEL_MAX_CHARACTERS


class TestPlace:
    def test_the_same_for_a_node_in_place_of_another(self) -> None:
        one, two = (element("button", number, ROW, "More", _class="btn") for number in (1, 2))
        assert place_of(one, "More") == place_of(two, "More")

    def test_different_for_what_looks_different(self) -> None:
        buttons = [
            element("button", 1, ROW, "1"),
            element("button", 1, ROW, "2"),
            element("button", 1, ROW, "1", _class="on"),
            element("a", 1, ROW, "1"),
            element("button", 1, BODY, "1"),
        ]
        assert len({place_of(button, label_of(button)) for button in buttons}) == len(buttons)

    def test_it_is_bounded(self) -> None:
        node = None
        for number in range(50):
            node = element("div", number, node, _class="c" * 1_000)
        assert node is not None
        assert len(place_of(node, None)) == PLACE_MAX_CHARACTERS


def nested(levels: int, top: Element) -> Element:
    node = top
    for number in range(levels):
        node = element("div", 1_000 + number, node)
    return node


class TestClosest:
    @pytest.mark.parametrize(
        "tag", ["a", "area", "button", "summary", "input", "select", "textarea", "option", "label"]
    )
    def test_controls(self, tag: str) -> None:
        control = element(tag, 5, BODY)
        assert closest_interactive(nested(3, control)) is control
        assert closest_interactive(control) is control

    @pytest.mark.parametrize(
        "marks", [{"role": "tab"}, {"onclick": ""}, {"tabindex": "0"}, {"contenteditable": ""}, {"role": "switch"}]
    )
    def test_marks(self, marks: dict[str, str]) -> None:
        control = element("div", 5, BODY, **marks)
        assert closest_interactive(nested(1, control)) is control

    @pytest.mark.parametrize(
        "marks", [{"role": "list"}, {"tabindex": "-1"}, {"tabindex": "x"}, {"contenteditable": "false"}]
    )
    def test_no_marks(self, marks: dict[str, str]) -> None:
        assert closest_interactive(element("div", 5, BODY, **marks)) is None

    def test_it_gives_up_in_great_depth(self) -> None:
        assert closest_interactive(nested(MAX_ANCESTORS - 1, BUTTON)) is BUTTON
        assert closest_interactive(nested(MAX_ANCESTORS, BUTTON)) is None
        assert candidate(nested(MAX_ANCESTORS, BUTTON), PAGE) is None

    def test_the_opt_out_reaches_down(self) -> None:
        top = element("div", 5, BODY, data_wince_ignore="")
        assert is_ignored(top)
        assert is_ignored(nested(5, top))
        assert not is_ignored(BODY)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, True),
        ({"type": "EMAIL"}, True),
        ({"type": "file"}, True),
        ({"type": "Submit"}, False),
        ({"type": "radio"}, False),
    ],
)
def test_inputs_are_text_fields_unless_they_act_when_clicked(attributes: dict[str, str], expected: bool) -> None:  # noqa: FBT001
    assert is_text_field(element("input", 1, None, **attributes)) is expected


@pytest.mark.parametrize(
    ("clicked", "sign"),
    [
        (element("a", 1, BODY), "link"),
        (element("li", 1, BODY, role="option"), "role"),
        (element("li", 1, BODY, onclick=""), "handler"),
        (element("li", 1, BODY, tabindex="0"), "focusable"),
        (element("li", 1, BODY, _class="card-link"), "name"),
        (element("img", 1, BODY), "image"),
        (element("img", 1, element("div", 2, BODY, _class="btn")), "image"),
        (element("img", 1, element("button", 2, BODY)), "control"),
    ],
)
def test_the_sign_says_why_an_element_owes_an_answer(clicked: Element, sign: str) -> None:
    found = candidate(clicked, PAGE)
    assert found is not None
    assert found.sign == sign


def test_a_page_that_is_nested_very_deeply_goes_without_harm() -> None:
    deepest: Element | None = None
    neighbours = list[bytes]()
    for number in range(20_000):
        deepest = Element(number, "div", {}, deepest)
        # What lies beside it in memory, whatever size it has there.
        neighbours += (bytes(bytearray(b"a" * length)) for length in range(39, 104, 8))
    del deepest
    gc.collect()
    assert not [neighbour for neighbour in neighbours if set(neighbour) != {ord("a")}]
