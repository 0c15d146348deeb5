from pathlib import Path

import pytest

from engine.cli import main
from engine.settings import Settings, load_settings, reference_document


@pytest.fixture(autouse=True)
def _no_variables_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wince.toml"


def test_it_prints_what_is_in_force_and_where_it_was_set(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('[session]\ngrace = "1h"')
    monkeypatch.setattr("os.environ", {"WINCE_PRIVACY_LEVEL": "light"})
    assert main(["config", "--config", str(file)]) == 0
    printed = capsys.readouterr().out
    assert 'level = "light"  # WINCE_PRIVACY_LEVEL\n' in printed
    assert f'grace = "1h"  # {file}\n' in printed
    assert 'retention = "30d"  # default\n' in printed


def test_what_it_prints_is_a_settings_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    file.write_text(capsys.readouterr().out)
    assert load_settings(file, {}) == Settings()


def test_check_says_nothing_about_right_settings(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('[privacy]\nlevel = "light"')
    assert main(["config", "--config", str(file), "--check"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_all_problems_are_printed_and_the_status_is_2(
    file: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('[privacy]\nlevl = "light"\n[session]\ngrace = "long"')
    assert main(["config", "--config", str(file), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("wince: 2 settings are wrong:\n")
    assert "did you mean privacy.level?" in err
    assert 'session.grace = "long"' in err


def test_reference_prints_the_page_and_reads_no_settings(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--reference", "--config", str(file)]) == 0
    assert capsys.readouterr().out == reference_document()


def test_the_secret_of_identifiers_is_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wince.toml"
    file.write_text('[privacy]\nidentifier_secret = "correct horse battery"\n')
    assert main(["config", "--config", str(file)]) == 0
    assert "horse" not in capsys.readouterr().out


def test_selectors_that_are_too_many_together_are_a_wrong_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wince.toml"
    selectors = ", ".join(f'"#a{number} > .b{number}"' for number in range(70))
    file.write_text(f"[privacy]\nmask = [{selectors}]\n")
    assert main(["config", "--check", "--config", str(file)]) == 2
    assert "too many different parts" in capsys.readouterr().err
