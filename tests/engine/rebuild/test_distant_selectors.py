"""Selectors that other elements anywhere in the page decide (`:has()`, `:empty`, nested ones): judged as CSS says."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cssselect2 import ElementWrapper, compile_selector_list
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.masking.flags import MASKED, UNMASKED
from engine.rebuild import structure
from engine.rebuild.mutations import MutationMasker
from engine.rebuild.page_state import page_state, restore_page
from tests.engine.rebuild.recorder import SECRET, Replayed, add, element, meta, mutation, snapshot, text

PAGE = snapshot(
    element(4, "section", element(10, "h2", text(11, "t"), class_="a"), element(12, "p", element(14, "b", class_="b"))),
    element(20, "section", element(22, "p", text(23, "x")), element(24, "p"), element(26, "i", class_="a", href="/")),
    element(30, "ul", element(32, "li", class_="a"), element(34, "li", text(35, "y")), element(36, "li", class_="a")),
)
IDS = (4, 10, 12, 14, 20, 22, 24, 26, 30, 32, 34, 36)


@pytest.mark.parametrize(
    ("selector", "masked"),
    [
        ("section:has(b)", {4}),
        ("section:has(> b)", set()),
        ("section:has(> p > b)", {4}),
        ("section:has(.a + p)", {4}),
        ("p:has(+ p)", {22}),
        ("p:has(~ i)", {22, 24}),
        ("section:has(h2, li)", {4}),
        ("section:has(b) h2", {10}),
        ("section:not(:has(b))", {20}),
        ("p:empty", {24}),
        ("p:not(:empty)", {12, 22}),
        ("p:empty + i", {26}),
        ("section:has(p:empty)", {20}),
        (":root b", {14}),
        ("section:root", set()),
        ("p:is(section > .z, .a + p)", {12}),
        ("p:not(.a + p)", {22, 24}),
        ("b:is(section b)", {14}),
        ("li:nth-child(2 of .a)", {36}),
        ("li:nth-last-child(1 of .a)", {36}),
        ("i:any-link", set()),
    ],
)
def test_snapshot(selector: str, masked: set[int]) -> None:
    replayed = Replayed(meta(), PAGE, mask=(selector,))
    own = replayed.page.own
    assert {number for number in IDS if own.get(number, 0) & MASKED} == masked


CHANGES: dict[str, tuple[str, dict[str, Any], int]] = {
    "something comes into it": ("section:has(u) p", mutation(adds=[add(24, element(60, "u"))]), 22),
    "something in it changes": ("section:has(.z)", mutation(attributes=[{"id": 22, "attributes": {"class": "z"}}]), 20),
    "something after it comes": ("p:has(~ u)", mutation(adds=[add(20, element(60, "u"))]), 22),
    "something in it goes": ("section:not(:has(i))", mutation(removes=[{"parentId": 20, "id": 26}]), 20),
    "its text goes": ("p:empty", mutation(removes=[{"parentId": 22, "id": 23}]), 22),
    "a text is emptied": ("p:first-child:empty", mutation(texts=[{"id": 23, "value": ""}]), 22),
    "what is above a nested one": ("p:is(.z > p)", mutation(attributes=[{"id": 20, "attributes": {"class": "z"}}]), 22),
    "one that is counted": (
        "li:nth-child(2 of .z)",
        mutation(
            attributes=[{"id": 34, "attributes": {"class": "z"}}, {"id": 36, "attributes": {"class": "z"}}],
        ),
        36,
    ),
}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_changes_elsewhere_are_followed(change: str, *, restart: bool) -> None:
    selector, payload, node = CHANGES[change]
    replayed = Replayed(meta(), PAGE, mask=(selector,))
    if restart:
        other = Replayed(like=replayed)
        other.rebuilder.context.page = restore_page(page_state(replayed.page), replayed.page.policy)
        replayed = other
    assert not replayed.page.flags(node) & MASKED
    replayed.feed(payload, mutation(adds=[add(node, text(70, SECRET))]))
    assert replayed.page.flags(node) & MASKED
    assert SECRET not in replayed.all_text()


def test_unmasking_ends_when_what_is_elsewhere_does() -> None:
    replayed = Replayed(meta(), PAGE, level="conservative", unmask=("section:has(> i) p",))
    assert replayed.page.flags(22) & UNMASKED
    replayed.feed(mutation(removes=[{"parentId": 20, "id": 26}], texts=[{"id": 23, "value": SECRET}]))
    assert not replayed.page.flags(22) & UNMASKED
    assert SECRET not in replayed.all_text()


def test_shadow_roots_and_frames_are_no_part_of_what_holds_them() -> None:
    host = element(10, "x-card", {**element(20, "b"), "isShadow": True})
    replayed = Replayed(meta(), snapshot(element(4, "div", host)), mask=("div:not(:has(b))",))
    assert replayed.page.flags(4) & MASKED


def test_work_is_bounded_and_then_everything_that_may_match_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "LOOKS_MAX", 40)
    replayed = Replayed(meta(), PAGE, mask=("p:has(> u)",))
    assert not replayed.page.flags(22) & MASKED
    for number in range(60, 70):
        replayed.feed(mutation(adds=[add(30, element(number, "li"))]))
    replayed.feed(mutation(texts=[{"id": 23, "value": SECRET}], adds=[add(20, element(80, "p", text(81, SECRET)))]))
    assert replayed.page.flags(22) & replayed.page.flags(80) & MASKED
    assert not replayed.page.flags(10) & MASKED
    assert SECRET not in replayed.all_text()


def test_where_too_many_siblings_are_nothing_is_shown_for_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "SIBLINGS_MAX", 2)
    masked = Replayed(meta(), PAGE, mask=("p:has(> u)",))
    assert masked.page.flags(22) & MASKED
    shown = Replayed(meta(), PAGE, level="conservative", unmask=("li:first-child", "p:has(> b)"))
    assert not any(shown.page.flags(number) & UNMASKED for number in IDS)


WIDE = 200


@pytest.mark.parametrize(
    "selector",
    [
        "li:nth-child(3n of .a)", "li:nth-of-type(3n)", ".z ~ .a", ".z + .a", "li:is(.z ~ .a)", "li:not(.a ~ .z)",
        "li:has(~ .a)", "body:has(.a ~ .a) li", "body:has(.a ~ .a ~ .a) li", ".z ~ .a ~ .a",
    ],
)  # fmt: skip
def test_each_element_of_a_long_list_is_looked_at_a_few_times(selector: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    bits_of = structure.Structure.bits_of

    def look(self: structure.Structure, node_id: int) -> int:
        looks.append(node_id)
        return bits_of(self, node_id)

    monkeypatch.setattr(structure.Structure, "bits_of", look)
    items = [element(100 + number, "li", class_="a") for number in range(WIDE)]
    replayed = Replayed(meta(), snapshot(element(4, "ul", *items)), mask=(selector,))
    replayed.feed(mutation(attributes=[{"id": 100, "attributes": {"class": "b"}}]))
    assert len(looks) < 20 * WIDE


class Scanned(list[int]):
    """A list that knows how far it was searched."""

    steps = 0

    def __contains__(self, searched: object) -> bool:
        Scanned.steps += self.index(searched) if self.count(searched) else len(self)  # type: ignore[arg-type]
        return self.count(searched) > 0  # type: ignore[arg-type]


def test_what_comes_last_is_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scanned, "steps", 0)
    replayed = Replayed(meta(), PAGE, mask=("li:first-child",))
    known = replayed.page.structure
    assert known is not None
    known.children[50] = Scanned()
    replayed.feed(mutation(adds=[add(3, element(50, "ul", *(element(number, "li") for number in range(100, 300))))]))
    replayed.feed(mutation(adds=[add(50, element(number, "li")) for number in range(300, 400)]))
    assert len(known.children[50]) == 300
    assert Scanned.steps == 0


def test_what_no_change_concerns_is_not_looked_at_for_its_unmasking(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [element(10 * number, "div", element(10 * number + 1, "p")) for number in range(1, WIDE)]
    replayed = Replayed(meta(), snapshot(*boxes), level="conservative", unmask=("p:first-child",))
    reviewed: list[int] = []
    review = MutationMasker._review

    def note(self: MutationMasker, node_id: int) -> None:
        reviewed.append(node_id)
        review(self, node_id)

    monkeypatch.setattr(MutationMasker, "_review", note)
    replayed.feed(mutation(adds=[add(20, element(9_000, "p"), 21)]))
    assert set(reviewed) <= {20, 21, 9_000}
    assert not replayed.page.flags(21) & UNMASKED
    assert replayed.page.flags(31) & replayed.page.flags(9_000) & UNMASKED


SELECTORS = [
    "div:has(.a)", "div:has(> .a) p", "p:has(+ .a)", "p:has(~ .a .b)", "div:not(:has(p))", "p:empty", "p:not(:empty)",
    ":empty ~ p", "p:is(.a > p, .b)", "div:not(.a div)", "p:nth-child(2 of .a)", "div:has(p:empty) > div",
    ":root > div", "p:nth-last-child(1 of .b)", "div:has(.a, .b) .a",
]  # fmt: skip
ACTS = st.tuples(st.sampled_from(["add", "text", "remove", "class"]), st.integers(0, 50), st.integers(0, 50))


@settings(deadline=None, max_examples=80)
@given(st.lists(ACTS, max_size=14), st.sampled_from(SELECTORS))
def test_what_css_selects_is_masked_after_any_change(acts: list[tuple[str, int, int]], selector: str) -> None:
    replayed = Replayed(meta(), snapshot(element(4, "div")), mask=(selector,))
    document = ET.fromstring("<html><head/><body><div/></body></html>")  # noqa: S314  # written here
    known = {4: document[1][0]}
    parents: dict[int, int] = {}
    for fresh, (act, first, second) in enumerate(acts, 100):
        here = list(known)[first % len(known)]
        if act == "add":
            tag = ("div", "p")[second % 2]
            replayed.feed(mutation(adds=[add(here, element(fresh, tag))]))
            known[fresh], parents[fresh] = ET.SubElement(known[here], tag), here
        elif act == "text":
            replayed.feed(mutation(adds=[add(here, text(fresh, "x"))]))
            known[here].text = "x"
        elif act == "class":
            known[here].set("class", ("a", "b", "")[second % 3])
            replayed.feed(mutation(attributes=[{"id": here, "attributes": {"class": known[here].get("class")}}]))
        elif here in parents:
            replayed.feed(mutation(removes=[{"parentId": parents[here], "id": here}]))
            known[parents[here]].remove(known[here])
            inside = set(known[here].iter())
            known = {number: each for number, each in known.items() if each not in inside}
    compiled = compile_selector_list(selector)
    for wrapped in ElementWrapper.from_html_root(document).iter_subtree():
        number = next((number for number, each in known.items() if each is wrapped.etree_element), None)
        if number is not None and any(each.test(wrapped) for each in compiled):
            assert replayed.page.flags(number) & MASKED, ET.tostring(document)
