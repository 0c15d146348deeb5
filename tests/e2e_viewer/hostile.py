"""Recordings that want to run script or to load something, as an engine must never store them.

Each payload asks for addresses with its own name in them, so that a request tells who made it; script says its name to
`hurt`, which only a document that runs script has.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, Final, Self

from tests.e2e_viewer.recordings import Event, Node, Nodes, keyframe, mutation

RELATIVE: Final = "/canary-of-our-own"
"""Relative addresses of a recording resolve on the viewer's origin."""


@dataclass(frozen=True, slots=True)
class Bait:
    """What a payload uses: `away` and `own` are addresses, `script` runs if anything does."""

    away: str
    own: str
    script: str


def bait(canary: str, name: str) -> Bait:
    script = (
        f"try{{top.hurt=(top.hurt||'')+' {name}'}}catch(e){{}}try{{parent.hurt='{name}'}}catch(e){{}}"
        f"window.hurt='{name}';fetch('{canary}/script/{name}');"
    )
    return Bait(f"{canary}/{name}", f"{RELATIVE}/{name}", script)


Payload = Callable[[Nodes, Bait], list[Node]]


def _svg(n: Nodes, tag: str, attributes: Mapping[str, Any], *children: Node) -> Node:
    return n.element(
        "svg", {"xmlns": "http://www.w3.org/2000/svg"}, n.element(tag, attributes, *children, isSVG=True), isSVG=True
    )


