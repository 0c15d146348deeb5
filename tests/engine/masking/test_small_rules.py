"""Rules of a few lines each: names, shapes, data URLs, user agents, caches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.masking import shapes
from engine.masking.data_urls import is_raster, is_raster_or_font
from engine.masking.decisions import MAX_CACHED_VALUES, MAX_HELD_CHARACTERS, Decision, Decisions, Deferred
from engine.masking.identifiers import decide_name, decide_names, name_token, passes_attribute_name, passes_name


def written(decision: Decision) -> str | None:
    return decision.resolve(lambda name: f"<{name}>") if isinstance(decision, Deferred) else decision


class TestNames:
    @pytest.mark.parametrize(
        "name", ["a", "_x", "main-nav", "md:flex", "w-1.5", "A1", "x" * 64, "col-12345", "Button_primary__3xY7z"]
    )
    def test_programmers_names_pass(self, name: str) -> None:
        assert passes_name(name)

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "1a",
            "-a",
            "a b",
            "a@b",
            "a/b",
            "user-123456",
            "x" * 65,
            "é",
            "a\u200bb",
            "a\n",
            "eyJhbGciOi",
            "a-1-2-3-4-5-6-7",
            "sk_live_x",
        ],
    )
    def test_values_do_not(self, name: str) -> None:
        assert not passes_name(name)

    def test_scoped_style_attributes_pass_whatever_their_hash(self) -> None:
        assert passes_attribute_name("data-v-12345678")
        assert not passes_attribute_name("data-v-123456789")
        assert not passes_attribute_name("data-w-12345678")

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("", ""),
            ("a b", "a b"),
            (" a  b ", " a  b "),
            ("a 1x b", "a <1x> b"),
            ("1x", "<1x>"),
            ("1x 2x", "<1x> <2x>"),
            ("a\n1x", "a <1x>"),
        ],
    )
    def test_lists_of_names(self, value: str, expected: str) -> None:
        assert written(decide_names(value)) == expected

    def test_single_names(self) -> None:
        assert written(decide_name("a b")) == "<a b>"
        assert written(decide_name("")) == ""

    @given(st.binary(min_size=1, max_size=64), st.text(max_size=50))
    def test_tokens_are_names_themselves(self, key: bytes, value: str) -> None:
        token = name_token(key, value)
        assert passes_name(token)
        assert len(token) == len("masked-") + 12

    @given(st.text(max_size=80))
    def test_what_passes_is_kept_and_what_does_not_is_open(self, value: str) -> None:
        decision = decide_names(value)
        if isinstance(decision, Deferred):
            assert all(not passes_name(name) for name in decision.parts[1::2])
            assert decision.resolve(lambda name: name).split() == value.split()
        else:
            assert decision == value


class TestShapes:
    @pytest.mark.parametrize("value", ["", "5", "-1", "1.5", ".5", "100%", "12px", "2em", "auto", " 3 ", "123456"])
    def test_measures(self, value: str) -> None:
        assert shapes.decide_measure(value) == value

    @pytest.mark.parametrize("value", ["Jane", "1234567", "1 2", "5 Jane", "1-2", "5janedoe", "\u0661"])
    def test_no_measures(self, value: str) -> None:
        assert shapes.decide_measure(value) in {None, "\u0661"}

    @pytest.mark.parametrize(
        ("value", "kept"), [(5, True), (-1.5, True), (True, True), (4111111111111111, False), (1e300, False)]
    )
    def test_numbers(self, value: float, kept: bool) -> None:  # noqa: FBT001
        assert (shapes.measure_scalar(value) == value) is kept

    @pytest.mark.parametrize("value", ["M0 0 L10,10 Z", "0 0 24 24", "1.123456789012 3", "5%", "m-1-1c1e-5 2"])
    def test_geometry(self, value: str) -> None:
        assert shapes.decide_geometry(value) == value

    @pytest.mark.parametrize("value", ["Jane", "4111111111111111", "M0 0 <", "\u0661", "1" * 300_000])
    def test_no_geometry(self, value: str) -> None:
        assert shapes.decide_geometry(value) is None

    @pytest.mark.parametrize(
        "value", ["translate(1, 2)", "rotate(45deg) scale(2)", "matrix(1 0 0 1 0 0)", "none", "translate3d(1px,2px,0)"]
    )
    def test_transforms(self, value: str) -> None:
        assert shapes.decide_transform(value) == value

    @pytest.mark.parametrize("value", ["Jane", "translate(Jane)", "translate(1", "", "translate(1)" * 3 + "x"])
    def test_no_transforms(self, value: str) -> None:
        assert shapes.decide_transform(value) is None

    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            ("red", "red"),
            ("#fff", "#fff"),
            ("currentColor", "currentColor"),
            ("rgb(1,2,3)", "rgb(1,2,3)"),
            ("url(#a)", "url(#a)"),
            ("url('#a') red", "url(#a) red"),
            ("url(#a) Jane", "url(#a)"),
            ("url(https://a.test/#a)", None),
            ("url(#1234567)", None),
            ("Jane", None),
        ],
    )
    def test_paints(self, value: str, kept: str | None) -> None:
        assert shapes.decide_paint(value) == kept

    @pytest.mark.parametrize(
        ("value", "kept"), [("", ""), ("true", "true"), ("false", "false"), ("disabled", ""), ("Jane", "")]
    )
    def test_booleans(self, value: str, kept: str) -> None:
        assert shapes.decide_boolean(value) == kept

    @pytest.mark.parametrize(
        ("attribute", "value", "kept"),
        [
            ("type", "email", "email"),
            ("type", "EMAIL", "EMAIL"),
            ("type", "application/ld+json", "application/ld+json"),
            ("type", "Jane", None),
            ("type", "text/jane@x", None),
            ("rel", "stylesheet jane preload", "stylesheet preload"),
            ("rel", "", ""),
            ("dir", "rtl", "rtl"),
            ("aria-live", "polite", "polite"),
            ("aria-live", "Jane", None),
            ("target", "_blank", "_blank"),
            ("target", "jane", None),
            ("preserveaspectratio", "xMidYMid meet", "xMidYMid meet"),
            ("rr_mediastate", "paused", "paused"),
        ],
    )
    def test_words(self, attribute: str, value: str, kept: str | None) -> None:
        assert shapes.words_of(attribute)(value) == kept

    @pytest.mark.parametrize(
        ("value", "kept"),
        [("en", True), ("zh-Hant-TW", True), ("", True), ("Jane Doe", False), ("en-jane-doe-x-y-z", False)],
    )
    def test_languages(self, value: str, kept: bool) -> None:  # noqa: FBT001
        assert (shapes.decide_language(value) == value) is kept

    @pytest.mark.parametrize(
        ("value", "kept"),
        [("utf-8", True), ("ISO-8859-15", True), ("Shift_JIS", True), ("jane doe", False), ("secret", False)],
    )
    def test_charsets(self, value: str, kept: bool) -> None:  # noqa: FBT001
        assert (shapes.decide_charset(value) == value) is kept

    @given(st.text(max_size=40))
    def test_no_value_raises(self, value: str) -> None:
        for rule in (
            shapes.decide_measure,
            shapes.decide_geometry,
            shapes.decide_transform,
            shapes.decide_paint,
            shapes.decide_language,
            shapes.decide_charset,
            shapes.decide_media,
            shapes.words_of("type"),
        ):
            rule(value)

    def test_hostile_transforms_take_linear_time(self) -> None:
        shapes.decide_transform("translate(" + "1 " * 50_000)
        shapes.decide_transform("translate(1)" * 10_000 + "x")


class TestDataUrls:
    @pytest.mark.parametrize(
        ("url", "raster", "embedded"),
        [
            ("data:image/png;base64,iVBORw0KGgoAAAA=", True, True),
            ("DATA:IMAGE/PNG;BASE64,iVBORw0KGgoAAAA=", True, True),
            ("data:image/jpeg;base64,/9j/4AAQ", True, True),
            ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", True, True),
            ("data:font/woff2;base64,d09GMgABAAAA", False, True),
            ("data:application/font-woff;base64,d09GRgABAAAA", False, True),
            ("data:image/png;base64,SmFuZQ==", False, False),
            ("data:image/png;base64,iVBORw0KGgo Jane", False, False),
            ("data:image/png;base64,iVBORw0KGgo<svg>", False, False),
            ("data:image/png,iVBORw0KGgo", False, False),
            ("data:image/png;name=jane.png;base64,iVBORw0KGgo", False, False),
            ("data:image/svg+xml;base64,PHN2Zz4=", False, False),
            ("data:text/html;base64,iVBORw0KGgo", False, False),
            ("data:application/pdf;base64,JVBERi0=", False, False),
            ("data:image/png;base64,iVBORw0KGgo\u00e9", False, False),
            ("https://a.test/x.png", False, False),
            ("", False, False),
        ],
    )
    def test_only_what_it_says_it_is(self, url: str, raster: bool, embedded: bool) -> None:  # noqa: FBT001
        assert is_raster(url) is raster
        assert is_raster_or_font(url) is embedded


class TestDecisions:
    def test_a_value_is_decided_once(self) -> None:
        calls: list[str] = []

        def decide(value: str) -> str:
            calls.append(value)
            return value.upper()

        decisions = Decisions(decide)
        assert [decisions["a"], decisions["a"], decisions["b"]] == ["A", "A", "B"]
        assert calls == ["a", "b"]

    def test_it_stays_within_its_bounds(self) -> None:
        decisions = Decisions(lambda value: value)
        for number in range(3 * MAX_CACHED_VALUES):
            assert decisions[str(number)] == str(number)
        assert len(decisions) <= MAX_CACHED_VALUES
        for number in range(2_000):
            assert decisions[str(number).zfill(1_000)]
        assert sum(map(len, decisions)) <= MAX_HELD_CHARACTERS

    def test_long_values_are_not_held(self) -> None:
        decisions = Decisions(lambda value: value)
        assert decisions["x" * 5_000]
        assert len(decisions) == 0

    def test_scalars_are_dropped_unless_a_rule_says_otherwise(self) -> None:
        assert Decisions(lambda value: value).scalar(5) is None
