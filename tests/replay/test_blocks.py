"""Blocks come back as they were, and a hostile frame costs no more than it may."""

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from replay.blocks import decode_block, encode_block, join_lines
from replay.errors import Poison

LINES = b'{"type":3}\n' * 1000


@given(st.binary(max_size=5000), st.sampled_from([1, 9]))
def test_what_goes_in_comes_out(lines: bytes, level: int) -> None:
    assert decode_block(encode_block(lines, level), len(lines)) == lines


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_poison(data: bytes) -> None:
    try:
        lines = decode_block(data, 1000)
    except Poison:
        return
    assert len(lines) <= 1000


def test_a_frame_states_its_size_and_has_a_checksum() -> None:
    frame = zstandard.get_frame_parameters(encode_block(LINES))
    assert frame.content_size == len(LINES)
    assert frame.has_checksum


@pytest.mark.parametrize(("cap", "fits"), [(len(LINES) - 1, False), (len(LINES), True), (len(LINES) + 1, True)])
def test_the_cap(cap: int, *, fits: bool) -> None:
    block = encode_block(LINES)
    if fits:
        assert decode_block(block, cap) == LINES
    else:
        with pytest.raises(Poison):
            decode_block(block, cap)


def test_a_bomb_is_refused_by_its_declared_size() -> None:
    with pytest.raises(Poison, match="declares"):
        decode_block(encode_block(bytes(64 << 20)), 1 << 20)


def test_a_frame_that_does_not_declare_its_size_is_refused() -> None:
    compressor = zstandard.ZstdCompressor(write_content_size=False)
    with pytest.raises(Poison):
        decode_block(compressor.compress(LINES), 1 << 20)


def test_a_declared_size_that_lies_is_refused() -> None:
    honest = bytearray(encode_block(bytes(200)))
    # A frame of up to 255 bytes of content has its size in one byte after magic number and descriptor.
    assert honest[5] == 200
    for lie in (0, 10, 199, 201, 255):
        honest[5] = lie
        with pytest.raises(Poison):
            decode_block(bytes(honest), 1000)


@pytest.mark.parametrize("tail", [b"x", encode_block(b"more")], ids=["junk", "frame"])
def test_what_follows_a_frame_is_refused(tail: bytes) -> None:
    with pytest.raises(Poison):
        decode_block(encode_block(LINES) + tail, 1 << 20)


def test_every_damaged_byte_is_noticed() -> None:
    block = encode_block(LINES)
    for place in range(len(block)):
        damaged = bytearray(block)
        damaged[place] ^= 0xFF
        try:
            assert decode_block(bytes(damaged), len(LINES)) == LINES, "a damaged block gave other lines"
        except Poison:
            continue


def test_a_frame_that_asks_for_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj(size=(1 << 28) + 1)
    with pytest.raises(Poison):
        decode_block(compressor.compress(b"") + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), 1 << 30)


def test_lines_each_end_with_a_newline() -> None:
    assert join_lines([b"{}", b"[]"]) == b"{}\n[]\n"
    assert join_lines([]) == b""
