"""Headers that ask: examples of RFC 9110, and words that make no sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.server.negotiation import ByteRange, choose_encoding, choose_range, is_current, make_tag


class TestEncoding:
    @pytest.mark.parametrize(
        ("accepted", "chosen"),
        [
            ("", "identity"), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "zstd"), ("gzip, deflate", "gzip"),
            ("br", "identity"), ("*", "zstd"), ("zstd;q=0.5, gzip;q=1.0", "gzip"), ("zstd;q=0, gzip", "gzip"),
            ("gzip;q=0", "identity"), ("identity;q=0.5, gzip;q=0.1", "identity"), ("GZIP", "gzip"), ("x-gzip", "gzip"),
            ("*;q=0", "identity"), ("identity;q=0, *;q=0", "identity"), ("gzip;q=0.5, *;q=0", "gzip"),
            ("zstd ; q=0.2 , identity", "identity"), ("zstd;q=2", "identity"), (",,;q=", "identity"),
        ],
    )  # fmt: skip
    def test_the_best_of_what_is_accepted(self, accepted: str, chosen: str) -> None:
        assert choose_encoding(accepted) == chosen

    @given(st.text(max_size=100))
    def test_any_text_is_answered(self, accepted: str) -> None:
        assert choose_encoding(accepted) in {"zstd", "gzip", "identity"}


class TestTags:
    def test_a_tag_is_of_its_parts(self) -> None:
        assert make_tag("a", 1) == make_tag("a", 1)
        assert len({make_tag("a", 1), make_tag("a1"), make_tag(1, "a"), make_tag("a\x001", "")}) == 4

    def test_a_tag_with_text_that_is_no_unicode(self) -> None:
        assert make_tag("\ud800") != make_tag("\udfff")

    @pytest.mark.parametrize("listed", ['"x"', 'W/"x"', '"a", "x"', ' W/"a",W/"x" ', "*", '"a,b", "x"'])
    def test_what_the_client_has(self, listed: str) -> None:
        assert is_current(listed, '"x"')

    @pytest.mark.parametrize("listed", ["", "x", '"X"', '"xx"', '"a"', '"*"'])
    def test_what_it_has_not(self, listed: str) -> None:
        assert not is_current(listed, '"x"')


class TestRange:
    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            ("bytes=0-499", (0, 499 + 1)), ("bytes=500-999", (500, 1_000)), ("bytes=-500", (500, 1_000)),
            ("bytes=-5000", (0, 1_000)), ("bytes=9500-", (9_500, 1_000)), ("bytes=500-", (500, 1_000)),
            ("bytes=0-0", (0, 1)), ("bytes=990-5000", (990, 1_000)), ("BYTES=1-2", (1, 3)), ("bytes=-0", (1_000,) * 2),
        ],
    )  # fmt: skip
    def test_one_range(self, asked: str, given: tuple[int, int]) -> None:
        assert choose_range(asked, "", '"x"', 1_000) == given

    @pytest.mark.parametrize(
        "asked",
        ["", "bytes=0-1,4-5", "bytes=5-4", "bytes=-", "lines=0-1", "bytes=a-b", "bytes=1", "bytes=+1-2", "0-1",
         "bytes=" + "9" * 30 + "-"],
    )  # fmt: skip
    def test_anything_else_asks_for_all(self, asked: str) -> None:
        assert choose_range(asked, "", '"x"', 1_000) is None

    def test_a_part_of_something_else_is_not_sent(self) -> None:
        assert choose_range("bytes=1-2", '"x"', '"x"', 10) == ByteRange(1, 3)
        for other in ('"y"', 'W/"x"', "Sun, 22 Nov 2026 06:00:00 GMT"):
            assert choose_range("bytes=1-2", other, '"x"', 10) is None

    @given(st.text(max_size=30) | st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}", fullmatch=True), st.integers(0, 50))
    def test_any_text_is_answered(self, asked: str, length: int) -> None:
        chosen = choose_range(asked, "", '"x"', length)
        assert chosen is None or (chosen.start >= 0 and chosen.stop <= length)
