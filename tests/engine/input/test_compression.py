"""Caps hold for every way to write a bomb."""

import gzip
import io
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard

from engine.errors import Poison
from engine.input.compression import (
    MAX_FRAMES,
    decompress_message,
    gzip_pieces,
    sniff_encoding,
    zstd_pieces,
)
from engine.reasons import Reason
from engine.settings import LimitSettings

Pack = Callable[[bytes], bytes]
MIB = 1 << 20
LIMITS = LimitSettings(max_message_bytes=MIB, max_batch_bytes=2 * MIB)


def zstd(data: bytes, *, sized: bool = True) -> bytes:
    if sized:
        return zstandard.ZstdCompressor().compress(data)
    target = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(target, closefd=False) as writer:
        writer.write(data)
    return target.getvalue()


def unsized(data: bytes) -> bytes:
    return zstd(data, sized=False)


PACKERS = [
    pytest.param("gzip", gzip.compress, id="gzip"),
    pytest.param("zstd", zstd, id="zstd"),
    pytest.param("zstd", unsized, id="zstd without size"),
]


def refusal(value: bytes, encoding: str | None, limits: LimitSettings = LIMITS) -> Reason:
    with pytest.raises(Poison) as caught:
        decompress_message(value, encoding, limits)
    return caught.value.reason


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
@pytest.mark.parametrize("size", [0, 1, 1000, 2 * MIB - 1, 2 * MIB])
def test_what_fits_comes_back(encoding: str, pack: Pack, size: int) -> None:
    data = (b"0123456789" * (size // 10 + 1))[:size]
    assert decompress_message(pack(data), encoding, LIMITS) == data


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
@pytest.mark.parametrize("size", [2 * MIB + 1, 64 * MIB])
def test_a_bomb_is_too_large_and_never_unpacked_as_a_whole(encoding: str, pack: Pack, size: int) -> None:
    bomb = pack(bytes(size))
    tracemalloc.start()
    try:
        assert refusal(bomb, encoding) is Reason.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
def test_frames_that_follow_each_other_share_one_cap(encoding: str, pack: Pack) -> None:
    assert decompress_message(pack(b"one") + pack(b"two"), encoding, LIMITS) == b"onetwo"
    assert refusal(pack(bytes(MIB)) * 2 + pack(b"x"), encoding) is Reason.TOO_LARGE


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
def test_too_many_frames_are_refused_quickly(encoding: str, pack: Pack) -> None:
    empty = pack(b"")
    assert decompress_message(empty * MAX_FRAMES, encoding, LIMITS) == b""
    started = time.process_time()
    assert refusal((empty * (MIB // len(empty)))[:MIB], encoding) is Reason.CORRUPT_COMPRESSION
    assert time.process_time() - started < 2


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
def test_every_truncation_is_noticed(encoding: str, pack: Pack) -> None:
    packed = pack(b'{"v":1}' * 5)
    for length in range(1, len(packed)):
        assert refusal(packed[:length], encoding) in {Reason.TRUNCATED_COMPRESSION, Reason.CORRUPT_COMPRESSION}
    assert refusal(packed[:-1], encoding) is Reason.TRUNCATED_COMPRESSION
    assert refusal(packed + packed[:-1], encoding) is Reason.TRUNCATED_COMPRESSION


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("value", [b"{}", b"\0" * 50, b"\x1f\x8b" + b"\xff" * 50, b"\x28\xb5\x2f\xfd" + b"\xff" * 50])
def test_what_is_not_compressed_is_corrupt(encoding: str, value: bytes) -> None:
    assert refusal(value, encoding) in {Reason.CORRUPT_COMPRESSION, Reason.TOO_LARGE, Reason.TRUNCATED_COMPRESSION}


def test_a_frame_that_lies_about_its_size_is_corrupt() -> None:
    data = b"0123456789" * 30
    honest = zstd(data)
    declared = honest.index((len(data) - 256).to_bytes(2, "little"), 4)
    for size in (0, 1, len(data) - 256 - 1, len(data) - 256 + 1, 65_000):
        liar = honest[:declared] + size.to_bytes(2, "little") + honest[declared + 2 :]
        assert refusal(liar, "zstd") in {Reason.CORRUPT_COMPRESSION, Reason.TRUNCATED_COMPRESSION}


def test_a_declared_size_beyond_the_cap_is_enough() -> None:
    parameters = zstandard.ZstdCompressionParameters(write_content_size=True)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compress(bytes(3 * MIB))
    assert refusal(packed[:20], "zstd") is Reason.TOO_LARGE


def test_a_frame_that_asks_for_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    target = io.BytesIO()
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(target, closefd=False) as writer:
        writer.write(b"small")
        writer.flush()
        writer.write(b"text")
    assert zstandard.get_frame_parameters(target.getvalue()).window_size == 1 << 27
    assert refusal(target.getvalue(), "zstd") is Reason.CORRUPT_COMPRESSION
    assert b"".join(zstd_pieces([target.getvalue()])) == b"smalltext"  # files may


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_the_message_itself_has_a_limit(encoding: str) -> None:
    assert refusal(bytes(MIB + 1), encoding) is Reason.TOO_LARGE_COMPRESSED
    assert refusal(bytes(MIB), encoding) is not Reason.TOO_LARGE_COMPRESSED


@pytest.mark.parametrize("encoding", [None, "identity"])
def test_a_message_that_is_not_compressed_has_the_batch_s_limit(encoding: str | None) -> None:
    assert decompress_message(bytes(2 * MIB), encoding, LIMITS) == bytes(2 * MIB)
    assert refusal(bytes(2 * MIB + 1), encoding) is Reason.TOO_LARGE


@pytest.mark.parametrize("encoding", ["br", "GZIP", "", "gzip, zstd", "\0"])
def test_other_encodings_are_unknown(encoding: str) -> None:
    assert refusal(b"{}", encoding) is Reason.UNKNOWN_ENCODING


def test_a_broken_checksum_is_corrupt() -> None:
    packed = bytearray(gzip.compress(b"text" * 100))
    packed[-6] ^= 1
    assert refusal(bytes(packed), "gzip") is Reason.CORRUPT_COMPRESSION
    checked = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(b"text" * 100))
    checked[-1] ^= 1
    assert refusal(bytes(checked), "zstd") is Reason.CORRUPT_COMPRESSION


def test_zeros_after_a_gzip_member_are_padding() -> None:
    assert decompress_message(gzip.compress(b"text") + bytes(512), "gzip", LIMITS) == b"text"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_pieces_may_be_cut_anywhere(size: int) -> None:
    data = bytes(range(256)) * 40
    for packed, pieces in (
        (gzip.compress(data) + gzip.compress(b"tail"), gzip_pieces),
        (zstd(data) + unsized(b"tail"), zstd_pieces),
    ):
        chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
        assert b"".join(pieces(chunks)) == data + b"tail"


def test_zlib_streams_are_no_gzip() -> None:
    assert refusal(zlib.compress(b"{}"), "gzip") is Reason.CORRUPT_COMPRESSION


@pytest.mark.parametrize(
    ("first_bytes", "encoding"),
    [(gzip.compress(b""), "gzip"), (zstd(b""), "zstd"), (b'{"v":1}', None), (b"", None), (b"\x1f", None)],
)
def test_encodings_are_told_by_the_first_bytes(first_bytes: bytes, encoding: str | None) -> None:
    assert sniff_encoding(first_bytes) == encoding
