import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.settings import (
    DeadClickSettings,
    DetectorSettings,
    ErrorClickSettings,
    JsErrorSettings,
    RageClickSettings,
)
from engine.settings import (
    PrivacyRule,
    PrivacySettings,
    ProjectSettings,
    SessionSettings,
    Settings,
    SettingsError,
    SettingsProblem,
    StoreSettings,
    describe,
    load_settings,
    render,
    resolve_settings,
)
from engine.settings._toml import read_toml, write_toml

DAY_MS = 86_400_000

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
lists = st.lists(text, max_size=3).map(tuple)
levels = st.sampled_from(("conservative", "medium", "light"))
windows = st.integers(min_value=1, max_value=60_000)

privacy = st.builds(
    PrivacySettings,
    level=levels,
    mask=lists,
    unmask=lists,
    block=lists,
    exclude_users=lists,
    rules=st.lists(st.builds(PrivacyRule, url=st.just("https://a.example/*"), level=levels), max_size=2).map(tuple),
)
detectors = st.builds(
    DetectorSettings,
    rage_click=st.builds(RageClickSettings, enabled=st.booleans(), count=st.integers(2, 100), window_ms=windows),
    dead_click=st.builds(DeadClickSettings, enabled=st.booleans(), wait_ms=windows),
    error_click=st.builds(ErrorClickSettings, enabled=st.booleans(), window_ms=windows),
    js_error=st.builds(JsErrorSettings, enabled=st.booleans(), quiet_ms=windows),
)
sessions = st.builds(
    SessionSettings,
    idle_timeout_ms=st.integers(1, DAY_MS),
    max_duration_ms=st.integers(DAY_MS, 3_650 * DAY_MS),
    grace_ms=st.integers(0, 3_650 * DAY_MS),
    max_bytes=st.integers(1, 1 << 40),
)
projects = st.builds(ProjectSettings, privacy=privacy, detectors=detectors, session=sessions)
any_settings = st.builds(
    Settings,
    privacy=privacy,
    detectors=detectors,
    session=sessions,
    store=st.builds(StoreSettings, retention_ms=st.integers(1, 3_650 * DAY_MS)),
    projects=st.dictionaries(text, projects, max_size=2),
)

values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


def load_text(document: str) -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "wince.toml"
        # Written as bytes: a text file would turn line ends into those of the platform.
        file.write_bytes(document.encode())
        return load_settings(file, {})


def problems_with(load: Callable[[], Settings]) -> tuple[SettingsProblem, ...]:
    """Load settings that may be refused; an error without a problem, or of another kind, is a failure."""
    try:
        load()
    except SettingsError as error:
        return error.problems or pytest.fail("refused without a reason")
    return ()


@settings(deadline=None)
@given(any_settings)
def test_settings_survive_being_written_and_loaded(wanted: Settings) -> None:
    tree = msgspec.to_builtins(wanted)
    document = "".join(f"{section} = {write_toml(table)}\n" for section, table in tree.items())
    assert load_text(document) == wanted


@settings(deadline=None)
@given(any_settings)
def test_what_is_printed_as_in_force_loads_as_the_same_settings(wanted: Settings) -> None:
    tree = msgspec.to_builtins(wanted)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "wince.toml"
        file.write_bytes("".join(f"{name} = {write_toml(table)}\n" for name, table in tree.items()).encode())
        printed = render(resolve_settings(file, {}))
    assert load_text(printed) == wanted


@given(values)
def test_a_value_survives_being_written_and_read(value: object) -> None:
    assert read_toml(write_toml(value)) == value


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([row.key.split(".")[0] for row in describe()]) | text, values, max_size=4))
def test_any_file_either_loads_or_is_refused_with_problems(tree: dict[str, object]) -> None:
    document = "".join(f"{write_toml(name)} = {write_toml(value)}\n" for name, value in tree.items())
    problems = problems_with(lambda: load_text(document))
    assert all(str(problem).isprintable() for problem in problems)


@given(
    st.dictionaries(
        st.sampled_from(["WINCE_PRIVACY_MASK", "WINCE_SESSION_GRACE", "WINCE_PROJECTS", "WINCE_DETECTORS_PRESET"])
        | st.text(max_size=8).map("WINCE_".__add__),
        st.text(max_size=20),
        max_size=4,
    )
)
def test_any_environment_either_loads_or_is_refused_with_problems(environ: dict[str, str]) -> None:
    problems = problems_with(lambda: load_settings(None, environ))
    assert all(str(problem).isprintable() for problem in problems)
