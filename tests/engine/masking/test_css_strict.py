"""At the conservative level and in masked elements, style sheets hold CSS and nothing else."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.masking import flags as f
from engine.masking.elements import own_flags
from engine.masking.levels import Level
from engine.masking.masker import Masker

C, M = Masker(Level.CONSERVATIVE), Masker(Level.MEDIUM)
WORD = "Aurelia"

SHEET = (
    '@charset "utf-8";@media (min-width: 600px) and (prefers-color-scheme: dark) { .a:hover > .b::before, '
    "tr:nth-child(2) td { color: rgba(1, 2, 3, 0.5); width: calc(100% - 1.5rem); -webkit-box-orient: vertical; "
    "font: bold 14px/30px Helvetica Neue, Arial, sans-serif !important } } @keyframes spin { from { opacity: 0 } to "
    "{ opacity: 1 } } "
    '.spinner { animation: spin 1s linear infinite; grid-template-areas: "head head"; grid-area: head; --gap: 3px; '
    'background: url("/a.png") no-repeat, linear-gradient(to right, red, var(--accent)) } '
    "@supports (display: grid) and (not (display: inline-grid)) { x-card { float: none } }"
)


def without_space(text: str) -> str:
    return "".join(text.split())


def test_a_sheet_keeps_its_looks() -> None:
    assert without_space(C.css(SHEET)) == without_space(M.css(SHEET))


@pytest.mark.parametrize(
    "text",
    [
        WORD,
        f"{WORD} was here; and there",
        f"{WORD} {{ color: red }}",
        f"p > {WORD}:not({WORD}) {{ color: red }}",
        f"p {{ {WORD} }}",
        f"p {{ {WORD}: red }}",
        f"p {{ color: {WORD} }}",
        f"p {{ color: red {WORD}; margin: 1px }}",
        f"p {{ content: {WORD} }}",
        f"p {{ width: 3{WORD} }}",
        f"p {{ width: {WORD}(3px) }}",
        f"p {{ width: calc(3px + {WORD}) }}",
        f"p {{ color: #{WORD} }}",
        f"p {{ font-family: {WORD} Sans, serif }}",
        f"p {{ font: 12px/1 {WORD}, serif }}",
        f"p {{ margin: [{WORD}] }}",
        f"p {{ color: red; p {{ {WORD} }} }}",
        f"@media {WORD} {{ p {{ color: red }} }}",
        f"@supports ({WORD}: {WORD}) {{ p {{ color: red }} }}",
        f"@{WORD} p {{ color: red }}",
        f"color: {WORD}",
    ],
)
def test_words_that_are_no_css_go(text: str) -> None:
    assert WORD in M.css(text) or "font" in text or "@" in text or "#" in text
    assert WORD not in C.css(text)
    assert WORD not in C.style_rule(text)
    assert WORD not in M.text(text, own_flags("style", {}, is_custom=False) | f.MASKED)
    assert WORD not in M.attributes("div", f.MASKED, {"style": text}).get("style", "")  # type: ignore[operator]  # text
    assert WORD not in M.attributes("style", f.UNKNOWN, {"_cssText": text}).get("_cssText", "")  # type: ignore[operator]


@pytest.mark.parametrize("name", ["color", "content", "background", "font-family", "--x", WORD, "margin"])
def test_declarations_set_by_script(name: str) -> None:
    assert WORD not in (C.style_property(name, WORD) or "")
    assert WORD not in str(M.attribute_changes("div", f.MASKED, {"style": {name: WORD, "top": [WORD, "important"]}}))
    assert C.style_property("color", "red") == "red"
    assert C.style_property("color", "") == ""
    assert M.attribute_changes("div", f.MASKED, {"style": {"color": ["red", "important"]}}) == {
        "style": {"color": ["red", "important"]}
    }


@pytest.mark.parametrize("masker", [C, M])
def test_sources_of_fonts_are_no_words(masker: Masker) -> None:
    assert masker.font_source(WORD) is None
    assert masker.font_source(f"local({WORD})") is None
    assert masker.font_source("url(/a.woff2) format('woff2')") == 'url("/a.woff2") format("woff2")'


WORDS = st.text(alphabet=string.ascii_lowercase, min_size=4, max_size=8).map(lambda word: f"zq{word}")
PIECES = st.one_of(WORDS, st.sampled_from([*"{}();:,.#@[]-\\/*\"' \n", "url(", "--", "color", "red", "3px", "calc("]))


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=25).map(" ".join))
def test_strict_scrubbing_adds_nothing_and_is_final(text: str) -> None:
    once = C.css(text)
    assert without_space(C.css(once)) == without_space(once)


@settings(deadline=None, max_examples=150)
@given(
    WORDS, st.sampled_from(["{}", "p {{ color: {} }}", "{}: red", "p {{ {} }} q", "a {{ margin: 1px {}; }}", "{} {}"])
)
def test_a_planted_word_never_survives(word: str, shape: str) -> None:
    assert word not in C.css(shape.format(word, word))
