"""Files of cohorts: all that is wrong is said at once, nothing secret is shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cohorts.condition import read_condition, within
from engine.cohorts.file import parse_cohorts, read_cohorts, webhook_of
from engine.settings import Settings, SettingsError
from replay.errors import Poison
from replay.search.filters import SessionFilter

GOOD = """
[cohorts.angry]
project = "shop"
condition = "tag=rage_click&min_score=40&page=https://shop.example/checkout"
window = "14d"
url = "https://crm.example/hooks/42"
secrets = ["env:NEW", "file:{file}"]

[cohorts.slow]
project = "shop"
condition = "?tag=dead_click"
out = "-"
"""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def wrong(text: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        parse_cohorts(text, "cohorts.toml", Settings())
    assert "hunter2" not in str(caught.value)
    return {problem.key: problem.expected for problem in caught.value.problems}


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "old").write_text(f"{SECRET}\n")
    (tmp_path / "cohorts.toml").write_text(GOOD.replace("{file}", str(tmp_path / "old")))
    cohorts = read_cohorts(tmp_path / "cohorts.toml", Settings())
    assert list(cohorts) == ["angry", "slow"]
    angry = cohorts["angry"]
    assert angry.wanted == SessionFilter(tags=("rage_click",), min_score=40, page="https://shop.example/checkout")
    assert (angry.cohort.window_ms, angry.cohort.batch_users) == (14 * 86_400_000, 50)
    webhook = webhook_of(angry, {"NEW": SECRET})
    assert (len(webhook.secrets), webhook.url) == (2, "https://crm.example/hooks/42")


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = """
[cohorts."Not A Name"]
project = "shop"
condition = "tag=rage_click"
out = "-"

[cohorts.a]
project = "shop"
condition = "user=mia&tag=x"
window = "90d"

[cohorts.b]
project = "shop"
condition = "min_scor=40"
url = "http://user:hunter2@crm.example/"
allow_hosts = ["not a host"]

[cohorts.c]
project = "shop"
condition = ""
url = "https://crm.example/"
out = "-"
"""
    problems = wrong(text)
    assert set(problems) == {
        'cohorts."Not A Name"', "cohorts.a.condition", "cohorts.a.window", "cohorts.a", "cohorts.b.condition",
        "cohorts.b.url", "cohorts.b.secrets", "cohorts.b.allow_hosts", "cohorts.c.condition", "cohorts.c",
    }  # fmt: skip
    assert "may name a person" in problems["cohorts.a.condition"]
    assert "30d" in problems["cohorts.a.window"]
    assert "min_scor" in problems["cohorts.b.condition"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cohorts = 3",
        "[cohorts]",
        "[cohorts.a]",
        "[cohorts.a]\nprojct = 3",
        "not toml",
        f"a = {'9' * 5_000}",
        "[cohorts.a]\nbatch_users = 51",
    ],
)
def test_what_is_no_file_of_cohorts_is_refused(text: str) -> None:
    assert wrong(text)


def test_a_secret_in_the_file_itself_is_refused_and_not_shown() -> None:
    text = GOOD.replace('"env:NEW"', '"hunter2"')
    assert "never the secret itself" in wrong(text)["cohorts.angry.secrets[0]"]


def test_variables_that_would_be_settings_are_refused() -> None:
    assert "does not begin with WINCE_" in wrong(GOOD.replace("env:NEW", "env:WINCE_NEW"))["cohorts.angry.secrets"]


def test_a_file_that_is_not_there_is_said_to_be() -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        read_cohorts(Path("/nowhere/cohorts.toml"), Settings())


@pytest.mark.parametrize("environ", [{}, {"NEW": "hunter2"}, {"NEW": "whsec_"}])
def test_a_secret_that_is_not_there_or_none_is_said_without_showing_it(environ: dict[str, str], tmp_path: Path) -> None:
    declared = parse_cohorts(GOOD.replace("{file}", str(tmp_path / "gone")), "x", Settings())["angry"]
    with pytest.raises(SettingsError) as caught:
        webhook_of(declared, environ)
    assert len(caught.value.problems) == 2
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "tag", "tag=", "user=mia", "q=mia", "min_score=high", "min_score=1&min_score=2", "limit=3", "tag=%ff", "&&&"],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(Poison):
        read_condition(text)


@given(st.text(max_size=80))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        wanted = read_condition(text)
    except Poison:
        return
    assert wanted.values() or wanted.ranges()


@given(st.integers(1, 10**12), st.integers(0, 10**13), st.none() | st.integers(0, 10**13))
def test_a_condition_is_narrowed_to_the_window_and_never_widened(window: int, now: int, start: int | None) -> None:
    narrowed = within(SessionFilter(from_ms=start), window, now).from_ms
    assert narrowed == max(now - window + 1, now - window + 1 if start is None else start)


def test_an_address_and_a_login_can_be_kept_elsewhere() -> None:
    text = GOOD.replace('"https://crm.example/hooks/42"', '"env:URL"\nauthorization = "env:LOGIN"')
    declared = parse_cohorts(text.replace(', "file:{file}"', ""), "x", Settings())["angry"]
    environ = {"NEW": SECRET, "URL": "https://crm.example/hunter2\n", "LOGIN": "Bearer hunter2"}
    webhook = webhook_of(declared, environ)
    assert (webhook.url, webhook.authorization) == ("https://crm.example/hunter2", "Bearer hunter2")
    for name, value in (("URL", "ftp://hunter2/"), ("LOGIN", "hunter2\nX: y")):
        with pytest.raises(SettingsError) as caught:
            webhook_of(declared, environ | {name: value})
        assert "hunter2" not in str(caught.value)
