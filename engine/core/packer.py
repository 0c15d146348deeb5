"""Packs session states into few bytes, and unpacks what such bytes claim to be."""

from typing import Final, TypeVar

import msgspec
import zstandard

T = TypeVar("T")

STATE_FORMAT: Final = b"W2"
"""Starts every packed state; a change of the state types changes it, and states of other formats are not read."""

STATE_MAX_BYTES: Final = 1 << 30
"""No session's state unpacks to more: 64 windows with pages of 100,000 nodes take about a quarter of it."""


class Packer:
    """msgpack in zstd. One packer serves one thread."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=3, write_content_size=True)
        self._decompressor = zstandard.ZstdDecompressor()
        self._encoder = msgspec.msgpack.Encoder()

    def pack(self, state: msgspec.Struct) -> bytes:
        """Pack a state."""
        return STATE_FORMAT + self._compressor.compress(self._encoder.encode(state))

    def unpack(self, data: bytes, kind: type[T]) -> T:
        """Unpack a state of the given type. Raises ValueError if `data` isn't one."""
        body = data[len(STATE_FORMAT) :]
        try:
            if not data.startswith(STATE_FORMAT) or zstandard.frame_content_size(body) > STATE_MAX_BYTES:
                message = "not a session state of this format"
                raise ValueError(message)
            return msgspec.msgpack.decode(
                self._decompressor.decompress(body, max_output_size=STATE_MAX_BYTES), type=kind
            )
        except (zstandard.ZstdError, msgspec.DecodeError) as error:
            message = "a damaged session state"
            raise ValueError(message) from error
