"""Packs events as recorders do."""

import base64
import gzip
import json
import random
import zlib
from typing import Any

PARTS = ("texts", "attributes", "removes", "adds")


def _rrweb(event: dict[str, Any]) -> str:
    return zlib.compress(json.dumps({**event, "v": "v1"}).encode()).decode("latin-1")


def _squeezed(value: object) -> str:
    return gzip.compress(json.dumps(value).encode(), mtime=0).decode("latin-1")


def _posthog(event: dict[str, Any]) -> dict[str, Any]:
    data = event["data"]
    if event["type"] == 2:
        return {**event, "data": _squeezed(data), "cv": "2024-10"}
    parts = {name: _squeezed(value) if name in PARTS and type(value) is list else value for name, value in data.items()}
    return {**event, "data": parts, "cv": "2024-10"}


def _base64(event: dict[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(event).encode())).decode()


def packed(event: dict[str, Any], chance: random.Random) -> Any:
    """Return the event in one of the packed forms."""
    return chance.choice((_rrweb, json.dumps, _posthog, _squeezed, _base64))(event)
