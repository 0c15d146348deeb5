from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from detectors.settings import PresetName
from engine.settings import SettingsError, SettingsProblem, load_settings
from engine.settings._problems import shown


def problems_of(path: Path, text: str, environ: Mapping[str, str] | None = None) -> list[SettingsProblem]:
    file = path / "wince.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environ or {})
    return list(caught.value.problems)


def problem_of(path: Path, text: str, environ: Mapping[str, str] | None = None) -> SettingsProblem:
    (problem,) = problems_of(path, text, environ)
    return problem


DURATION = 'a duration such as "30m" (ms, s, m, h, d) or a whole number of milliseconds'
SIZE = 'a size such as "50MiB" (B, KiB, MiB, GiB) or a whole number of bytes'


EVENT_NAME = "the name of an event, of up to 64 characters, without blanks around it"
PRESETS = "one of " + ", ".join(f'"{name}"' for name in sorted(get_args(PresetName)))


@pytest.mark.parametrize(
    ("text", "key", "value", "expected"),
    [
        ('privacy.level = "lite"', "privacy.level", '"lite"', 'one of "conservative", "light", "medium"'),
        ("privacy.level = 1", "privacy.level", "1", 'one of "conservative", "light", "medium"'),
        ("privacy.level = []", "privacy.level", "[]", 'one of "conservative", "light", "medium"'),
        ('privacy.mask = ".a"', "privacy.mask", '".a"', 'a list of text, such as ["..."]'),
        ('privacy.mask = [".a", ""]', "privacy.mask[1]", '""', "a CSS selector"),
        ("activity.custom_events = [7]", "activity.custom_events[0]", "7", EVENT_NAME),
        ('activity.custom_events = [" a"]', "activity.custom_events[0]", '" a"', EVENT_NAME),
        ('activity.custom_events = [""]', "activity.custom_events[0]", '""', EVENT_NAME),
        ("privacy.exclude_users = [7]", "privacy.exclude_users[0]", "7", "a user id"),
        ("privacy.rules = 3", "privacy.rules", "3", "a list of tables"),
        ("privacy.rules = [3]", "privacy.rules[0]", "3", "a table"),
        ('privacy = "light"', "privacy", '"light"', "a table"),
        ("detectors.rage_click.count = 1", "detectors.rage_click.count", "1", "a whole number from 2 to 100"),
        ("detectors.rage_click.count = 4.0", "detectors.rage_click.count", "4.0", "a whole number from 2 to 100"),
        ("detectors.rage_click.count = true", "detectors.rage_click.count", "true", "a whole number from 2 to 100"),
        ("detectors.dead_click.enabled = 1", "detectors.dead_click.enabled", "1", "true or false"),
        ('detectors.preset = "best"', "detectors.preset", '"best"', PRESETS),
        (
            "detectors.splunk.rageClick.timeframeSeconds = 601",
            "detectors.splunk.rageClick.timeframeSeconds",
            "601",
            "a number from 0 to 600",
        ),
        (
            'detectors.splunk.rageClick.timeframeSeconds = "1s"',
            "detectors.splunk.rageClick.timeframeSeconds",
            '"1s"',
            "a number from 0 to 600",
        ),
        ('session.idle_timeout = "0s"', "session.idle_timeout", '"0s"', f'{DURATION}, from "1ms" to "3650d"'),
        ('session.idle_timeout = "soon"', "session.idle_timeout", '"soon"', f'{DURATION}, from "1ms" to "3650d"'),
        ('session.grace = "3651d"', "session.grace", '"3651d"', f'{DURATION}, from "0ms" to "3650d"'),
        ("session.grace = -1", "session.grace", "-1", f'{DURATION}, from "0ms" to "3650d"'),
        ('session.max_bytes = "50MB"', "session.max_bytes", '"50MB"', f'{SIZE}, from "1B" to "1024GiB"'),
        ('store.key_prefix = "a{b}"', "store.key_prefix", '"a{b}"', "1 to 32 of the characters A-Z, a-z, 0-9, _ . -"),
        ('store.key_prefix = "a\\n"', "store.key_prefix", '"a\\n"', "1 to 32 of the characters A-Z, a-z, 0-9, _ . -"),
        ("detectors.preset = 2026-11-21", "detectors.preset", '"2026-11-21"', PRESETS),
        ("detectors.preset = nan", "detectors.preset", "NaN", PRESETS),
        ("projects = 1", "projects", "1", "a table"),
        ("projects.shop = 1", "projects.shop", "1", "a table"),
        (
            'projects."a b".privacy.level = "lite"',
            'projects."a b".privacy.level',
            '"lite"',
            'one of "conservative", "light", "medium"',
        ),
    ],
)
def test_a_wrong_value_is_reported_with_what_was_expected(
    tmp_path: Path, text: str, key: str, value: str, expected: str
) -> None:
    problem = problem_of(tmp_path, text)
    assert (problem.key, problem.value, problem.expected) == (key, value, expected)
    assert problem.source == str(tmp_path / "wince.toml")


