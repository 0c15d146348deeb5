"""The leak vectors of the catalogue that pure rules decide; the others need the page's state and are tested there."""

import pytest

from engine.masking import flags as f
from engine.masking.elements import own_flags
from engine.masking.levels import Level
from engine.masking.masker import Masker
from schemas.rrweb_nodes import AttributeValue

C, M, L = (Masker(level, b"key") for level in (Level.CONSERVATIVE, Level.MEDIUM, Level.LIGHT))
ALL = (C, M, L)
STARS = "***"


def attributes(
    masker: Masker, tag: str, values: dict[str, AttributeValue], extra: int = 0
) -> dict[str, AttributeValue]:
    return masker.attributes(tag, own_flags(tag, values, "-" in tag) | extra, values)


@pytest.mark.parametrize("masker", [C, M])
class TestMaskedAtConservativeAndMedium:
    def test_01_value_in_the_snapshot_like_in_input_events(self, masker: Masker) -> None:
        assert attributes(masker, "input", {"value": "Jane"})["value"] == masker.input_text("Jane", f.FIELD) == STARS

    def test_02_value_as_attribute_mutation(self, masker: Masker) -> None:
        assert masker.attribute_changes("input", f.FIELD, {"value": "Jane"}) == {"value": STARS}

    def test_03_text_of_a_textarea(self, masker: Masker) -> None:
        assert masker.text("Jane", own_flags("textarea", {}, is_custom=False)) == STARS

    def test_04_options(self, masker: Masker) -> None:
        own = own_flags("option", {}, is_custom=False)
        assert masker.text("Jane", own) == STARS
        assert attributes(masker, "option", {"label": "Jane", "value": "Jane", "selected": True}) == {
            "label": STARS,
            "value": STARS,
        }
        assert attributes(masker, "optgroup", {"label": "Jane"}) == {"label": STARS}

    def test_05_radio_and_checkbox_tell_neither_value_nor_state(self, masker: Masker) -> None:
        assert attributes(masker, "input", {"type": "radio", "value": "female", "checked": True}) == {
            "type": "radio",
            "value": STARS,
        }
        assert masker.is_checked(True, f.FIELD | f.CHOICE) is False

    def test_15_editable_elements(self, masker: Masker) -> None:
        for values in (
            {"contenteditable": ""},
            {"contenteditable": "plaintext-only"},
            {"role": "textbox"},
            {"role": "combobox"},
        ):
            assert masker.text("Jane", own_flags("div", dict(values), is_custom=False)) == STARS

    def test_33_console_and_errors(self, masker: Masker) -> None:
        assert b"Jane" not in (
            masker.plugin("rrweb/console@1", b'{"level":"log","payload":["\\"<b>Jane</b>\\""]}') or b""
        )
        assert "Jane" not in masker.error_message("Error: no account for Jane")


