"""The table of levels (carrier by carrier), as the masker answers it."""

from collections.abc import Mapping

import pytest

from engine.masking import flags as f
from engine.masking.elements import own_flags
from engine.masking.levels import Level
from engine.masking.masker import Masker
from schemas.rrweb_nodes import AttributeValue

C, M, L = Level.CONSERVATIVE, Level.MEDIUM, Level.LIGHT
MASKERS = {level: Masker(level) for level in Level}
KEPT = object()
DROPPED = object()
STARS = "***"
SHEET = "https://a.test/x.css?v=***"


def shown(
    level: Level, tag: str, attributes: Mapping[str, AttributeValue], extra: int = 0
) -> dict[str, AttributeValue]:
    return MASKERS[level].attributes(tag, own_flags(tag, attributes, "-" in tag) | extra, attributes)


def expected(value: AttributeValue, expectation: object) -> object:
    return value if expectation is KEPT else expectation


TEXTS = [
    # flags of the parent, text, conservative, medium, light
    ("page text", 0, "Jane Doe", "**** ***", "Jane Doe", "Jane Doe"),
    ("title", f.TITLE, "Jane Doe", "**** ***", "Jane Doe", "Jane Doe"),
    ("button", f.INTERACTIVE, "Pay now", "*** ***", "Pay now", "Pay now"),
    ("white space", 0, " \n\t ", " \n\t ", " \n\t ", " \n\t "),
    ("no-break space", 0, "a\u00a0b", "*\u00a0*", "a\u00a0b", "a\u00a0b"),
    ("non-ascii", 0, "Zoë 東京", "*** **", "Zoë 東京", "Zoë 東京"),
    ("field text", f.FIELD_TEXT, "Jane", STARS, STARS, "Jane"),
    ("field text with a secret", f.FIELD_TEXT, "jane@example.com", STARS, STARS, STARS),
    ("empty field text", f.FIELD_TEXT, "", "", "", ""),
    ("white space between options", f.FIELD_TEXT, "\n  ", "\n  ", "\n  ", "\n  "),
    ("sensitive field text", f.FIELD_TEXT | f.SENSITIVE, "Jane", STARS, STARS, STARS),
    ("editable", f.EDITABLE, "Jane", STARS, STARS, "Jane"),
    ("editable with a secret", f.EDITABLE, "call 555 123 4567", STARS, STARS, STARS),
    ("sensitive editable", f.EDITABLE | f.SENSITIVE, "Jane", STARS, STARS, STARS),
    ("script", f.DROPPED_TEXT, "SCRIPT_PLACEHOLDER", "", "", ""),
    ("style", f.STYLE_TEXT, 'a{content:"x"}', 'a{content:""}', 'a{content:""}', 'a{content:""}'),
    ("masked", f.MASKED, "Jane Doe", "**** ***", "**** ***", "**** ***"),
    ("masked beats unmasked", f.MASKED | f.UNMASKED, "Jane", "****", "****", "****"),
    ("unmasked", f.UNMASKED, "Jane", "Jane", "Jane", "Jane"),
    ("unmasked field", f.UNMASKED | f.FIELD_TEXT, "Jane", "Jane", "Jane", "Jane"),
    ("unmasked field with a secret", f.UNMASKED | f.FIELD_TEXT, "4111 1111", STARS, STARS, STARS),
    ("floor beats unmasked", f.UNMASKED | f.FLOOR | f.FIELD_TEXT, "Jane", STARS, STARS, STARS),
    ("unknown", f.UNKNOWN, "Jane", "****", "****", "****"),
    ("unknown beats unmasked", f.UNKNOWN | f.UNMASKED, "Jane", "****", "****", "****"),
    ("blocked", f.BLOCKED, "Jane", "", "", ""),
    ("blocked beats all", f.BLOCKED | f.UNMASKED | f.STYLE_TEXT, "Jane", "", "", ""),
]


@pytest.mark.parametrize(
    ("flags", "text", "conservative", "medium", "light"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS]
)
def test_texts(flags: int, text: str, conservative: str, medium: str, light: str) -> None:
    assert {level: MASKERS[level].text(text, flags) for level in Level} == {C: conservative, M: medium, L: light}


