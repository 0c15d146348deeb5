"""Leak vectors 17 to 23: addresses, requests, labels, levels by address, settings that meet.

S, T and U are secrets, K has to show.
"""

import gzip

from tests.privacy.streams import Case, add, attrs, clicks, custom, el, in_base64, mut, page, plugin, text, txt

S = "zqhidenwora"
T = "zqhidbelmot"
U = "zqhidcusanf"
K = "zqkeptmarlo"
SHOP = "https://shop.example"
JWT = f"eyJhbGciOiJIUzI1NiJ9.{S}.sig"

CASES = [
    # 17: addresses
    Case(
        "tokens of page addresses",
        [
            *page(
                el(10, "a", K, href=f"{SHOP}/reset/{JWT}?mail={T}#{U}"),
                href=f"https://{U}:x@shop.example/{JWT}?q={T}#{U}",
            )
        ],
        {"cml": [S, T, U]},
        {"ml": [K, "/reset/"]},
        vector=17,
    ),
    Case(
        "history events",
        [
            *page(el(10, "p", K)),
            custom("navigation", {"kind": "push", "from": f"/a?{S}", "to": f"{SHOP}/b?q={T}#{U}"}),
            custom("$pageview", {"href": f"{SHOP}/?x={S}"}),
        ],
        {"cml": [S, T, U]},
        {"cml": [f"{SHOP}/b"]},
        vector=17,
    ),
    Case(
        "links of other schemes",
        page(
            *[
                el(10 + place, "a", href=href)
                for place, href in enumerate(
                    [
                        f"mailto:{S}@example.com",
                        f"tel:{S}",
                        f"javascript:go('{S}')",
                        f"sms:{S}",
                        f"data:text/plain,{S}",
                        f"zqx:{S}",
                    ]
                )
            ]
        ),
        {"cml": [S]},
        vector=17,
    ),
    Case(
        "mail in a path",
        page(
            el(10, "a", K, href=f"{SHOP}/users/{S}%40example.com/orders"), el(11, "form", action=f"/u/{T}@example.com")
        ),
        {"cml": [S, T]},
        {"ml": ["/users/", "/orders"]},
        vector=17,
    ),
    Case(
        "query names that pass",
        page(el(10, "a", href=f"{SHOP}/list?colour={S}&{S}@x={T}")),
        {"cml": [S, T]},
        {"ml": ["colour="]},
        vector=17,
    ),
    # 18: network
    Case(
        "headers and bodies",
        [
            *page(),
            plugin(
                "rrweb/network@1",
                {
                    "requests": [
                        {
                            "name": f"{SHOP}/api?k={S}",
                            "method": "POST",
                            "status": 500,
                            "requestHeaders": {
                                "X-Zq": S,
                                "authorization": f"Bearer {S}",
                                "content-type": f"text/{T} x",
                            },
                            "responseHeaders": {"set-cookie": U, "content-length": "12"},
                            "requestBody": S,
                            "responseBody": {"a": T},
                        }
                    ]
                },
            ),
        ],
        {"cml": [S, T, U]},
        {"cml": [f"{SHOP}/api", '"content-length":"12"', '"status":500']},
        vector=18,
    ),
    Case(
        "calls",
        [
            *page(),
            custom(
                "network",
                {
                    "method": "GET",
                    "url": f"{SHOP}/api/me?{S}",
                    "status": 401,
                    "duration_ms": 12,
                    "error": f"no '{T}' in {U}",
                    "body": S,
                    "headers": {"a": S},
                },
            ),
        ],
        {"cml": [S], "cm": [T, U]},
        {"cml": ['"status":401', f"{SHOP}/api/me"]},
        vector=18,
    ),
    Case(
        "compressed bodies",
        [
            *page(),
            plugin(
                "rrweb/network@1",
                {
                    "requests": [
                        {
                            "name": "/a",
                            "responseBody": gzip.compress(S.encode()).decode("latin-1"),
                            "requestBody": in_base64(S),
                        }
                    ]
                },
            ),
        ],
        {"cml": [S]},
        vector=18,
    ),
    # 19: labels from the raw DOM
    Case(
        "breadcrumbs",
        [
            *page(el(10, "p", K)),
            custom(
                "breadcrumb",
                {
                    "category": "ui.click",
                    "message": f"div > p[title={S}]",
                    "data": {
                        "nodeId": 10,
                        "node": {"id": 10, "tagName": "p", "textContent": T, "attributes": {"title": U}},
                    },
                },
            ),
        ],
        {"cml": [S, T, U]},
        {"ml": [K]},
        vector=19,
    ),
    Case(
        "rage clicks in a mask",
        [*page(el(10, "div", el(11, "button", S, id="pay", title=T), class_="rr-mask")), *clicks(11, 8)],
        {"cml": [S, T]},
        vector=19,
    ),
    Case(
        "rage clicks on a field's label",
        [
            *page(el(10, "label", txt(20, "Code "), el(11, "output", S), el(12, "input", value=T))),
            *clicks(10, 8),
            *clicks(11, 8),
        ],
        {"cm": [S, T]},
        vector=19,
    ),
    Case(
        "rage clicks at conservative",
        [*page(el(11, "button", S, aria_label=f"{T} x", id="pay-now", title=f"{U} x")), *clicks(11, 8)],
        {"c": [S, T, U]},
        {"c": ["pay-now"], "ml": [S, T, U]},
        vector=19,
    ),
    # 20: what is derived
    Case(
        "labels after a mask came",
        [
            *page(el(10, "div", el(11, "button", txt(12, "Pay")))),
            mut(attributes=[attrs(10, class_="rr-mask")], texts=[text(12, S)]),
            *clicks(11, 8),
        ],
        {"cml": [S]},
        vector=20,
    ),
    Case(
        "errors with values",
        [
            *page(),
            custom(
                "js_error",
                {
                    "kind": "error",
                    "message": f"TypeError: {S} of '{T}' is 4111111111111111",
                    "stack": f"TypeError: {S}\n    at pay ({SHOP}/app.js?v={T}:1:2)",
                },
            ),
        ],
        {"cm": [S, T], "cml": ["4111111111111111"]},
        {"cml": ["TypeError", "app.js"]},
        vector=20,
    ),
    # 21: levels of addresses
    Case(
        "a level by address, with a query",
        page(el(10, "p", S), href=f"{SHOP}/account/cards?tab=1#x"),
        {"m": [S]},
        {},
        {"rules": [{"url": f"{SHOP}/account/*", "level": "conservative"}]},
        vector=21,
    ),
    Case(
        "a level after routing",
        [
            *page(el(10, "p", txt(11, K))),
            custom("navigation", {"kind": "push", "from": f"{SHOP}/cart", "to": f"{SHOP}/account?x=1"}),
            mut(texts=[text(11, S)]),
            mut(adds=[add(10, txt(12, T))]),
        ],
        {"ml": [S, T]},
        {"ml": [K]},
        {"rules": [{"url": f"{SHOP}/account", "level": "conservative"}]},
        vector=21,
    ),
    Case(
        "a level after routing to a path",
        [
            *page(el(10, "p", txt(11, K))),
            custom("navigation", {"kind": "push", "from": "/cart", "to": "/account"}),
            mut(texts=[text(11, S)]),
            custom("navigation", {"kind": "push", "from": "/account", "to": "/help"}),
            mut(texts=[text(11, f"{K} again")]),
        ],
        {"ml": [S]},
        {"ml": [K, f"{K} again"]},
        {"rules": [{"url": f"{SHOP}/account", "level": "conservative"}]},
        vector=21,
    ),
    Case(
        "a level of an address with a slash at its end",
        page(el(10, "p", S), href=f"{SHOP}/account/"),
        {"ml": [S]},
        {},
        {"rules": [{"url": f"{SHOP}/account", "level": "conservative"}]},
        vector=21,
    ),
    Case(
        "a level in another spelling",
        page(el(10, "p", S), href="HTTPS://Shop.Example:443/%61ccount/x"),
        {"ml": [S]},
        {},
        {"rules": [{"url": f"{SHOP}/account/*", "level": "conservative"}]},
        vector=21,
    ),
    # 22: settings that meet
    Case(
        "mask and unmask on one element",
        page(el(10, "p", S, class_="a b"), el(11, "p", K, class_="b")),
        {"cml": [S]},
        {"cml": [K]},
        {"mask": (".a",), "unmask": (".b", ".a")},
        vector=22,
    ),
    Case(
        "block, mask and unmask",
        page(el(9, "div", el(10, "p", S, class_="b"), class_="walled"), el(20, "p", T, class_="a")),
        {"cml": [S, T]},
        {},
        {"block": (".walled",), "mask": (".a", "p.q:not(.r)"), "unmask": (".b", "p")},
        vector=22,
    ),
    # 23: style sheets that stay what they were
    Case(
        "a sheet after scrubbing",
        page(
            el(
                10,
                "style",
                "@media (min-width: 600px) { .card:hover > .price::before { color: rgba(1, 2, 3, 0.5); "
                "width: calc(100% - 1.5rem); } }",
            )
        ),
        {},
        {"cml": [".card:hover > .price::before { color: rgba(1, 2, 3, 0.5); ", "width: calc(100% - 1.5rem); }"]},
        vector=23,
    ),
]