@pytest.mark.parametrize("masker", ALL)
class TestAtEveryLevel:
    def test_05_hidden_inputs_and_file_names(self, masker: Masker) -> None:
        for kind in ("hidden", "file", "password"):
            assert attributes(masker, "input", {"type": kind, "value": "Jane"})["value"] == STARS

    def test_06_a_masked_form_field(self, masker: Masker) -> None:
        assert attributes(masker, "input", {"value": "Jane", "placeholder": "Jane"}, f.MASKED) == {
            "value": STARS,
            "placeholder": STARS,
        }
        assert masker.input_text("Jane", f.FIELD | f.MASKED) == STARS

    def test_07_attributes_below_a_mask(self, masker: Masker) -> None:
        names = (
            "placeholder",
            "title",
            "alt",
            "aria-label",
            "value",
            "data-name",
            "download",
            "label",
            "aria-valuetext",
            "abbr",
        )
        values: dict[str, AttributeValue] = dict.fromkeys(names, "Jane")
        assert attributes(masker, "div", values, f.MASKED) == dict.fromkeys(names, STARS)

    def test_08_markup_inside_an_attribute(self, masker: Masker) -> None:
        assert attributes(masker, "iframe", {"srcdoc": "<p>Jane", "SRCDOC": "<p>Jane"}) == {}

    def test_09_masks_and_blocks_cross_a_shadow_root_and_unmasking_does_not(self, masker: Masker) -> None:
        host = f.MASKED | f.UNMASKED
        assert masker.text("Jane", host & f.CROSSES_ROOT) == "****"
        assert masker.text("Jane", f.BLOCKED & f.CROSSES_ROOT) == ""
        assert not f.UNMASKED & f.CROSSES_ROOT

    def test_10_text_below_a_mask(self, masker: Masker) -> None:
        assert masker.text("Jane", f.MASKED & f.INHERITED) == "****"

    def test_11_nothing_below_a_block(self, masker: Masker) -> None:
        assert masker.text("Jane", f.BLOCKED & f.INHERITED) == ""
        assert (
            masker.attribute_changes("b", f.BLOCKED, {"title": "Jane", "class": "x", "style": {"color": "red"}}) == {}
        )
        assert masker.input_text("Jane", f.BLOCKED) == ""

    def test_12_a_shown_password_stays_a_password(self, masker: Masker) -> None:
        was = own_flags("input", {"type": "password"}, is_custom=False) & f.STICKY
        now = own_flags("input", {"type": "text"}, is_custom=False) | was
        assert masker.input_text("Jane", now) == STARS
        assert (
            attributes(masker, "input", {"type": "text", "data-rr-is-password": "true", "value": "Jane"})["value"]
            == STARS
        )

    def test_13_the_floor_beats_unmasking(self, masker: Masker) -> None:
        for values in ({"type": "password"}, {"autocomplete": "cc-number"}, {"name": "cvv"}):
            own = own_flags("input", dict(values), is_custom=False)
            assert masker.input_text("Jane", own | f.UNMASKED) == STARS

    def test_14_autocomplete_tokens_anywhere_and_in_any_case(self, masker: Masker) -> None:
        for value in ("section-a billing cc-number", "CC-Number", "one-time-code webauthn"):
            own = own_flags("select", {"autocomplete": value}, is_custom=False)
            assert masker.input_text("Jane", own) == STARS
            assert masker.text("Jane", own & f.INHERITED | own_flags("option", {}, is_custom=False)) == STARS

    def test_17_tokens_in_addresses(self, masker: Masker) -> None:
        assert (
            masker.url("https://a.test/reset/eyJhbGciOiJIUzI1NiJ9?token=x#id_token=y")
            == "https://a.test/reset/***?token=***"
        )

    def test_18_headers_and_bodies(self, masker: Masker) -> None:
        request = (
            b'{"requests":[{"name":"/x","requestHeaders":{"X-Auth":"Jane"},'
            b'"responseHeaders":{"Set-Cookie":"Jane"},"responseBody":"Jane"}]}'
        )
        assert b"Jane" not in (masker.plugin("rrweb/network@1", request) or b"")

    def test_19_click_breadcrumbs(self, masker: Masker) -> None:
        crumb = (
            b'{"category":"ui.click","message":"b[title=Jane]",'
            b'"data":{"node":{"id":1,"textContent":"Jane","attributes":{"title":"Jane"}}}}'
        )
        assert b"Jane" not in (masker.custom("breadcrumb", crumb) or b"")

    def test_24_css_in_all_its_places(self, masker: Masker) -> None:
        assert attributes(masker, "style", {"_cssText": 'a::after{content:"Jane"}/*Jane*/'}) == {
            "_cssText": 'a::after{content:""}'
        }
        assert masker.style_rule('a[title="Jane"]{--x:Jane}') == 'a[title=""]{--x:initial}'
        assert masker.style_property("--x", "Jane") == "initial"
        assert masker.attribute_changes("b", 0, {"style": {"content": '"Jane"'}}) == {"style": {"content": '""'}}

    def test_25_what_is_never_rendered(self, masker: Masker) -> None:
        for tag in ("script", "noscript", "template"):
            assert masker.text("Jane", own_flags(tag, {}, is_custom=False)) == ""
        assert attributes(masker, "meta", {"name": "csrf-token", "content": "Jane"})["content"] == STARS

    def test_26_documents_in_data_urls(self, masker: Masker) -> None:
        for url in ("data:image/svg+xml,<svg>Jane", "data:text/html,Jane", "blob:https://a.test/x"):
            assert "src" not in attributes(masker, "img", {"src": url})

    def test_27_pixels(self, masker: Masker) -> None:
        assert attributes(masker, "canvas", {"rr_dataURL": "data:image/png;base64,iVBORw0KGgo="}) == {}
        assert masker.asset(b'{"rr_type":"Blob","data":[]}') is None

    def test_30_unknown_nodes(self, masker: Masker) -> None:
        assert masker.text("Jane", f.UNKNOWN) == "****"
        assert masker.input_text("Jane", f.UNKNOWN) == STARS
        assert masker.attributes("div", f.UNKNOWN, {"title": "Jane", "data-x": "Jane", "href": "/Jane"}) == {}

    def test_31_unknown_keys_and_tags(self, masker: Masker) -> None:
        assert masker.custom("future", b'{"x":"Jane"}') is None
        assert masker.plugin("future@1", b'{"x":"Jane"}') is None
        assert masker.custom("visibility", b'{"state":"hidden","oldValue":"Jane"}') == b'{"state":"hidden"}'

    def test_32_one_character_boxes(self, masker: Masker) -> None:
        own = own_flags("input", {"maxlength": "1"}, is_custom=False)
        assert masker.input_text("7", own) == STARS

    def test_32_prefixes_of_a_card_from_the_seventh_digit(self, masker: Masker) -> None:
        typed = "4111 1111 1111 1111"
        for length in range(8, len(typed) + 1):
            assert masker.input_text(typed[:length], f.FIELD) == STARS

    def test_32_lengths_do_not_show(self, masker: Masker) -> None:
        own = own_flags("input", {"type": "password"}, is_custom=False)
        assert masker.input_text("a", own) == masker.input_text("a" * 50, own)


def test_16_an_address_inside_a_longer_value() -> None:
    assert L.input_text("write to jane@example.com please", f.FIELD) == STARS


def test_20_labels_show_what_playback_shows() -> None:
    for masker in ALL:
        assert masker.text_label("Pay Jane") == masker.text("Pay Jane", 0)


def test_23_css_survives_scrubbing() -> None:
    sheet = (
        "@media (min-width: 600px) { .a:hover > .b::before { color: rgba(1, 2, 3, 0.5); width: calc(100% - 1.5rem); } }"
    )
    assert M.css(sheet) == sheet
