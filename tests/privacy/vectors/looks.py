"""Leak vectors 24 to 29: style sheets, what is never rendered, images, canvas, moves, masks that come.

S, T and U are secrets, K has to show.
"""

from tests.privacy.streams import Case, add, attrs, el, in_base64, inc, mut, named, page, remove, text, txt

S = "zqhidenwora"
T = "zqhidbelmot"
U = "zqhidcusanf"
K = "zqkeptmarlo"
SHOP = "https://shop.example"
PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="

CASES = [
    # 24: style sheets
    Case(
        "sheets in the snapshot",
        page(
            el(
                10,
                "style",
                f"a::after {{ content: '{S}' }} /* {T} */ p {{ --x: '{U}'; color: red }} "
                f"@import url(https://a.test/x.css?{S}); p[title='{T}'] {{ c\\6fntent: \"{U}\" }}",
            ),
            named(
                el(11, "link", rel="stylesheet"), {"_cssText": f"a {{ background: url(https://a.test/i.png?{S}#{T}) }}"}
            ),
        ),
        {"cml": [S, T, U]},
        {"cml": ["color: red", "i.png"]},
        vector=24,
    ),
    Case(
        "rules that are inserted",
        [
            *page(el(10, "style", "")),
            inc(8, id=10, adds=[{"rule": f"a::after {{ content: '{S}' }}", "index": 0}]),
            inc(8, id=10, replace=f"/*{T}*/ p {{ color: blue }}"),
            inc(8, styleId=1, replaceSync=f"p {{ --y: {U} }}"),
            inc(
                15,
                id=1,
                styleIds=[1],
                styles=[{"styleId": 1, "rules": [{"rule": f"b[data-a='{S}'] {{ color: green }}", "index": 0}]}],
            ),
        ],
        {"cml": [S, T, U]},
        {"cml": ["color: blue", "color: green"]},
        vector=24,
    ),
    Case(
        "declarations and differences",
        [
            *page(el(10, "div", style=f"color: red; content: '{S}'; --z: {T}")),
            mut(
                attributes=[
                    attrs(
                        10,
                        style={
                            "content": f"'{U}'",
                            "--q": S,
                            "background": [f"url(https://a.test/?{T})", "important"],
                            "width": "10px",
                        },
                    )
                ]
            ),
            inc(13, id=10, index=[0], set={"property": "--r", "value": U}),
            inc(13, id=10, index=[0], set={"property": "content", "value": f"'{S}'"}),
        ],
        {"cml": [S, T, U]},
        {"cml": ['"width":"10px"']},
        vector=24,
    ),
    Case(
        "text of a style element that changes",
        [
            *page(el(10, "style", txt(11, ""))),
            mut(texts=[text(11, f"a {{ content: '{S}' }} b {{ margin: 3px }}")]),
            mut(adds=[add(10, txt(12, f"/* {T} */ i {{ margin: 4px }}"))]),
        ],
        {"cml": [S, T]},
        {"cml": ["margin: 3px", "margin: 4px"]},
        vector=24,
    ),
    Case(
        "a font",
        [
            *page(),
            inc(
                10,
                family=f"{S} Sans",
                fontSource=f"url(https://a.test/f.woff2?{T})",
                buffer=False,
                descriptors={"x": U},
            ),
        ],
        {"cml": [S, T, U]},
        vector=24,
    ),
    # 25: what is never rendered
    Case(
        "never rendered",
        page(
            el(10, "script", f"var a = '{S}'"),
            el(11, "noscript", el(12, "p", T)),
            el(13, "template", el(14, "p", U)),
            {"type": 5, "id": 15, "textContent": S},
            {"type": 4, "id": 16, "textContent": T},
            head=[
                el(20, "meta", name="csrf-token", content=U),
                el(21, "meta", property="og:title", content=S),
                el(22, "meta", name="viewport", content="width=device-width"),
            ],
        ),
        {"cml": [S, T, U]},
        {"cml": ["width=device-width"]},
        vector=25,
    ),
    Case(
        "scripts that come later",
        [
            *page(),
            mut(adds=[add(4, el(10, "script", type="application/json")), add(10, txt(11, S))]),
            mut(texts=[text(11, T)]),
        ],
        {"cml": [S, T]},
        vector=25,
    ),
    # 26: images that are documents
    Case(
        "data addresses",
        page(
            el(10, "img", src=f"data:image/svg+xml,<svg><text>{S}</text></svg>"),
            el(11, "iframe", src=f"data:text/html,{T}"),
            el(12, "object", data=f"data:application/pdf;base64,{in_base64(U)}"),
            el(13, "img", src=PNG),
            el(14, "img", src=f"data:image/png;base64,{in_base64(S)}"),
        ),
        {"cml": [S, T, U], "c": ["iVBOR"]},
        {"ml": [PNG]},
        vector=26,
    ),
    Case(
        "avatars and signed images",
        page(
            el(10, "img", src=f"{SHOP}/img/shoe.png?sig={S}", srcset=f"{SHOP}/a.png?{T} 1x, {SHOP}/b.png?{U} 2x"),
            el(11, "video", poster=f"blob:{SHOP}/{S}"),
        ),
        {"cml": [S, T, U], "c": ["shoe.png", "a.png"]},
        {"ml": ["shoe.png", "a.png", "b.png"]},
        vector=26,
    ),
    Case(
        "images of svg",
        page(
            el(
                10,
                "svg",
                named(el(11, "image"), {"xlink:href": f"data:image/svg+xml;utf8,{S}"}),
                named(el(12, "use"), {"xlink:href": "#zqicon"}),
                named(el(13, "feImage"), {"href": f"data:,{T}"}),
            )
        ),
        {"cml": [S, T]},
        {"ml": ["#zqicon"]},
        vector=26,
    ),
    # 27: canvas
    Case(
        "canvas",
        [
            *page(named(el(10, "canvas"), {"rr_dataURL": f"data:image/png;base64,{in_base64(S)}"})),
            inc(9, id=10, type=0, commands=[{"property": "fillText", "args": [T, 1, 1]}]),
            inc(9, id=10, type=0, property="fillText", args=[U]),
        ],
        {"cml": [S, T, U]},
        vector=27,
    ),
    Case(
        "bytes of assets",
        [
            *page(el(10, "p", K)),
            {
                "type": 7,
                "data": {
                    "url": f"{SHOP}/a.png?{S}",
                    "payload": {"rr_type": "Blob", "data": [{"rr_type": "ArrayBuffer", "base64": in_base64(T)}]},
                },
            },
            {"type": 7, "data": {"url": f"{SHOP}/a.css", "failed": {"status": 404, "message": U}}},
        ],
        {"cml": [S, T], "cm": [U]},
        {"ml": [K]},
        vector=27,
    ),
    Case(
        "style sheets in assets",
        [
            *page(el(10, "p", K)),
            {
                "type": 7,
                "data": {
                    "url": f"{SHOP}/a.css?{S}",
                    "payload": {
                        "rr_type": "CssText",
                        "cssTexts": [f".zqbox {{ color: red }} /* {T} */ a {{ content: '{U}' }}"],
                    },
                },
            },
        ],
        {"cml": [S, T, U]},
        {"cml": [".zqbox { color: red }", f"{SHOP}/a.css"]},
        vector=27,
    ),
    # 28: moves
    Case(
        "moved into a mask",
        [
            *page(el(9, "div", class_="rr-mask"), el(10, "p", txt(11, K))),
            mut(removes=[remove(4, 10)], adds=[add(9, el(10, "p")), add(10, txt(11, S))]),
            mut(texts=[text(11, T)]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
        vector=28,
    ),
    Case(
        "moved out of a mask",
        [
            *page(el(9, "div", el(10, "p", txt(11, "a")), class_="rr-mask")),
            mut(removes=[remove(9, 10)], adds=[add(4, el(10, "p", title=S)), add(10, txt(11, T))]),
            mut(texts=[text(11, U)], attributes=[attrs(10, title=U)]),
        ],
        {"cml": [S, T, U]},
        vector=28,
    ),
    Case(
        "moved in two payloads",
        [
            *page(el(9, "div", el(10, "p", txt(11, "a")), class_="rr-mask")),
            mut(removes=[remove(9, 10)]),
            mut(adds=[add(4, el(10, "p")), add(10, txt(11, S))]),
            mut(removes=[remove(4, 10)]),
            mut(adds=[add(4, txt(11, T))]),
        ],
        {"cml": [S, T]},
        vector=28,
    ),
    Case(
        "moved without a removal",
        [
            *page(el(9, "div", el(10, "p", txt(11, "a")), class_="rr-block")),
            mut(adds=[add(4, el(10, "p", txt(11, S)))]),
        ],
        {"cml": [S]},
        vector=28,
    ),
    Case(
        "moved out of a textarea",
        [*page(el(10, "textarea", txt(11, "a"))), mut(removes=[remove(10, 11)], adds=[add(4, txt(11, S))])],
        {"cm": [S]},
        vector=28,
    ),
    # 29: masks in the same payload
    Case(
        "mask class with the text",
        [*page(el(10, "p", txt(11, K))), mut(texts=[text(11, S)], attributes=[attrs(10, class_="rr-mask")])],
        {"cml": [S]},
        {"ml": [K]},
        vector=29,
    ),
    Case(
        "mask class that goes with the text",
        [
            *page(el(10, "p", txt(11, "a"), class_="rr-mask")),
            mut(texts=[text(11, S)], attributes=[attrs(10, class_=None)]),
            mut(texts=[text(11, T)]),
        ],
        {"cml": [S, T]},
        vector=29,
    ),
    Case(
        "mask class of an ancestor with added nodes",
        [
            *page(el(9, "div", el(10, "p"))),
            mut(adds=[add(10, el(12, "b", txt(13, S), title=T))], attributes=[attrs(9, class_="rr-mask")]),
        ],
        {"cml": [S, T]},
        vector=29,
    ),
    Case(
        "structure that changes",
        [
            *page(el(9, "ul", el(10, "li", txt(11, K)))),
            mut(adds=[add(9, el(12, "li"), 10), add(12, txt(13, "b"))], texts=[text(11, S)]),
        ],
        {"cml": [S]},
        {"ml": [K]},
        {"mask": ("li:nth-child(2)",)},
        vector=29,
    ),
    Case(
        "an attribute that selects",
        [
            *page(el(9, "div", el(10, "p", txt(11, K)))),
            mut(texts=[text(11, S)], attributes=[attrs(9, data_pii="1")]),
            mut(attributes=[attrs(9, data_pii=None)]),
            mut(texts=[text(11, T)]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
        {"mask": ('[data-pii="1"] p',)},
        vector=29,
    ),
]
