"""Events and envelopes for the tests of input: the documented examples, and ways to wrap them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import schemas
from engine.input import DecodedEvents, EventDecoder
from engine.input.snapshots import UnopenedSnapshot
from engine.input.tally import Event
from engine.settings import LimitSettings

LIMITS = LimitSettings()
EXAMPLES = Path(schemas.__file__).parent / "examples" / "v1"


def example_texts(name: str) -> dict[str, bytes]:
    return {path.stem: path.read_bytes().strip() for path in sorted(EXAMPLES.glob(f"{name}.*json"))}


RRWEB = example_texts("rrweb_event")
INTERACTIONS = example_texts("interaction_event")
EVENT_TEXTS = {**RRWEB, **INTERACTIONS}
ENVELOPE = json.loads((EXAMPLES / "envelope.json").read_bytes())


def event(name: str, **changes: Any) -> dict[str, Any]:
    """Return the rrweb example whose file name contains this, with other top-level values."""
    (text,) = [text for stem, text in RRWEB.items() if name in stem]
    return {**json.loads(text), **changes}


def batch(*events: object) -> bytes:
    """Return a JSON array; bytes are taken for JSON as they are."""
    return b"[" + b",".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in events) + b"]"


def envelope(events: bytes = b"[]", /, **changes: Any) -> bytes:
    """Return an envelope as JSON, around events that are JSON already."""
    fields = {**ENVELOPE, **changes, "events": "EVENTS"}
    return json.dumps(fields).encode().replace(b'"EVENTS"', events, 1)


def nested(depth: int) -> bytes:
    """Return JSON with arrays this deep."""
    return b"[" * depth + b"]" * depth


def decode_opened(decoder: EventDecoder, raw_events: bytes) -> DecodedEvents:
    """Decode a batch and open its snapshots, as the engine does in the end."""
    decoded = decoder.decode(raw_events)
    events: list[Event] = []
    dropped, repaired = Counter(decoded.dropped), Counter(decoded.repaired)
    for event in decoded.events:
        if not isinstance(event, UnopenedSnapshot):
            events.append(event)
            continue
        opened = decoder.open_snapshot(event)
        events += opened.events
        dropped.update(opened.dropped)
        repaired.update(opened.repaired)
    return DecodedEvents(events, decoded.read, dict(dropped), dict(repaired))