ATTRIBUTES: list[tuple[str, dict[str, AttributeValue], str, object, object, object]] = [
    # tag, attributes, the attribute looked at, conservative, medium, light
    ("input", {"type": "text", "value": "Jane"}, "value", STARS, STARS, KEPT),
    ("input", {"type": "text", "value": ""}, "value", "", "", ""),
    ("input", {"type": "text", "value": "jane@example.com"}, "value", STARS, STARS, STARS),
    ("input", {"type": "email", "value": "Jane"}, "value", STARS, STARS, STARS),
    ("input", {"type": "password", "value": "Jane"}, "value", STARS, STARS, STARS),
    ("input", {"type": "hidden", "value": "Jane"}, "value", STARS, STARS, STARS),
    ("input", {"type": "file", "value": "cv-jane.pdf"}, "value", STARS, STARS, STARS),
    ("input", {"type": "submit", "value": "Pay"}, "value", STARS, STARS, KEPT),
    ("input", {"type": "radio", "value": "female"}, "value", STARS, STARS, KEPT),
    ("input", {"type": "nonsense", "value": "Jane"}, "value", STARS, STARS, KEPT),
    ("textarea", {"value": "Jane"}, "value", STARS, STARS, KEPT),
    ("select", {"value": "Jane"}, "value", STARS, STARS, KEPT),
    ("button", {"value": "Jane"}, "value", STARS, STARS, KEPT),
    ("option", {"value": "Jane"}, "value", STARS, STARS, KEPT),
    ("param", {"value": "Jane"}, "value", STARS, STARS, KEPT),
    ("li", {"value": "3"}, "value", KEPT, KEPT, KEPT),
    ("li", {"value": "Jane"}, "value", DROPPED, DROPPED, DROPPED),
    ("progress", {"value": "0.7"}, "value", KEPT, KEPT, KEPT),
    ("meter", {"value": 7}, "value", KEPT, KEPT, KEPT),
    ("input", {"type": "checkbox", "checked": True}, "checked", DROPPED, DROPPED, KEPT),
    ("input", {"type": "radio", "name": "otp", "checked": True}, "checked", DROPPED, DROPPED, DROPPED),
    ("option", {"selected": True}, "selected", DROPPED, DROPPED, KEPT),
    ("option", {"label": "Jane"}, "label", STARS, STARS, KEPT),
    ("optgroup", {"label": "Jane"}, "label", STARS, STARS, KEPT),
    ("track", {"label": "Jane"}, "label", STARS, KEPT, KEPT),
    ("my-input", {"value": "Jane"}, "value", STARS, STARS, KEPT),
    ("date-picker", {"title": "Jane"}, "title", STARS, STARS, KEPT),
    ("x-card", {"holder": "Jane"}, "holder", STARS, KEPT, KEPT),
    ("x-card", {"label": "Jane Doe"}, "label", STARS, "masked", "masked"),
    ("x-card", {"title": "Jane Doe"}, "title", STARS, KEPT, KEPT),
    ("x-card", {"aria-label": "Jane Doe"}, "aria-label", STARS, KEPT, KEPT),
    ("data", {"value": "Jane Doe"}, "value", STARS, KEPT, KEPT),
    ("li", {"value": "Jane Doe"}, "value", DROPPED, DROPPED, DROPPED),
    ("span", {"value": "Jane Doe"}, "value", STARS, STARS, KEPT),
    ("x-field", {"type": "password", "value": "Jane"}, "value", STARS, STARS, STARS),
    ("svg:input", {"type": "password", "value": "Jane"}, "value", STARS, STARS, STARS),
    ("x-card", {"holder": "Jane Doe"}, "holder", STARS, "masked", "masked"),
    ("div", {"title": "Jane"}, "title", STARS, KEPT, KEPT),
    ("img", {"alt": "Jane"}, "alt", STARS, KEPT, KEPT),
    ("input", {"placeholder": "Name"}, "placeholder", STARS, STARS, KEPT),
    ("input", {"type": "tel", "placeholder": "Jane"}, "placeholder", STARS, STARS, STARS),
    ("input", {"placeholder": "jane@example.com"}, "placeholder", STARS, STARS, STARS),
    ("div", {"aria-label": "Jane"}, "aria-label", STARS, KEPT, KEPT),
    ("div", {"aria-valuetext": "Jane"}, "aria-valuetext", STARS, KEPT, KEPT),
    ("div", {"aria-future": "Jane"}, "aria-future", STARS, KEPT, KEPT),
    ("input", {"aria-label": "Jane"}, "aria-label", STARS, STARS, KEPT),
    ("div", {"role": "textbox", "aria-label": "Jane"}, "aria-label", STARS, STARS, KEPT),
    ("div", {"aria-hidden": "true"}, "aria-hidden", KEPT, KEPT, KEPT),
    ("div", {"aria-expanded": "false"}, "aria-expanded", KEPT, KEPT, KEPT),
    ("div", {"aria-expanded": "Jane"}, "aria-expanded", DROPPED, DROPPED, DROPPED),
    ("div", {"aria-labelledby": "name-label hint_1"}, "aria-labelledby", KEPT, KEPT, KEPT),
    ("div", {"aria-labelledby": "hint"}, "aria-labelledby", KEPT, KEPT, KEPT),
    ("div", {"aria-labelledby": "Jane Doe"}, "aria-labelledby", "masked", "masked", "masked"),
    ("td", {"headers": "Jane Doe"}, "headers", "masked", "masked", "masked"),
    ("input", {"name": "Jane Doe"}, "name", "masked", "masked", "masked"),
    ("p", {"id": "Jane Doe"}, "id", "masked", "masked", "masked"),
    ("p", {"class": "card is-new"}, "class", KEPT, KEPT, KEPT),
    ("div", {"aria-labelledby": "user-1234567"}, "aria-labelledby", "masked", "masked", "masked"),
    ("th", {"abbr": "Jane"}, "abbr", STARS, KEPT, KEPT),
    ("a", {"download": "jane.pdf"}, "download", STARS, KEPT, KEPT),
    ("time", {"datetime": "1980-02-03"}, "datetime", STARS, KEPT, KEPT),
    ("div", {"data-id": "42"}, "data-id", STARS, "masked", "masked"),
    ("div", {"data-kind": "primary"}, "data-kind", STARS, KEPT, KEPT),
    ("div", {"data-v-72310680": ""}, "data-v-72310680", KEPT, KEPT, KEPT),
    ("div", {"eyJhbGciOiJIUzI1NiJ9": ""}, "eyJhbGciOiJIUzI1NiJ9", DROPPED, DROPPED, DROPPED),
    ("div", {"data-count": 5}, "data-count", STARS, STARS, STARS),
    ("input", {"data-kind": "primary"}, "data-kind", STARS, STARS, STARS),
    ("div", {"pattern": "Jane"}, "pattern", STARS, KEPT, KEPT),
    ("div", {"future": "Jane Doe"}, "future", STARS, "masked", "masked"),
    ("div", {"id": "main"}, "id", KEPT, KEPT, KEPT),
    ("div", {"id": "user-1234567"}, "id", "masked", "masked", "masked"),
    ("input", {"name": "user[email]"}, "name", "masked", "masked", "masked"),
    ("div", {"class": "btn btn-primary"}, "class", KEPT, KEPT, KEPT),
    ("div", {"class": "btn jane@example.com x"}, "class", "btn masked x", "btn masked x", "btn masked x"),
    ("a", {"href": "https://a.test/x?q=1#y"}, "href", "https://a.test/", "https://a.test/x?q=***",
    "https://a.test/x?q=***"),
    ("a", {"href": "https://shop.test/x?a=1#"}, "href", "https://shop.test/#", *2 * ("https://shop.test/x?a=***#",)),
    ("a", {"href": "https://shop.test/x#jane"}, "href", "https://shop.test/", *2 * ("https://shop.test/x",)),
    ("a", {"href": "mailto:jane@example.com"}, "href", "mailto:", "mailto:", "mailto:"),
    ("a", {"href": "javascript:f('Jane')"}, "href", "javascript:", "javascript:", "javascript:"),
    ("form", {"action": "https://a.test/x?q=1"}, "action", "https://a.test/", "https://a.test/x?q=***",
    "https://a.test/x?q=***"),
    ("button", {"formaction": "https://a.test/x"}, "formaction", "https://a.test/", KEPT, KEPT),
    ("a", {"ping": "https://a.test/x"}, "ping", "https://a.test/", KEPT, KEPT),
    ("q", {"cite": "https://a.test/x"}, "cite", "https://a.test/", KEPT, KEPT),
    ("img", {"src": "https://a.test/x.png"}, "src", DROPPED, KEPT, KEPT),
    ("img", {"src": "blob:https://a.test/1"}, "src", DROPPED, DROPPED, DROPPED),
    ("img", {"src": "data:image/png;base64,iVBORw0KGgoAAAA="}, "src", DROPPED, KEPT, KEPT),
    ("img", {"src": "data:image/svg+xml,<svg/>"}, "src", DROPPED, DROPPED, DROPPED),
    ("img", {"srcset": "https://a.test/x.png?u=7 2x"}, "srcset", DROPPED, "https://a.test/x.png?u=*** 2x",
    "https://a.test/x.png?u=*** 2x"),
    ("link", {"imagesrcset": "https://a.test/x.png 2x"}, "imagesrcset", DROPPED, KEPT, KEPT),
    ("video", {"poster": "https://a.test/x.png"}, "poster", DROPPED, KEPT, KEPT),
    ("body", {"background": "https://a.test/x.png"}, "background", DROPPED, KEPT, KEPT),
    ("object", {"data": "https://a.test/x.pdf"}, "data", DROPPED, KEPT, KEPT),
    ("html", {"manifest": "https://a.test/x"}, "manifest", DROPPED, KEPT, KEPT),
    ("iframe", {"rr_src": "https://a.test/x"}, "rr_src", "https://a.test/", KEPT, KEPT),
    ("svg", {"xlink:href": "https://a.test/x"}, "xlink:href", "https://a.test/", KEPT, KEPT),
    ("use", {"xlink:href": "#icon"}, "xlink:href", KEPT, KEPT, KEPT),
    ("use", {"href": "#access_token=eyJhbGciOi"}, "href", DROPPED, DROPPED, DROPPED),
    ("image", {"href": "https://a.test/x.png"}, "href", DROPPED, KEPT, KEPT),
    ("link", {"rel": "stylesheet", "href": "https://a.test/x.css?v=1"}, "href", SHEET, SHEET, SHEET),
    ("link", {"rel": "icon", "href": "https://a.test/x.ico"}, "href", "https://a.test/", KEPT, KEPT),
    ("iframe", {"srcdoc": "<p>Jane"}, "srcdoc", DROPPED, DROPPED, DROPPED),
    ("div", {"onclick": "f('Jane')"}, "onclick", DROPPED, DROPPED, DROPPED),
    ("div", {"onfuture": "Jane"}, "onfuture", DROPPED, DROPPED, DROPPED),
    ("script", {"nonce": "abc"}, "nonce", DROPPED, DROPPED, DROPPED),
    ("script", {"integrity": "sha256-x"}, "integrity", DROPPED, DROPPED, DROPPED),
    ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}, "content", KEPT, KEPT, KEPT),
    ("meta", {"name": "viewport", "content": "Jane"}, "content", STARS, STARS, STARS),
    ("meta", {"name": "theme-color", "content": "#fff"}, "content", KEPT, KEPT, KEPT),
    ("meta", {"name": "color-scheme", "content": "light dark"}, "content", KEPT, KEPT, KEPT),
    ("meta", {"name": "csrf-token", "content": "Jane"}, "content", STARS, STARS, STARS),
    ("meta", {"charset": "utf-8"}, "charset", KEPT, KEPT, KEPT),
    ("div", {"style": "color: red"}, "style", KEPT, KEPT, KEPT),
    ("div", {"style": "--user: Jane"}, "style", "--user:initial", "--user:initial", "--user:initial"),
    ("style", {"_cssText": ".a { color: red; }"}, "_cssText", KEPT, KEPT, KEPT),
    ("canvas", {"rr_dataURL": "data:image/png;base64,iVBORw0KGgoAAAA="}, "rr_dataURL", DROPPED, DROPPED, DROPPED),
    ("div", {"rr_scrollTop": 120}, "rr_scrollTop", KEPT, KEPT, KEPT),
    ("div", {"rr_width": "120px"}, "rr_width", KEPT, KEPT, KEPT),
    ("div", {"rr_future": "Jane"}, "rr_future", DROPPED, DROPPED, DROPPED),
    ("video", {"rr_mediaState": "played"}, "rr_mediaState", KEPT, KEPT, KEPT),
    ("video", {"rr_mediaMuted": True}, "rr_mediaMuted", KEPT, KEPT, KEPT),
    ("dialog", {"rr_open_mode": "modal"}, "rr_open_mode", KEPT, KEPT, KEPT),
    ("input", {"type": "email"}, "type", KEPT, KEPT, KEPT),
    ("input", {"type": "Jane"}, "type", DROPPED, DROPPED, DROPPED),
    ("script", {"type": "text/javascript"}, "type", KEPT, KEPT, KEPT),
    ("div", {"role": "button"}, "role", KEPT, KEPT, KEPT),
    ("div", {"role": "Jane"}, "role", DROPPED, DROPPED, DROPPED),
    ("html", {"lang": "en-GB"}, "lang", KEPT, KEPT, KEPT),
    ("html", {"lang": "this is Jane"}, "lang", DROPPED, DROPPED, DROPPED),
    ("a", {"target": "_blank"}, "target", KEPT, KEPT, KEPT),
    ("input", {"maxlength": 4}, "maxlength", KEPT, KEPT, KEPT),
    ("input", {"maxlength": 4111111111111111}, "maxlength", DROPPED, DROPPED, DROPPED),
    ("svg", {"viewBox": "0 0 24 24"}, "viewBox", KEPT, KEPT, KEPT),
    ("path", {"d": "M0 0L10 10z"}, "d", KEPT, KEPT, KEPT),
    ("path", {"d": "4111111111111111"}, "d", DROPPED, DROPPED, DROPPED),
    ("path", {"fill": "url(#grad)"}, "fill", KEPT, KEPT, KEPT),
    ("path", {"fill": "Jane"}, "fill", DROPPED, DROPPED, DROPPED),
    ("g", {"transform": "translate(1, 2) rotate(45)"}, "transform", KEPT, KEPT, KEPT),
    ("g", {"transform": "Jane"}, "transform", DROPPED, DROPPED, DROPPED),
    ("input", {"disabled": "Jane"}, "disabled", "", "", ""),
    ("link", {"media": "(min-width: 600px)"}, "media", KEPT, KEPT, KEPT),
    ("link", {"media": "Jane"}, "media", DROPPED, DROPPED, DROPPED),
    ("img", {"sizes": "(max-width: 600px) 100vw, 50vw"}, "sizes", KEPT, KEPT, KEPT),
    ("svg", {"xmlns": "http://www.w3.org/2000/svg"}, "xmlns", KEPT, KEPT, KEPT),
    ("svg", {"xmlns:jane": "x"}, "xmlns:jane", DROPPED, DROPPED, DROPPED),
    ("div", {"jane@example.com": "x"}, "jane@example.com", DROPPED, DROPPED, DROPPED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "attributes", "name", "conservative", "medium", "light"),
    ATTRIBUTES,
    ids=[f"{row[0]}-{row[2]}-{index}" for index, row in enumerate(ATTRIBUTES)],
)
def test_attributes(
    tag: str, attributes: dict[str, AttributeValue], name: str, conservative: object, medium: object, light: object
) -> None:
    for level, expectation in {C: conservative, M: medium, L: light}.items():
        answer = shown(level, tag, attributes).get(name, DROPPED)
        assert answer == expected(attributes[name], expectation), level