PAYLOADS: Final[Mapping[str, Payload]] = {
    "script": lambda n, b: [n.element("script", {}, n.text(b.script))],
    "script-src": lambda n, b: [n.element("script", {"src": f"{b.away}.js"}), n.element("script", {"src": b.own})],
    "script-module": lambda n, b: [n.element("script", {"type": "module", "src": f"{b.away}.mjs"})],
    "script-svg": lambda n, b: [_svg(n, "script", {"xlink:href": f"{b.away}.js", "href": b.own}, n.text(b.script))],
    "onerror": lambda n, b: [n.element("img", {"src": "data:image/png,broken", "onerror": b.script})],
    "onload": lambda n, b: [n.element("body", {"onload": b.script}), _svg(n, "g", {"onload": b.script})],
    "onfocus": lambda n, b: [n.element("input", {"onfocus": b.script, "autofocus": ""})],
    "ontoggle": lambda n, b: [n.element("details", {"open": "", "ontoggle": b.script}, n.element("summary"))],
    "onanimation": lambda n, b: [
        n.element("style", {}, n.text("@keyframes hurt{from{left:0}}", isStyle=True)),
        n.element("p", {"style": "animation:hurt 1ms", "onanimationstart": b.script}),
    ],
    "javascript-link": lambda n, b: [n.element("a", {"href": f"javascript:{b.script}"}, n.text("link"))],
    "javascript-frame": lambda n, b: [n.element("iframe", {"src": f"javascript:{b.script}"})],
    "javascript-form": lambda n, b: [
        n.element("form", {"action": f"javascript:{b.script}"}, n.element("button", {"formaction": b.away}))
    ],
    "srcdoc": lambda n, b: [n.element("iframe", {"srcdoc": f"<script>{b.script}</script><img src='{b.away}'>"})],
    "frame": lambda n, b: [n.element("iframe", {"src": b.away}), n.element("iframe", {"src": b.own})],
    "frameset": lambda n, b: [n.element("frameset", {}, n.element("frame", {"src": b.away}))],
    "object": lambda n, b: [n.element("object", {"data": b.away}), n.element("object", {"data": b.own})],
    "embed": lambda n, b: [n.element("embed", {"src": b.away}), n.element("embed", {"src": b.own})],
    "applet": lambda n, b: [n.element("applet", {"code": b.away, "archive": b.away})],
    "refresh": lambda n, b: [n.element("meta", {"http-equiv": "refresh", "content": f"0;url={b.away}"})],
    "refresh-own": lambda n, b: [n.element("meta", {"http-equiv": "refresh", "content": f"0;url={b.own}"})],
    "refresh-script": lambda n, b: [
        n.element("meta", {"http-equiv": "refresh", "content": f"0;url=javascript:{b.script}"})
    ],
    "base": lambda n, b: [
        n.element("base", {"href": f"{b.away}/", "target": "_top"}),
        n.element("img", {"src": "x.png"}),
    ],
    "image": lambda n, b: [
        n.element("img", {"src": b.away}),
        n.element("img", {"src": b.own}),
        n.element("img", {"srcset": f"{b.away} 2x"}),
        n.element("picture", {}, n.element("source", {"srcset": b.away}), n.element("img", {"src": "data:,"})),
        n.element("input", {"type": "image", "src": b.away}),
    ],
    "image-lazy": lambda n, b: [n.element("img", {"loading": "lazy", "src": b.away, "rr_dataURL": b.away})],
    "svg-image": lambda n, b: [
        _svg(n, "image", {"href": b.away, "xlink:href": b.away}),
        _svg(n, "feImage", {"href": b.own}),
    ],
    "svg-use": lambda n, b: [_svg(n, "use", {"href": f"{b.own}#x"}), _svg(n, "use", {"xlink:href": f"{b.away}#x"})],
    "svg-animate": lambda n, b: [
        _svg(
            n, "a", {}, n.element("animate", {"attributeName": "href", "values": f"javascript:{b.script}"}, isSVG=True)
        ),
        _svg(n, "set", {"attributeName": "href", "to": b.away}),
    ],
    "svg-foreign": lambda n, b: [_svg(n, "foreignObject", {}, n.element("iframe", {"src": b.away}))],
    "svg-fill": lambda n, b: [_svg(n, "rect", {"fill": f"url({b.away}#f)", "filter": f"url({b.own}#f)"})],
    "style-import": lambda n, b: [
        n.element("style", {}, n.text(f"@import url({b.away}.css);@import '{b.own}';", isStyle=True))
    ],
    "style-import-escaped": lambda n, b: [
        n.element("style", {"_cssText": f"@\\69mport '{b.away}';p{{background:u\\72l({b.away})}}"})
    ],
    "style-url": lambda n, b: [
        n.element(
            "style",
            {},
            n.text(f"body{{background:url('{b.away}')}}p{{list-style-image:image-set('{b.own}' 1x)}}", isStyle=True),
        )
    ],
    "style-font": lambda n, b: [
        n.element("style", {}, n.text(f"@font-face{{font-family:f;src:url({b.away})}}*{{font-family:f}}", isStyle=True))
    ],
    "style-attribute": lambda n, b: [
        n.element("p", {"style": f"background:url({b.away});cursor:url({b.own}),auto"}, n.text("p"))
    ],
    "link-sheet": lambda n, b: [
        n.element("link", {"rel": "stylesheet", "href": b.away}),
        n.element("link", {"rel": "stylesheet", "href": b.own}),
    ],
    "link-icon": lambda n, b: [
        n.element("link", {"rel": "icon", "href": b.away}),
        n.element("link", {"rel": "manifest", "href": b.own}),
    ],
    "link-early": lambda n, b: [
        n.element("link", {"rel": rel, "href": b.away, "as": "image"})
        for rel in (
            "preload",
            "prefetch",
            "preconnect",
            "dns-prefetch",
            "modulepreload",
            "prerender",
            "preload stylesheet",
        )
    ],
    "media": lambda n, b: [
        n.element(
            "video",
            {"src": b.away, "poster": b.own, "autoplay": ""},
            n.element("track", {"src": b.away, "default": ""}),
        ),
        n.element("audio", {"src": b.own, "autoplay": ""}, n.element("source", {"src": b.away})),
    ],
    "background": lambda n, b: [n.element("table", {"background": b.away}, n.element("td", {"background": b.own}))],
    "template": lambda n, b: [n.element("template", {}, n.element("img", {"src": b.away}))],
    "noscript": lambda n, b: [
        n.element("noscript", {}, n.text(f"<img src='{b.away}'><style>@import '{b.own}'</style>"))
    ],
    "shadow": lambda n, b: [
        n.element("div", {}, n.element("img", {"src": b.away, "onerror": b.script}, isShadow=True), isShadowHost=True)
    ],
    "custom": lambda n, b: [
        n.element("x-hurt", {"onclick": b.script}, n.element("img", {"src": b.own}), isCustom=True)
    ],
    "canvas": lambda n, b: [n.element("canvas", {"rr_dataURL": b.away})],
    "markup-in-text": lambda n, b: [n.text(f"<img src='{b.away}' onerror=\"{b.script}\"><script>{b.script}</script>")],
    "attribute-names": lambda n, b: [
        n.element("p", {'x><img src=y onerror="': "1", "on error": b.script, "style\n": f"background:url({b.away})"})
    ],
    "tag-names": lambda n, b: [
        n.element(f"img src={b.away} onerror={b.script}"),
        n.element("p/onclick"),
        n.element(""),
    ],
    "ping": lambda n, b: [n.element("a", {"href": b.away, "ping": b.away}, n.text("ping"))],
    "worklet": lambda n, b: [
        n.element("style", {}, n.text(f"p{{background:paint(hurt)}}@namespace url({b.away});", isStyle=True))
    ],
}
"""By name: what makes the nodes of it."""


def mixed_case(text: str) -> str:
    """Write `oNlOaD` for `onload`: players compare names as they are written."""
    return "".join(change(char) for change, char in zip(cycle((str.lower, str.upper)), text, strict=False))