@pytest.mark.parametrize(
    ("text", "key", "guess"),
    [
        ('session.idle_timeot = "30m"', "session.idle_timeot", "session.idle_timeout"),
        ("session.idle_timeout_ms = 5", "session.idle_timeout_ms", "session.idle_timeout"),
        ("sessions.grace = 5", "sessions", "session"),
        ("detectors.rageclick.count = 5", "detectors.rageclick", "detectors.rage_click"),
        ('projects.shop.privacy.levl = "light"', "projects.shop.privacy.levl", "projects.shop.privacy.level"),
        ('privacy.rules = [{ uri = "x", url = "y", level = "light" }]', "privacy.rules[0].uri", "privacy.rules[0].url"),
    ],
)
def test_an_unknown_key_is_reported_with_the_one_that_was_meant(
    tmp_path: Path, text: str, key: str, guess: str
) -> None:
    problem = problem_of(tmp_path, text)
    assert problem.key == key
    assert problem.expected.endswith(f"; did you mean {guess}?")


def test_an_unknown_key_like_no_other_is_reported_with_those_there_are(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "projects.shop.zzz.gap_wait = 1")
    assert problem.key == "projects.shop.zzz"
    assert problem.expected == "one of the keys privacy, detectors, session, activity, store"


@pytest.mark.parametrize("table", ["activity", "projects.shop.activity"])
def test_only_so_many_events_can_be_named(tmp_path: Path, table: str) -> None:
    names = [f"event_{number}" for number in range(51)]
    problem = problem_of(tmp_path, f"{table}.custom_events = {names}")
    assert (problem.key, problem.expected) == (f"{table}.custom_events", "at most 50 names")
    assert load_settings(None, {"WINCE_ACTIVITY_CUSTOM_EVENTS": str(names[:50])}).activity.custom_events == (
        *names[:50],
    )


def test_settings_that_a_project_cannot_have_are_reported(tmp_path: Path) -> None:
    assert problem_of(tmp_path, "projects.shop.order.gap_wait = 1").key == "projects.shop.order"


@pytest.mark.parametrize("url", ["", "https://shop.example/?page=1", "https://shop.example/#top"])
def test_a_page_rule_that_could_never_match_is_refused(tmp_path: Path, url: str) -> None:
    problem = problem_of(tmp_path, f'privacy.rules = [{{ url = "{url}", level = "light" }}]')
    assert problem.key == "privacy.rules[0].url"


def test_a_missing_key_is_reported(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, 'privacy.rules = [{ url = "https://a.example/*" }]')
    assert (problem.key, problem.value) == ("privacy.rules[0].level", "(missing)")


class TestVariables:
    @pytest.mark.parametrize(
        ("name", "text", "key"),
        [
            ("WINCE_PRIVACY_LEVEL", "", "privacy.level"),
            ("WINCE_PRIVACY_MASK", "[data-private]", "privacy.mask"),
            ("WINCE_PRIVACY_MASK", ".card", "privacy.mask"),
            ("WINCE_PRIVACY_MASK", '["a"]\nother = 1', "privacy.mask"),
            ("WINCE_DETECTORS__DEAD_CLICK__ENABLED", "yes", "detectors.dead_click.enabled"),
            ("WINCE_DETECTORS__RAGE_CLICK__COUNT", "4x", "detectors.rage_click.count"),
            ("WINCE_DETECTORS__RAGE_CLICK__COUNT", "9" * 30, "detectors.rage_click.count"),
            ("WINCE_STORE_REDIS_URL", "redis://h/\udcff", "store.redis_url"),
            ("WINCE_PROJECTS", "shop", "projects"),
        ],
    )
    def test_a_wrong_value_names_key_and_variable(self, tmp_path: Path, name: str, text: str, key: str) -> None:
        problem = problem_of(tmp_path, "", {name: text})
        assert (problem.key, problem.source) == (key, name)
        assert str(problem).isprintable()

    @pytest.mark.parametrize(
        ("name", "guess"),
        [
            ("WINCE_PRIVCY_LEVEL", "WINCE_PRIVACY_LEVEL"),
            ("WINCE_PRIVACY__LEVEL", "WINCE_PRIVACY_LEVEL"),
            ("WINCE_DETECTORS_RAGE_CLICK_COUNT", "WINCE_DETECTORS__RAGE_CLICK__COUNT"),
        ],
    )
    def test_an_unknown_name_is_reported_with_the_one_that_was_meant(
        self, tmp_path: Path, name: str, guess: str
    ) -> None:
        problem = problem_of(tmp_path, "", {name: "light"})
        assert (problem.key, problem.source) == (name, "environment")
        assert problem.expected == f"the name of a setting; did you mean {guess}?"


