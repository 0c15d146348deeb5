"""Routes and silences in a rules file: what is wrong is told all at once, and secrets never."""

from pathlib import Path

import pytest

from engine.alerts.delivery.endpoints import open_routes
from engine.alerts.rules_file import default_rules, parse_rules
from engine.settings import SettingsError
from tests.engine.alerts.delivery.alerts import rules

SECRET = "whsec_" + "b28" * 12
WRONG = """
[[rules]]
name = "checkout"
kind = "share"
threshold = 0.2
routes = ["nowhere"]

[[routes]]
name = "Bad Name"
kind = "carrier_pigeon"
url = ""

[[routes]]
name = "one"
kind = "webhook"
url = "https://user:hunter2@a.example/very-secret"

[[routes]]
name = "one"
kind = "slack"
url = "http://hooks.slack.example/services/very-secret"
secrets = ["whsec_very-secret"]
"""
CONTRADICTING = """
[[routes]]
name = "one"
kind = "webhook"
url = "https://user:hunter2@a.example/very-secret"

[[routes]]
name = "one"
kind = "slack"
url = "http://hooks.slack.example/services/very-secret"
secrets = ["env:A"]
rules = ["none_such"]
allow_hosts = []
timeout = "5m"
give_up_after = "30d"

[[routes]]
name = "two"
kind = "alertmanager"
url = "https://127.1/"
secrets = ["env:A", "env:A", "env:A", "env:A", "env:A"]
allow_hosts = ["10.0.0.1/8"]

[[silences]]
until = "tomorrow"

[[silences]]
from = 2026-12-24T18:00:00Z
until = 2026-12-24T17:00:00Z
rules = ["none_such"]

[[silences]]
until = 2026-12-24T17:00:00
"""


def _problems(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_rules(text, "rules.toml")
    assert "secret-" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "very-secret" not in str(caught.value)
    return [problem.key for problem in caught.value.problems]


def test_wrong_values_are_told_together() -> None:
    assert _problems(WRONG) == ["routes[0].name", "routes[0].kind", "routes[0].url", "routes[2].secrets[0]"]


def test_what_makes_no_sense_together_is_told_together() -> None:
    assert _problems(CONTRADICTING) == [
        "routes[0].name", "routes[0].url", "routes[0].secrets", "routes[1].name", "routes[1].url", "routes[1].secrets",
        "routes[1].timeout", "routes[1].give_up_after", "routes[1].rules", "routes[2].allow_hosts", "routes[2].url",
        "routes[2].secrets", "silences[0].until", "silences[1].until", "silences[1].rules", "silences[2].until",
    ]  # fmt: skip


@pytest.mark.parametrize("key", ['url = "env:WINCE_A"', 'url = "env:A"\nauthorization = "env:WINCE_A"'])
def test_variables_that_would_be_settings_are_refused(key: str) -> None:
    with pytest.raises(SettingsError, match="does not begin with WINCE_"):
        parse_rules(f'[[routes]]\nname = "a"\nkind = "slack"\n{key}\n', "rules.toml")
    secrets = '[[routes]]\nname = "a"\nkind = "webhook"\nurl = "env:A"\nsecrets = ["env:WINCE_A"]\n'
    with pytest.raises(SettingsError, match="does not begin with WINCE_"):
        parse_rules(secrets, "rules.toml")


def test_a_login_in_the_file_itself_is_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_rules('[[routes]]\nname = "a"\nkind = "slack"\nurl = "env:A"\nauthorization = "hunter2"\n', "rules.toml")
    assert "hunter2" not in str(caught.value)


def test_a_number_that_is_too_long_is_told() -> None:
    with pytest.raises(SettingsError, match="readable TOML"):
        parse_rules(f"[bounds]\nmax_keys = {'9' * 5_000}\n", "rules.toml")


def test_no_session_is_forgotten_before_its_signals_are_late() -> None:
    with pytest.raises(SettingsError, match="at most session_memory"):
        parse_rules('[bounds]\nlateness = "4h"\n', "rules.toml")


def test_rules_name_routes_there_are() -> None:
    text = '[[rules]]\nname = "a"\nkind = "spike"\nroutes = ["nowhere"]\n'
    assert _problems(text) == ["rules[0].routes"]


def test_there_is_a_limit_to_routes() -> None:
    route = '[[routes]]\nname = "r{}"\nkind = "slack"\nurl = "env:A"\n'
    parse_rules("".join(route.format(number) for number in range(100)), "rules.toml")
    assert _problems("".join(route.format(number) for number in range(101))) == ["routes"]


def test_a_file_without_rules_has_the_shipped_ones() -> None:
    assert rules('[[routes]]\nname = "a"\nkind = "slack"\nurl = "env:A"\n').rules == default_rules().rules
    assert not rules("").routes


def test_addresses_and_secrets_come_from_variables_and_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://hooks.example/T1/B2\n")
    file = rules(f"""
[[routes]]
name = "a"
kind = "webhook"
url = "file:{tmp_path / "url"}"
secrets = ["env:NEW", "env:OLD"]
authorization = "env:TOKEN"
""")
    environ = {"NEW": SECRET, "OLD": SECRET, "TOKEN": "Bearer abc"}
    endpoint = open_routes(file, environ, "rules.toml")["a"]
    assert (endpoint.url, len(endpoint.secrets)) == ("https://hooks.example/T1/B2", 2)
    assert endpoint.authorization == "Bearer abc"
    assert "T1" not in repr(endpoint)
    assert "T1" not in f"{endpoint}"


def test_what_is_missing_or_of_no_use_is_told_together_without_it(tmp_path: Path) -> None:
    file = rules(f"""
[[routes]]
name = "a"
kind = "webhook"
url = "env:URL"
secrets = ["env:MISSING", "env:SHORT", "file:{tmp_path}/none"]
authorization = "env:LINES"

[[routes]]
name = "b"
kind = "slack"
url = "file:{tmp_path}"
""")
    environ = {"URL": "http://user:hunter2@x", "SHORT": "whsec_dmVyeS1zZWNyZXQ=", "LINES": "a\nx: very-secret"}
    with pytest.raises(SettingsError) as caught:
        open_routes(file, environ, "rules.toml")
    assert [problem.key for problem in caught.value.problems] == [
        "routes[0].url", "routes[0].secrets", "routes[0].secrets", "routes[0].secrets", "routes[0].authorization",
        "routes[1].url",
    ]  # fmt: skip
    for secret in ("hunter2", "very-secret", "dmVyeS"):
        assert secret not in str(caught.value)
    assert "env:MISSING" in str(caught.value)
