"""Reads a bundle, straight from Redis or over HTTP; written from docs/bundle-format.md alone.

    read_bundle.py redis://127.0.0.1:6379 SESSION_ID
    read_bundle.py http://127.0.0.1:8080 SESSION_ID WINDOW_ID TIME

The first writes the whole bundle, a line `{"window_id":...,"event":...}` for each event. The second writes the events
that show a window at a moment (epoch ms). Over HTTP, WINCE_TOKEN holds a token. Needs zstandard, and redis for Redis.
"""  # noqa: INP001 - a script that stands alone

import hashlib
import json
import os
import re
import sys
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any, Protocol
from urllib.parse import quote

import redis
import zstandard

Block = dict[str, Any]


class Changed(Exception):
    """The bundle was compacted or deleted between reading its index and its data."""


class Source(Protocol):
    """Where a bundle is."""

    def index(self) -> tuple[list[Block], str]:
        """Read the blocks, and what names the data they are in."""

    def data(self, name: str, offset: int, length: int) -> bytes:
        """Read a range of the data. Raises Changed."""


class FromRedis:
    """A bundle in Redis: one LRANGE for the index, one GETRANGE for a range."""

    def __init__(self, url: str, session_id: str) -> None:
        self._redis = redis.Redis.from_url(url, protocol=2)
        self._key = f"wince:session:{{{name_of(session_id)}}}:index"

    def index(self) -> tuple[list[Block], str]:
        """Read the list: a head, the holes, then a block each."""
        listed: Any = self._redis.lrange(self._key, 0, -1)
        if not listed:
            sys.exit("there is no such session")
        head = json.loads(listed[0])
        if head["format"] != 1:
            sys.exit(f"format {head['format']} is not known")
        return [json.loads(block) for block in listed[2:]], head["data"]

    def data(self, name: str, offset: int, length: int) -> bytes:
        """Read a range of the string that the head named."""
        data: Any = self._redis.getrange(name, offset, offset + length - 1)
        if len(data) != length:
            raise Changed
        return bytes(data)


class FromHttp:
    """A bundle over HTTP: the same index as JSON, the same bytes by `Range`."""

    def __init__(self, url: str, session_id: str) -> None:
        self._session = f"{url}/api/v1/sessions/{quote(session_id, safe='')}"

    def _get(self, path: str, **headers: str) -> HTTPResponse:
        if token := os.environ.get("WINCE_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer: HTTPResponse = urllib.request.urlopen(urllib.request.Request(self._session + path, headers=named))  # noqa: S310
        return answer

    def index(self) -> tuple[list[Block], str]:
        """Read the index, and the entity tag of the data before it: a tag that holds later holds for the index too."""
        with self._get("/data", Range="bytes=0-0") as first, self._get("/index") as answer:
            index = json.load(answer)
            if index["format"] != 1:
                sys.exit(f"format {index['format']} is not known")
            return index["blocks"], first.headers["ETag"]

    def data(self, name: str, offset: int, length: int) -> bytes:
        """Read a range; where the data is not the same any more, the server would send all of it."""
        headers = {"Range": f"bytes={offset}-{offset + length - 1}", "If_Range": name}
        with self._get("/data", **headers) as answer:
            if answer.status != 206:  # noqa: PLR2004 - Partial Content
                raise Changed
            return bytes(answer.read())


def name_of(session_id: str) -> str:
    """Make the name that keys have of an id: docs/redis.md, "Names"."""
    if re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}", session_id):
        return session_id
    data = session_id.encode()
    kept = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    name = "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in data)
    return name if 0 < len(name) <= 128 else "%%" + hashlib.sha256(data).hexdigest()  # noqa: PLR2004


def playing_order(blocks: list[Block]) -> list[Block]:
    """Sort blocks: windows by their first event, in a window by sequence, then by offset."""
    starts: dict[str, int] = {}
    for block in blocks:
        window = block["window_id"]
        starts[window] = min(block["first_t"], starts.get(window, block["first_t"]))
    return sorted(blocks, key=lambda b: (starts[b["window_id"]], b["window_id"], b["sequence"], b["offset"]))


def blocks_at(blocks: list[Block], window_id: str, t: int) -> list[Block]:
    """Choose what shows a window at a moment: from the last keyframe before it, or what comes nearest to that."""
    ordered = [block for block in playing_order(blocks) if block["window_id"] == window_id]
    keyframes = [place for place, block in enumerate(ordered) if block.get("keyframe")]
    before = [place for place in keyframes if ordered[place]["first_t"] <= t]
    start = before[-1] if before else keyframes[0] if keyframes else 0
    ends = [place + 1 for place in range(start, len(ordered)) if ordered[place]["first_t"] <= t]
    return ordered[start : max([start + 1, *ends])]


def events(source: Source, name: str, blocks: list[Block]) -> Iterator[tuple[str, bytes]]:
    """Read blocks with one range that holds them all; give the window and the JSON of each event."""
    if not blocks:
        return
    start = min(block["offset"] for block in blocks)
    end = max(block["offset"] + block["length"] for block in blocks)
    data = source.data(name, start, end - start)
    for block in blocks:
        offset = block["offset"] - start
        lines = unpack(data[offset : offset + block["length"]], block["raw_length"])
        for line in lines[:-1].split(b"\n"):
            yield block["window_id"], line


def unpack(frame: bytes, raw_length: int) -> bytes:
    """Decompress a block that declares the size that the index says, and has it."""
    try:
        if zstandard.frame_content_size(frame) != raw_length:
            raise Changed
        return zstandard.ZstdDecompressor().decompress(frame)
    except zstandard.ZstdError:
        raise Changed from None


def read(source: Source, window_id: str, t: int) -> list[bytes]:
    """Read what is asked for: everything if there is no window."""
    blocks, name = source.index()
    if window_id:
        return [line for _, line in events(source, name, blocks_at(blocks, window_id, t))]
    everything = events(source, name, playing_order(blocks))
    return [b'{"window_id":%s,"event":%s}' % (json.dumps(window).encode(), line) for window, line in everything]


def main() -> None:
    """Read the arguments, then the bundle; where it changed meanwhile, read its index again once."""
    url, session_id, *rest = sys.argv[1:]
    window_id, t = (rest[0], int(rest[1])) if rest else ("", 0)
    source: Source = (FromHttp if url.startswith("http") else FromRedis)(url, session_id)
    try:
        lines = read(source, window_id, t)
    except Changed:
        lines = read(source, window_id, t)
    sys.stdout.buffer.writelines(line + b"\n" for line in lines)


if __name__ == "__main__":
    main()
