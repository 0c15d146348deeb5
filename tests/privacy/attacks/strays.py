"""Attacks by what comes where nobody looks for it: texts of what is no text, halves of sheets, names that are none.

S, T, U and V are secrets, K and L have to show.
"""

from typing import Any

from tests.privacy.streams import Case, add, attrs, clicks, custom, el, inc, mut, named, page, plugin, text, txt, typed

S, T, U, V, K, L = "zqhidenwora", "zqhidbelmot", "zqhidcusanf", "zqhidrinpel", "zqkeptmarlo", "zqkeptvanto"
SHOP = "https://shop.example"


def comment(node_id: int, content: str) -> dict[str, Any]:
    """A comment."""
    return {"type": 5, "id": node_id, "textContent": content}


def console(*trace: str) -> dict[str, Any]:
    """A call of the console."""
    return plugin("rrweb/console@1", {"level": "warn", "trace": list(trace), "payload": []})


def app(kind: str, **fields: Any) -> dict[str, Any]:
    """An interaction event."""
    return {"kind": kind, **fields}


CASES = [
    # texts of what is no text
    Case(
        "a comment changes",
        [*page(comment(10, "a"), el(11, "p", K)), mut(texts=[text(10, S)]), mut(adds=[add(4, comment(12, T))])],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "a comment that came later changes",
        [*page(), mut(adds=[add(4, comment(10, "a"))]), mut(texts=[text(10, S)])],
        {"cml": [S]},
    ),
    Case(
        "the text of a document and its type",
        [*page(), mut(texts=[text(1, S)])],
        {"cml": [S]},
    ),
    Case(
        "the text of elements",
        [
            *page(el(10, "input", type="text"), el(11, "select"), el(12, "textarea"), el(13, "p", K)),
            mut(texts=[text(10, S), text(11, T), text(12, U), text(2, V)]),
        ],
        {"cm": [S, T, U], "cml": [V]},
        {"ml": [K]},
    ),
    # halves of sheets
    Case(
        "a comment over two texts of a sheet",
        page(head=[el(10, "style", ".zq{width:7px} /* x", f"{S} */ .b{{color:blue}}")]),
        {"cml": [S]},
        {"cml": ["width:7px", "color:blue"]},
    ),
    Case(
        "a string over two texts of a sheet",
        page(head=[el(10, "style", '.a::after{content:"x', f'{S} y"}}')]),
        {"cml": [S]},
    ),
    Case(
        "an address over two texts of a sheet",
        page(head=[el(10, "style", f".a{{background:url({SHOP}/x?", f"{S})}}")]),
        {"cml": [S]},
    ),
    Case(
        "a sheet goes on later",
        [
            *page(head=[el(10, "style", ".zq{width:7px} /* x")]),
            mut(adds=[add(10, txt(12, f"{S} */ .b{{color:blue}}"))]),
            mut(texts=[text(12, f"{T} */ .c{{left:3px}}")]),
        ],
        {"cml": [S, T]},
        {"cml": ["width:7px", "left:3px"]},
    ),
    Case(
        "a sheet of several whole texts",
        page(head=[el(10, "style", ".zq-a{width:7px}", ".zq-b>li{margin:0 auto}", "@media print{.zq-c{top:3px}}")]),
        {},
        {"cml": ["zq-a", "width:7px", "zq-b", "margin:0 auto", "print", "top:3px"]},
    ),
    # names that are none
    Case(
        "words for a function",
        [
            *page(),
            console(
                f"{S} {T} ({SHOP}/a.js:3:4)",
                f"at Object.{U} said [as {V} y] ({SHOP}/a.js:3:4)",
                f"async {K} ({SHOP}/a.js:3:4)",
            ),
            custom(
                "js_error",
                {"kind": "error", "message": "x", "stack": f"Error: x\n    at new {L} ({SHOP}/a.js:1:2)\n  at {S} {T}"},
            ),
            custom("js_error", {"kind": "error", "message": "x", "stack": f"Error\n at {T} {S} ({SHOP}/a.js:1:2)"}),
        ],
        {"cml": [S, T, U, V]},
        {"cml": [K, L]},
    ),
    Case(
        "a mail address for a function",
        [*page(), console(f"{S}@x.example@{SHOP}/a.js:3:4")],
        {"cml": [S]},
    ),
    Case(
        "a colon in a relative address",
        page(named(el(10, "img"), {"src": f"ht!tp:{S}"}), el(11, "a", href=f"a b:{T}")),
        {"cml": [S, T]},
    ),
    Case(
        "a card number that is a number",
        page(el(10, "p", K, title=4_111_111_111_111_111)),
        {"cml": ["4111111111111111"]},
        {"ml": [K]},
    ),
    Case(
        "words in headers that are kept",
        [
            *page(),
            plugin(
                "rrweb/network@1",
                {
                    "requests": [
                        {
                            "name": f"{SHOP}/api",
                            "requestHeaders": {"Accept": f"text/html, {S}", "accept-language": f"en, {T[:8]}"},
                            "responseHeaders": {
                                "cache-control": U,
                                "content-type": f"text/html; charset={V}",
                                "content-length": "4711",
                            },
                        },
                        {
                            "name": f"{SHOP}/api",
                            "requestHeaders": {
                                "accept": "text/html,application/xhtml+xml,image/avif;q=0.8,*/*;q=0.7",
                                "accept-language": "nb-NO,nb;q=0.9,en;q=0.5",
                            },
                            "responseHeaders": {"cache-control": "max-age=31536000, immutable"},
                        },
                    ]
                },
            ),
        ],
        {"cml": [S, T[:8], U, V]},
        {"cml": ["4711", "image/avif;q=0.8", "nb-NO,nb;q=0.9", "max-age=31536000, immutable"]},
    ),
    # elements of interaction events
    Case(
        "an app's element leaves its mask",
        [
            app("navigation", nav="load", url=f"{SHOP}/"),
            app("click", x=1, y=1, target={"id": "a", "tag": "div", "attributes": {"class": "rr-mask"}}),
            app("click", x=1, y=1, target={"id": "a", "tag": "div", "text": S}),
            app("click", x=1, y=1, target={"id": "c", "tag": "b", "text": T, "ancestors": [{"id": "a", "tag": "div"}]}),
            app("click", x=1, y=1, target={"id": "b", "tag": "div", "text": K}),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    Case(
        "an app's password turns to text",
        [
            app("navigation", nav="load", url=f"{SHOP}/"),
            app("input", target={"id": f"{V}@x.example", "tag": "input", "attributes": {"type": "password"}}),
            app("input", target={"id": f"{V}@x.example", "tag": "input", "attributes": {"type": "text"}, "text": S}),
            app("navigation", nav="load", url=f"{SHOP}/next"),
            app("input", target={"id": f"{V}@x.example", "tag": "input", "attributes": {"type": "text"}, "text": K}),
        ],
        {"cml": [S, V]},
        {"l": [K]},
    ),
    Case(
        "an app's number stays masked",
        [
            app("navigation", nav="load", url=f"{SHOP}/"),
            app("click", x=1, y=1, target={"id": 7, "tag": "p", "attributes": {"class": "amp-block"}, "text": S}),
            app("click", x=1, y=1, target={"id": 7, "tag": "p", "text": T}),
            app("click", x=1, y=1, target={"id": 8, "tag": "p", "text": K}),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
    ),
    # selectors that look around
    Case(
        "a lock comes into a paragraph",
        [
            *page(el(10, "p", K), el(12, "p", el(13, "b", class_="lock"), txt(14, S))),
            mut(adds=[add(10, el(15, "b", class_="lock"))], texts=[text(1_100, T)]),
        ],
        {"cml": [S, T]},
        {"ml": [K]},
        {"mask": ["p:has(> .lock)"]},
    ),
    Case(
        "a list with a password somewhere",
        [
            *page(el(10, "div", el(11, "p", K)), el(20, "div", el(21, "p", S), el(22, "i", el(23, "input")))),
            mut(attributes=[attrs(23, type="password")], texts=[text(1_210, T)]),
            mut(texts=[text(1_110, L)]),
        ],
        {"cml": [T]},
        {"ml": [K, L, S]},
        {"block": ["div:has([type=password])"]},
    ),
    Case(
        "what was empty",
        [*page(el(10, "p"), el(11, "p", K)), mut(adds=[add(10, txt(12, S))]), mut(texts=[text(12, T)])],
        {"cml": [S, T]},
        {"ml": [K]},
        {"mask": ["p:empty"]},
    ),
    # signals of what is masked
    Case(
        "rage on a changed comment's parent",
        [
            *page(el(10, "button", comment(11, S), K, type="button")),
            mut(texts=[text(11, T)]),
            *clicks(10, 5),
            mut(attributes=[attrs(10, title=L)]),
        ],
        {"cml": [S, T]},
        {"ml": [K, L]},
    ),
    Case(
        "a value for what is no field",
        [*page(el(10, "p", K), comment(11, "x")), typed(10, S), typed(11, T), inc(5, id=1, text=U, isChecked=False)],
        {"cm": [S, T, U]},
        {"ml": [K]},
    ),
]
