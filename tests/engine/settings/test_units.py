import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.settings._units import format_duration, format_size, parse_duration_ms, parse_size_bytes


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [
        ("0ms", 0),
        ("1500ms", 1_500),
        ("10s", 10_000),
        ("30m", 1_800_000),
        ("24h", 86_400_000),
        ("30d", 2_592_000_000),
        (" 5 s ", 5_000),
    ],
)
def test_a_duration_is_read_with_its_unit(text: str, duration_ms: int) -> None:
    assert parse_duration_ms(text) == duration_ms


@pytest.mark.parametrize(
    ("text", "size_bytes"), [("0B", 0), ("512B", 512), ("64KiB", 65_536), ("50MiB", 52_428_800), ("1GiB", 1 << 30)]
)
def test_a_size_is_read_with_its_unit(text: str, size_bytes: int) -> None:
    assert parse_size_bytes(text) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "30", "m", "-1m", "1.5h", "1h30m", "30M", "30 minutes", "٣m", "1_0s", "9" * 19 + "s"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        parse_duration_ms(text)


@pytest.mark.parametrize("text", ["", "50", "50MB", "50mib", "50M", "-1B", "1.5GiB", "MiB"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        parse_size_bytes(text)


@pytest.mark.parametrize(
    ("duration_ms", "text"), [(0, "0ms"), (1_500, "1500ms"), (90_000, "90s"), (1_800_000, "30m"), (86_400_000, "1d")]
)
def test_a_duration_is_written_with_the_largest_unit_that_fits(duration_ms: int, text: str) -> None:
    assert format_duration(duration_ms) == text


@given(st.integers(min_value=0, max_value=10**17))
def test_durations_survive_being_written_and_read(duration_ms: int) -> None:
    assert parse_duration_ms(format_duration(duration_ms)) == duration_ms


@given(st.integers(min_value=0, max_value=10**17))
def test_sizes_survive_being_written_and_read(size_bytes: int) -> None:
    assert parse_size_bytes(format_size(size_bytes)) == size_bytes
