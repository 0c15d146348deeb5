"""Leak vectors 30 to 34: what nobody knows, key by key, console, errors, what stands beside the page.

S, T and U are secrets, K has to show.
"""

import gzip
import json
import zlib

from tests.privacy.streams import (
    Case,
    add,
    attrs,
    clicks,
    custom,
    el,
    in_base64,
    inc,
    load,
    mut,
    named,
    page,
    plugin,
    remove,
    text,
    txt,
    typed,
)

S = "zqhidenwora"
T = "zqhidbelmot"
U = "zqhidcusanf"
K = "zqkeptmarlo"
SHOP = "https://shop.example"

CASES = [
    # 30: nodes nobody knows
    Case(
        "before the snapshot",
        [mut(texts=[text(11, S)]), typed(10, T), mut(adds=[add(4, el(10, "p", title=U))]), *page(el(10, "p", K))],
        {"cml": [S, T, U]},
        {"ml": [K]},
        vector=30,
    ),
    Case(
        "strange ids",
        [
            *page(el(10, "p", txt(11, K))),
            typed(-1, S),
            typed(999, S),
            mut(texts=[text("11", T), text(11.5, T), text(None, T), text([11], T)]),
            mut(attributes=[attrs("10", title=U), attrs(True, title=U)]),
            inc(5, id="10", text=S, isChecked=False),
            inc(5, text=S),
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
        vector=30,
    ),
    Case(
        "strange types",
        [
            *page(el(10, "p", txt(11, K), title=[S]), named(el(12, "p"), {"title": {"a": S}, "alt": None})),
            mut(attributes=[attrs(10, title=[T], alt={"a": T})]),
            mut(texts=[text(11, {"a": U})]),
            typed(10, [S]),
            {"type": "3", "data": {"source": "0", "texts": [text(11, T)]}},
            {"type": 3, "data": U},
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
        vector=30,
    ),
    Case(
        "after removal",
        [
            *page(el(10, "p", txt(11, K))),
            mut(removes=[remove(4, 10)]),
            mut(texts=[text(11, S)], attributes=[attrs(10, title=T, value=T)]),
            typed(10, U),
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
        vector=30,
    ),
    Case(
        "below nobody",
        [*page(), mut(adds=[add(777, el(10, "p", txt(11, S), title=T))]), mut(texts=[text(11, U)])],
        {"cml": [S, T, U]},
        vector=30,
    ),
    Case(
        "ids used again",
        [
            *page(el(10, "p", txt(11, K)), href=f"{SHOP}/one"),
            *load(),
            mut(texts=[text(11, S)]),
            typed(10, T),
            *page(el(10, "textarea", txt(11, U)), href=f"{SHOP}/two"),
            mut(texts=[text(11, f"{U} again")]),
        ],
        {"cm": [U], "cml": [S, T]},
        {"ml": [K], "l": [f"{U} again"]},
        vector=30,
    ),
    Case(
        "ids of a password used again",
        [
            *page(el(10, "input", type="password"), el(12, "p", txt(13, S), class_="rr-mask")),
            *load(),
            *page(el(10, "input", type="search"), el(12, "p", txt(13, K))),
            typed(10, f"{K} shoes"),
        ],
        {"cml": [S]},
        {"ml": [K], "l": [f"{K} shoes"]},
        vector=30,
    ),
    Case(
        "letter case",
        [
            *page(
                named(el(10, "INPUT"), {"TYPE": "Password", "VALUE": S}),
                named(el(11, "P", txt(12, T)), {"CLASS": "rr-mask"}),
                named(el(13, "TextArea", txt(14, U)), {}),
            )
        ],
        {"cml": [S, T], "cm": [U]},
        vector=30,
    ),
    # 31: what is not known
    Case(
        "unknown keys",
        [
            {"type": 4, "data": {"href": SHOP, "width": 8, "height": 6, "title": S}, "_sid": S, "extra": {"a": T}},
            {
                "type": 2,
                "data": {
                    "node": {
                        "type": 0,
                        "id": 1,
                        "childNodes": [{**el(2, "html", {**txt(3, K), "oldValue": U}), "needBlock": S, "zq": T}],
                        "baseURI": S,
                    },
                    "extra": U,
                },
            },
            mut(
                texts=[{"id": 3, "value": f"{K} two", "oldValue": S}],
                attributes=[{"id": 2, "attributes": {}, "oldValue": {"title": T}}],
                zq=[S],
            ),
        ],
        {"cml": [S, T, U]},
        {"ml": [K, f"{K} two"]},
        vector=31,
    ),
    Case(
        "future types",
        [
            *page(el(10, "p", K)),
            {"type": 9, "data": {"a": S}},
            inc(17, a=T),
            inc(99, id=10, text=U),
            custom("zq-future", {"a": S}),
            plugin("zq/plugin@1", {"a": T}),
            {"zq": U},
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
        vector=31,
    ),
    Case(
        "packed in other ways",
        [
            *page(el(10, "p", K), el(11, "input")),
            json.dumps({"timestamp": 1_795_296_510_300, **typed(11, S)}),
            in_base64("x")[:0]
            or zlib.compress(json.dumps({"timestamp": 1_795_296_510_400, **typed(11, T)}).encode()).decode("latin-1"),
            "zq not packed " + U,
            {
                "type": 3,
                "cv": "2024-10",
                "data": {
                    "source": 0,
                    "texts": gzip.compress(json.dumps([text(1_011, U)]).encode(), mtime=0).decode("latin-1"),
                    "attributes": [],
                    "removes": [],
                    "adds": [],
                },
            },
        ],
        {"cm": [S, T], "c": [U]},
        {"ml": [K]},
        vector=31,
    ),
    # 32: keystrokes
    Case(
        "a card, key by key",
        [*page(el(10, "input", type="text")), *[typed(10, "4111 1111 1111 1111"[:end]) for end in range(1, 20)]],
        {"cm": ["4111"], "l": ["4111 111"]},
        vector=32,
    ),
    Case(
        "a code over boxes",
        [
            *page(*[el(10 + place, "input", maxlength="1") for place in range(4)]),
            *[typed(10 + place, f"{digit}zq") for place, digit in enumerate("7351")],
        ],
        {"cml": ["7zq", "3zq", "5zq", "1zq"]},
        vector=32,
    ),
    Case(
        "a mail, key by key",
        [
            *page(el(10, "input", type="text")),
            *[typed(10, "zqjane.doe@example.com"[:end]) for end in range(11, 23)],
            typed(10, "zqjane."),
        ],
        {"cml": ["zqjane"]},
        vector=32,
    ),
    Case(
        "a key pad",
        [
            *page(
                el(
                    9,
                    "div",
                    *[el(10 + key, "button", str(key), id=f"zqkey{key}") for key in range(4)],
                    class_="rr-mask",
                )
            ),
            *clicks(12),
            *clicks(13),
            inc(2, type=5, id=12),
        ],
        {"cml": ['"id":12,"x"', '"id":13,"x"', '"type":5,"id":12']},
        vector=32,
    ),
    Case(
        "length of what is typed",
        [
            *page(el(10, "input", type="password")),
            *[typed(10, "q" * size) for size in range(1, 9)],
            mut(attributes=[attrs(10, value="q" * 9)]),
        ],
        {"cml": ["****"]},
        vector=32,
    ),
    Case(
        "keys of interaction events",
        [
            {"kind": "navigation", "nav": "load", "url": SHOP},
            {
                "kind": "keydown",
                "key": S,
                "code": T,
                "modifiers": [U, "ctrl"],
                "target": {"id": 3, "tag": "input", "attributes": {"value": S}, "text": T},
            },
            {"kind": "input", "value": U, "target": {"id": 3, "tag": "input", "text": U}},
        ],
        {"cm": [S, T, U]},
        {"cml": ['"ctrl"']},
        vector=32,
    ),
    # 33: console and errors
    Case(
        "console",
        [
            *page(),
            plugin(
                "rrweb/console@1",
                {
                    "level": "warn",
                    "trace": [f"f ({SHOP}/a.js?{S}:1:2)"],
                    "payload": [
                        json.dumps(f"<div title='{S}'>{T}</div>"),
                        json.dumps({"user": U, "password": S}),
                        json.dumps(f"TypeError: no {T}"),
                    ],
                },
            ),
            inc(11, level="error", trace=[], payload=[json.dumps(U)]),
        ],
        {"cm": [S, T, U], "l": [S]},
        {"cml": ['"warn"', "TypeError"]},
        vector=33,
    ),
    Case(
        "errors",
        [
            *page(),
            custom(
                "js_error", {"kind": "error", "message": f"Error: user zqjane@example.com has no {S}", "stack": None}
            ),
        ],
        {"cm": [S], "cml": ["zqjane"]},
        {"cml": ["Error"]},
        vector=33,
    ),
    Case(
        "errors of interaction events",
        [
            {"kind": "navigation", "nav": "load", "url": f"{SHOP}?q={S}"},
            {
                "kind": "error",
                "message": f"TypeError: '{T}'",
                "stack": f"x\n at f ({SHOP}/a.js?{U}:1:2)",
                "source": f"{SHOP}/a.js#{S}",
            },
            {"kind": "console_error", "message": f"zqjane@example.com {S}"},
            {"kind": "request_end", "url": f"{SHOP}/a?{S}", "status": 500, "method": T, "request_id": f"{U} x"},
        ],
        {"cml": ["zqjane", U], "cm": [S, T]},
        {"cml": ["TypeError"]},
        vector=33,
    ),
    # 34: beside the path (everything that is written is searched in every case)
    Case(
        "values that cannot be read",
        [
            *page(el(10, "p", K)),
            {"type": 3, "data": {"source": 0, "adds": S}},
            {"type": 2, "data": {"node": T}},
            '{"type": 3, "data": {"source": 5, "text": "' + U,
            {"type": 6, "data": {"plugin": "rrweb/console@1", "payload": S}},
            custom("js_error", {"message": {"a": T}}),
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
        vector=34,
    ),
    Case(
        "state between two batches",
        [
            *page(
                el(10, "input", type="password", value=S),
                el(11, "textarea", T),
                el(12, "p", U, class_="rr-mask", title=S),
            ),
            mut(attributes=[attrs(12, class_="")]),
            typed(10, T),
            *clicks(12),
        ],
        {"cml": [S, U], "cm": [T]},
        vector=34,
    ),
]