@pytest.mark.parametrize("level", Level)
class TestAtEveryLevel:
    def test_names_are_compared_without_case(self, level: Level) -> None:
        assert shown(level, "div", {"ONCLICK": "x", "SrcDoc": "x", "NONCE": "x"}) == {}
        assert MASKERS[level].attributes("input", f.FIELD | f.FLOOR, {"VALUE": "Jane"}) == {"VALUE": STARS}

    def test_a_name_that_only_unicode_folding_makes_known_is_unknown(self, level: Level) -> None:
        # The Kelvin sign lower-cases to k.
        assert shown(level, "div", {"\u212aind": "Jane", "clas\u017f": "Jane"}) == {}

    def test_a_blocked_element_keeps_its_size_only(self, level: Level) -> None:
        attributes: dict[str, AttributeValue] = {"class": "rr-block", "rr_width": "9px", "rr_height": "9px", "id": "x"}
        assert shown(level, "div", attributes, f.BLOCKED) == {"rr_width": "9px", "rr_height": "9px"}

    @pytest.mark.parametrize("tag", ["div", "meta", "link", "use", "li"])
    def test_an_unknown_element_keeps_structural_attributes_only(self, level: Level, tag: str) -> None:
        attributes: dict[str, AttributeValue] = {
            "href": "https://a.test/x", "title": "Jane", "value": "9", "content": "#fff", "name": "theme-color",
            "data-x": "y", "rel": "stylesheet", "src": "https://a.test/x", "width": "5",
        }  # fmt: skip
        assert shown(level, tag, attributes, f.UNKNOWN) == {"name": "theme-color", "rel": "stylesheet", "width": "5"}

    def test_masking_makes_any_level_conservative(self, level: Level) -> None:
        attributes: dict[str, AttributeValue] = {"title": "Jane", "src": "https://a.test/x", "data-x": "y"}
        assert shown(level, "div", attributes, f.MASKED | f.UNMASKED) == {"title": STARS, "data-x": STARS}

    def test_unmasking_makes_any_level_light(self, level: Level) -> None:
        attributes: dict[str, AttributeValue] = {"type": "text", "value": "Jane", "checked": True}
        assert shown(level, "input", attributes, f.UNMASKED) == attributes

    def test_the_floor_cannot_be_unmasked(self, level: Level) -> None:
        attributes: dict[str, AttributeValue] = {"type": "password", "value": "Jane", "placeholder": "Jane"}
        shown_attributes = shown(level, "input", attributes, f.UNMASKED)
        assert shown_attributes == {"type": "password", "value": STARS, "placeholder": STARS}
        assert MASKERS[level].input_text("Jane", f.FIELD | f.FLOOR | f.UNMASKED) == STARS
        assert MASKERS[level].is_checked(True, f.FIELD | f.FLOOR | f.UNMASKED) is False

    def test_input_events_of_unknown_and_blocked_nodes_tell_nothing(self, level: Level) -> None:
        assert MASKERS[level].input_text("Jane", f.UNKNOWN) == STARS
        assert MASKERS[level].input_text("Jane", f.BLOCKED) == ""
        assert MASKERS[level].input_text("", f.FIELD) == ""

    def test_no_attributes_are_no_attributes(self, level: Level) -> None:
        assert MASKERS[level].attributes("div", 0, {}) == {}
        assert MASKERS[level].attribute_changes("div", 0, {}) == {}

    def test_wrong_types_are_dropped_or_masked(self, level: Level) -> None:
        odd: dict[str, AttributeValue] = {"href": 5, "style": True, "class": 7, "id": 3.5, "title": 4111111, "d": True}
        answer = MASKERS[level].attributes("div", 0, odd)
        assert "href" not in answer or answer["href"] == ""
        assert "style" not in answer
        assert answer["class"] == answer["id"] == STARS

    def test_null_in_a_snapshot_is_dropped(self, level: Level) -> None:
        assert MASKERS[level].attributes("div", 0, {"title": None, "class": None}) == {}

    def test_true_and_one_are_not_mixed_up(self, level: Level) -> None:
        masker = Masker(level)
        assert repr(masker.attributes("td", 0, {"colspan": 1, "rowspan": True})) == "{'colspan': 1, 'rowspan': True}"
        assert (
            repr(masker.attributes("td", 0, {"colspan": True, "rowspan": 1.0})) == "{'colspan': True, 'rowspan': 1.0}"
        )


