"""Detectors of other packages: found by their entry points, and never the cause of harm."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from detectors.interactions import AuxClick, Click
from detectors.machine import Report
from detectors.plugins import ENDED, FINDINGS_MAX, STATE_MAX_BYTES, Guarded, Plugin
from detectors.protocol import Detector, Finding
from detectors.settings import DetectorSettings
from engine.cli import main
from engine.cli._options import check_together
from engine.plugins import PluginError, load_plugins
from engine.settings import Settings, SettingsError
from tests.detectors.tape import click
from tests.engine.core.harness import run_core

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "wince-right-clicks"
CODE = (EXAMPLE / "wince_right_clicks" / "__init__.py").read_text(encoding="utf-8")

BROKEN = """
def make(options, report):
    raise RuntimeError("out of order")
"""
T0 = 1_796_000_000_000


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], None]]:
    """Install a distribution of one module with one entry point, as an installer would leave it on disk."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, module: str, code: str) -> None:
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        info = tmp_path / f"{module}-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[wince.detectors]\n{name} = {module}:make\n", encoding="utf-8")

    yield install
    for name in set(sys.modules) - before:
        if name.startswith("wince_"):
            del sys.modules[name]


def settings(**options: str) -> Settings:
    return Settings(detectors=DetectorSettings(plugins={"right_clicks": options}))


def visit(right_clicks: int) -> list[bytes]:
    target = {"id": "map", "tag": "div", "ancestors": [{"id": "root", "tag": "body"}]}
    events = [
        {"kind": "auxclick", "t": T0 + 500 * n, "target": target, "page": "https://a.test/"}
        for n in range(right_clicks)
    ]
    envelope = {
        "v": 1,
        "project_id": "p",
        "session_id": "s",
        "window_id": "w",
        "seq": 0,
        "sent_at": T0,
        "events": events,
    }
    return [msgspec.json.encode(envelope)]


