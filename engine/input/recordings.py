"""Plain recordings: a file that is one JSON array of events, cut into the batches a recorder would have sent."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

import msgspec

from engine.errors import Poison
from engine.reasons import Reason
from engine.settings import LimitSettings
from schemas.envelope import ENVELOPE_VERSION, Envelope
from schemas.numbers import LARGEST_INTEGER

PROJECT_ID: Final = "local"
WINDOW_ID: Final = "w"
BATCH_MS: Final = 5_000
"""Time that one batch spans at most: recorders send every few seconds."""

BATCH_BYTES: Final = 1 << 20
"""Size of a batch at most, unless one event is larger: Kafka's own default for a message."""

_READ_AHEAD: Final = 1 << 16
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_SESSION_NAME_CHARACTERS: Final = 100
_ENDINGS: Final = frozenset({".json", ".jsonl", ".ndjson", ".gz", ".zst"})


class SessionNames:
    """Makes a session id of a file's name: safe in paths, URLs and Redis keys, and given once only."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def name(self, path: str) -> str:
        """Return a session id for a recording in this file."""
        file = PurePath(path)
        while file.suffix in _ENDINGS:
            file = file.with_suffix("")
        base = _UNSAFE.sub("-", file.name).strip(".-")[:_SESSION_NAME_CHARACTERS] or "recording"
        name, copies = base, 1
        while name in self._given:
            copies += 1
            name = f"{base}-{copies}"
        self._given.add(name)
        return name


def recorded_envelopes(pieces: Iterator[bytes], session_id: str, limits: LimitSettings) -> Iterator[bytes]:
    """Yield envelopes, as JSON, around the events of an array that comes in pieces.

    Events keep their bytes. Raises Poison where the array ends too early or is no JSON; what came before was yielded.
    """
    batch = _Batch(session_id, limits)
    poison = None
    try:
        for text, event in _Array(pieces, limits.max_batch_bytes).items():
            timestamp = _timestamp(event)
            if batch.is_full(len(text), timestamp):
                yield batch.take()
            batch.add(text, timestamp)
    except Poison as raised:
        poison = raised
    if batch.texts:
        yield batch.take()
    if poison is not None:
        raise poison


class _Batch:
    def __init__(self, session_id: str, limits: LimitSettings) -> None:
        self._session_id = session_id
        self._max_events = limits.max_batch_events
        self._seq = 0
        self._clear()

    def _clear(self) -> None:
        self.texts: list[bytes] = []
        self._size_bytes = 0
        self._first_t: float | None = None
        self._last_t: float = 0

    def is_full(self, size_bytes: int, timestamp: float | None) -> bool:
        """Whether an event of this size and time has to go into the next batch."""
        if not self.texts:
            return False
        if len(self.texts) >= self._max_events or self._size_bytes + size_bytes > BATCH_BYTES:
            return True
        return timestamp is not None and self._first_t is not None and abs(timestamp - self._first_t) >= BATCH_MS

    def add(self, text: bytes, timestamp: float | None) -> None:
        self.texts.append(text)
        self._size_bytes += len(text) + 1
        if timestamp is not None:
            self._last_t = timestamp
            if self._first_t is None:
                self._first_t = timestamp

    def take(self) -> bytes:
        """Return the envelope, and begin the next one."""
        events = msgspec.Raw(b"[" + b",".join(self.texts) + b"]")
        envelope = Envelope(
            ENVELOPE_VERSION, PROJECT_ID, self._session_id, WINDOW_ID, self._seq, int(self._last_t), events
        )
        self._seq += 1
        self._clear()
        return msgspec.json.encode(envelope)


class _Array:
    """The items of a JSON array that is too large to be parsed as a whole."""

    def __init__(self, pieces: Iterator[bytes], max_item_bytes: int) -> None:
        self._pieces = pieces
        self._max_item_bytes = max_item_bytes
        # Invalid UTF-8 survives the way to text and back, for the decoder of events to deal with.
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def items(self) -> Iterator[tuple[bytes, object]]:
        """Yield bytes and parsed value of each item. Raises Poison."""
        self._expect("[")
        if self._peek() != "]":
            yield self._item()
            while self._peek() == ",":
                self._at += 1
                yield self._item()
        self._expect("]")
        if self._peek():
            raise Poison(Reason.NOT_JSON)

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise Poison(Reason.NOT_JSON)
        self._at += 1

    def _peek(self) -> str:
        """Return the next character that is not blank, or nothing at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text) or not self._read_on():
                return self._text[self._at : self._at + 1]

    def _item(self) -> tuple[bytes, object]:
        self._peek()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except RecursionError:
                raise Poison(Reason.TOO_DEEP) from None
            except ValueError:
                if not self._read_on():
                    raise Poison(Reason.NOT_JSON) from None
                continue
            if end < len(self._text) or not self._read_on():  # a number may go on in the next piece
                return self._take(end), value

    def _take(self, end: int) -> bytes:
        item = self._text[self._at : end].encode("utf-8", "surrogateescape")
        self._at = end
        if len(item) > self._max_item_bytes:
            raise Poison(Reason.TOO_LARGE)
        return item

    def _read_on(self) -> bool:
        """Read as much again as is unread, so that a large item is not parsed too often; false at the end."""
        if self._ended:
            return False
        unread = self._text[self._at :]
        if len(unread) > self._max_item_bytes:
            raise Poison(Reason.TOO_LARGE)
        parts = [unread]
        wanted = max(_READ_AHEAD, len(unread))
        while wanted > 0 and not self._ended:
            piece = next(self._pieces, None)
            self._ended = piece is None
            parts.append(self._decoder.decode(piece or b"", final=self._ended))
            wanted -= len(parts[-1])
        self._text, self._at = "".join(parts), 0
        return True


def _timestamp(event: object) -> float | None:
    """Return when an event says it happened, if it says something sensible."""
    if not isinstance(event, dict):
        return None
    timestamp = event.get("timestamp", event.get("t"))
    if isinstance(timestamp, int | float) and 0 <= timestamp <= LARGEST_INTEGER:
        return timestamp
    return None
