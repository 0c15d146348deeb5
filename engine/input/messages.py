"""One message in, one envelope out: the events stay bytes until their turn has come."""

import re
from typing import Annotated, Final, Protocol

import msgspec

from engine.errors import Poison
from engine.input.compression import decompress_message, sniff_encoding
from engine.input.json_text import repair_text
from engine.reasons import Reason
from engine.settings import LimitSettings
from schemas.envelope import ENVELOPE_VERSION, Envelope, Identifier

__all__ = ["DecodedBatch", "decode_message", "sniff_encoding"]

_CONTROL: Final = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters and line separators: they break logs, keys and file names."""

_CONTROL_OR_REPAIRED: Final = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ufffd]")
"""In a text of which something was lost also U+FFFD: identifiers that differ only in that must not become one."""

_LOSSY: Final = frozenset({Reason.INVALID_UTF8, Reason.SURROGATE_REPAIRED})

_UserIdentifier = Annotated[str, msgspec.Meta(max_length=1000)]


class _Version(msgspec.Struct):
    v: int


class _Identifiers(msgspec.Struct):
    project_id: Identifier
    session_id: Identifier
    window_id: Identifier
    user_id: _UserIdentifier | None = None
    anonymous_id: _UserIdentifier | None = None


_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_VERSION: Final = msgspec.json.Decoder(_Version)
_IDENTIFIERS: Final = msgspec.json.Decoder(_Identifiers)
_JSON: Final = msgspec.json.Decoder(msgspec.Raw)


class _Decoder(Protocol):
    def decode(self, buf: bytes, /) -> object: ...


class DecodedBatch(msgspec.Struct, frozen=True):
    """A batch's envelope, its size after decompression, and what had to be repaired to read it."""

    envelope: Envelope
    size_bytes: int
    repaired: dict[Reason, int]


def decode_message(value: bytes, encoding: str | None, limits: LimitSettings) -> DecodedBatch:
    """Decompress a message and decode its envelope.

    `encoding` is the `content-encoding` header: absent (`None`), `gzip` or `zstd`. The events are known to be a JSON
    array of well-formed values (but not to be UTF-8: `EventDecoder` sees to that). Raises Poison with the reason for
    everything that is not an envelope of version 1; consent is for the caller to look at.
    """
    text = decompress_message(value, encoding, limits)
    repaired: dict[Reason, int] = {}
    envelope = _decode_envelope(text)
    if envelope is None:
        text, repaired = repair_text(text)
        envelope = _decode_envelope(text) if repaired else None
    if envelope is None:
        raise Poison(Reason.NOT_JSON)
    _check(envelope, _CONTROL if _LOSSY.isdisjoint(repaired) else _CONTROL_OR_REPAIRED)
    return DecodedBatch(envelope, len(text), repaired)


def _decode_envelope(text: bytes) -> Envelope | None:
    """Return the envelope, or `None` if the text is no JSON as it stands."""
    try:
        return _ENVELOPE.decode(text)
    except RecursionError:
        raise Poison(Reason.TOO_DEEP) from None
    except msgspec.ValidationError:
        if not _fits(_JSON, text):
            return None
    except ValueError:  # malformed JSON, or UnicodeDecodeError
        return None
    raise Poison(_why_invalid(text))


def _why_invalid(text: bytes) -> Reason:
    """Say what is wrong with JSON that is no envelope. The decoder's own words may quote the message."""
    if memoryview(_JSON.decode(text))[0] != ord("{"):
        return Reason.NOT_AN_OBJECT
    if _fits(_VERSION, text) and _VERSION.decode(text).v != ENVELOPE_VERSION:
        return Reason.UNKNOWN_VERSION
    if not _fits(_IDENTIFIERS, text):
        return Reason.INVALID_IDENTIFIER
    return Reason.INVALID_ENVELOPE


def _fits(decoder: _Decoder, text: bytes) -> bool:
    try:
        decoder.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _check(envelope: Envelope, forbidden: re.Pattern[str]) -> None:
    if envelope.v != ENVELOPE_VERSION:
        raise Poison(Reason.UNKNOWN_VERSION)
    visitor = f"{envelope.user_id or ''}{envelope.anonymous_id or ''}"
    identifiers = f"{envelope.project_id}{envelope.session_id}{envelope.window_id}{visitor}"
    # What is printable and ASCII, as nearly always, needs no closer look.
    if not (identifiers.isascii() and identifiers.isprintable()) and forbidden.search(identifiers):
        raise Poison(Reason.INVALID_IDENTIFIER)
    if memoryview(envelope.events)[0] != ord("["):
        raise Poison(Reason.INVALID_ENVELOPE)
