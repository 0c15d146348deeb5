"""What recorders say beside the page: errors, requests, console output, and what nobody knows."""

import json
from collections.abc import Callable
from typing import Any

from tests.privacy.words import Json

Mark = Callable[[], Any]
"""Plants a word that may show nowhere."""


def custom_events(mark: Mark, loud: str, address: Callable[[], str]) -> list[tuple[str, Any]]:
    """Make custom events: tag and payload; `loud` is a word in errors."""
    return [
        (
            "js_error",
            {"kind": "error", "message": f"Error: no {loud}", "stack": f"Error\n at f ({address()}:1:2)"},
        ),
        ("network", {"method": "GET", "url": f"https://shop.example/api?q={mark()}", "status": 500}),
        ("navigation", {"kind": "push", "from": "/", "to": f"https://shop.example/?q={mark()}"}),
        (
            "breadcrumb",
            {"category": "ui.click", "message": mark(), "data": {"node": {"id": 1, "textContent": mark()}}},
        ),
        (f"{mark()} !", {"any": mark()}),
    ]


def plugin_events(mark: Mark, loud: str) -> list[tuple[str, Any]]:
    """Make events of plugins: name and payload; `loud` is a word in console output."""
    return [
        ("rrweb/console@1", {"level": "error", "trace": [], "payload": [json.dumps(f"{loud} <b>{mark()}</b>")]}),
        ("rrweb/network@1", {"requests": [{"name": f"/a?{mark()}", "requestHeaders": {"x-auth": mark()},
                                           "responseBody": mark()}]}),
        (f"{mark()}@1", {"any": mark()}),
    ]  # fmt: skip


def other_events(mark: Mark, loud: str, address: Callable[[], str]) -> list[tuple[int, Json]]:
    """Make events of other types: type and data; `loud` is a word in a log or a caption."""
    return [
        (3, {"source": 9, "id": 3, "type": 0, "commands": [{"property": "fillText", "args": [mark(), 1, 1]}]}),
        (3, {"source": 11, "level": "log", "trace": [], "payload": [json.dumps(loud)]}),
        (7, {"url": address(), "payload": {"rr_type": "Blob", "data": [mark()]}}),
        (8, {"type": "caption", "text": loud}),
        (9, {"future": mark()}),
        (3, {"source": 99, "future": mark()}),
        (3, {"source": 5, "id": str(mark()), "text": mark(), "isChecked": False}),
    ]
