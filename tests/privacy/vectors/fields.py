"""Leak vectors 1 to 7: what fields hold and what describes them.

S, T and U are secrets, K has to show.
"""

from tests.privacy.streams import Case, add, attrs, el, mut, page, text, txt, typed

S = "zqhidenwora"
T = "zqhidbelmot"
U = "zqhidcusanf"
K = "zqkeptmarlo"

CASES = [
    # 1: the value in the snapshot
    Case(
        "input value in the snapshot",
        page(el(10, "input", type="text", value=S), el(11, "p", K)),
        {"cm": [S]},
        {"ml": [K]},
        vector=1,
    ),
    Case("password in the snapshot", page(el(10, "input", type="password", value=S)), {"cml": [S]}, vector=1),
    Case(
        "value in a checkout",
        [*page(el(10, "input", type="password")), *page(el(10, "input", type="password", value=S), el(11, "p", K))],
        {"cml": [S]},
        {"ml": [K]},
        vector=1,
    ),
    Case(
        "an ordinary field at light",
        page(el(10, "input", type="search", value=f"{K} shoes")),
        {"cm": [K]},
        {"l": [f"{K} shoes"]},
        vector=1,
    ),
    # 2: value as an attribute
    Case(
        "value mutation",
        [*page(el(10, "input", type="text")), mut(attributes=[attrs(10, value=S)])],
        {"cm": [S]},
        {"l": [S]},
        vector=2,
    ),
    Case(
        "value mutation of a mail field",
        [*page(el(10, "input", type="email")), mut(attributes=[attrs(10, value=S)])],
        {"cml": [S]},
        vector=2,
    ),
    Case(
        "value mutation before the snapshot",
        [mut(attributes=[attrs(10, value=S)]), *page(el(10, "input"))],
        {"cml": [S]},
        vector=2,
    ),
    # 3: text areas
    Case("textarea child text", page(el(10, "textarea", S)), {"cm": [S]}, {"l": [S]}, vector=3),
    Case(
        "textarea value and child text",
        page(el(10, "textarea", S, value=S, autocomplete="cc-number")),
        {"cml": [S]},
        vector=3,
    ),
    Case("textarea child added", [*page(el(10, "textarea")), mut(adds=[add(10, txt(11, S))])], {"cm": [S]}, vector=3),
    Case(
        "textarea child text changed",
        [*page(el(10, "textarea", txt(11, ""))), mut(texts=[text(11, S)])],
        {"cm": [S]},
        vector=3,
    ),
    Case(
        "textarea below a mask",
        [*page(el(9, "div", el(10, "TEXTAREA", txt(11, S)), class_="rr-mask")), mut(texts=[text(11, T)]), typed(10, U)],
        {"cml": [S, T, U]},
        vector=3,
    ),
    # 4: options
    Case(
        "options",
        page(el(10, "select", el(11, "optgroup", el(12, "option", S, value=T, selected=True), label=U), value=T)),
        {"cm": [S, T, U]},
        vector=4,
    ),
    Case(
        "select value",
        [*page(el(10, "select", el(12, "option", "a"))), typed(10, S), mut(attributes=[attrs(10, value=T)])],
        {"cm": [S, T]},
        {"l": [S, T]},
        vector=4,
    ),
    Case(
        "options of a card's select",
        [*page(el(10, "select", el(12, "option", S, value=T, label=U), autocomplete="cc-exp-month"))],
        {"cml": [S, T, U]},
        vector=4,
    ),
    Case(
        "datalist and output",
        page(el(9, "datalist", el(10, "option", S, value=T)), el(11, "output", U)),
        {"cm": [S, T, U]},
        vector=4,
    ),
    Case(
        "option added later",
        [*page(el(10, "select")), mut(adds=[add(10, el(12, "option", value=T)), add(12, txt(13, S))])],
        {"cm": [S, T]},
        vector=4,
    ),
    Case(
        "state of options",
        page(el(10, "select", el(12, "option", "a", selected=True))),
        {"cm": ['"selected":true']},
        {"l": ['"selected":true']},
        vector=4,
    ),
    # 5: hidden inputs, files, unknown types, states
    Case("hidden input", page(el(10, "input", type="hidden", value=S, name="csrf")), {"cml": [S]}, vector=5),
    Case(
        "hidden input in capitals",
        [*page(el(10, "INPUT", type=" Hidden ")), mut(attributes=[attrs(10, value=S)]), typed(10, T)],
        {"cml": [S, T]},
        vector=5,
    ),
    Case(
        "file name", [*page(el(10, "input", type="file")), typed(10, f"C:\\fakepath\\{S}.pdf")], {"cml": [S]}, vector=5
    ),
    Case("unknown type", [*page(el(10, "input", type="zqfuture", value=S)), typed(10, T)], {"cm": [S, T]}, vector=5),
    Case(
        "radio value and state",
        [*page(el(10, "input", type="radio", value=S, checked=True)), typed(10, S, checked=True)],
        {"cm": [S, '"checked":true', '"isChecked":true']},
        {"l": ['"isChecked":true']},
        vector=5,
    ),
    Case(
        "checkbox state by mutation",
        [*page(el(10, "input", type="checkbox", value=S)), mut(attributes=[attrs(10, checked=True)])],
        {"cm": [S, '"checked":true']},
        vector=5,
    ),
    # 6: mask class on fields
    Case(
        "masked input",
        [*page(el(10, "input", class_="rr-mask", value=S, placeholder=T)), typed(10, U)],
        {"cml": [S, T, U]},
        vector=6,
    ),
    Case(
        "field in a masked form",
        [*page(el(9, "form", el(10, "input", value=S, aria_label=T), class_="ph-mask")), typed(10, U)],
        {"cml": [S, T, U]},
        vector=6,
    ),
    Case(
        "ignored input", [*page(el(10, "input", class_="rr-ignore", value=S)), typed(10, U)], {"cml": [S, U]}, vector=6
    ),
    # 7: attributes
    Case(
        "labelling attributes below a mask",
        page(
            el(
                9,
                "div",
                el(10, "img", alt=f"{S} a", title=f"{T} a", data_note=f"{U} a", name=f"{S} b"),
                class_="amp-mask",
            )
        ),
        {"cml": [S, T, U]},
        vector=7,
    ),
    Case(
        "labelling attributes of fields",
        page(el(10, "input", placeholder=S, title=T, aria_label=U, pattern=f"{S}+")),
        {"cm": [S, T, U]},
        {"l": [S]},
        vector=7,
    ),
    Case(
        "labelling attributes of the page",
        page(el(10, "img", alt=f"{S} a", title=f"{T} a", aria_label=f"{U} a")),
        {"c": [S, T, U]},
        {"ml": [S, T, U]},
        vector=7,
    ),
    Case(
        "data attributes",
        page(el(10, "div", data_user=f"{S} Doe", data_mail=f"{T}@example.com", data_testid="buy-button")),
        {"cml": [S, T]},
        {"ml": ["buy-button"]},
        vector=7,
    ),
    Case(
        "button values",
        page(el(10, "button", value=S), el(11, "input", type="reset", value=T)),
        {"cm": [S, T]},
        vector=7,
    ),
    Case(
        "attributes that nobody knows",
        page(el(10, "div", zqattr=f"{S} Doe", onclick=f"go('{T}')", nonce=U)),
        {"cml": [S, T, U]},
        vector=7,
    ),
    Case(
        "labels of optgroups and tracks",
        page(el(10, "video", el(11, "track", label=S)), el(12, "select", el(13, "optgroup", label=T))),
        {"c": [S, T], "m": [T]},
        {"m": [S]},
        vector=7,
    ),
    Case(
        "a card's field at light",
        page(el(10, "input", name="cardnumber", placeholder=S, title=T, data_x=f"{U} x")),
        {"cml": [S, T, U]},
        vector=7,
    ),
]
