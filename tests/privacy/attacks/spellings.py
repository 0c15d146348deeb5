"""Attacks by odd spellings, odd types and packing.

S, T and U are secrets, K has to show.
"""

import base64
import gzip
import json
import zlib

from tests.privacy.streams import T0, Case, add, attrs, el, in_base64, mut, named, page, text, txt, typed

S, T, U, K = "zqhidenwora", "zqhidbelmot", "zqhidcusanf", "zqkeptmarlo"
WIDE: dict[int, str | int] = {ord("@"): "\uff20", **{ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}}
KEY = "sk_live_" + "51Habcdefghijklmnop"
PEM = "-----BEGIN PRIVATE KEY----- zqpem"
SHOP = "https://shop.example"


def gz(value: object) -> str:
    return gzip.compress(json.dumps(value).encode(), mtime=0).decode("latin-1")


CASES = [
    # addresses in odd spellings
    Case(
        "encoded twice",
        page(el(10, "a", K, href=f"{SHOP}/u/{S}%2540example.com/x"), el(11, "a", href=f"{SHOP}/u?%7A={T}")),
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "backslashes and spaces",
        page(
            el(10, "a", href=f"  https:\\\\shop.example\\p?q={S}"),
            el(11, "a", href=f"\thttps://{T}@shop.example/"),
            el(12, "a", href=f"java\nscript:{U}"),
        ),
        {"cml": [S, T, U]},
    ),
    Case(
        "an address that does not parse",
        page(el(10, "a", href=f"https://[{S}/"), el(11, "img", src=f"http://{T} {U}/x")),
        {"cml": [S, T, U]},
    ),
    Case(
        "relative addresses",
        page(
            el(10, "a", href=f"/list?q={S}"),
            el(11, "a", href=f"?{T}"),
            el(12, "a", href=f"#{U} x"),
            el(13, "a", href="/zqlist/all"),
        ),
        {"cml": [S, T, U]},
        {"ml": ["/zqlist/all"]},
    ),
    Case(
        "long and numbered segments",
        page(
            el(10, "a", href=f"{SHOP}/o/zq12345678/x"),
            el(11, "a", href=f"{SHOP}/s/{S}{S}/x"),
            el(12, "a", href=f"{SHOP}/h/deadbeefdeadbeef00/x"),
            el(13, "a", href=f"{SHOP}/zqp/blue-shoes-42"),
        ),
        {"cml": ["zq12345678", S, "deadbeefdeadbeef"]},
        {"ml": ["/zqp/blue-shoes-42"]},
    ),
    Case(
        "matrix parameters",
        page(el(10, "a", href=f"{SHOP}/p;sid={S}/x"), el(11, "a", href=f"{SHOP}/p=a&b={T}")),
        {"cml": [S, T]},
    ),
    Case(
        "an address of many",
        page(
            named(
                el(10, "img"),
                {"srcset": f"data:image/svg+xml,{S} 1x, {SHOP}/a.png?{T} 2x, {SHOP}/b.png#{U} 300w", "sizes": f"{S}px"},
            )
        ),
        {"cml": [S, T, U]},
        {"ml": ["b.png"]},
    ),
    # attributes in odd types
    Case(
        "numbers as attributes",
        page(named(el(10, "div"), {"data-phone": 4155550123, "title": 1, "data-ok": True, "width": 40})),
        {"cml": ["4155550123"]},
        {"cml": ['"width":40']},
    ),
    Case(
        "values that are lists and objects",
        page(named(el(10, "input"), {"value": [S], "type": ["text"], "class": {"a": T}}), el(11, "p", K)),
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "names that tell",
        page(named(el(10, "div"), {f"data-{S}@x": "1", f"{T} y": "2", "data-ok": "fine"})),
        {"cml": [S, T]},
        {"ml": ["fine"]},
    ),
    Case(
        "prototypes and constructors",
        page(
            named(el(10, "div"), {"__proto__": f"{S} x", "constructor": f"{T} x", "toString": f"{U} x"}), el(11, "p", K)
        ),
        {"cml": [S, T, U]},
        {"ml": [K]},
    ),
    Case(
        "shapes that are none",
        page(
            named(
                el(10, "div"),
                {"width": f"{S}px", "lang": T, "dir": U, "tabindex": S, "rel": T, "media": U, "charset": S},
            ),
            named(el(11, "path"), {"d": f"M 1 2 {T}", "transform": f"rotate({U})", "fill": S}),
        ),
        {"cml": [S, T, U]},
    ),
    Case(
        "shapes that are some",
        page(
            named(el(10, "div"), {"width": "20px", "lang": "en-GB", "dir": "rtl", "role": "main"}),
            named(el(11, "path"), {"d": "M1 2L3 4", "fill": "#aabbcc"}),
        ),
        {},
        {"cml": ["20px", "en-GB", "rtl", '"main"', "M1 2L3 4", "#aabbcc"]},
    ),
    # value detectors
    Case(
        "wide digits and signs",
        [
            *page(el(10, "input", type="text")),
            typed(10, "4111 1111 11".translate(WIDE)),
            typed(10, f"{S}@x".translate(WIDE)),
        ],
        {"cml": ["4111 1111 11".translate(WIDE), S]},
    ),
    Case(
        "digits with what cannot be seen",
        [
            *page(el(10, "input", type="text")),
            typed(10, "41\u200b11\u00ad 111\u20601"),
            mut(attributes=[attrs(10, value=f"{S}\u200b@x")]),
        ],
        {"cml": ["41\u200b11", S]},
    ),
    Case(
        "keys and tokens",
        [
            *page(el(10, "input", type="text"), el(11, "textarea")),
            typed(10, KEY),
            typed(10, f"eyJhbGciOi{S}"),
            typed(11, PEM),
            typed(11, "GB29 NWBK 6016 1331 9268 19"),
            typed(11, "gb29nwbk601613"),
            typed(10, "900101-2345678"),
        ],
        {"cml": [KEY, S, "zqpem", "NWBK", "nwbk", "900101-2"]},
    ),
    Case(
        "keys in page text",
        page(el(10, "p", f"key {KEY} of {K}"), el(11, "p", f"card 4111 1111 1111 1111 {K}x")),
        {"cml": [KEY, "4111 1111 1111 1111"]},
        {"ml": [K]},
    ),
    Case(
        "random text",
        [
            *page(el(10, "input", type="text")),
            typed(10, "9f86d081884c7d659a2feaa0c55ad015"),
            typed(10, "Zx81mQpL0vRt62BnYw5KjHs39DfGc7Ae"),
        ],
        {"cml": ["9f86d081884c7d65", "Zx81mQpL0vRt62"]},
    ),
    Case(
        "plain values at light",
        [*page(el(10, "input", type="text")), typed(10, f"{K} for 2 at 12:30")],
        {"cm": [K]},
        {"l": [f"{K} for 2 at 12:30"]},
    ),
    # packed
    Case(
        "packed twice",
        [
            *page(el(10, "input")),
            json.dumps(zlib.compress(json.dumps({"timestamp": T0 + 900, **typed(10, S)}).encode()).decode("latin-1")),
            base64.b64encode(
                gzip.compress(json.dumps({"timestamp": T0 + 901, **typed(10, T)}).encode(), mtime=0)
            ).decode(),
        ],
        {"cm": [S, T]},
    ),
    Case(
        "packed by halves",
        [
            *page(el(9, "p", K), el(10, "div", el(11, "p", txt(12, "a")), class_="rr-mask")),
            {
                "type": 3,
                "cv": "2024-10",
                "data": {
                    "source": 0,
                    "texts": gz([text(12, S)]),
                    "attributes": gz([attrs(11, title=T)]),
                    "removes": gz([]),
                    "adds": gz([add(11, txt(13, U))]),
                },
            },
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
    ),
    Case(
        "a snapshot packed",
        [
            page()[0],
            {
                "type": 2,
                "cv": "2024-10",
                "data": gz(page(el(10, "input", value=S), el(11, "p", K), el(12, "p", T, class_="rr-mask"))[1]["data"]),
            },
        ],
        {"cm": [S], "cml": [T]},
        {"ml": [K]},
    ),
    Case(
        "what is packed and cut",
        [
            *page(el(9, "p", K)),
            zlib.compress(json.dumps(typed(10, S)).encode()).decode("latin-1")[:-4],
            "x\u009c" + T,
            in_base64(U),
            f"[{S}]",
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
    ),
]
