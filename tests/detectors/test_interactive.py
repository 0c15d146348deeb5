"""What asks to be clicked: who owes an answer to a click, and who does not."""

import pytest

from detectors.elements import Element
from tests.detectors.tape import BODY, FIELD, PAGE, click, dead, element

T = 10_000


def target(tag: str, parent: Element | None = BODY, **attributes: str) -> Element:
    return element(tag, 500, parent, **attributes)


def pointed(made: Element) -> Element:
    made.cursor = "pointer"
    return made


@pytest.mark.parametrize(
    "clicked",
    [
        pointed(target("td", _class="owner")),
        target("b", pointed(target("div", _class="tile"))),
        target("button"),
        target("button", type="submit"),
        target("summary"),
        target("input", type="submit"),
        target("input", type="image"),
        target("input", type="checkbox"),
        target("a"),
        target("a", href="#"),
        target("a", href=f"{PAGE}#"),
        target("a", href="https://shop.example/#"),
        target("a", href="javascript:void(0)"),
        target("div", role="button"),
        target("li", role="menuitem"),
        target("div", onclick=""),
        target("div", tabindex="0"),
        target("img", id="promo", _class="looks-clickable"),
        target("img"),
        target("div", _class="fake-link"),
        target("span", _class="nav_link small"),
        target("div", _class="cursor-pointer"),
        target("svg", target("button")),
        target("i", target("div", target("span", _class="btn"))),
    ],
    ids=lambda e: f"{e.tag} {e.attributes}",
)
def test_these_owe_an_answer(clicked: Element) -> None:
    assert len(dead(click(T, clicked))) == 1


@pytest.mark.parametrize(
    "clicked",
    [
        target("input", type="radio"),
        pointed(target("tr")),
        target("b", pointed(target("label"))),
        target("b", target("b", target("b", pointed(target("div"))))),
        target("nav", _class="crumbs"),
        target("td", _class="spec-td"),
        target("span", _class="price-badge"),
        target("h1", id="title"),
        target("nav", _class="link"),
        target("div", _class="link-list"),
        target("div", target("div", target("div", target("div", _class="clickable")))),
        target("div", role="tabpanel", tabindex="0"),
        target("div", tabindex="-1"),
        FIELD,
        target("input"),
        target("input", type="file"),
        target("input", type="range"),
        target("input", type="date"),
        target("textarea"),
        target("select"),
        target("option", target("select")),
        target("div", contenteditable=""),
        target("b", target("div", contenteditable="true")),
        target("canvas"),
        target("video"),
        target("iframe"),
        target("label"),
        target("span", target("label")),
        target("a", href="https://shop.example/other"),
        target("a", href=""),
        target("a", href="mailto:x"),
        target("a", href="#", target="_blank"),
        target("a", href="#", download=""),
        target("a", name="top"),
        target("img", target("a", href="/x")),
        target("span", target("a", href="/x"), _class="btn"),
        target("button", disabled=""),
        target("div", role="button", aria_disabled="true"),
        target("button", data_wince_ignore=""),
        target("button", target("div", data_wince_ignore="")),
    ],
    ids=lambda e: f"{e.tag} {e.attributes}",
)
def test_these_do_not(clicked: Element) -> None:
    assert dead(click(T, clicked)) == []
