"""Selectors that detectors can't decide are wrong settings, and not found out by the first window."""

from pathlib import Path

import pytest

from engine.cli import main


@pytest.mark.parametrize("where", ["detectors", "projects.shop.detectors"])
@pytest.mark.parametrize(("selector", "status"), [("p + p", 2), ("li:first-child", 2), (".stepper > button", 0)])
def test_selectors_are_checked_when_settings_are_loaded(
    where: str, selector: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wince.toml"
    file.write_text(f'[[{where}.rules]]\nselector = "{selector}"\noff = ["rage_click"]\n')
    assert main(["config", "--check", "--config", str(file)]) == status
    assert ("cannot be used" in capsys.readouterr().err) is bool(status)