class TestChanges:
    def test_removals_are_kept_for_names_that_may_show(self) -> None:
        removed: dict[str, None] = dict.fromkeys(["class", "title", "disabled", "srcdoc", "onclick", "jane@x.test"])
        assert MASKERS[M].attribute_changes("div", 0, removed) == dict.fromkeys(["class", "title", "disabled"])

    def test_the_removal_of_a_dropped_state_tells_nothing(self) -> None:
        assert MASKERS[M].attribute_changes("input", f.FIELD, {"checked": None}) == {}
        assert MASKERS[L].attribute_changes("input", f.FIELD, {"checked": None}) == {"checked": None}

    def test_a_value_change_is_masked_like_the_snapshot(self) -> None:
        for level, kept in ((C, STARS), (M, STARS), (L, "Jane")):
            assert MASKERS[level].attribute_changes("input", f.FIELD, {"value": "Jane"}) == {"value": kept}

    def test_style_differences_are_judged_by_property(self) -> None:
        change = MASKERS[M].attribute_changes(
            "div", 0, {"style": {"color": "red", "content": '"Jane"', "--user": "Jane", "top": False, "jane@x": "1"}}
        )
        assert change == {"style": {"color": "red", "content": '""', "--user": "initial", "top": False}}

    def test_priorities_survive_and_nothing_else_does(self) -> None:
        change = MASKERS[M].attribute_changes(
            "div", 0, {"style": {"color": ["red", "important"], "top": ["1px", "Jane"], "left": [], "right": True}}
        )
        assert change == {"style": {"color": ["red", "important"], "top": "1px"}}

    def test_a_difference_of_another_attribute_is_dropped(self) -> None:
        assert MASKERS[M].attribute_changes("div", 0, {"title": {"color": "red"}, "_cssText": {"a": "b"}}) == {}

    def test_style_differences_below_a_block_are_dropped(self) -> None:
        assert MASKERS[M].attribute_changes("div", f.BLOCKED, {"style": {"color": "red"}, "class": "x"}) == {}

    def test_a_changed_link_without_its_kind_is_judged_as_any_link(self) -> None:
        changes = {"href": "https://a.test/x.css?v=1"}
        assert MASKERS[C].attribute_changes("link", 0, changes) == {"href": "https://a.test/"}
        assert (
            MASKERS[C].attribute_changes("link", 0, {**changes, "rel": "stylesheet"})["href"]
            == "https://a.test/x.css?v=***"
        )

    def test_changed_meta_content_is_masked(self) -> None:
        assert MASKERS[L].attribute_changes("meta", 0, {"content": "#fff"}) == {"content": STARS}


