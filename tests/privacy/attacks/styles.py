"""Attacks by style sheets.

S, T and U are secrets, K has to show.
"""

from tests.privacy.streams import Case, el, named, page

S, T, U, K = "zqhidenwora", "zqhidbelmot", "zqhidcusanf", "zqkeptmarlo"
SHOP = "https://shop.example"

CASES = [
    # style sheets
    Case(
        "escapes",
        page(
            el(
                10,
                "style",
                f"a::after {{ c\\6fntent: '{S}' }} b {{ background: u\\72l(https://a.test/?{T}) }} "
                f'i::before {{ content: "\\22{U}" }}',
            )
        ),
        {"cml": [S, T, U]},
    ),
    Case(
        "comments and strings that never end",
        page(
            el(10, "style", f"a {{ color: red }} /* {S}"),
            el(11, "style", f"b {{ content: '{T}"),
            el(12, "style", f"i {{ background: url(https://a.test/?{U}"),
        ),
        {"cml": [S, T, U]},
        {"cml": ["color: red"]},
    ),
    Case(
        "sheets that import",
        page(
            el(
                10,
                "style",
                f"@import '{SHOP}/a.css?{S}'; @import url({SHOP}/b.css#{T}) screen; "
                f"@namespace x '{SHOP}/{U}?'; @charset \"utf-8\";",
            )
        ),
        {"cml": [S, T]},
        {"cml": ["a.css"]},
    ),
    Case(
        "attribute selectors",
        page(
            el(
                10,
                "style",
                f"[value='{S}'] {{ color: red }} [title={T}] {{ color: blue }} [data-a*=\"{U}\" i] {{ color: green }}",
            )
        ),
        {"cml": [S, T, U]},
        {"cml": ["color: red", "color: blue"]},
    ),
    Case(
        "custom properties",
        page(
            el(
                10,
                "style",
                f":root {{ --a: '{S}'; --b: {T}; --c: url({SHOP}/?{U}); --d: 12px; --e: #abcdef; --f: {{{S}}} }}",
            )
        ),
        {"cml": [S, T, U]},
        {"cml": ["12px", "#abcdef"]},
    ),
    Case(
        "images in sheets",
        page(
            el(
                10,
                "style",
                f"a {{ background: url('data:image/svg+xml;utf8,<svg>{S}</svg>') }} "
                f"b {{ background: image-set('{SHOP}/a.png?{T}' 1x) }} i {{ cursor: url({SHOP}/zqc.cur?{U}), auto }}",
            )
        ),
        {"cml": [S, T, U]},
        {"cml": ["zqc.cur"]},
    ),
    Case(
        "sheets that are kept",
        page(
            el(
                10,
                "style",
                ".zq-card > h2:nth-child(2n+1)::before{font:12px/1.5 Arial,sans-serif;margin:0 auto!important}"
                "@keyframes zqfade{from{opacity:0}to{opacity:1}}@supports (display:grid){.a{display:grid}}",
            )
        ),
        {},
        {"cml": ["zqfade", "opacity:0", "display:grid"]},
    ),
    Case(
        "a link's rules",
        page(
            named(
                el(10, "link"),
                {
                    "_cssText": f"p {{ content: '{S}'; margin: 7px }}",
                    "href": f"{SHOP}/x.css?{T}",
                    "rel": "stylesheet",
                    "title": f"{K} theme",
                },
            )
        ),
        {"cml": [S, T]},
        {"cml": ["margin: 7px", "x.css"]},
    ),
    Case(
        "words below a mask are no style",
        page(
            el(
                9,
                "div",
                el(10, "style", f"{S} was here"),
                el(11, "b", style=f"color: {T}; font-family: {U}"),
                class_="rr-mask",
            )
        ),
        {"cml": [S, T, U]},
    ),
]
