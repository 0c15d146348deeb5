"""Planted secrets: at the conservative level none survives, whichever way it is sent."""

import re
import string
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn

from engine.masking import flags as f
from engine.masking.elements import own_flags
from engine.masking.levels import Level
from engine.masking.masker import Masker
from schemas.rrweb_nodes import AttributeValue

MASKERS = {level: Masker(level, b"key") for level in Level}

LETTERS = st.text(alphabet=string.ascii_lowercase, min_size=6, max_size=10).map(lambda word: f"zq{word}")
EMAILS = st.builds("{}@{}.example".format, LETTERS, LETTERS)
DIGITS = st.text(alphabet="123456789", min_size=15, max_size=15)
CARDS = st.builds(
    lambda digits, separator: separator.join(re.findall("....", digits + luhn.calc_check_digit(digits))),
    DIGITS,
    st.sampled_from(["", " ", "-"]),
)
KEYS = st.text(alphabet=string.ascii_letters + string.digits, min_size=20, max_size=30).map(
    lambda tail: f"sk_live_zq{tail}"
)
TOKENS = st.text(alphabet=string.ascii_letters + string.digits, min_size=20, max_size=30).map(
    lambda tail: f"eyJzq{tail}"
)
SECRETS = st.one_of(EMAILS, CARDS, KEYS, TOKENS)

ATTRIBUTE_NAMES = (
    "class id style title alt placeholder name value label summary abbr download datetime aria-label aria-labelledby "
    "aria-hidden "
    "aria-valuetext aria-future data-user data-v-12345678 href src srcset imagesrcset action formaction poster cite "
    "ping background "
    "data xlink:href rr_src manifest srcdoc onclick onfuture nonce integrity content charset http-equiv width height "
    "d points "
    "transform viewBox fill stroke clip-path type role dir lang tabindex hidden disabled readonly maxlength inputmode "
    "contenteditable media rel as sizes loading slot part is open align scope start xmlns xmlns:x xml:lang rr_width "
    "rr_scrollTop "
    "rr_dataURL rr_mediaState rr_open_mode rr_future rr_background_color _cssText checked selected target method "
    "pattern headers "
    "for list form autocomplete future CLASS Title HREF viewbox"
).split()
TAGS = (
    "div",
    "a",
    "img",
    "input",
    "option",
    "select",
    "textarea",
    "meta",
    "link",
    "use",
    "image",
    "svg",
    "path",
    "li",
    "x-card",
    "my-input",
)
WRAPS: tuple[Callable[[str], str], ...] = (
    lambda secret: secret,
    lambda secret: f"before {secret} after",
    lambda secret: f"https://a.test/{quote(secret)}/x?q={quote(secret)}&{quote(secret)}=1#{secret}",
    lambda secret: f"https://{quote(secret, safe='')}@a.test/",
    lambda secret: f"javascript:f('{secret}')",
    lambda secret: f"data:text/plain,{secret}",
    lambda secret: f"url(https://a.test/?{secret})",
    lambda secret: f"color: red; content: '{secret}'; --x: {secret}",
    lambda secret: f"#{secret}",
)


