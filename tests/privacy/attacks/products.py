"""Attacks by what products and apps send, and by what signals are made of.

S, T and U are secrets, K has to show.
"""

import json

from tests.privacy.streams import Case, attrs, clicks, custom, el, in_base64, inc, mut, named, page, plugin, text, txt

S, T, U, K = "zqhidenwora", "zqhidbelmot", "zqhidcusanf", "zqkeptmarlo"
SHOP = "https://shop.example"


def target(**more: object) -> dict[str, object]:
    return {"id": "b1", "tag": "button", **more}


CASES = [
    # what products add
    Case(
        "sentry",
        [
            *page(),
            custom(
                "performanceSpan",
                {
                    "op": "resource.fetch",
                    "description": f"{SHOP}/api?{S}",
                    "data": {"method": "POST", "request": {"body": T, "headers": {"a": U}}, "response": {"body": T}},
                },
            ),
            custom("breadcrumb", {"category": "console", "message": S, "data": {"arguments": [T]}}),
            custom("options", {"sessionSampleRate": 1, "user": U}),
        ],
        {"cml": [S, T, U]},
        {"ml": ["resource.fetch", f"{SHOP}/api"]},
    ),
    Case(
        "posthog",
        [
            *page(),
            custom("$pageview", {"href": f"{SHOP}/x?{S}", "width": 5}),
            custom("$posthog_config", {"token": T}),
            custom("$session_options", {"u": U}),
            plugin(
                "rrweb/network@1",
                {
                    "requests": [
                        {
                            "name": f"{SHOP}/a?{S}",
                            "initiatorType": "fetch",
                            "responseHeaders": {"x-a": T},
                            "responseBody": U,
                        }
                    ]
                },
            ),
        ],
        {"cml": [S, T, U]},
    ),
    Case(
        "amplitude",
        [
            *page(),
            custom(
                "fetch-request",
                {"url": f"{SHOP}/q?{S}", "method": "GET", "status": 200, "requestBody": T, "responseHeaders": {"a": U}},
            ),
            custom("debug-info", {"settings": {"user": S}}),
            custom("[Amplitude] Element Clicked", {"text": T}),
        ],
        {"cml": [S, T, U]},
        {"ml": [f"{SHOP}/q"]},
    ),
    Case(
        "a tag that is a secret",
        [*page(el(10, "p", K)), custom(f"{S} clicked", {"a": T}), plugin(f"{S}@1", {"a": U})],
        {"cml": [S, T, U]},
        {"ml": [K]},
    ),
    Case(
        "streams and calls",
        [*page(), plugin("rrweb/webrtc@1", {"sdp": S, "ice": T}), plugin("rrweb/sequential-id@1", {"id": U})],
        {"cml": [S, T, U]},
    ),
    Case(
        "console in depth",
        [
            *page(),
            plugin(
                "rrweb/console@1",
                {
                    "level": "error",
                    "trace": [f"at {S}@x ({SHOP}/{K}.js?{T}:1:2)"],
                    "payload": [
                        json.dumps({"a": {"password": S, "email": f"{T}@x.y"}}),
                        json.dumps([f"Bearer eyJ{U}"]),
                        json.dumps(f"<input value='{S}'>"),
                        "not json " + T,
                    ],
                },
            ),
        ],
        {"cm": [S, T, U], "l": [T, U]},
        {"cml": [f"{K}.js"]},
    ),
    Case(
        "errors in all their forms",
        [
            *page(),
            custom(
                "js_error",
                {
                    "kind": "unhandledrejection",
                    "message": f'Uncaught (in promise) TypeError: {SHOP}/x?{S} "{T}" {U}=1',
                    "stack": f"TypeError: {S}\n    at async {K}.run ({SHOP}/a.js?{T}:3:4)\n{U}",
                    "source": f"{SHOP}/a.js?{S}",
                    "extra": T,
                },
            ),
            custom("js_error", {"message": f"user {T}@example.com"}),
        ],
        {"cm": [S, T, U], "l": [S]},
        {"cml": ["TypeError", f"{K}.run"]},
    ),
    Case(
        "annotations",
        [
            *page(),
            {"type": 8, "data": {"type": "caption", "text": f"{S} said"}},
            {"type": 8, "data": {"type": "timelineMarker", "text": T}},
            {"type": 8, "data": {"type": "zqnew", "text": U}},
        ],
        {"cm": [S, T], "cml": [U]},
        {"l": [S, T]},
    ),
    Case(
        "assets",
        [
            *page(el(10, "p", K)),
            {
                "type": 7,
                "data": {
                    "url": f"{SHOP}/a.css?{S}",
                    "payload": {"rr_type": "CssText", "cssTexts": [f"p{{content:'{T}';color:blue}}"], "zq": U},
                },
            },
            {"type": 7, "data": {"url": f"blob:{S}", "failed": {"status": 404, "message": T}}},
            {"type": 7, "data": {"url": SHOP, "payload": {"rr_type": "ArrayBuffer", "base64": in_base64(U)}}},
        ],
        {"cm": [S, T, U], "l": [S, U]},
        {"cml": ["color:blue"], "ml": [K]},
    ),
    Case(
        "canvas in all forms",
        [
            *page(named(el(10, "canvas", S), {"rr_dataURL": f"data:image/webp;base64,{in_base64(T)}", "width": 10})),
            inc(
                9,
                id=10,
                type=1,
                commands=[
                    {"property": "texImage2D", "args": [{"rr_type": "ImageBitmap", "args": [{"base64": in_base64(U)}]}]}
                ],
            ),
            mut(attributes=[attrs(10, rr_dataURL=f"data:image/png;base64,{in_base64(S)}")]),
        ],
        {"cml": [T, U], "c": [S]},
    ),
    # interaction events
    Case(
        "elements of clicks",
        [
            {"kind": "navigation", "nav": "load", "url": f"{SHOP}/p?{S}"},
            *[
                {
                    "kind": "click",
                    "x": 5,
                    "y": 5,
                    "target": target(
                        text=f"{T} x",
                        label=f"{T} y",
                        attributes={"title": f"{T} z", "data-m": f"{U} x", "class": f"zqbtn {U}@x", "onclick": S},
                        ancestors=[
                            {"id": f"{U} a", "tag": "div", "text": f"{T} q", "attributes": {"aria-label": f"{T} r"}}
                        ],
                    ),
                }
            ]
            * 5,
        ],
        {"cml": [S, U], "c": [T]},
        {"cml": ["zqbtn"], "ml": [f"{T} x"]},
    ),
    Case(
        "elements of clicks in a mask",
        [
            {
                "kind": "click",
                "page": SHOP,
                "target": target(
                    text=S,
                    label=T,
                    attributes={"title": U},
                    ancestors=[
                        {"id": "m", "tag": "div", "text": f"{S} {T}", "attributes": {"class": "rr-mask"}},
                        {"id": "o", "tag": "main", "text": f"{S} {T} {K}"},
                    ],
                ),
            }
        ],
        {"cml": [S, T, U]},
    ),
    Case(
        "elements of clicks in a block",
        [
            {
                "kind": "click",
                "target": target(
                    text=S,
                    ancestors=[{"id": "m", "tag": "div", "attributes": {"class": "rr-block", "title": T}, "text": U}],
                ),
            }
        ],
        {"cml": [S, T, U]},
    ),
    Case(
        "fields of interaction events",
        [
            {
                "kind": "input",
                "target": {
                    "id": "f",
                    "tag": "input",
                    "text": S,
                    "attributes": {"value": T, "type": "text", "placeholder": U},
                },
            },
            {
                "kind": "input",
                "target": {
                    "id": "g",
                    "tag": "input",
                    "attributes": {"value": f"{S}2", "type": "password", "title": f"{T}2"},
                },
            },
        ],
        {"cm": [S, T, U], "cml": [f"{S}2", f"{T}2"]},
    ),
    Case(
        "labels with their fields",
        [
            {
                "kind": "click",
                "target": {
                    "id": "l",
                    "tag": "label",
                    "text": f"Name {S}",
                    "control": {"id": "f", "tag": "input", "text": S, "attributes": {"value": S, "type": "text"}},
                },
            }
        ],
        {"cm": [f'"value":"{S}"']},
    ),
    Case(
        "selectors with places",
        [{"kind": "click", "target": target(text=S, attributes={"class": "row"})}],
        {"cml": [S]},
        {},
        {"mask": (".row:nth-child(3)", "p + .row")},
    ),
    Case(
        "requests and failures",
        [
            {"kind": "request_start", "url": f"{SHOP}/a?{S}", "method": f"{T}", "request_id": f"{U} 1"},
            {"kind": "request_end", "url": f"{SHOP}/a/eyJ{S}", "request_id": f"{U} 1", "status": 500},
            {
                "kind": "unhandled_rejection",
                "message": f"Error: '{S}' {T}",
                "error_type": f"{U} Error",
                "source": f"{SHOP}/?{S}",
            },
            {
                "kind": "mutation",
                "mutation_type": "attributes",
                "attr": f"{S} x",
                "target": target(text=T, attributes={"class": "ph-mask"}),
            },
            {"kind": "scroll", "x": 1, "y": 2, "target": target(text=U, attributes={"class": "rr-mask"})},
        ],
        {"cm": [S, T, U], "l": [U]},
    ),
    # rage clicks make signals of what is there
    Case(
        "signals",
        [
            *page(
                el(10, "a", txt(11, f"{T} go"), href=f"{SHOP}/p?q={S}", title=f"{T} t", data_u=f"{U} u", id="zqgo"),
                href=f"{SHOP}/x?{S}#{U}",
            ),
            *clicks(10, 8),
            mut(texts=[text(11, f"{T} gone")]),
            *clicks(11, 8),
        ],
        {"cml": [S, U], "c": [T]},
        {"cml": ["zqgo"], "ml": [f"{T} go"]},
    ),
]
