"""Attacks by fields that become others, and by pages that follow each other.

S, T and U are secrets, K has to show.
"""

from tests.privacy.streams import Case, add, attrs, clicks, doc, el, inc, load, mut, named, page, text, txt, typed

S, T, U, K = "zqhidenwora", "zqhidbelmot", "zqhidcusanf", "zqkeptmarlo"

CASES = [
    # fields that become others
    Case(
        "contenteditable from above",
        [
            *page(el(8, "div", el(9, "div", el(10, "p", txt(11, K))))),
            mut(attributes=[attrs(8, contenteditable="true")]),
            mut(texts=[text(11, S)]),
        ],
        {"cm": [S]},
        {"ml": [K]},
    ),
    Case(
        "role text box from above",
        [*page(el(8, "div", el(10, "p", txt(11, K)))), mut(attributes=[attrs(8, role="textbox")], texts=[text(11, S)])],
        {"cm": [S]},
        {"ml": [K]},
    ),
    Case(
        "a name that becomes sensitive",
        [
            *page(el(10, "input", type="text", name="q")),
            mut(attributes=[attrs(10, name="card-number")]),
            typed(10, S),
            mut(attributes=[attrs(10, name="q")]),
            typed(10, T),
        ],
        {"cml": [S, T]},
    ),
    Case(
        "a label that becomes sensitive",
        [
            *page(el(8, "label", txt(9, "Nick"), for_="f"), el(10, "input", type="text", id="f")),
            mut(texts=[text(9, "Passport number")]),
            typed(10, S),
        ],
        {"cml": [S]},
    ),
    Case(
        "a wrapping label",
        [*page(el(8, "label", "Your e-mail", el(10, "input", type="text"))), typed(10, S)],
        {"cml": [S]},
    ),
    Case(
        "labelled by another element",
        [
            *page(el(8, "span", "Social security number", id="l"), el(10, "input", type="text", aria_labelledby="l")),
            typed(10, S),
        ],
        {"cml": [S]},
    ),
    Case(
        "a custom field",
        [*page(el(10, "ion-input", txt(11, "a"), value=S)), mut(attributes=[attrs(10, value=T)], texts=[text(11, U)])],
        {"cm": [S, T, U]},
    ),
    Case(
        "a custom element gains a value",
        [*page(el(10, "x-card", txt(11, K))), mut(attributes=[attrs(10, value=S)]), mut(texts=[text(11, T)])],
        {"cm": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "a select changed by its options",
        [
            *page(el(10, "select", el(11, "option", "a"))),
            mut(adds=[add(10, el(12, "option", selected=True)), add(12, txt(13, S))]),
            mut(attributes=[attrs(12, label=T)]),
            mut(texts=[text(13, U)]),
        ],
        {"cm": [S, T, U]},
    ),
    Case(
        "a card's form at light",
        [
            *page(
                el(
                    9,
                    "form",
                    el(10, "input", name="exp", type="text"),
                    el(11, "input", name="cardHolderPan", type="text"),
                    el(12, "input", id="cvv2", type="tel"),
                )
            ),
            typed(10, "07/zq"),
            typed(12, "zq7"),
        ],
        {"cml": ["07/zq", "zq7"]},
    ),
    Case(
        "a code field by its pattern of names",
        [
            *page(
                *[
                    el(10 + place, "input", name=name, type="text")
                    for place, name in enumerate(
                        [
                            "otp",
                            "pin-code",
                            "apiKey",
                            "sort_code",
                            "user.passport",
                            "residentNumber",
                            "jumin1",
                            "licence_no",
                            "taxId",
                            "routing",
                            "mobile",
                            "smsToken",
                        ]
                    )
                ]
            ),
            *[typed(10 + place, f"{S}{place}") for place in range(12)],
        ],
        {"cml": [S]},
    ),
    Case(
        "ordinary fields at light",
        [
            *page(
                *[
                    el(10 + place, "input", name=name, type="text")
                    for place, name in enumerate(["q", "search", "city", "quantity", "coupon", "colour"])
                ]
            ),
            *[typed(10 + place, f"{K} {place}") for place in range(6)],
        ],
        {"cm": [K]},
        {"l": [f"{K} {place}" for place in range(6)]},
    ),
    # checkouts and pages
    Case(
        "a checkout shows what was masked",
        [
            *page(el(9, "div", el(10, "p", txt(11, "a")), class_="rr-mask")),
            mut(attributes=[attrs(9, class_="")]),
            *page(el(9, "div", el(10, "p", txt(11, S), title=T))),
        ],
        {"cml": [S, T]},
    ),
    Case(
        "a checkout after a toggle",
        [
            *page(el(9, "form", el(10, "input", type="password"), el(11, "p", txt(12, K)))),
            mut(attributes=[attrs(10, type="text")]),
            *page(el(9, "form", el(10, "input", type="text", value=S), el(11, "p", txt(12, K)))),
            typed(10, T),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "a page that loads again",
        [
            *load(),
            *page(el(10, "p", txt(11, "x"))),
            {"type": 1, "data": {}},
            mut(texts=[text(11, S)]),
            typed(10, T),
            *page(el(10, "textarea", txt(11, U)), el(12, "p", K)),
        ],
        {"cml": [S, T], "cm": [U]},
        {"ml": [K]},
    ),
    Case(
        "a page after a page with a mask",
        [*page(el(10, "p", txt(11, S), class_="rr-mask")), *load(), *page(el(10, "p", txt(11, K)))],
        {"cml": [S]},
        {"ml": [K]},
    ),
    Case(
        "events of a page that is left",
        [
            *page(el(10, "p", txt(11, K))),
            {"type": 0, "data": {}},
            mut(texts=[text(11, S)], attributes=[attrs(10, title=T)]),
            mut(adds=[add(10, txt(12, U))]),
            {"type": 1, "data": {}},
            *page(el(10, "p", txt(11, K))),
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
    ),
    Case(
        "a snapshot without an address",
        [page(el(10, "p", K), el(11, "input", value=S))[1], typed(11, T)],
        {"cm": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "pointers",
        [
            *page(
                el(9, "div", el(10, "button", "zqa1"), class_="rr-mask"),
                el(20, "div", el(21, "button", "b"), class_="rr-block"),
            ),
            *clicks(10, 5),
            *clicks(21, 5),
            inc(1, positions=[{"x": 1, "y": 1, "id": 21, "timeOffset": 0}]),
            inc(14, ranges=[{"start": 21, "startOffset": 1, "end": 21, "endOffset": 3}]),
            inc(7, id=21, type=0, currentTime=4),
        ],
        {"cml": ['"type":2,"id":10,"x"', '"id":21,', "zqa1"]},
    ),
    Case(
        "attributes of a field in a frame",
        [
            *page(el(9, "iframe")),
            mut(
                adds=[
                    add(9, doc(8, el(7, "html", named(el(10, "input"), {"value": S, "placeholder": T, "data-v": U}))))
                ]
            ),
        ],
        {"cm": [S, T, U]},
    ),
]
