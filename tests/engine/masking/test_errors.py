"""Error messages and stacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.masking.error_words import ERROR_WORDS
from engine.masking.errors import error_class, error_template, frames, scrub_message, stack_frames


def shown(message: str) -> str:
    """The template without its fingerprint."""
    return error_template(message).rpartition(" #")[0]


@pytest.mark.parametrize(
    ("message", "template"),
    [
        (
            "TypeError: Cannot read properties of undefined (reading 'name')",
            "TypeError: Cannot read properties of undefined (reading ***)",
        ),
        ("Uncaught TypeError: x is not a function", "TypeError: *** is not a function"),
        ("Uncaught (in promise) TypeError: Failed to fetch", "TypeError: Failed to fetch"),
        ("Error: request failed with status code 404", "Error: request failed with status code ***"),
        ("Order failed for jane@example.com: payment gateway timeout", "*** failed for *** payment gateway timeout"),
        ("Order failed for Jane Doe", "*** failed for ***"),
        (
            "ChunkLoadError: Loading chunk 7 failed. (https://a.test/7.js)",
            "ChunkLoadError: Loading chunk *** failed. (***)",
        ),
        (
            "SyntaxError: Unexpected token < in JSON at position 0",
            "SyntaxError: Unexpected token *** in JSON at position ***",
        ),
        ("NetworkError when attempting to fetch resource.", "NetworkError: when attempting to fetch resource."),
        ("Jane Doe", "***"),
        ("token=abc", "***"),
        ("JaneDoe42Error: x", "***"),
    ],
)
def test_templates(message: str, template: str) -> None:
    assert shown(message) == template


def test_templates_of_nothing_are_nothing() -> None:
    assert error_template("") == error_template("  \n ") == ""


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("Order 17 failed for jane@x.test", "Order 99999 failed for bob@y.test", True),
        ("x is not a function", "y is not a function", False),
        ("cannot load 'a'", "cannot load 'b'", True),
        ("TypeError: Failed to fetch", "Error: Failed to fetch", False),
    ],
)
def test_fingerprints_group_what_differs_by_values_only(one: str, two: str, same: bool) -> None:  # noqa: FBT001
    assert (error_template(one) == error_template(two)) is same


def test_fingerprints_are_stable() -> None:
    assert error_template("TypeError: Failed to fetch") == "TypeError: Failed to fetch #hadoipgd"


@given(st.text(max_size=300))
def test_every_shown_word_is_on_the_list(message: str) -> None:
    name = error_class(message)
    words = shown(message).removeprefix(f"{name}:").replace("***", " ").split()
    plain = {word.strip(".,:;!?()*'\"/+-").lower() for word in words}
    for word in plain:
        for part in word.replace("/", " ").replace("-", " ").replace(".", " ").replace("'", " ").split():
            assert part.strip('*(),:;!?"+') in ERROR_WORDS | {"", "t"}, message
    error_template(message)
    scrub_message(message)


@given(st.text(alphabet="ghijklmnopqrstuvwxyz", min_size=9, max_size=14).filter(lambda word: word not in ERROR_WORDS))
def test_a_secret_word_never_shows(secret: str) -> None:
    for message in (
        f"TypeError: {secret} is bad",
        f"no user '{secret}'",
        f"at https://a.test/?q={secret}",
        f"{secret}: failed",
        f"(#{secret})",
    ):
        assert secret not in error_template(message).rpartition(" #")[0]


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("TypeError: x", "TypeError"),
        ("Uncaught Error: x", "Error"),
        ("DOMException: x", "DOMException"),
        ("Uncaught (in promise) Error", "Error"),
        ("typeerror: x", ""),
        ("My error: x", ""),
        ("", ""),
        ("ErrorX: y", ""),
    ],
)
def test_classes(message: str, name: str) -> None:
    assert error_class(message) == name


@pytest.mark.parametrize(
    ("message", "scrubbed"),
    [
        ("Order failed for Jane Doe", "Order failed for Jane Doe"),
        ("Order failed for jane@example.com", "Order failed for ***"),
        ("GET https://u:p@a.test/x?q=Jane#y failed", "GET https://a.test/x?q=*** failed"),
        ("mailto:jane@example.com", "mailto:"),
        ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc is bad", "key *** is bad"),
    ],
)
def test_at_light_only_secrets_go(message: str, scrubbed: str) -> None:
    assert scrub_message(message) == scrubbed


def test_a_card_spread_over_words_costs_the_whole_message() -> None:
    assert "4111" not in scrub_message("card 4111 1111 1111 1111 refused")


STACKS = [
    ("    at pay (https://a.test/s.js:64:145)", "pay@https://a.test/s.js:64:145"),
    ("    at https://a.test/s.js?t=1:64:145", "@https://a.test/s.js?t=***:64:145"),
    ("    at async Foo.bar [as baz] (https://a.test/s.js:1:2)", "Foo.bar@https://a.test/s.js:1:2"),
    ("    at new Foo (https://a.test/s.js:1:2)", "Foo@https://a.test/s.js:1:2"),
    (
        "    at HTMLButtonElement.<anonymous> (https://a.test/s.js:1:2)",
        "HTMLButtonElement.anonymous@https://a.test/s.js:1:2",
    ),
    ("    at Array.forEach (<anonymous>:1:2)", "Array.forEach@:1:2"),
    ("pay@https://a.test/s.js:64:145", "pay@https://a.test/s.js:64:145"),
    ("@https://a.test/s.js:64:145", "@https://a.test/s.js:64:145"),
    ("pay/<@https://a.test/s.js:64:145", "pay@https://a.test/s.js:64:145"),
    ("https://a.test/s.js:64:145", "@https://a.test/s.js:64:145"),
    ("pay (https://a.test/s.js:64:145)", "pay@https://a.test/s.js:64:145"),
    ("    at user1234567 (https://a.test/s.js:1:2)", "masked@https://a.test/s.js:1:2"),
    ("    at f (https://a.test/u/jane@x.test/s.js:1:2)", "f@https://a.test/u/***/s.js:1:2"),
    ("    at f (webpack:///./src/Jane.js:1:2)", "f@webpack::1:2"),
    ("jane:1:2", "@:1:2"),
]


@pytest.mark.parametrize(("line", "frame"), STACKS)
def test_frames(line: str, frame: str) -> None:
    assert frames(f"Error: Jane\n{line}") == (frame,)


def test_lines_that_are_no_frame_are_left_out() -> None:
    stack = (
        "Error: first line of Jane\nsecond line: Jane\n    at a (https://a.test/s.js:1:2)\n"
        "    at Array.map (native)\n    at b (https://a.test/s.js:3:4)"
    )
    assert frames(stack) == ("a@https://a.test/s.js:1:2", "b@https://a.test/s.js:3:4")


def test_stacks_are_bounded() -> None:
    assert len(stack_frames("    at f (https://a.test/s.js:1:2)\n" * 500)) == 50
    assert stack_frames("    at " + "x" * 10_000 + " (https://a.test/s.js:1:2)") == []
    assert stack_frames("\n" * 1_000_000) == []


@given(st.text(max_size=300))
def test_no_stack_raises(stack: str) -> None:
    frames(stack)
    frames(f"    at {stack} (https://a.test/s.js:1:2)")


def test_hostile_lines_take_linear_time() -> None:
    for line in ("    at " + "(" * 1_900, "at " + "a " * 900, "@" * 1_900, ":1" * 900, "x@" + ":1:" * 600):
        frames("\n".join([line] * 30))
        error_template(line * 50)
        scrub_message(line * 50)
