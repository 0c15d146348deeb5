"""Leak vectors 8 to 16: frames, shadow roots, masks and blocks above, passwords, editors, detectors.

S, T and U are secrets, K has to show.
"""

from tests.privacy.streams import Case, add, attrs, clicks, doc, el, mut, page, remove, text, txt, typed

S = "zqhidenwora"
T = "zqhidbelmot"
U = "zqhidcusanf"
K = "zqkeptmarlo"

CASES = [
    # 8: frames
    Case(
        "srcdoc",
        page(el(10, "iframe", srcdoc=f"<p>{S}</p>", rr_src=f"https://a.test/?q={T}")),
        {"cml": [S, T]},
        vector=8,
    ),
    Case(
        "inner document of a masked frame",
        [
            *page(el(10, "iframe", class_="rr-mask")),
            mut(
                adds=[add(10, doc(11, el(12, "html", el(13, "body", txt(14, S), el(15, "input", value=T)))))],
                isAttachIframe=True,
            ),
            mut(texts=[text(14, U)]),
        ],
        {"cml": [S, T, U]},
        vector=8,
    ),
    Case(
        "inner document of a blocked frame",
        [
            *page(el(10, "iframe", class_="rr-block")),
            mut(adds=[add(10, doc(11, el(12, "html", txt(14, S))))]),
            mut(texts=[text(14, U)]),
            *clicks(12, 4),
        ],
        {"cml": [S, U]},
        vector=8,
    ),
    Case(
        "inner document of an unmasked frame",
        [
            *page(el(10, "iframe", class_="shown"), el(20, "p", K, class_="shown")),
            mut(adds=[add(10, doc(11, el(12, "html", txt(14, S))))]),
        ],
        {"c": [S]},
        {"cml": [K]},
        {"unmask": (".shown",)},
        vector=8,
    ),
    Case(
        "inner document at medium",
        [*page(el(10, "iframe")), mut(adds=[add(10, doc(11, el(12, "html", txt(14, K), el(15, "input", value=S))))])],
        {"cm": [S]},
        {"ml": [K]},
        vector=8,
    ),
    # 9: shadow roots
    Case(
        "mask on the host",
        [
            *page(
                el(
                    10,
                    "x-card",
                    {**el(11, "p", S), "isShadow": True},
                    {**txt(12, T), "isShadow": True},
                    class_="rr-mask",
                )
            ),
            mut(texts=[text(12, U)]),
        ],
        {"cml": [S, T, U]},
        vector=9,
    ),
    Case(
        "text right below a root added later",
        [*page(el(10, "x-card", class_="rr-mask")), mut(adds=[add(10, {**txt(12, S), "isShadow": True})])],
        {"cml": [S]},
        vector=9,
    ),
    Case(
        "block on the host",
        [*page(el(10, "x-card", class_="rr-block")), mut(adds=[add(10, {**el(11, "p", S), "isShadow": True})])],
        {"cml": [S]},
        vector=9,
    ),
    Case(
        "unmask ends at the root",
        page(el(10, "x-card", {**el(11, "p", S), "isShadow": True}, el(13, "p", K), class_="shown")),
        {"c": [S]},
        {"cml": [K]},
        {"unmask": (".shown",)},
        vector=9,
    ),
    Case(
        "unmask inside the root",
        page(el(10, "x-card", {**el(11, "p", K, class_="shown"), "isShadow": True})),
        {},
        {"cml": [K]},
        {"unmask": (".shown",)},
        vector=9,
    ),
    # 10: texts below a mask
    Case(
        "text changed below a mask",
        [
            *page(el(9, "div", el(10, "p", txt(11, "a")), class_="rr-mask"), el(20, "p", txt(21, "b"))),
            mut(texts=[text(11, S), text(21, K)]),
        ],
        {"cml": [S]},
        {"ml": [K]},
        vector=10,
    ),
    Case(
        "text added deep below a mask",
        [*page(el(9, "div", el(10, "p"), class_="sentry-mask")), mut(adds=[add(10, el(12, "b")), add(12, txt(13, S))])],
        {"cml": [S]},
        vector=10,
    ),
    Case(
        "text below a configured selector",
        [
            *page(
                el(9, "div", el(10, "p", txt(11, "a"), class_="deep"), class_="vault"),
                el(20, "p", txt(21, K), class_="deep"),
            ),
            mut(texts=[text(11, S)]),
        ],
        {"cml": [S]},
        {"ml": [K]},
        {"mask": (".vault .deep",)},
        vector=10,
    ),
    # 11: blocks
    Case(
        "added below a block",
        [
            *page(el(9, "div", class_="rr-block", rr_width="20px"), el(20, "p", K)),
            mut(adds=[add(9, el(10, "p", title=S)), add(10, txt(11, T))]),
            mut(texts=[text(11, U)]),
            *clicks(10, 4),
        ],
        {"cml": [S, T, U]},
        {"ml": [K], "cml": ["20px"]},
        vector=11,
    ),
    Case(
        "an element that is blocked when it comes",
        [
            *page(el(9, "div")),
            mut(adds=[add(9, el(10, "div", class_="card")), add(10, txt(11, S))]),
            mut(attributes=[attrs(10, title=T)]),
            typed(10, U),
        ],
        {"cml": [S, T, U]},
        {},
        {"block": ("div.card",)},
        vector=11,
    ),
    Case(
        "block by class later",
        [
            *page(el(9, "div", el(10, "p", txt(11, "a")))),
            mut(attributes=[attrs(9, class_="rr-block")]),
            mut(texts=[text(11, S)]),
            mut(attributes=[attrs(9, class_="")]),
            mut(texts=[text(11, T)], adds=[add(9, txt(12, U))]),
        ],
        {"cml": [S, T, U]},
        vector=11,
    ),
    # 12: types that change, fields that are replaced
    Case(
        "password shown by its type",
        [
            *page(el(10, "input", type="password", value=S)),
            mut(attributes=[attrs(10, type="text", value=T)]),
            typed(10, U),
            *page(el(10, "input", type="text", value=S)),
        ],
        {"cml": [S, T, U]},
        vector=12,
    ),
    Case(
        "password that becomes a button",
        [
            *page(el(10, "input", type="password")),
            mut(attributes=[attrs(10, type="submit")]),
            mut(attributes=[attrs(10, value=S)]),
        ],
        {"cml": [S]},
        vector=12,
    ),
    Case(
        "password replaced by name",
        [
            *page(el(9, "form", el(10, "input", type="password", name="secretword"))),
            mut(removes=[remove(9, 10)], adds=[add(9, el(11, "input", type="text", name="secretword", value=S))]),
            typed(11, T),
        ],
        {"cml": [S, T]},
        vector=12,
    ),
    Case(
        "password replaced by place",
        [
            *page(el(9, "form", el(10, "input", type="password"))),
            mut(removes=[remove(9, 10)]),
            mut(adds=[add(9, el(11, "input", type="text", value=S))]),
            typed(11, T),
        ],
        {"cml": [S, T]},
        vector=12,
    ),
    Case(
        "type changed with the value",
        [
            *page(el(10, "input", type="text")),
            mut(attributes=[attrs(10, value=S, type="password")]),
            mut(attributes=[attrs(10, type="text")]),
            typed(10, T),
        ],
        {"cml": [S, T]},
        vector=12,
    ),
    Case(
        "the recorder's own note",
        [*page(el(10, "input", type="text", data_rr_is_password="true")), typed(10, S)],
        {"cml": [S]},
        vector=12,
    ),
    # 13: the floor
    Case(
        "unmasked password and card",
        [
            *page(
                el(
                    9,
                    "div",
                    el(10, "input", type="password", value=S),
                    el(11, "input", name="cc-number", value=T),
                    el(12, "p", K),
                    class_="shown",
                )
            ),
            typed(11, U),
            typed(10, U),
        ],
        {"cml": [S, T, U]},
        {"cml": [K]},
        {"unmask": (".shown", "input")},
        vector=13,
    ),
    Case(
        "unmasked field of another kind",
        [*page(el(10, "input", type="text", class_="shown")), typed(10, K), typed(10, "jane@example.com")],
        {"cml": ["jane@"]},
        {"cml": [K]},
        {"unmask": (".shown",)},
        vector=13,
    ),
    Case(
        "a mask in an unmasked area",
        page(
            el(9, "div", el(10, "div", el(11, "p", S), class_="rr-mask"), class_="shown"),
            el(19, "div", el(20, "div", el(21, "p", T), class_="shown"), class_="rr-mask"),
        ),
        {"cml": [S, T]},
        {},
        {"unmask": (".shown",)},
        vector=13,
    ),
    # 14: autocomplete
    Case(
        "autocomplete with sections",
        [
            *page(
                el(10, "input", autocomplete="section-a billing CC-Number"),
                el(11, "input", autocomplete="shipping one-time-code"),
                el(12, "select", el(13, "option", U), autocomplete="billing cc-type"),
            ),
            typed(10, S),
            typed(11, T),
        ],
        {"cml": [S, T, U]},
        vector=14,
    ),
    Case(
        "autocomplete at light",
        [
            *page(
                el(10, "input", autocomplete="work tel-national"),
                el(11, "input", autocomplete="USERNAME webauthn"),
                el(12, "textarea", autocomplete="bday-day"),
            ),
            typed(10, S),
            typed(11, T),
            typed(12, U),
        ],
        {"cml": [S, T, U]},
        vector=14,
    ),
    Case(
        "autocomplete that comes later",
        [
            *page(el(10, "input")),
            mut(attributes=[attrs(10, autocomplete="current-password")]),
            typed(10, S),
            mut(attributes=[attrs(10, autocomplete=None)]),
            typed(10, T),
        ],
        {"cml": [S, T]},
        vector=14,
    ),
    Case(
        "autocomplete of nothing private",
        [*page(el(10, "input", autocomplete="off")), typed(10, K)],
        {"cm": [K]},
        {"l": [K]},
        vector=14,
    ),
    # 15: editable elements
    Case(
        "contenteditable",
        [
            *page(el(10, "div", el(11, "p", txt(12, S)), contenteditable="")),
            mut(texts=[text(12, T)], adds=[add(10, el(13, "b")), add(13, txt(14, U))]),
        ],
        {"cm": [S, T, U]},
        {"l": [S, T, U]},
        vector=15,
    ),
    Case(
        "text box roles",
        [
            *page(el(10, "div", txt(12, S), role="textbox"), el(20, "div", txt(22, T), role="Combobox")),
            mut(texts=[text(12, U)]),
        ],
        {"cm": [S, T, U]},
        vector=15,
    ),
    Case("not editable", page(el(10, "div", K, contenteditable="false")), {}, {"ml": [K]}, vector=15),
    Case(
        "contenteditable that comes later",
        [
            *page(el(10, "div", txt(12, "a"))),
            mut(attributes=[attrs(10, contenteditable="plaintext-only")], texts=[text(12, S)]),
            mut(attributes=[attrs(10, contenteditable="false")]),
            mut(texts=[text(12, T)]),
        ],
        {"cm": [S, T]},
        vector=15,
    ),
    Case(
        "images in an editor",
        page(el(10, "div", el(11, "img", alt=S, title=T), contenteditable="true")),
        {"cm": [S, T]},
        vector=15,
    ),
    # 16: detectors in longer texts
    Case(
        "mail in a longer value",
        [
            *page(el(10, "input", type="text")),
            typed(10, "write to zqjane@example.com please"),
            typed(10, f"{K} and more"),
        ],
        {"cml": ["zqjane", "example.com"]},
        {},
        vector=16,
    ),
    Case(
        "mail in attributes of names",
        page(el(10, "p", K, id="u-zqjane@example.com", class_="ok zqjane@example.com")),
        {"cml": ["zqjane"]},
        {"ml": [K]},
        vector=16,
    ),
]