def test_the_documented_example_reports_through_the_whole_engine(install: Callable[[str, str, str], None]) -> None:
    install("right_clicks", "wince_right_clicks", CODE)
    assert 'right_clicks = "wince_right_clicks:make"' in (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    collected = run_core(visit(3), settings=settings())
    (signal,) = collected.signals.values()
    assert (signal.detector, signal.rule, signal.count) == ("right_clicks", "example/right_clicks@1", 3)
    assert collected.records["s"].tags == {"right_clicks": 1}
    assert collected.records["s"].score > 0
    assert run_core(visit(3), settings=settings(count="4")).signals == {}
    assert run_core(visit(3)).signals == {}


def test_the_documented_steps_find_what_the_document_says(
    install: Callable[[str, str, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = (EXAMPLE.parents[1] / "detectors.md").read_text(encoding="utf-8")
    shown = re.search(r"^\$ wince (process visit\.jsonl .*)\n((?:[^`$].*\n)+)```", document, re.MULTILINE)
    assert shown is not None
    install("right_clicks", "wince_right_clicks", CODE)
    shutil.copytree(EXAMPLE, tmp_path / "example")
    monkeypatch.chdir(tmp_path / "example")
    assert main(shown[1].split()) == 0
    assert shown[2] in capsys.readouterr().err
    assert json.loads(Path("found/signals.jsonl").read_bytes())["detector"] == "right_clicks"


def test_the_example_survives_a_restart(install: Callable[[str, str, str], None]) -> None:
    install("right_clicks", "wince_right_clicks", CODE)
    (plugin,) = load_plugins({"right_clicks": {}})
    findings: list[Finding] = []
    clicks = [AuxClick(T0 + 500 * number, "https://a.test/", None) for number in range(3)]
    state = None
    for made in clicks:
        detector = Guarded(plugin, findings.append, lambda: pytest.fail("it failed"))
        if state is not None:
            detector.restore(state)
        detector.handlers()[AuxClick](made)
        state = detector.snapshot()
    assert [finding.count for finding in findings] == [3]


@pytest.mark.parametrize(("name", "why"), [("absent", "no installed package"), ("rage_click", "of this name already")])
def test_what_cannot_be_found_is_a_problem_of_the_settings(name: str, why: str) -> None:
    with pytest.raises(PluginError, match=why):
        load_plugins({name: {}})
    with pytest.raises(SettingsError, match=why):
        check_together(Settings(detectors=DetectorSettings(plugins={name: {}})))


def test_wrong_options_and_broken_packages_are_told_at_the_start(install: Callable[[str, str, str], None]) -> None:
    install("right_clicks", "wince_right_clicks", CODE)
    install("broken", "wince_broken", BROKEN)
    install("wrong", "wince_wrong", "def make(:")
    for name, options, why in (
        ("right_clicks", {"count": "99"}, "from 2 to 20"),
        ("right_clicks", {"cuont": "3"}, "no option cuont"),
        ("broken", {}, "out of order"),
        ("wrong", {}, "SyntaxError"),
    ):
        with pytest.raises(PluginError, match=why):
            load_plugins({name: options})


class Naughty:
    """A detector that misbehaves in one way."""

    name = "naughty"
    deadline: int | None = None

    def __init__(self, way: str, report: Report) -> None:
        self._way, self._report = way, report
        if way == "make":
            raise RuntimeError(way)

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        if self._way == "handlers":
            raise RuntimeError(self._way)
        return {Click: self._on_click}

    def _on_click(self, made: Click) -> None:
        if self._way == "handler":
            raise RuntimeError(self._way)
        name = "rage_click" if self._way == "name" else "naughty"
        evidence = {"secret": object()} if self._way == "evidence" else {}
        for _ in range(FINDINGS_MAX + 1 if self._way == "flood" else 1):
            self._report(Finding(name, made.t, made.t, made.page, None, "r", evidence))  # type: ignore[arg-type]
        if self._way in ("deadline", "finish"):
            self.deadline = made.t

    def advance(self, _t: int) -> None:
        raise RuntimeError(self._way)

    def finish(self) -> None:
        """Leave the deadline as it is, which is wrong if there is one."""

    def snapshot(self) -> msgspec.Raw:
        size = STATE_MAX_BYTES if self._way == "state" else 1
        return msgspec.Raw(msgspec.msgpack.encode(b"x" * size if self._way != "garbage" else None)[: size + 9])

    def restore(self, _state: msgspec.Raw) -> None:
        if self._way == "restore":
            raise RuntimeError(self._way)


class Guard:
    """A guarded plugin, with what it told and how often it failed."""

    def __init__(self, way: str) -> None:
        self.findings: list[Finding] = []
        self.failures = 0
        made = Plugin("naughty", lambda _options, report: Naughty(way, report), {})
        self.detector: Detector = Guarded(made, self.findings.append, self._count)

    def _count(self) -> None:
        self.failures += 1

    def live(self) -> "Guard":
        handlers = self.detector.handlers()
        for interaction in (*click(1_000), *click(2_000)):
            if type(interaction) in handlers:
                handlers[type(interaction)](interaction)
            if self.detector.deadline is not None and self.detector.deadline <= interaction.t:
                self.detector.advance(interaction.t)
        state = self.detector.snapshot()
        self.detector.restore(state)
        self.detector.finish()
        return self


WAYS = ("make", "handlers", "handler", "name", "evidence", "flood", "deadline", "state", "restore")


@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_plugin_does_is_counted_once_and_ends_only_the_plugin(way: str) -> None:
    guard = Guard(way).live()
    assert guard.failures == 1
    assert len(guard.findings) <= FINDINGS_MAX
    assert guard.detector.deadline is None
    assert bytes(guard.detector.snapshot()) == bytes(ENDED)
    assert all(finding.detector == "naughty" for finding in guard.findings)


def test_a_good_plugin_is_left_alone() -> None:
    guard = Guard("good").live()
    assert (guard.failures, len(guard.findings)) == (0, 2)


def test_a_plugin_that_was_ended_stays_so_after_a_restart() -> None:
    guard = Guard("good")
    guard.detector.restore(ENDED)
    assert guard.live().findings == []


@pytest.mark.parametrize("state", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\xa5hello"])
def test_a_foreign_state_is_refused(state: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        Guard("good").detector.restore(msgspec.Raw(state))


def test_a_failing_plugin_disturbs_no_session_and_is_counted(install: Callable[[str, str, str], None]) -> None:
    code = CODE
    install(
        "right_clicks", "wince_right_clicks", code.replace("times = [t for", "raise OSError\n        times = [t for")
    )
    collected = run_core(visit(3), settings=settings())
    assert collected.signals == {}
    assert collected.records["s"].repaired == {"plugin_failed": 1}
    assert collected.records["s"].totals.events == 3