class TestFiles:
    def test_a_missing_file_is_a_problem(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"nothing\.toml.*No such file"):
            load_settings(tmp_path / "nothing.toml", {})

    def test_a_folder_is_a_problem(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"a readable TOML file"):
            load_settings(tmp_path, {})

    def test_bad_toml_is_a_problem_with_its_place(self, tmp_path: Path) -> None:
        assert "line 2" in problem_of(tmp_path, "[session]\ngrace = 1h\n").expected

    def test_other_encodings_are_a_problem(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_bytes('[privacy]\nmask = [".größe"]'.encode("latin-1"))
        with pytest.raises(SettingsError, match=r"a readable TOML file \('utf-8' codec"):
            load_settings(file, {})

    def test_a_bad_file_does_not_hide_bad_variables(self, tmp_path: Path) -> None:
        keys = [problem.key for problem in problems_of(tmp_path, "= 1", {"WINCE_PRIVACY_LEVEL": "x", "WINCE_X": "y"})]
        assert keys == ["file", "WINCE_X", "privacy.level"]


class TestContradictions:
    def test_a_timeout_that_the_cap_rules_out_names_who_set_the_cap(self, tmp_path: Path) -> None:
        problem = problem_of(tmp_path, 'session.max_duration = "10m"')
        assert str(problem) == (
            f"{tmp_path}/wince.toml: session.idle_timeout = "
            '"30m": expected at most session.max_duration, which is "10m"'
        )

    def test_a_project_that_has_no_say_in_it_is_not_blamed(self, tmp_path: Path) -> None:
        text = 'session.max_duration = "10m"\n[projects.shop.privacy]\nlevel = "light"'
        assert problem_of(tmp_path, text).key == "session.idle_timeout"

    def test_a_project_is_blamed_for_its_own(self, tmp_path: Path) -> None:
        problem = problem_of(tmp_path, 'projects.shop.session.idle_timeout = "2d"')
        assert (problem.key, problem.value) == ("projects.shop.session.idle_timeout", '"2d"')

    def test_equal_is_allowed(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_text('session.idle_timeout = "10m"\nsession.max_duration = "10m"\norder.max_held_bytes = "16MiB"')
        assert load_settings(file, {}).order.max_held_bytes == 16 << 20

    def test_a_batch_must_fit_where_batches_are_held(self, tmp_path: Path) -> None:
        problem = problem_of(tmp_path, "", {"WINCE_LIMITS_MAX_BATCH_BYTES": "33MiB"})
        assert (problem.key, problem.value) == ("order.max_held_bytes", '"32MiB"')
        assert problem.source == "WINCE_LIMITS_MAX_BATCH_BYTES"


class TestMessage:
    def test_all_problems_are_told_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_text('privacy.level = "lite"\nsession.grace = -1\nsesion = 1\n')
        with pytest.raises(SettingsError) as caught:
            load_settings(file, {"WINCE_ORDER_MAX_HELD_BATCHES": "0"})
        lines = str(caught.value).splitlines()
        assert lines[0] == "4 settings are wrong:"
        assert lines[1] == f'  {file}: privacy.level = "lite": expected one of "conservative", "light", "medium"'
        assert len(lines) == 1 + len(caught.value.problems)

    def test_one_problem_is_told_in_the_singular(self) -> None:
        with pytest.raises(SettingsError, match=r"^a setting is wrong:\n"):
            load_settings(None, {"WINCE_SESSION_GRACE": "x"})


class TestShown:
    @pytest.mark.parametrize(
        ("value", "key", "text"),
        [
            ('redis://user:p@ss"word@host/0', "store.redis_url", '"redis://***@host/0"'),
            ("redis:/:hunter2@host", "store.redis_url", '"redis:/***@host"'),
            ("redis://host/0?password=hunter2&db=1", "store.redis_url", '"redis://host/0?password=***&db=1"'),
            ("hunter2", "WINCE_REDIS_PASSWORD", '"***"'),
            ("hunter2", "store.api_token", '"***"'),
            (["redis://u:hunter2@h"], "privacy.mask", '["redis://***@h"]'),
            ({"password": "hunter2"}, "redis", '{"...": "..."}'),
            ({}, "redis", "{}"),
            ("\x9b31m\u2028", "privacy.level", '"\\x9b31m\\u2028"'),
            ("größe\n", "privacy.level", '"größe\\n"'),
            ("\udcff", "privacy.level", '"\\udcff"'),
        ],
    )
    def test_a_value_is_shown_without_its_secrets(self, value: object, key: str, text: str) -> None:
        assert shown(value, key=key) == text

    def test_a_long_value_is_cut(self) -> None:
        assert shown("x" * 1_000) == '"' + "x" * 119 + "..."


def test_ids_cannot_be_hashed_without_a_secret(tmp_path: Path) -> None:
    for text in ("[privacy]\nhash_identifiers = true\n", "[projects.a.privacy]\nhash_identifiers = true\n"):
        (problem,) = problems_of(tmp_path, text)
        assert problem.key.endswith("hash_identifiers")
