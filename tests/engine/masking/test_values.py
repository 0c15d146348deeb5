"""The value detectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from engine.masking.text import mask_constant, mask_text
from engine.masking.values import has_secret, normalise, scrub, without_secrets

HITS = [
    "jane@example.com", "my mail is jane@", "jane.doe+x@ex", "jane%40example.com", "jane\uff20example.com",
    "ja\u00adne@ex",
    "jane\u200b@ex", "4111111111111111", "4111 1111", "4111-1111-1111-1111", "4111\u20111111\u20111111", "411.111.1",
    "+1 (555) 123-4567", "555/1234567", "\uff14\uff11\uff11\uff11\uff11\uff11\uff11",
    "4\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1", "٤١١١١١١",
    "078-05-1120", "800101-1234567", "DE89 3704 0044", "GB29NWBK60161331", "eyJhbGciOiJIUzI1NiJ9.e30.x",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "sk_live_", "AKIAIOSFODNN7EXAMPLE", "ghp_16C7e42F292c6912E7", "AIzaSyD",
    "xoxb-1234", "-----BEGIN RSA PRIVATE KEY-----", "glpat-abc", "5f4dcc3b5aa765d61d8327deb882cf99",
    "dGhpcyBpcyBhIHNlY3JldCB0b2tlbiBmb3IgbWU0Mg", "2024-01-15",
]  # fmt: skip
MISSES = [
    "", "Jane Doe", "hello world", "@handle", "a @ b", "123456", "1 2 3", "v1.2.3", "12:30", "col-12", "100%",
    "Straße 12", "東京",
    "a-long-class-name-made-of-many-short-words", "MuiButtonBase-root-MuiButton-root-MuiButton-contained", "eyJ",
    "sky_live",
    "task-list-item-content-wrapper", "mt24-something-else", "9 to 5", "x" * 200,
]  # fmt: skip


@pytest.mark.parametrize("value", HITS)
def test_hits(value: str) -> None:
    assert has_secret(value)
    assert has_secret(f"before {value} after")
    assert without_secrets(value) == "***"


@pytest.mark.parametrize("value", MISSES)
def test_misses(value: str) -> None:
    assert not has_secret(value)
    assert without_secrets(value) == value


@given(
    st.text(alphabet="0123456789", min_size=7, max_size=19), st.sampled_from(["", " ", "-", "\u2013", ".", "/", ") "])
)
def test_seven_digits_are_found_however_they_are_separated(digits: str, separator: str) -> None:
    assert has_secret(separator.join(digits))


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    has_secret(text)
    scrub(text)
    normalise(text)


def test_time_is_linear_on_hostile_input() -> None:
    for hostile in ("1" + " " * 100_000, "1 " * 50_000, "a@" * 50_000, "A" * 100_000, "-----" * 20_000, "eyJ" * 30_000):
        has_secret(hostile)
        scrub(hostile)


class TestScrub:
    @pytest.mark.parametrize(
        ("text", "scrubbed"),
        [
            ("Card 4111 1111 1111 1111 was charged", "Card *** was charged"),
            ("Card 4111-1111-1111-1111.", "Card ***."),
            ("no 4111 1111 1111 1112", "no 4111 1111 1111 1112"),
            ("call 555-123-4567 now", "call 555-123-4567 now"),
            ("token eyJhbGciOiJIUzI1NiJ9.e30.abc ok", "token *** ok"),
            ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc.", "key ***"),
            ("a plain text", "a plain text"),
            ("Zoë pays \uff14\uff11\uff11\uff11 1111 1111 1111", "Zoë pays ***"),
            ("\uff11\uff12 plain full-width digits stay", "\uff11\uff12 plain full-width digits stay"),
            ("order 1234567890123456", "order 1234567890123456"),
            ("id 12345678901234567890123", "id ***"),
            ("99 4111111111111111 7", "***"),
            ("9 4111 1111 1111 1111", "***"),
            ("", ""),
        ],
    )
    def test_what_it_removes(self, text: str, scrubbed: str) -> None:
        assert scrub(text) == scrubbed

    @given(st.text(alphabet="0123456789", min_size=12, max_size=18), st.sampled_from(["", " ", "-"]))
    def test_every_card_number_goes(self, digits: str, separator: str) -> None:
        card = digits + luhn.calc_check_digit(digits)
        written = separator.join(card)
        assert written not in scrub(f"paid with {written}, thanks")


class TestMaskText:
    @given(st.text(max_size=100))
    def test_only_white_space_and_length_stay(self, text: str) -> None:
        masked = mask_text(text)
        assert len(masked) == len(text)
        assert set(masked) - {"*"} <= {character for character in text if character.isspace() or not character.strip()}

    @given(st.text(alphabet=st.characters(max_codepoint=127), max_size=50))
    def test_ascii_is_masked_like_any_text(self, text: str) -> None:
        kept_apart = mask_text(text + "é")[:-1]
        # Python's pattern counts the information separators as white space, bytes do not: they are masked then.
        assert all(fast in {slow, "*"} for fast, slow in zip(mask_text(text), kept_apart, strict=True))

    def test_constants_hide_the_length(self) -> None:
        assert mask_constant("a") == mask_constant("a" * 99) == "***"
        assert mask_constant("") == ""


@pytest.mark.parametrize(
    "value",
    [
        "4111\u0301 1111\u0301 1111",
        "4\u20e31\u20e31\u20e31\u20e31\u20e31\u20e31\u20e3",
        "4\u200b1\u00ad1\u20601\ufe0f1\u200d1\u200c1",
        "４１１１１１１１",  # noqa: RUF001
        "٤١١١١١١١",
        "①②③④⑤⑥⑦⑧",
        "4l11 1lI1 1111",
        "4O12О888О123",  # noqa: RUF001
        "jane\u0301＠x",  # noqa: RUF001
    ],
)
def test_disguised_values_are_found(value: str) -> None:
    assert has_secret(value)


@pytest.mark.parametrize("value", ["room 10l to 20l", "2024-10-lol", "ISO 100 ISO 200", "한국어 문장 2024"])
def test_ordinary_values_are_not(value: str) -> None:
    assert not has_secret(value)
