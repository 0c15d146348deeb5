"""Selector sets: compiled to bits, decided without the originals."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

import pytest
from cssselect2 import ElementWrapper, compile_selector_list
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.masking.flags import BLOCKED, MASKED, UNMASKED
from engine.masking.selectors import (
    MAX_BITS,
    RECORDER_BLOCKS,
    RECORDER_MASKS,
    SelectorError,
    SelectorSet,
    check_selector,
)
from schemas.rrweb_nodes import AttributeValue

Path = Sequence[tuple[str, Mapping[str, AttributeValue]]]


def masks(selector: str, *outwards: tuple[str, Mapping[str, AttributeValue]]) -> bool:
    compiled = SelectorSet.compile([], [selector], [])
    return compiled.decide([compiled.own_bits(tag, attributes) for tag, attributes in outwards]) == MASKED


DIV: tuple[str, dict[str, AttributeValue]] = ("div", {})

MATCHES = [
    ("div", [DIV]),
    ("DIV", [DIV]),
    ("*", [DIV]),
    (".a", [("p", {"class": "x a y"})]),
    (".a", [("p", {"CLASS": "a"})]),
    (".a.b", [("p", {"class": "b a"})]),
    ("#a", [("p", {"id": "a"})]),
    ("p#a.b", [("p", {"id": "a", "class": "b"})]),
    ("[data-x]", [("p", {"data-x": True})]),
    ("[data-x]", [("p", {"data-x": ""})]),
    ("[data-x=a]", [("p", {"data-x": "a"})]),
    ('[data-x="5"]', [("p", {"data-x": 5})]),
    ("[data-x='A' i]", [("p", {"data-x": "a"})]),
    ("[data-x^=a]", [("p", {"data-x": "abc"})]),
    ("[data-x$=c]", [("p", {"data-x": "abc"})]),
    ("[data-x*=b]", [("p", {"data-x": "abc"})]),
    ("[data-x~=b]", [("p", {"data-x": "a b"})]),
    ("[lang|=en]", [("p", {"lang": "en-GB"})]),
    ("[type=TEXT]", [("input", {"type": "text"})]),
    ("p:not(.a)", [("p", {"class": "b"})]),
    (":not(.a):not(p)", [DIV]),
    (":is(.a, #b)", [("p", {"id": "b"})]),
    (":where(.a, p.b) ", [("p", {"class": "b"})]),
    (":is(.a:not(.b))", [("p", {"class": "a"})]),
    ("a, p", [("p", {})]),
    (".x p", [("p", {}), DIV, ("div", {"class": "x"})]),
    (".x > p", [("p", {}), ("div", {"class": "x"})]),
    (".x > .y p", [("p", {}), ("b", {"class": "y"}), ("i", {"class": "y"}), ("div", {"class": "x"})]),
    ("div div div", [DIV, DIV, DIV]),
    ("div *", [("p", {}), DIV]),
]

MISSES = [
    ("div", [("p", {})]),
    (".a", [("p", {"class": "ab A"})]),
    (".a", [("p", {"class": 5})]),
    (".a.b", [("p", {"class": "a"})]),
    ("[data-x=a]", [("p", {"data-x": "A"})]),
    ("[data-x^='']", [("p", {"data-x": "a"})]),
    ("[data-x]", [("p", {"data-y": "a"})]),
    ("p:not(.a)", [("p", {"class": "a"})]),
    (":is(.a, #b)", [DIV]),
    (".x p", [("p", {"class": "x"})]),
    (".x > p", [("p", {}), DIV, ("div", {"class": "x"})]),
    ("div div div", [DIV, DIV]),
    ("div *", [DIV]),
]


@pytest.mark.parametrize(("selector", "outwards"), MATCHES, ids=[selector for selector, _ in MATCHES])
def test_matches(selector: str, outwards: Path) -> None:
    assert masks(selector, *outwards)


@pytest.mark.parametrize(("selector", "outwards"), MISSES, ids=[selector for selector, _ in MISSES])
def test_misses(selector: str, outwards: Path) -> None:
    assert not masks(selector, *outwards)


def test_a_selector_that_any_element_can_match_marks_every_element() -> None:
    """The tree asks `decide` only for elements with bits."""
    compiled = SelectorSet.compile([":not(.a)"], [], [])
    assert compiled.own_bits("div", {})
    assert compiled.own_bits("unseen", {})
    assert not SelectorSet.compile(["div"], [], []).own_bits("p", {"class": "x"})


@pytest.mark.parametrize(
    ("selector", "reason"),
    [
        (":nth-of-type(2 of .a)", "numbers"),
        (":nth-child(2 of)", "compound"),
        (":nth-child(2 of ..)", "class name"),
        (":nth-child(x)", "numbers"),
        ("a:hover", ":hover"),
        (":checked", ":checked"),
        (":disabled", ":disabled"),
        ("a::before", "pseudo-element"),
        (":has(:has(a))", "no CSS"),
        (":has(a, ..)", "class name"),
        (":has()", "compound"),
        (":is(:hover > b)", ":hover"),
        (":is(a, ..)", "class name"),
        (":is()", "compound"),
        (":not()", "compound"),
        ("svg|a", "namespace"),
        ("|", "no name"),
        ("a *|", "no name"),
        (":not(|)", "no name"),
        (":is([*|])", "no name"),
        (":nth-child(2 of |)", "no name"),
        ("a[", "attribute name"),
        ("", "compound"),
        ("   ", "compound"),
        ("a,", "compound"),
        ("..a", "class name"),
        ("a >", "compound"),
        ("x" * 3_000, "longer"),
        (" ".join("a" * 40), "more than"),
        (":not(" * 50 + "a" + ")" * 50, "deep"),
        ("a{}", "unexpected"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(selector: str, reason: str) -> None:
    problem = check_selector(selector)
    assert problem is not None
    assert reason in problem
    with pytest.raises(SelectorError):
        SelectorSet.compile([], [], [".fine", selector])


def test_a_refusal_names_the_selector() -> None:
    assert "'a:hover'" in str(check_selector("a:hover"))
    assert check_selector("a > b") is None


@given(st.text(max_size=30))
def test_checking_never_raises(text: str) -> None:
    check_selector(text)


def test_the_three_lists_are_decided_apart() -> None:
    compiled = SelectorSet.compile([".b"], [".m", "[data-m]"], [".u"])
    bits = compiled.own_bits("div", {"class": "b m u"})
    assert compiled.decide([bits]) == BLOCKED | MASKED | UNMASKED
    assert compiled.decide([compiled.own_bits("div", {"data-m": ""})]) == MASKED
    assert compiled.decide([compiled.own_bits("div", {"class": "u"})]) == UNMASKED


def test_long_lists_of_plain_selectors_share_bits() -> None:
    compiled = SelectorSet.compile(
        [f".block-{n}" for n in range(500)], [f"#mask-{n}" for n in range(500)], ["p", "q", "a"]
    )
    assert compiled.own_bits("a", {"class": "block-7", "id": "mask-499"}).bit_length() <= 3
    assert compiled.decide([compiled.own_bits("div", {"class": "x block-499"})]) == BLOCKED


def test_too_many_parts_are_refused_before_bits_run_out() -> None:
    with pytest.raises(SelectorError, match="too many"):
        SelectorSet.compile([f".a{n}.b{n}" for n in range(MAX_BITS)], [], [])
    fits = SelectorSet.compile([f".a{n}.b" for n in range(MAX_BITS - 1)], [], [])
    assert fits.own_bits("p", {"class": " ".join(f"a{n}" for n in range(MAX_BITS))}).bit_length() <= 64


@pytest.mark.parametrize("selector", RECORDER_BLOCKS)
def test_recorders_block_hints(selector: str) -> None:
    assert check_selector(selector) is None


@pytest.mark.parametrize(
    ("attributes", "flag"),
    [
        ({"class": "rr-block"}, BLOCKED),
        ({"class": "x ph-no-capture"}, BLOCKED),
        ({"data-dd-privacy": "hidden"}, BLOCKED),
        ({"class": "fs-exclude"}, BLOCKED),
        ({"data-sentry-block": ""}, BLOCKED),
        ({"class": "mp-block"}, BLOCKED),
        ({"class": "rr-mask"}, MASKED),
        ({"class": "rr-ignore"}, MASKED),
        ({"class": "amp-mask"}, MASKED),
        ({"class": "fs-mask"}, MASKED),
        ({"data-dd-privacy": "MASK"}, MASKED),
        ({"data-sentry-mask": True}, MASKED),
        ({"class": "highlight-mask"}, MASKED),
        ({"class": "amp-unmask"}, 0),
        ({"data-dd-privacy": "allow"}, 0),
    ],
)
def test_recorders_hints_are_followed_where_they_are_stricter(attributes: dict[str, AttributeValue], flag: int) -> None:
    compiled = SelectorSet.compile(RECORDER_BLOCKS, RECORDER_MASKS, [])
    assert compiled.decide([compiled.own_bits("div", attributes)]) & ~UNMASKED == flag


class TestChanges:
    SET = SelectorSet.compile([".b", "#b"], ["form .m.n", "[data-m=x]"], [])

    def test_a_change_is_the_same_as_a_new_element(self) -> None:
        before = self.SET.own_bits("div", {"class": "b m", "id": "b"})
        after = self.SET.changed_bits(before, "div", "class", "m n")
        assert after == self.SET.own_bits("div", {"class": "m n", "id": "b"})

    def test_removal(self) -> None:
        before = self.SET.own_bits("form", {"data-m": "x", "class": "b"})
        after = self.SET.changed_bits(before, "form", "data-m", None)
        assert after == self.SET.own_bits("form", {"class": "b"})

    def test_names_no_selector_mentions_change_nothing(self) -> None:
        assert self.SET.changed_bits(5, "div", "title", "b") == 5

    def test_case_of_names(self) -> None:
        assert self.SET.changed_bits(0, "div", "CLASS", "b") == self.SET.own_bits("div", {"class": "b"})

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["class", "id", "data-m", "title"]),
                st.none() | st.sampled_from(["b", "m n", "x", "", "b m n"]),
            ),
            max_size=8,
        )
    )
    def test_any_history_ends_where_a_snapshot_of_it_starts(self, changes: list[tuple[str, str | None]]) -> None:
        bits, attributes = self.SET.own_bits("p", {}), {}
        for name, value in changes:
            bits = self.SET.changed_bits(bits, "p", name, value)
            attributes[name] = value
        present = {name: value for name, value in attributes.items() if value is not None}
        assert bits == self.SET.own_bits("p", present)


NAMES = st.sampled_from(["a", "b", "c"])
ELEMENTS = st.tuples(
    st.sampled_from(["div", "p"]),
    st.fixed_dictionaries(
        {}, optional={"class": st.lists(NAMES, max_size=2).map(" ".join), "id": NAMES, "data-x": NAMES}
    ),
)
SIMPLE = st.sampled_from(["div", "p", "*", ".a", ".b", "#c", "[data-x]", "[data-x=a]"])
COMPOUND = st.one_of(
    SIMPLE,
    st.builds("{}.a".format, st.sampled_from(["", "div", "p"])),
    st.builds("{}:not({})".format, st.sampled_from(["", "p"]), SIMPLE),
    st.builds(":is({}, {})".format, SIMPLE, SIMPLE),
)
SELECTORS = st.lists(COMPOUND, min_size=1, max_size=4).flatmap(
    lambda parts: st.lists(st.sampled_from([" ", " > "]), min_size=len(parts) - 1, max_size=len(parts) - 1).map(
        lambda joints: "".join(part + joint for part, joint in zip(parts, [*joints, ""], strict=True))
    )
)


@settings(max_examples=300)
@given(SELECTORS, st.lists(ELEMENTS, min_size=1, max_size=6))
def test_decisions_agree_with_cssselect2(selector: str, inwards: list[tuple[str, dict[str, str]]]) -> None:
    root = ET.Element("root")
    node = root
    for tag, attributes in inwards:
        node = ET.SubElement(node, tag, attributes)
    wrapped = list(ElementWrapper.from_html_root(root).iter_subtree())[-1]
    agreed = any(compiled.test(wrapped) for compiled in compile_selector_list(selector))
    outwards: list[tuple[str, Mapping[str, AttributeValue]]] = [*inwards[::-1], ("root", {})]
    assert masks(selector, *outwards) is agreed


def test_deep_pages_cost_linear_time() -> None:
    compiled = SelectorSet.compile([], ["div > div div > div div > div div > .x"], [])
    bits = [compiled.own_bits("div", {})] * 20_000
    assert compiled.decide([compiled.own_bits("div", {"class": "y"}), *bits]) == 0
    assert compiled.decide([compiled.own_bits("div", {"class": "x"}), *bits]) == MASKED
