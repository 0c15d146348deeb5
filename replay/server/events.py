"""Events of a window by time: from the last keyframe on, with one read of the index and one of the data."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.api.types_delivery import EventsQuery
from replay.bundle_reads import OpenBundle
from replay.index import blocks_to_play
from replay.pieces import EVERYTHING, MAX_SEEK_BYTES, Trim, frame_pieces, line_pieces, make_encoder
from replay.room import Hold
from replay.server.access import Access, access_of
from replay.server.delivery import Body, Deliverer
from replay.server.endpoints import SESSION_PATH, Endpoint
from replay.server.negotiation import choose_encoding, make_tag
from replay.server.problems import NotFound, problem
from replay.server.services import Services
from schemas.bundle_index import BlockEntry, BundleIndex

JSON_LINES: Final = "application/jsonl"

POSITION_HEADER: Final = "wince-position"
"""Up to where the answer knows the bundle: the next one can ask for what came after."""

_REPLACED: Final = "The data was replaced by its compacted form: positions in it have changed. Ask without `after`."


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    deliverer = Deliverer(services)

    async def events(request: Request, query: EventsQuery) -> Response:
        encoding = request.headers.get("accept-encoding", "")
        access = access_of(request)
        hold = deliverer.room.of(access.who)
        return await deliverer.deliver(request, lambda bundle: _body(bundle, query, access, encoding, hold))

    return [
        Endpoint(
            path=f"{SESSION_PATH}/events", handler=events, takes=EventsQuery, media_type=JSON_LINES,
            other_statuses=(304,), refusals=(409,), is_shared=True, is_watching=True,
            summary="Read what shows a window from a moment to another, as JSON lines, from the keyframe before",
        )
    ]  # fmt: skip


def _body(bundle: OpenBundle, query: EventsQuery, access: Access, accept_encoding: str, hold: Hold) -> Body | Response:
    generation = bundle.data_key[-1]
    if query.after is not None and query.after[0] != generation:
        return problem(409, "bundle replaced", _REPLACED)
    blocks, trim = choose_blocks(bundle.index, query, access)
    is_cut = any(trim.touches(block) for block in blocks)
    encoding = choose_encoding(accept_encoding)
    headers = {POSITION_HEADER: f"{generation}.{bundle.index.length}"}
    if encoding != "identity":
        headers["content-encoding"] = encoding
    if encoding == "zstd":
        # Stored blocks are zstd frames, and frames one after the other are a zstd stream.
        pieces = frame_pieces(bundle, blocks, hold, trim)
    else:
        pieces = line_pieces(bundle, blocks, hold, make_encoder(encoding), trim.lines, MAX_SEEK_BYTES)
    lengths = {"zstd": sum(block.length for block in blocks), "identity": sum(block.raw_length for block in blocks)}
    return Body(
        pieces=pieces,
        tag=make_tag(bundle.index.session_id, bundle.data_key, encoding, trim, msgspec.json.encode(blocks)),
        media_type=JSON_LINES,
        length=None if is_cut else lengths.get(encoding),
        headers=headers,
    )


def choose_blocks(index: BundleIndex, query: EventsQuery, access: Access) -> tuple[Sequence[BlockEntry], Trim]:
    """Choose the blocks to answer with, in playing order, and say which of their lines may be seen.

    Who may see a part only gets what the page there is built from as well: of the events since the keyframe before it,
    those that show for good.
    Raises NotFound for an unknown window.
    """
    if all(block.window_id != query.window_id for block in index.blocks):
        raise NotFound("there is no such window in this session; its index lists them")
    from_t, to_t = access.clip(query.from_, query.to)
    if from_t > to_t:
        return [], EVERYTHING
    blocks = blocks_to_play(index, query.window_id, from_t, to_t)
    first_t = blocks[0].first_t if blocks[0].keyframe else access.from_t
    trim = Trim(first_t, access.to_t, access.from_t) if access.is_share else EVERYTHING
    after = int(query.after[2:]) if query.after else 0
    return [block for block in blocks if block.offset >= after], trim