def hidden(secret: str, text: str) -> bool:
    """Whether no spelling of the secret, and no half of it, is in a text."""
    plain = text.lower()
    half = secret[: max(len(secret) // 2 + 1, 8)]
    return not any(part.lower() in plain for part in (secret, quote(secret), quote(secret, safe=""), half))


@pytest.mark.parametrize("tag", TAGS)
@settings(max_examples=40, deadline=None)
@given(secret=SECRETS, name=st.sampled_from(ATTRIBUTE_NAMES), wrap=st.sampled_from(WRAPS))
def test_in_attributes(tag: str, secret: str, name: str, wrap: Callable[[str], str]) -> None:
    masker = MASKERS[Level.CONSERVATIVE]
    attributes: dict[str, AttributeValue] = (
        {name: wrap(secret), "rel": "stylesheet"} if tag == "link" else {name: wrap(secret)}
    )
    own = own_flags(tag, attributes, "-" in tag)
    for flags in (own, own | f.UNKNOWN, own | f.BLOCKED, own | f.MASKED | f.UNMASKED):
        assert hidden(secret, str(masker.attributes(tag, flags, attributes)))
        assert hidden(secret, str(masker.attribute_changes(tag, flags, attributes)))
        assert hidden(
            secret, str(masker.attribute_changes(tag, flags, {"style": {"color": wrap(secret), secret: "red"}}))
        )
        assert hidden(secret, str(masker.attributes(tag, flags, {secret: "x", f"data-{secret}": "x"})))


@settings(max_examples=80, deadline=None)
@given(secret=SECRETS, wrap=st.sampled_from(WRAPS), flags=st.integers(min_value=0, max_value=2**15))
def test_in_texts(secret: str, wrap: Callable[[str], str], flags: int) -> None:
    masker = MASKERS[Level.CONSERVATIVE]
    value = wrap(secret)
    if not flags & f.UNMASKED:
        assert hidden(secret, masker.text(value, flags & ~f.STYLE_TEXT))
        assert hidden(secret, masker.input_text(value, flags))
    assert hidden(secret, masker.title(value))
    assert hidden(secret, masker.text_label(value))


@pytest.mark.parametrize("level", Level)
@settings(max_examples=80, deadline=None)
@given(secret=SECRETS, wrap=st.sampled_from(WRAPS))
def test_in_names_addresses_and_styles(level: Level, secret: str, wrap: Callable[[str], str]) -> None:
    masker = MASKERS[level]
    assert hidden(secret, masker.identifier(secret))
    assert hidden(secret, masker.url(f"https://a.test/{quote(secret)}?q={quote(secret)}#{quote(secret)}"))
    assert hidden(secret, masker.font_family(secret))
    assert hidden(secret, str(masker.style_property("content", f'"{secret}"')))
    assert hidden(secret, str(masker.style_property("--x", secret)))
    assert hidden(secret, str(masker.font_source(f"url(https://a.test/?{secret})")))
    assert hidden(
        secret, masker.css(f'/* {secret} */ a[title="{secret}"]::after {{ content: "{secret}"; --x: "{secret}" }}')
    )
    assert hidden(secret, masker.style_rule(f'@import "https://a.test/x.css?{secret}";'))
    assert hidden(secret, masker.url(wrap(secret)) if "://" in wrap(secret) else "")


@pytest.mark.parametrize("level", Level)
@settings(max_examples=60, deadline=None)
@given(secret=SECRETS, wrap=st.sampled_from(WRAPS))
def test_in_events(level: Level, secret: str, wrap: Callable[[str], str]) -> None:
    masker = MASKERS[level]
    value = wrap(secret)
    leaf = dict.fromkeys(
        ("kind", "message", "stack", "source", "error", "method", "from", "to", "href", "category", "op", "extra"),
        value,
    )
    leaf["url"] = leaf["name"] = f"https://a.test/{quote(secret)}?q={quote(secret)}"
    for tag in (
        "js_error",
        "network",
        "navigation",
        "$pageview",
        "breadcrumb",
        "performanceSpan",
        "fetch-request",
        "unknown",
    ):
        payload = leaf | {"data": leaf | {"node": {"id": 1, "textContent": value}}, "description": leaf["url"]}
        if tag in {"navigation", "$pageview", "breadcrumb"} and "://" not in value:
            continue
        answer = masker.custom(
            tag, msgspec.json.encode(payload if tag != "js_error" else leaf | {"source": leaf["url"]})
        )
        assert answer is None or hidden(secret, answer.decode()), tag
    console = {
        "level": value,
        "trace": [value, f"{secret} (https://a.test/?{secret}:1:2)"],
        "payload": [value, msgspec.json.encode([value]).decode()],
    }
    assert hidden(secret, (masker.plugin("rrweb/console@1", msgspec.json.encode(console)) or b"").decode())
    request = leaf | {
        "requestHeaders": {"x": secret, "accept": secret, secret: secret},
        "requestBody": secret,
        "initiatorType": secret,
    }
    assert hidden(
        secret, (masker.plugin("rrweb/network@1", msgspec.json.encode({"requests": [request]})) or b"").decode()
    )
    assert hidden(secret, masker.error_message(value))
    assert hidden(secret, str(masker.stack_frames(f"Error: {value}\n    at {secret} (https://a.test/?{secret}:1:2)")))
    assert hidden(secret, str(masker.log(value, [value], [value])))


@pytest.mark.parametrize("level", Level)
@settings(max_examples=60, deadline=None)
@given(
    tag=st.text(max_size=8),
    flags=st.integers(min_value=0, max_value=2**17),
    attributes=st.dictionaries(
        st.sampled_from(ATTRIBUTE_NAMES) | st.text(max_size=10),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=30)
        | st.dictionaries(
            st.text(max_size=6),
            st.text(max_size=6) | st.booleans() | st.lists(st.text(max_size=4), max_size=3),
            max_size=3,
        ),
        max_size=6,
    ),
)
def test_no_input_raises(level: Level, tag: str, flags: int, attributes: dict[str, AttributeValue]) -> None:
    masker = MASKERS[level]
    changed = masker.attribute_changes(tag, flags, attributes)
    assert set(changed) <= set(attributes)
    shown = masker.attributes(tag, flags, attributes)
    assert set(shown) <= set(attributes)
    assert all(isinstance(value, (str, int, float)) for value in shown.values())
    msgspec.json.encode(shown)
