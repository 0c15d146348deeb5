"""A range of a session as one HTML file: the player, the masked events as data, and nothing that asks a network."""

import asyncio
import base64
import gzip
from collections.abc import AsyncGenerator
from contextlib import aclosing
from html import escape
from typing import Final

import msgspec

from replay.export.clip import clip_event
from replay.export.plan import Plan, PlannedWindow
from replay.export.scripts import player_script, player_style, script_hash
from replay.export.times import day_and_time
from replay.store import Store
from replay.summary.types import Summary
from replay.summary.words import printable

MEDIA_TYPE: Final = "text/html; charset=utf-8"

_PIECE_BYTES: Final = 1 << 20
"""JSON of events that is compressed at a time: bounds the memory of writer and reader."""

_LEVEL: Final = 6


class _Moment(msgspec.Struct):
    t: int
    window: int
    text: str


class _Meta(msgspec.Struct):
    """What the player's script is told."""

    from_t: int
    to_t: int
    windows: list[str]
    moments: list[_Moment]


async def export_html(store: Store, plan: Plan, summary: Summary, now_ms: int) -> AsyncGenerator[bytes, None]:
    """Write the file piece by piece: what is shown of it, what happened in it (`summary`), when it was made.

    A piece is bounded, however large the range is. Recorded events are compressed and in base64, so that nothing in
    them can end the element they are in. Raises what the store raises; what came before that is no whole file.
    """
    yield _head(plan, summary, now_ms).encode()
    for place, window in enumerate(plan.windows):
        async with aclosing(_pieces(store, plan, window)) as pieces:
            async for piece in pieces:
                data = await asyncio.to_thread(_packed, piece)
                yield b'<script type="application/gzip" data-window="%d">%s</script>\n' % (place, data)
    # The player's script is the last thing in the file: a file that was cut off shows that it was, and plays nothing.
    yield f'<script type="module">{player_script()}</script>\n</body>\n</html>\n'.encode()


def _packed(piece: bytes) -> bytes:
    return base64.b64encode(gzip.compress(piece, _LEVEL, mtime=0))


async def _pieces(store: Store, plan: Plan, window: PlannedWindow) -> AsyncGenerator[bytes, None]:
    gathered = bytearray()
    session_id = plan.record.session_id
    async for line in store.events(session_id, window.window_id, plan.from_t, plan.to_t):
        event = clip_event(line.event, plan.from_t, plan.to_t)
        if event is None:
            continue
        gathered += event + b"\n"
        if len(gathered) >= _PIECE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _policy() -> str:
    """Allow the one script, styles (recorded pages are made of them), and what is in the recording itself."""
    directives = [
        "default-src 'none'",
        f"script-src '{script_hash(player_script())}'",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "font-src data: blob:",
        "media-src data: blob:",
        *(f"{name} 'none'" for name in ("connect-src", "frame-src", "object-src", "worker-src", "manifest-src")),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(directives)


def _head(plan: Plan, summary: Summary, now_ms: int) -> str:
    record = plan.record
    who = f"{printable(record.project_id, 60)} · {printable(record.session_id, 60)}"
    when = f"{day_and_time(plan.from_t)} to {day_and_time(plan.to_t)}"
    masked = f"masked ({printable(record.privacy_level, 20)}), exported {day_and_time(now_ms)}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(_policy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<meta http-equiv="x-dns-prefetch-control" content="off">
<title>{escape(who)}</title>
<style>{player_style()}</style>
</head>
<body>
<header class="mark">
<strong>Wince</strong> <bdi>{escape(who)}</bdi> <span>{escape(when)}</span> <small>{escape(masked)}</small>
</header>
<main>
<div id="stage"><div id="sheet"></div><p id="note" role="status">This file is not whole: export it again.</p></div>
<section aria-label="What happened"><h1><bdi>{escape(summary.headline)}</bdi></h1><ol id="moments"></ol></section>
</main>
<footer>
<button id="play" type="button" aria-pressed="false">Play</button>
<input id="seek" type="range" min="0" max="0" step="100" value="0" aria-label="Position">
<output id="clock">0:00.0</output>
<label>Speed <select id="speed"><option>0.5</option><option selected>1</option><option>2</option><option>4</option>\
<option>8</option></select></label>
<label id="tabs">Tab <select id="tab"></select></label>
</footer>
<noscript>Playing needs JavaScript.</noscript>
<script type="application/json" id="meta">{_json(_meta(plan, summary))}</script>
"""


def _meta(plan: Plan, summary: Summary) -> _Meta:
    places = {window.window_id: place for place, window in enumerate(plan.windows)}
    moments = [
        _Moment(min(max(sentence.t, plan.from_t), plan.to_t), places.get(sentence.window_id, -1), sentence.text)
        for sentence in summary.sentences
    ]
    return _Meta(plan.from_t, plan.to_t, [window.name for window in plan.windows], moments)


def _json(value: object) -> str:
    """Write JSON that can stand in a script element: `<` is only in texts, and can be an escape there."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c")