def recased(node: Node, change: Callable[[str], str]) -> Node:
    """Change the case of all names of tags and attributes; rrweb's own names stay."""
    copy = dict(node)
    if node["type"] == 2:
        if not node.get("isSVG"):
            copy["tagName"] = change(node["tagName"])
        copy["attributes"] = {
            name if name.startswith(("rr_", "_")) else change(name): value for name, value in node["attributes"].items()
        }
        copy["childNodes"] = [recased(child, change) for child in node["childNodes"]]
    return copy


def snapshot(canary: str, change: Callable[[str], str]) -> list[Event]:
    """One page with every payload in it, head and body."""
    nodes = Nodes()
    body = [recased(node, change) for name, make in PAYLOADS.items() for node in make(nodes, bait(canary, name))]
    head = [
        recased(node, change)
        for name in ("refresh", "base", "link-early", "link-sheet", "script", "style-import")
        for node in PAYLOADS[name](nodes, bait(canary, f"head-{name}"))
    ]
    return keyframe(
        0, nodes.page(nodes.element("h1", {}, nodes.text("The end of the page was reached")), *body, head=head)
    )


def changes(canary: str, change: Callable[[str], str]) -> list[Event]:
    """An innocent page that becomes hostile: every payload added, and harmless attributes changed to hostile ones."""
    nodes = Nodes()
    victims = {
        tag: nodes.element(tag)
        for tag in ("img", "iframe", "a", "p", "video", "input", "object", "link", "meta", "form")
    }
    body = nodes.element("div", {}, *victims.values())
    events = keyframe(0, nodes.page(nodes.element("h1", {}, nodes.text("The end of the page was reached")), body))
    for place, (name, make) in enumerate(PAYLOADS.items()):
        added = [recased(node, change) for node in make(nodes, bait(canary, f"added-{name}"))]
        adds = [{"parentId": body["id"], "nextId": None, "node": node} for node in added]
        events.append(mutation(10 + place, adds=adds))
    b = bait(canary, "attribute")
    hostile: dict[str, dict[str, Any]] = {
        "img": {"src": b.away, "srcset": b.away, "onerror": b.script},
        "iframe": {"src": b.away, "srcdoc": f"<script>{b.script}</script>"},
        "a": {"href": f"javascript:{b.script}", "ping": b.away},
        "p": {"style": {"background": f"url({b.away})"}, "onclick": b.script},
        "video": {"src": b.own, "poster": b.away},
        "input": {"autofocus": "", "onfocus": b.script, "type": "image", "src": b.away},
        "object": {"data": b.away},
        "link": {"rel": "stylesheet", "href": b.away},
        "meta": {"http-equiv": "refresh", "content": f"0;url={b.away}"},
        "form": {"action": b.away},
    }
    attributes = [
        {"id": victims[tag]["id"], "attributes": {change(name): value for name, value in values.items()}}
        for tag, values in hostile.items()
    ]
    events.append(mutation(100, attributes=attributes))
    return [*events, *_style_changes(nodes, body, b)]


def _style_changes(nodes: Nodes, body: Node, b: Bait) -> Iterator[Event]:
    sheet = nodes.element("style", {}, nodes.text("p { color: red }", isStyle=True))
    yield mutation(110, adds=[{"parentId": body["id"], "nextId": None, "node": sheet}])
    rules = [
        f"p {{ background: url({b.away}) }}",
        f"@import url({b.away});",
        f"@font-face {{ font-family: f; src: url({b.own}) }}",
    ]
    for place, data in enumerate(
        [
            {
                "source": 8,
                "id": sheet["id"],
                "adds": [{"rule": rule, "index": 0} for rule in rules],
                "replaceSync": rules[0],
            },
            {
                "source": 13,
                "id": sheet["id"],
                "index": [0],
                "set": {"property": "background", "value": f"url({b.away})"},
            },
            {
                "source": 15,
                "id": body["id"],
                "styleIds": [9],
                "styles": [{"styleId": 9, "rules": [{"rule": rules[0], "index": 0}]}],
            },
            {"source": 10, "family": "f", "fontSource": f"url({b.away})", "buffer": False},
            {
                "source": 9,
                "id": body["id"],
                "type": 0,
                "commands": [{"property": "drawImage", "args": [{"rr_type": "HTMLImageElement", "src": b.away}]}],
            },
        ]
    ):
        yield {"type": 3, "data": data, "timestamp": mutation(120 + place)["timestamp"]}


class Canary(ThreadingHTTPServer):
    """A server that nobody may ask for anything; `sung` lists what was asked, connections without a request too."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listening)
        self.sung: list[str] = []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Note the connection, whatever comes of it."""
        self.sung.append("a connection")
        return super().verify_request(request, client_address)


class _Listening(BaseHTTPRequestHandler):
    server: Canary

    def do_GET(self) -> None:
        self.server.sung.append(self.path)
        self.send_response(200 if self.path == "/start" else 404)
        self.send_header("access-control-allow-origin", "*")
        self.send_header("content-type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""
