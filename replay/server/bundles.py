"""Whole bundles: the index, the events of all windows as a stream, and the stored bytes themselves."""

import asyncio
from dataclasses import replace
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.api.types_delivery import BlocksQuery, EventsQuery
from replay.bundle_reads import OpenBundle
from replay.index import blocks_to_play, playing_order
from replay.pieces import (
    MAX_STREAM_BYTES,
    Pieces,
    export_lines,
    exported_length,
    line_pieces,
    make_encoder,
    stored_pieces,
)
from replay.ranges import cut_segments
from replay.room import Hold
from replay.server.access import Access, access_of
from replay.server.delivery import Body, Deliverer
from replay.server.endpoints import SESSION_PATH, Endpoint, Nothing
from replay.server.events import JSON_LINES, choose_blocks
from replay.server.negotiation import (
    ByteRange,
    Encoding,
    choose_encoding,
    choose_range,
    is_current,
    make_tag,
)
from replay.server.problems import problem
from replay.server.services import Services
from schemas.bundle_index import BlockEntry, BundleIndex

ZSTD: Final = "application/zstd"


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    bundles = _Bundles(services)
    return [
        Endpoint(
            path=f"{SESSION_PATH}/index", handler=bundles.index, takes=Nothing, gives=BundleIndex, is_shared=True,
            other_statuses=(304,), summary="Read a bundle's index: which block has which events, and what is missing",
        ),
        Endpoint(
            path=f"{SESSION_PATH}/bundle", handler=bundles.bundle, takes=Nothing, media_type=JSON_LINES,
            other_statuses=(304,), is_watching=True,
            summary="Read the events of all windows, in playing order, as JSON lines",
        ),
        Endpoint(
            path=f"{SESSION_PATH}/blocks", handler=bundles.blocks, takes=BlocksQuery, media_type=ZSTD,
            other_statuses=(206, 304), refusals=(416,), is_watching=True,
            summary="Read the stored blocks that show a window from a moment to another",
        ),
        Endpoint(
            path=f"{SESSION_PATH}/data", handler=bundles.data, takes=Nothing, media_type=ZSTD,
            other_statuses=(206, 304), refusals=(416,), is_watching=True,
            summary="Read a bundle's data as it is stored, or a range of its bytes",
        ),
    ]  # fmt: skip


class _Bundles:
    def __init__(self, services: Services) -> None:
        self._deliverer = Deliverer(services)

    async def index(self, request: Request, _: Nothing) -> Response:
        """Give the index; of a share, of what may be seen only."""
        accepted, access = request.headers.get("accept-encoding", ""), access_of(request)
        return await self._deliverer.deliver(request, lambda bundle: _index_body(bundle, accepted, access))

    async def bundle(self, request: Request, _: Nothing) -> Response:
        """Give all events."""
        accepted, hold = request.headers.get("accept-encoding", ""), self._hold(request)
        return await self._deliverer.deliver(request, lambda bundle: _bundle_body(bundle, accepted, hold))

    async def blocks(self, request: Request, query: BlocksQuery) -> Response:
        """Give some blocks, one after the other, in playing order."""
        window = EventsQuery(window_id=query.window_id, from_=query.from_, to=query.to)
        access = access_of(request)
        return await self._deliverer.deliver(
            request, lambda bundle: self._stored(request, bundle, list(choose_blocks(bundle.index, window, access)[0]))
        )

    async def data(self, request: Request, _: Nothing) -> Response:
        """Give the data."""
        return await self._deliverer.deliver(request, lambda bundle: self._stored(request, bundle, bundle.index.blocks))

    def _hold(self, request: Request) -> Hold:
        return self._deliverer.room.of(access_of(request).who)

    def _stored(self, request: Request, bundle: OpenBundle, blocks: list[BlockEntry]) -> Body | Response:
        headers, length = request.headers, sum(block.length for block in blocks)
        tag = make_tag(bundle.index.session_id, bundle.data_key, msgspec.json.encode(blocks))
        chosen = choose_range(headers.get("range", ""), headers.get("if-range", ""), tag, length)
        if chosen is None or is_current(headers.get("if-none-match", ""), tag):
            return _stored_body(bundle, blocks, self._hold(request), tag, ByteRange(0, length))
        if chosen.start >= chosen.stop:
            refusal = problem(416, "no such range", f"There are {length} bytes.")
            refusal.headers["content-range"] = f"bytes */{length}"
            return refusal
        part = _stored_body(bundle, blocks, self._hold(request), tag, chosen)
        place = f"bytes {chosen.start}-{chosen.stop - 1}/{length}"
        return replace(part, status=206, headers={**part.headers, "content-range": place})


def _stored_body(bundle: OpenBundle, blocks: list[BlockEntry], hold: Hold, tag: str, part: ByteRange) -> Body:
    return Body(
        pieces=stored_pieces(bundle, cut_segments(blocks, *part), hold),
        tag=tag,
        media_type=ZSTD,
        length=part.stop - part.start,
        headers={"accept-ranges": "bytes"},
    )


def _bundle_body(bundle: OpenBundle, accept_encoding: str, hold: Hold) -> Body:
    encoding = choose_encoding(accept_encoding)
    blocks = playing_order(bundle.index.blocks)
    return Body(
        pieces=line_pieces(bundle, blocks, hold, make_encoder(encoding), export_lines, MAX_STREAM_BYTES),
        tag=make_tag(bundle.index.session_id, bundle.data_key, encoding, msgspec.json.encode(blocks)),
        media_type=JSON_LINES,
        length=exported_length(blocks) if encoding == "identity" else None,
        headers=_encoded(encoding),
    )


def _index_body(bundle: OpenBundle, accept_encoding: str, access: Access) -> Body:
    encoding = choose_encoding(accept_encoding)
    text = msgspec.json.encode(_visible(bundle.index, access) if access.is_share else bundle.index)
    return Body(
        pieces=_encoded_text(text, encoding),
        tag=make_tag(text, encoding),
        media_type="application/json",
        length=len(text) if encoding == "identity" else None,
        headers=_encoded(encoding),
    )


def _encoded(encoding: Encoding) -> dict[str, str]:
    return {} if encoding == "identity" else {"content-encoding": encoding}


async def _encoded_text(text: bytes, encoding: Encoding) -> Pieces:
    encoder = make_encoder(encoding)
    yield await asyncio.to_thread(encoder.compress, text)
    yield encoder.flush()


def _visible(index: BundleIndex, access: Access) -> BundleIndex:
    """Leave the blocks that events are given of, and the holes there."""
    blocks: list[BlockEntry] = []
    for window_id in dict.fromkeys(block.window_id for block in index.blocks):
        shown = blocks_to_play(index, window_id, access.from_t, access.to_t)
        blocks += [block for block in shown if block.first_t <= access.to_t]
    holes = [hole for hole in index.holes if access.covers(hole.t)]
    return msgspec.structs.replace(index, blocks=sorted(blocks, key=lambda block: block.offset), holes=holes)
