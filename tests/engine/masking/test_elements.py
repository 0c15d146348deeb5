"""Which element is what."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.masking import elements
from engine.masking import flags as f
from engine.masking.elements import TAG_FLAGS, own_flags
from schemas.rrweb_nodes import AttributeValue


def flags(tag: str, **attributes: AttributeValue) -> int:
    return own_flags(tag, attributes, is_custom=False)


CATEGORIES = [
    ("div", {}, 0),
    ("span", {"class": "x", "id": "y", "data-x": "z"}, 0),
    ("path", {"d": "M0 0", "fill": "red"}, 0),
    ("button", {}, f.INTERACTIVE),
    ("a", {"href": "/"}, f.INTERACTIVE),
    ("label", {}, f.INTERACTIVE),
    ("summary", {}, f.INTERACTIVE),
    ("div", {"role": "button"}, f.INTERACTIVE),
    ("div", {"role": "tab"}, f.INTERACTIVE),
    ("div", {"ROLE": "Link"}, f.INTERACTIVE),
    ("title", {}, f.TITLE),
    ("script", {"type": "application/json"}, f.DROPPED_TEXT),
    ("noscript", {}, f.DROPPED_TEXT),
    ("template", {}, f.DROPPED_TEXT),
    ("style", {}, f.STYLE_TEXT),
    ("textarea", {}, f.FIELD | f.FIELD_TEXT),
    ("select", {}, f.FIELD),
    ("option", {}, f.FIELD | f.FIELD_TEXT | f.INTERACTIVE),
    ("optgroup", {}, f.FIELD | f.FIELD_TEXT),
    ("datalist", {}, f.FIELD | f.FIELD_TEXT),
    ("output", {}, f.FIELD | f.FIELD_TEXT),
    ("input", {}, f.FIELD),
    ("input", {"type": "text"}, f.FIELD),
    ("input", {"type": "submit"}, f.FIELD | f.BUTTON_FIELD | f.INTERACTIVE),
    ("input", {"type": "reset", "name": "password"}, f.FIELD | f.BUTTON_FIELD | f.INTERACTIVE),
    ("input", {"type": "checkbox"}, f.FIELD | f.CHOICE),
    ("input", {"type": "radio"}, f.FIELD | f.CHOICE),
    ("div", {"contenteditable": "true"}, f.EDITABLE),
    ("div", {"contenteditable": ""}, f.EDITABLE),
    ("div", {"contenteditable": True}, f.EDITABLE),
    ("div", {"contenteditable": "plaintext-only"}, f.EDITABLE),
    ("div", {"CONTENTEDITABLE": "TRUE"}, f.EDITABLE),
    ("div", {"contenteditable": "nonsense"}, f.EDITABLE),
    ("div", {"contenteditable": "false"}, 0),
    ("div", {"contenteditable": "FALSE"}, 0),
    ("div", {"role": "textbox"}, f.EDITABLE),
    ("div", {"role": "presentation searchbox"}, f.EDITABLE),
    ("div", {"role": "combobox"}, f.EDITABLE),
    ("div", {"role": "spinbutton"}, f.EDITABLE),
    ("x-card", {}, f.CUSTOM),
    ("x-card", {"value": "1"}, f.CUSTOM | f.FIELD | f.FIELD_TEXT),
    ("fancy-input", {}, f.CUSTOM | f.FIELD | f.FIELD_TEXT),
    ("color-picker", {}, f.CUSTOM | f.FIELD | f.FIELD_TEXT),
    ("font-face", {}, 0),
    ("annotation-xml", {}, 0),
]


@pytest.mark.parametrize(("tag", "attributes", "expected"), CATEGORIES)
def test_categories(tag: str, attributes: dict[str, AttributeValue], expected: int) -> None:
    assert own_flags(tag, attributes, is_custom=False) == expected


def test_the_recorder_may_know_that_an_element_is_custom() -> None:
    assert own_flags("card", {}, is_custom=True) == f.CUSTOM
    assert own_flags("card", {"value": "x"}, is_custom=True) == f.CUSTOM | f.FIELD | f.FIELD_TEXT


FLOOR = [
    {"type": "password"},
    {"type": "PASSWORD"},
    {"type": " password "},
    {"type": "hidden"},
    {"type": "text", "data-rr-is-password": "true"},
    {"DATA-RR-IS-PASSWORD": True},
    *({"autocomplete": value} for value in (
        "cc-number", "CC-Number", "section-a billing cc-number", "shipping cc-exp webauthn", "cc-csc", "cc-name",
        "cc-future",
        "new-password", "current-password", "one-time-code", "\tone-time-code\n", "off cc-number",
    )),
    *({"name": value} for value in (
        "card_number", "cardNumber", "card-num", "cardno", "ccnum", "cc_number", "cvv", "CVC", "card_cvc2", "csc",
        "password",
        "userPassword", "pwd", "passwd", "ssn", "user-ssn", "pan",
    )),
    {"id": "cvv"},
    {"id": "login-password"},
]  # fmt: skip


@pytest.mark.parametrize("attributes", FLOOR, ids=str)
@pytest.mark.parametrize("tag", ["input", "textarea", "select", "my-input"])
def test_the_floor(tag: str, attributes: dict[str, AttributeValue]) -> None:
    found = own_flags(tag, attributes, is_custom=False)
    assert found & f.FLOOR
    assert found & f.SENSITIVE
    assert found & f.FIELD


SENSITIVE = [
    {"maxlength": "1"},
    {"maxlength": 1},
    {"MaxLength": " 1 "},
    *({"autocomplete": value} for value in (
        "email", "username", "tel", "tel-national", "home tel", "bday", "bday-year", "impp",
        "section-x shipping work email",
    )),
    *({"name": value} for value in (
        "secret", "api_key", "apiKey", "accountNumber", "routing", "iban", "sort-code", "otp", "pin", "pin_code",
        "birthdate", "dob",
        "passport", "driver_licence", "license", "taxId", "tax-id", "rrn", "jumin", "resident_number", "phone",
        "mobile", "e-mail",
        "email", "security_code", "credit",
    )),
    {"id": "phone"},
    {"class": "form-control js-email"},
    {"placeholder": "Your e-mail"},
    {"title": "Date of birth"},
    {"aria-label": "Passport number"},
    {"placeholder": "Password"},
]  # fmt: skip


@pytest.mark.parametrize("attributes", SENSITIVE, ids=str)
@pytest.mark.parametrize("tag", ["input", "textarea", "select"])
def test_sensitive_fields(tag: str, attributes: dict[str, AttributeValue]) -> None:
    found = own_flags(tag, attributes, is_custom=False)
    assert found & f.SENSITIVE
    assert not found & f.FLOOR


@pytest.mark.parametrize("kind", ["email", "tel", "file"])
def test_sensitive_types(kind: str) -> None:
    assert flags("input", type=kind) == f.FIELD | f.SENSITIVE


@pytest.mark.parametrize(
    "name", ["quantity", "city", "shipping", "opinion", "company", "dashboard", "spinner", "expand", "q", "rating"]
)
def test_ordinary_fields(name: str) -> None:
    assert flags("input", type="text", name=name, autocomplete="off", maxlength="10") == f.FIELD


def test_names_matter_on_fields_only() -> None:
    assert flags("div", id="password", autocomplete="cc-number") == 0
    assert flags("div", contenteditable="true", id="password") == f.EDITABLE | f.FLOOR | f.SENSITIVE


def test_inherited_and_sticky_flags_are_what_the_tree_relies_on() -> None:
    assert f.CROSSES_ROOT | f.UNMASKED == f.INHERITED
    assert not f.CROSSES_ROOT & f.UNMASKED
    assert not f.STICKY & f.UNMASKED
    assert f.STICKY & f.FLOOR
    assert not f.INHERITED & f.FIELD


@given(
    st.text(max_size=12),
    st.dictionaries(
        st.text(max_size=15), st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
    ),
    st.booleans(),
)
def test_no_input_raises(tag: str, attributes: dict[str, AttributeValue], custom: bool) -> None:  # noqa: FBT001
    assert own_flags(tag, attributes, custom) >= 0


def test_frequent_values_that_are_not_looked_at_with_care_would_say_nothing() -> None:
    for name, values in elements._QUIET.items():
        for value, tag in product(values, ("div", "svg", "button", "title", "a", "link")):
            attributes: dict[str, AttributeValue] = {name: str(value), "data-x": "1"}
            careful = elements._careful_flags(tag, TAG_FLAGS.get(tag, 0), attributes, is_custom=False)
            assert own_flags(tag, attributes, is_custom=False) == careful
    assert own_flags("div", {"role": "textbox"}, is_custom=False)
    assert own_flags("div", {"ROLE": "textbox"}, is_custom=False)
    assert own_flags("div", {"type": "password"}, is_custom=False)
