"""Attacks on selectors: they come true late, end, or are written oddly.

S, T and U are secrets, K has to show.
"""

from tests.privacy.streams import Case, add, attrs, doc, el, inc, mut, page, remove, text, txt, typed

S, T, U, K = "zqhidenwora", "zqhidbelmot", "zqhidcusanf", "zqkeptmarlo"

CASES = [
    # selectors
    Case(
        "a class that shows goes away",
        [
            *page(el(9, "div", el(10, "p", txt(11, K)), class_="public")),
            mut(attributes=[attrs(9, class_="")], texts=[text(11, S)]),
            mut(attributes=[attrs(9, class_="public")]),
            mut(texts=[text(11, T)]),
        ],
        {"ml": [S, T]},
        {"ml": [K]},
        {"mask": ("body > div:not(.public)",)},
    ),
    Case(
        "an id that selects comes",
        [
            *page(el(9, "div", el(10, "p", txt(11, K)))),
            mut(attributes=[attrs(9, id="account")]),
            mut(texts=[text(11, S)]),
            mut(adds=[add(9, el(20, "b")), add(20, txt(21, T))]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
        {"mask": ("#account",)},
    ),
    Case(
        "an attribute with an operator",
        [
            *page(el(9, "div", el(10, "p", txt(11, K)), data_kind="note")),
            mut(attributes=[attrs(9, data_kind="pii-mail")], texts=[text(11, S)]),
        ],
        {"cml": [S]},
        {"ml": [K]},
        {"mask": ("[data-kind^=pii]",)},
    ),
    Case(
        "below a class that comes two above",
        [
            *page(el(8, "div", el(9, "div", el(10, "p", txt(11, K), class_="deep")))),
            mut(attributes=[attrs(8, class_="vault")], texts=[text(11, S)]),
        ],
        {"cml": [S]},
        {"ml": [K]},
        {"mask": (".vault .deep",)},
    ),
    Case(
        "a child selector by a move",
        [
            *page(el(8, "div", class_="vault"), el(9, "div", el(10, "p", txt(11, K)))),
            mut(removes=[remove(9, 10)], adds=[add(8, el(10, "p")), add(10, txt(11, S))]),
        ],
        {"cml": [S]},
        {"ml": [K]},
        {"mask": (".vault > p",)},
    ),
    Case(
        "a sibling that comes before",
        [*page(el(9, "div", el(10, "p", txt(11, K)))), mut(adds=[add(9, el(8, "hr"), 10)], texts=[text(11, S)])],
        {"cml": [S]},
        {"ml": [K]},
        {"mask": ("hr + p",)},
    ),
    Case(
        "the last one is another",
        [
            *page(el(9, "ul", el(10, "li", txt(11, S)), el(20, "li", txt(21, K)), el(30, "li", "x"))),
            mut(removes=[remove(9, 30)]),
            mut(texts=[text(21, T)]),
        ],
        {"cml": [T]},
        {"ml": [S, K]},
        {"mask": ("li:last-child",)},
    ),
    Case(
        "a list of selectors",
        page(el(10, "p", S, class_="a"), el(11, "p", T, id="b"), el(12, "p", U, data_c="1"), el(13, "p", K)),
        {"cml": [S, T, U]},
        {"ml": [K]},
        {"mask": (".a, #b , [data-c]",)},
    ),
    Case(
        "is and where",
        page(el(10, "p", S, class_="a"), el(11, "b", T, class_="b"), el(13, "i", K, class_="a")),
        {"cml": [S, T]},
        {"ml": [K]},
        {"mask": (":is(p, b):where(.a, .b)",)},
    ),
    Case(
        "unmask ends with its class",
        [
            *page(el(9, "div", el(10, "p", txt(11, K)), class_="shown")),
            mut(attributes=[attrs(9, class_="")], texts=[text(11, S)]),
            mut(texts=[text(11, T)]),
        ],
        {"c": [S, T]},
        {"cml": [K]},
        {"unmask": (".shown",)},
    ),
    Case(
        "unmask comes later",
        [
            *page(el(9, "div", el(10, "p", txt(11, S)))),
            mut(attributes=[attrs(9, class_="shown")]),
            mut(adds=[add(9, el(20, "p", txt(21, K)))]),
        ],
        {"c": [S]},
        {},
        {"unmask": (".shown",)},
    ),
    Case(
        "a block of a frame by selector",
        [
            *page(el(9, "iframe", class_="pay")),
            mut(adds=[add(9, doc(8, el(7, "html", el(6, "body", txt(5, S)))))]),
            mut(texts=[text(5, T)]),
            typed(6, U),
            inc(3, id=6, x=1, y=2),
        ],
        {"cml": [S, T, U]},
        {},
        {"block": ("iframe.pay",)},
    ),
    Case("the tag in capitals", page(el(10, "DIV", S, CLASS="x")), {"cml": [S]}, {}, {"mask": ("div.x",)}),
    Case(
        "attributes in capitals by mutation",
        [
            *page(el(10, "div", txt(11, "a"))),
            mut(attributes=[{"id": 10, "attributes": {"CLASS": "rr-mask"}}], texts=[text(11, S)]),
        ],
        {"cml": [S]},
    ),
    Case(
        "body becomes masked",
        [
            *page(el(10, "p", txt(11, K))),
            mut(attributes=[attrs(4, class_="rr-mask")]),
            mut(texts=[text(11, S)], adds=[add(10, txt(12, T))]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "datadog's marks",
        page(
            el(10, "p", S, data_dd_privacy="mask"),
            el(11, "p", T, data_dd_privacy="HIDDEN"),
            el(12, "p", K, data_dd_privacy="allow"),
        ),
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "marks that show are not followed",
        [
            *page(el(10, "p", S, class_="amp-unmask"), el(11, "p", T, data_sentry_unmask="")),
            *page(el(12, "input", class_="amp-unmask", value=U)),
        ],
        {"c": [S, T], "cm": [U]},
    ),
    Case(
        "marks of many products",
        page(
            el(10, "p", S, class_="nr-mask"),
            el(11, "p", T, data_cs_mask=""),
            el(12, "p", U, class_="card no-mouseflow"),
            el(13, "p", K, data_heap="x"),
        ),
        {"cml": [S, T, U]},
        {"ml": [K]},
    ),
]
