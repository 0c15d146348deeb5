"""Policies: levels by page, maskers, versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.masking.flags import BLOCKED, MASKED, UNMASKED
from engine.masking.levels import Level
from engine.masking.policy import Policy, PolicyError
from engine.masking.selectors import SelectorError

RULES = [
    ("/checkout/*", "conservative"),
    ("https://shop.test/account*", "conservative"),
    ("https://blog.test/*", "light"),
    ("wiki.test/*", "light"),
]
POLICY = Policy(level="medium", rules=RULES)


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("https://shop.test/", "medium"),
        ("https://shop.test/checkout/pay", "conservative"),
        ("http://any.test:8080/checkout/x", "conservative"),
        ("https://shop.test/a/checkout/x", "medium"),
        ("https://shop.test/checkout/pay?x=https://blog.test/", "conservative"),
        ("https://shop.test/checkout/pay#x", "conservative"),
        ("https://shop.test/%63heckout/pay", "conservative"),
        ("https:\\\\shop.test\\checkout\\pay", "conservative"),
        ("https://shop.test/account", "conservative"),
        ("https://shop.test/account/settings?tab=1", "conservative"),
        ("HTTPS://SHOP.TEST/account", "conservative"),
        ("https://shop.test:443/account", "conservative"),
        ("https://jane:pw@shop.test/account", "conservative"),
        ("https://blog.test/post", "light"),
        ("http://blog.test/post", "medium"),
        ("http://wiki.test/post", "light"),
        ("https://evil.test/https://blog.test/", "medium"),
        ("https://blog.test.evil.test/", "medium"),
        ("https://evil.test/?https://blog.test/", "medium"),
        ("https://blog.test@evil.test/", "medium"),
        ("not a url", "conservative"),
        ("", "conservative"),
        ("http://[::1", "conservative"),
        ("about:blank", "conservative"),
        ("https://blog.test/" + "x" * 20_000, "conservative"),
    ],
)
def test_the_level_of_a_page(url: str, level: str) -> None:
    assert POLICY.level_for(url) == level
    assert POLICY.level_for(url) == level


def test_the_first_rule_that_matches_holds() -> None:
    policy = Policy(rules=[("/a/b*", "light"), ("/a/*", "conservative")])
    assert policy.level_for("https://x.test/a/b") is Level.LIGHT
    assert policy.level_for("https://x.test/a/c") is Level.CONSERVATIVE


def test_without_rules_every_page_has_the_level_of_the_policy() -> None:
    assert Policy(level="light").level_for("nonsense") is Level.LIGHT
    assert Policy().level is Level.MEDIUM


@given(st.text(max_size=40))
def test_levels_of_hostile_urls_never_raise(url: str) -> None:
    assert POLICY.level_for(url) in Level
    assert POLICY.level_for(f"https://{url}") in Level


def test_globs_take_brackets_literally() -> None:
    assert Policy(rules=[("https://x.test/[ab]", "light")]).level_for("https://x.test/a") is Level.MEDIUM
    assert Policy(rules=[("https://x.test/[ab]", "light")]).level_for("https://x.test/[ab]") is Level.LIGHT


def test_many_stars_do_not_explode() -> None:
    policy = Policy(rules=[("https://x.test/" + "*a" * 12, "light")])
    assert policy.level_for("https://x.test/" + "a" * 10_000 + "b") is Level.MEDIUM


@pytest.mark.parametrize("glob", ["", "  ", "https://x.test/?a=1", "/a#b"])
def test_rules_that_cannot_match_are_refused(glob: str) -> None:
    with pytest.raises(PolicyError, match="url rule"):
        Policy(rules=[(glob, "light")])


def test_levels_are_checked() -> None:
    with pytest.raises(ValueError, match="strict"):
        Policy(level="strict")
    with pytest.raises(ValueError, match="none"):
        Policy(rules=[("/a", "none")])


def test_one_bad_selector_fails_the_policy() -> None:
    with pytest.raises(SelectorError, match="hover"):
        Policy(mask=[".fine", "a:hover"])


def test_recorders_hints_are_built_in_and_settings_add_to_them() -> None:
    selectors = Policy(block=[".secret"], mask=["form .x"], unmask=[".ok"]).selectors
    assert selectors.decide([selectors.own_bits("p", {"class": "rr-block"})]) == BLOCKED
    assert selectors.decide([selectors.own_bits("p", {"class": "secret rr-mask ok"})]) == BLOCKED | MASKED | UNMASKED
    assert selectors.decide([selectors.own_bits("p", {"class": "x"}), selectors.own_bits("form", {})]) == MASKED


def test_every_setting_changes_the_version_and_the_key_does_not() -> None:
    policies = [
        Policy(),
        Policy(level="light"),
        Policy(mask=["a"]),
        Policy(unmask=["a"]),
        Policy(block=["a"]),
        Policy(rules=[("/a", "light")]),
        Policy(rules=[("/a", "medium")]),
    ]
    assert len({policy.version for policy in policies}) == len(policies)
    assert Policy().version == Policy(key=b"k").version == Policy(level=Level.MEDIUM).version


def test_maskers_are_made_once_a_level_and_anew_for_a_session_key() -> None:
    policy = Policy(key=b"project")
    assert policy.masker(Level.LIGHT) is policy.masker(Level.LIGHT)
    assert policy.masker(Level.LIGHT).level is Level.LIGHT
    tokens = {policy.masker(Level.LIGHT, key).identifier("user-1234567") for key in (None, b"one", b"two")}
    assert len(tokens) == 3


def test_maskers_of_a_policy_share_what_they_learn() -> None:
    policy = Policy()
    one, two = policy.masker(Level.LIGHT, b"one"), policy.masker(Level.CONSERVATIVE, b"two")
    sheet = ".w-1\\/2 { color: red }"
    assert one.css(sheet) != two.css(sheet)
    assert one._book is two._book


def test_strictness_orders_the_levels() -> None:
    assert sorted(Level, key=lambda level: level.strictness) == [Level.CONSERVATIVE, Level.MEDIUM, Level.LIGHT]
