"""Events that recorders pack: opened one layer at a time, under a budget of bytes that all events of a batch share.

The forms (each made by the recorder, in the browser, before it sends):

* rrweb's packer: the whole event as one string, zlib of its JSON, each byte a character (`packages/packer/src`);
* Amplitude: each event as the JSON text of itself, perhaps of a packed one (`event-compressor.ts`);
* PostHog (`cv` "2024-10"): `data` of a full snapshot, and `texts`, `attributes`, `removes`, `adds` of a change, as
  strings, gzip of their JSON (`lazy-loaded-session-recorder.ts`).

Some collectors write such bytes as base64 in place of characters; that is taken as well.
"""

import binascii
import zlib
from typing import Final

import msgspec

from engine.input.json_text import is_deeper, repair_text
from engine.input.tally import EventRefusedError, Tally
from engine.reasons import Reason

MAX_LAYERS: Final = 4
"""JSON text of a packed string of JSON text: nobody sends more."""

_ZLIB_OR_GZIP: Final = 47
"""zlib's `wbits` for either format, told by its header, with the largest window."""
_ZLIB_START: Final = "x"
_GZIP_START: Final = "\x1f\x8b"
_BASE64_STARTS: Final = ("eJ", "eA", "eN", "H4sI")
_MAX_VALUES: Final = 2_000_000
"""Commas in what a batch's events are unpacked to; see `engine.input.events.MAX_VALUES`."""
_SMALLEST_OBJECT: Final = 2
_JSON_SPACE: Final = " \t\r\n"

_TEXT: Final = msgspec.json.Decoder(str)
_PARTS: Final = frozenset({"texts", "attributes", "removes", "adds"})

_Parts = dict[str, msgspec.Raw]
_OBJECT: Final = msgspec.json.Decoder(_Parts)


class Unpacker:
    """Unpacks the events of one batch; `unpacked_bytes` is what came of it so far."""

    __slots__ = ("_left_bytes", "_left_values", "_tally", "unpacked_bytes")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._left_bytes = tally.limits.max_batch_bytes
        self._left_values = _MAX_VALUES
        self.unpacked_bytes = 0

    def open_text(self, text: bytes) -> bytes:
        """Return the JSON object that an event sent as a JSON string stands for. Raises EventRefusedError."""
        for _ in range(MAX_LAYERS):
            inner = _TEXT.decode(text).lstrip(_JSON_SPACE)  # gzip starts with what Python calls space
            text = inner.encode() if inner.startswith(("{", '"')) else self._inflate(inner)
            if text.startswith(b"{"):
                return text
            if not text.startswith(b'"'):
                break
        raise EventRefusedError(Reason.PACKED_EVENT)

    def open_parts(self, text: bytes) -> bytes | None:
        """Return an event of which parts are packed with these parts in the open, `None` if none of it is packed.

        Raises EventRefusedError for parts that look packed and cannot be opened.
        """
        event = _object(text)
        data = None if event is None else event.get("data")
        if event is None or data is None:
            return None
        raw = bytes(data)
        if raw.startswith(b'"'):
            opened = self._inflate(_decoded(raw))
        else:
            parts = _object(raw)
            packed = [name for name in _PARTS if bytes(parts.get(name, b"")).startswith(b'"')] if parts else []
            if parts is None or not packed:
                return None
            for name in packed:
                parts[name] = msgspec.Raw(self._inflate(_decoded(bytes(parts[name]))))
            opened = msgspec.json.encode(parts)
        event["data"] = msgspec.Raw(opened)
        return msgspec.json.encode(event)

    def _inflate(self, text: str) -> bytes:
        """Return the JSON that a string holds compressed: sound text, within the budget and the depth allowed."""
        opened = self._decompress(_bytes_of(text))
        self._left_bytes -= len(opened)
        self._left_values -= opened.count(b",")
        self.unpacked_bytes += len(opened)
        if self._left_values < 0:
            raise EventRefusedError(Reason.EVENT_TOO_DENSE)
        if is_deeper(opened, self._tally.limits.max_depth):
            raise EventRefusedError(Reason.EVENT_TOO_DEEP)
        opened, repaired = repair_text(opened)
        self._tally.add_repairs(repaired)
        return _checked(opened.strip())

    def _decompress(self, packed: bytes) -> bytes:
        opener = zlib.decompressobj(_ZLIB_OR_GZIP)
        try:
            opened = opener.decompress(packed, max(self._left_bytes, 0) + 1)
        except zlib.error:
            raise EventRefusedError(Reason.PACKED_EVENT) from None
        if len(opened) > self._left_bytes:
            self._left_bytes = 0
            raise EventRefusedError(Reason.EVENT_TOO_LARGE)
        if not opener.eof or len(opened) < _SMALLEST_OBJECT:
            raise EventRefusedError(Reason.PACKED_EVENT)
        return opened


def _checked(opened: bytes) -> bytes:
    """Refuse what is no JSON value: put into an event as it stands, it would change what is around it."""
    try:
        msgspec.json.decode(opened, type=msgspec.Raw)
    except (ValueError, RecursionError):
        raise EventRefusedError(Reason.PACKED_EVENT) from None
    return opened


def _bytes_of(text: str) -> bytes:
    try:
        if text.startswith((_ZLIB_START, _GZIP_START)):
            return text.encode("latin-1")
        if text.startswith(_BASE64_STARTS):
            return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        pass
    raise EventRefusedError(Reason.PACKED_EVENT)


def _object(text: bytes) -> _Parts | None:
    try:
        return _OBJECT.decode(text)
    except (ValueError, RecursionError):
        return None


def _decoded(text: bytes) -> str:
    try:
        return _TEXT.decode(text)
    except ValueError:
        raise EventRefusedError(Reason.PACKED_EVENT) from None