def test_titles_and_labels_follow_the_page_text_rule() -> None:
    assert [MASKERS[level].title("Jane Doe") for level in Level] == ["**** ***", "Jane Doe", "Jane Doe"]
    assert MASKERS[M].text_label("x" * 500) == "x" * 200


def test_keyed_tokens_are_stable_within_a_key_and_differ_between_keys() -> None:
    one, same, other = (Masker(M, key) for key in (b"one", b"one", b"two"))
    token = one.identifier("user-1234567")
    assert token == same.identifier("user-1234567") != other.identifier("user-1234567")
    assert token != one.identifier("user-1234568")
    assert one.identifier(token) == token
    assert one.attributes("div", 0, {"class": "a user-1234567"}) == {"class": f"a {token}"}


def test_a_class_and_its_style_sheet_get_the_same_token() -> None:
    masker = Masker(M, b"key")
    shown_class = masker.attributes("div", 0, {"class": "w-1/2"})["class"]
    assert masker.css(r".w-1\/2{width:50%}") == f".{shown_class}{{width:50%}}"


def test_without_a_key_a_masked_class_matches_no_masked_rule() -> None:
    masker = Masker(M)
    assert masker.attributes("div", 0, {"class": "w-1/2"}) == {"class": "masked"}
    assert ".masked{" not in masker.css(r".w-1\/2{width:50%}")
