"""Selectors in vendors' options, against elements as detectors see them."""

import pytest

from detectors.machines.selectors import SelectorError, Selectors
from tests.detectors.tape import BODY, element

CARD = element("div", 1, BODY, _class="card wide", id="first")
LINK = element("a", 2, CARD, href="/help/faq", role="Button")
ICON = element("i", 3, LINK, _class="icon")


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("i", True),
        ("a", False),
        (".icon", True),
        ("a .icon", True),
        ("a > .icon", True),
        (".card > .icon", False),
        ("#first .icon", True),
        ("body i", True),
        ('[href^="/help"] i', True),
        ('[role="button"] i', False),
        ('[role="button" i] i', True),
        ("i:not(.card)", True),
        ("i:not(.icon)", False),
        (":is(p, i)", True),
        ("*", True),
        ("p, .icon", True),
        ("#document i", False),
    ],
)
def test_what_a_selector_selects(text: str, *, matches: bool) -> None:
    assert Selectors((text,)).matches(ICON) is matches


def test_the_closest_is_found_upwards_from_the_element_itself() -> None:
    found = Selectors((".card", "a"))
    assert found.closest(ICON) is LINK
    assert found.closest(CARD) is CARD
    assert found.closest(BODY) is None


def test_no_selector_selects_nothing() -> None:
    assert not Selectors(()).matches(ICON)


@pytest.mark.parametrize(
    "text", ["[", "a:first-child", "a + i", "a:has(i)", "a:nth-child(2)", "x|a", "|", "a *|", "a::before("]
)
def test_what_cannot_be_decided_is_refused(text: str) -> None:
    with pytest.raises(SelectorError, match="cannot be used"):
        Selectors((text,))
