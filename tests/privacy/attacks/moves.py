"""Attacks by nodes that move, come back or come in any order.

S, T and U are secrets, K has to show.
"""

from tests.privacy.streams import Case, add, attrs, doc, el, mut, page, remove, text, txt, typed

S, T, U, K = "zqhidenwora", "zqhidbelmot", "zqhidcusanf", "zqkeptmarlo"
SHADOW = {"isShadow": True}

CASES = [
    # nodes that move and come back
    Case(
        "a subtree moved with what is in it",
        [
            *page(el(8, "div", el(9, "div", el(10, "p", txt(11, "a")), class_="rr-mask")), el(20, "div")),
            mut(
                removes=[remove(8, 9)], adds=[add(20, el(9, "div")), add(9, el(10, "p", title=S)), add(10, txt(11, T))]
            ),
            mut(texts=[text(11, U)]),
        ],
        {"cml": [S, T, U]},
    ),
    Case(
        "only the inner one moved out",
        [
            *page(el(9, "div", el(10, "section", el(11, "p", txt(12, "a"))), class_="rr-mask")),
            mut(removes=[remove(10, 11)], adds=[add(4, el(11, "p")), add(11, txt(12, S))]),
            mut(adds=[add(11, el(13, "b")), add(13, txt(14, T))]),
        ],
        {"cml": [S, T]},
    ),
    Case(
        "back after another payload",
        [
            *page(el(9, "div", el(10, "p", txt(11, "a")), class_="rr-block")),
            mut(removes=[remove(4, 9)]),
            mut(adds=[add(4, el(20, "p", K))]),
            mut(adds=[add(4, el(10, "p")), add(10, txt(11, S))]),
        ],
        {"cml": [S]},
        {"ml": [K]},
    ),
    Case(
        "an id again as another element",
        [
            *page(el(10, "input", type="password"), el(11, "p", K)),
            mut(removes=[remove(4, 10)]),
            mut(adds=[add(4, el(10, "div", txt(12, S), title=T))]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "a text that becomes an element's",
        [
            *page(el(10, "textarea", txt(11, "a")), el(12, "p")),
            mut(removes=[remove(10, 11)]),
            mut(adds=[add(12, txt(11, S))]),
            mut(texts=[text(11, T)]),
        ],
        {"cm": [S, T]},
    ),
    Case(
        "a parent after its child",
        [
            *page(el(9, "div", class_="rr-mask")),
            mut(adds=[add(11, txt(12, S)), add(10, el(11, "b", title=T)), add(9, el(10, "p"))]),
        ],
        {"cml": [S, T]},
    ),
    Case(
        "a circle of parents",
        [
            *page(el(9, "div", txt(8, K))),
            mut(adds=[add(11, el(10, "p", title=S)), add(10, el(11, "p", txt(12, T)))]),
            mut(texts=[text(12, U)]),
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
    ),
    Case(
        "an id twice in a snapshot",
        page(el(10, "p", K), el(10, "p", txt(11, S), class_="rr-mask"), el(12, "textarea", txt(1_100, T))),
        {"cml": [S], "cm": [T]},
        {"ml": [K]},
    ),
    Case(
        "added below a removed one in one payload",
        [
            *page(el(9, "div", el(10, "p"))),
            mut(removes=[remove(9, 10)], adds=[add(10, txt(11, S))]),
            mut(texts=[text(11, T)]),
        ],
        {"cml": [S, T]},
    ),
    Case(
        "unknown, then moved to a known place",
        [
            *page(el(9, "div", txt(8, K))),
            mut(adds=[add(777, el(10, "p", txt(11, S)))]),
            mut(removes=[remove(777, 10)], adds=[add(9, el(10, "p")), add(10, txt(11, T))]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "a host that becomes masked",
        [
            *page(el(9, "x-card", {**el(10, "p", txt(11, K)), **SHADOW})),
            mut(attributes=[attrs(9, class_="rr-mask")], texts=[text(11, S)]),
            mut(adds=[add(9, {**el(12, "b", txt(13, T)), **SHADOW})]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "a frame in a root in a mask",
        [
            *page(el(8, "div", el(9, "x-card", {**el(10, "iframe"), **SHADOW}), class_="rr-mask")),
            mut(adds=[add(10, doc(20, el(21, "html", el(22, "body", txt(23, S), el(24, "input", value=T)))))]),
            mut(texts=[text(23, U)]),
            typed(24, U),
        ],
        {"cml": [S, T, U]},
    ),
    Case(
        "a frame that moves into a mask",
        [
            *page(el(8, "div", class_="rr-mask"), el(9, "iframe")),
            mut(adds=[add(9, doc(20, el(21, "html", el(22, "body", txt(23, K)))))]),
            mut(removes=[remove(4, 9)], adds=[add(8, el(9, "iframe"))]),
            mut(adds=[add(9, doc(30, el(31, "html", el(32, "body", txt(33, S)))))]),
            mut(texts=[text(23, T)]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
]
