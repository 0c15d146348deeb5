"""When two errors are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.fingerprints import (
    FRAME_MAX_CHARACTERS,
    MAX_FRAMES,
    MESSAGE_MAX_CHARACTERS,
    TYPE_MAX_CHARACTERS,
    identify,
)
from detectors.interactions import Failure

APP = ("buy@https://shop.example/app.js:34:75", "on@https://shop.example/app.js:80:1")
FOREIGN = (
    "run@chrome-extension://abc/content.js:1:1",
    "call@https://shop.example/node_modules/lib/index.js:1:1",
    "forEach@[native code]",
)


def failed(message: str = "x is undefined", frames: tuple[str, ...] = APP, error_type: str = "TypeError") -> Failure:
    return Failure(1_000, "p", "error", error_type, message, frames)


def test_own_frames_decide() -> None:
    assert identify(failed()).fingerprint == identify(failed("y is null", error_type="Error")).fingerprint
    assert identify(failed()).fingerprint != identify(failed(frames=APP[1:])).fingerprint


def test_foreign_frames_do_not() -> None:
    mixed = (FOREIGN[0], APP[0], FOREIGN[1], APP[1], FOREIGN[2])
    assert identify(failed(frames=mixed)).fingerprint == identify(failed()).fingerprint
    assert identify(failed(frames=mixed)).top_frame == APP[0]


def test_without_own_frames_type_and_message_decide() -> None:
    base = identify(failed(frames=FOREIGN))
    assert base.top_frame == ""
    assert identify(failed(frames=())).fingerprint == base.fingerprint
    assert identify(failed("y is null", frames=())).fingerprint != base.fingerprint
    assert identify(failed(frames=(), error_type="RangeError")).fingerprint != base.fingerprint


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Uncaught TypeError: x is undefined", "x is undefined"),
        ("Uncaught (in promise) Error: refused", "refused"),
        ("DOMException: aborted", "aborted"),
        ("refused", "refused"),
        ("Note: all is well", "Note: all is well"),
        ("it failed: TypeError: x", "it failed: TypeError: x"),
        ("TypeError: Error: x", "Error: x"),
    ],
)
@pytest.mark.parametrize("source", ["error", "unhandled_rejection", "console_error"])
def test_what_browsers_put_before_messages_is_taken_off(message: str, expected: str, source: str) -> None:
    found = identify(Failure(1, "p", source, "PayError", message, ()))
    assert (found.error_type, found.message) == ("PayError", expected)


def test_long_texts_are_cut_after_they_were_told_apart() -> None:
    long = "x" * 10_000
    one, two = (identify(failed(long, (f"{long}:{line}",), long)) for line in (1, 2))
    assert one.fingerprint != two.fingerprint
    assert (len(one.message), len(one.error_type), len(one.top_frame)) == (
        MESSAGE_MAX_CHARACTERS, TYPE_MAX_CHARACTERS, FRAME_MAX_CHARACTERS,
    )  # fmt: skip


def test_recursion_does_not_change_the_error() -> None:
    deep = tuple(f"f@https://shop.example/a.js:{line}:1" for line in range(100))
    assert identify(failed(frames=deep)).fingerprint == identify(failed(frames=deep[:MAX_FRAMES])).fingerprint


@given(st.text(), st.lists(st.text(), max_size=5), st.text())
def test_any_text_gives_a_fingerprint(message: str, frames: list[str], error_type: str) -> None:
    found = identify(Failure(1, "p", "error", error_type, message, tuple(frames)))
    assert len(found.fingerprint) == 16
    assert int(found.fingerprint, 16) >= 0
    assert found == identify(Failure(2, "q", "error", error_type, message, tuple(frames)))
