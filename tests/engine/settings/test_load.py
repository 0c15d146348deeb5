from collections.abc import Mapping
from pathlib import Path

import pytest

from detectors.presets.splunk import RageClick, SplunkSettings
from detectors.settings import DetectorSettings, RageClickSettings
from engine.settings import (
    PrivacyRule,
    PrivacySettings,
    ProjectSettings,
    SessionSettings,
    Settings,
    SettingsError,
    load_settings,
    resolve_settings,
)

HOUR_MS = 3_600_000


def load(path: Path, text: str = "", environ: Mapping[str, str] | None = None) -> Settings:
    file = path / "wince.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ or {})


class TestDefaults:
    def test_nothing_set_gives_the_declared_defaults(self) -> None:
        assert load_settings(None, {}) == Settings()

    def test_an_empty_file_gives_the_declared_defaults(self, tmp_path: Path) -> None:
        assert load(tmp_path) == Settings()

    def test_they_are_the_documented_ones(self) -> None:
        settings = Settings()
        assert settings.privacy == PrivacySettings(
            level="medium", mask=(), unmask=(), block=(), exclude_users=(), rules=()
        )
        rage = settings.detectors.rage_click
        assert (rage.enabled, rage.count, rage.window_ms, rage.unanswered_window_ms) == (True, 4, 1_000, 4_000)
        assert (rage.max_spread_px, rage.quiet_ms) == (50, 1_000)
        assert settings.detectors.dead_click.wait_ms == 3_000
        assert settings.detectors.error_click.window_ms == 1_000
        assert settings.detectors.js_error.quiet_ms == 1_000
        session = settings.session
        assert (session.idle_timeout_ms, session.max_duration_ms) == (HOUR_MS // 2, 24 * HOUR_MS)
        assert (session.grace_ms, session.max_bytes) == (24 * HOUR_MS, 50 << 20)
        order = settings.order
        assert (order.gap_wait_ms, order.max_held_batches) == (HOUR_MS // 4, 256)
        assert (order.max_held_bytes, order.max_gap_batches) == (32 << 20, 1_000)
        limits = settings.limits
        assert (limits.max_message_bytes, limits.max_batch_bytes, limits.max_batch_events) == (
            10 << 20,
            16 << 20,
            10_000,
        )
        assert (limits.max_depth, limits.max_text_bytes, limits.max_nodes_per_page) == (200, 64 << 10, 100_000)
        assert (limits.max_windows_per_session, limits.max_signals_per_session) == (64, 1_000)
        store = settings.store
        assert (store.redis_url, store.key_prefix) == ("redis://127.0.0.1:6379/0", "wince")
        assert (store.retention_ms, store.compact_block_bytes) == (30 * 24 * HOUR_MS, 1 << 20)


class TestFile:
    def test_every_kind_of_value_is_read(self, tmp_path: Path) -> None:
        settings = load(
            tmp_path,
            """
            [privacy]
            level = "conservative"
            mask = [".iban", "[data-private]"]
            [[privacy.rules]]
            url = "https://shop.example/help/*"
            level = "light"
            [detectors.rage_click]
            enabled = false
            count = 7
            [session]
            idle_timeout = "45m"
            grace = 0
            max_bytes = "1GiB"
            [store]
            redis_url = "rediss://user:secret@redis.internal:6380/2"
            """,
        )
        assert settings == Settings(
            privacy=PrivacySettings(
                level="conservative",
                mask=(".iban", "[data-private]"),
                rules=(PrivacyRule(url="https://shop.example/help/*", level="light"),),
            ),
            detectors=DetectorSettings(rage_click=RageClickSettings(enabled=False, count=7)),
            session=SessionSettings(idle_timeout_ms=45 * 60_000, grace_ms=0, max_bytes=1 << 30),
            store=settings.store,
        )
        assert settings.store.redis_url == "rediss://user:secret@redis.internal:6380/2"

    def test_a_bare_number_is_milliseconds_or_bytes(self, tmp_path: Path) -> None:
        session = load(tmp_path, "[session]\nidle_timeout = 1234\nmax_bytes = 5678").session
        assert (session.idle_timeout_ms, session.max_bytes) == (1_234, 5_678)


class TestVariables:
    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("WINCE_PRIVACY_LEVEL", "light", Settings(privacy=PrivacySettings(level="light"))),
            ("WINCE_PRIVACY_MASK", '[".a", "#b"]', Settings(privacy=PrivacySettings(mask=(".a", "#b")))),
            ("WINCE_SESSION_IDLE_TIMEOUT", "2h", Settings(session=SessionSettings(idle_timeout_ms=2 * HOUR_MS))),
            ("WINCE_SESSION_IDLE_TIMEOUT", "500", Settings(session=SessionSettings(idle_timeout_ms=500))),
            (
                "WINCE_DETECTORS__RAGE_CLICK__COUNT",
                "9",
                Settings(detectors=DetectorSettings(rage_click=RageClickSettings(count=9))),
            ),
            (
                "WINCE_DETECTORS__RAGE_CLICK__ENABLED",
                "false",
                Settings(detectors=DetectorSettings(rage_click=RageClickSettings(enabled=False))),
            ),
            (
                "WINCE_DETECTORS__SPLUNK__RAGECLICK__TIMEFRAMESECONDS",
                "0.5",
                Settings(
                    detectors=DetectorSettings(splunk=SplunkSettings(rage_click=RageClick(timeframe_seconds=0.5)))
                ),
            ),
            (
                "WINCE_PRIVACY_RULES",
                '[{ url = "https://a.example/*", level = "light" }]',
                Settings(privacy=PrivacySettings(rules=(PrivacyRule(url="https://a.example/*", level="light"),))),
            ),
            (
                "WINCE_PROJECTS",
                '{ shop = { privacy = { level = "light" } } }',
                Settings(projects={"shop": ProjectSettings(privacy=PrivacySettings(level="light"))}),
            ),
        ],
    )
    def test_a_variable_sets_its_key(self, name: str, text: str, expected: Settings) -> None:
        assert load_settings(None, {name: text}) == expected

    def test_variables_are_stronger_than_the_file(self, tmp_path: Path) -> None:
        settings = load(
            tmp_path,
            '[privacy]\nlevel = "light"\nmask = [".a"]\n[session]\ngrace = "1h"',
            {"WINCE_PRIVACY_LEVEL": "conservative", "WINCE_PRIVACY_MASK": '[".b"]'},
        )
        assert settings.privacy == PrivacySettings(level="conservative", mask=(".b",))
        assert settings.session.grace_ms == HOUR_MS

    @pytest.mark.parametrize(
        "name",
        [
            "HOME",
            "wince_privacy_level",
            "XWINCE_PRIVACY_LEVEL",
            "WINCE_COMPILE",
            "WINCE_TEST_REQUIRE",
            "WINCE_SERVICE_HOST",
            "WINCE_SERVICE_PORT",
            "WINCE_API_SERVICE_PORT_HTTP",
            "WINCE_PORT",
            "WINCE_API_PORT_8080_TCP",
            "WINCE_API_PORT_8080_TCP_ADDR",
            "WINCE_PORT_53_UDP_PROTO",
        ],
    )
    def test_variables_of_others_are_left_alone(self, name: str) -> None:
        assert load_settings(None, {name: "anything"}) == Settings()


class TestProjects:
    TEXT = """
        [privacy]
        level = "medium"
        mask = [".a"]
        [session]
        idle_timeout = "10m"
        [projects.shop.privacy]
        level = "light"
        [projects.shop.detectors.rage_click]
        count = 6
        [projects."travel site".privacy]
        mask = []
    """

    def test_a_project_has_its_own_values_over_the_common_ones(self, tmp_path: Path) -> None:
        shop = load(tmp_path, self.TEXT).for_project("shop")
        assert shop.privacy == PrivacySettings(level="light", mask=(".a",))
        assert shop.detectors == DetectorSettings(rage_click=RageClickSettings(count=6))
        assert shop.session == SessionSettings(idle_timeout_ms=600_000)

    def test_a_list_of_a_project_replaces_the_common_list(self, tmp_path: Path) -> None:
        assert load(tmp_path, self.TEXT).for_project("travel site").privacy == PrivacySettings(level="medium")

    def test_an_unknown_project_has_the_common_settings(self, tmp_path: Path) -> None:
        settings = load(tmp_path, self.TEXT)
        other = settings.for_project("other")
        assert (other.privacy, other.detectors, other.session) == (
            settings.privacy,
            settings.detectors,
            settings.session,
        )

    def test_common_values_from_variables_reach_projects_that_have_none(self, tmp_path: Path) -> None:
        settings = load(tmp_path, self.TEXT, {"WINCE_PRIVACY_LEVEL": "conservative"})
        assert settings.for_project("shop").privacy.level == "light"
        assert settings.for_project("travel site").privacy.level == "conservative"

    def test_the_same_object_is_given_each_time(self, tmp_path: Path) -> None:
        settings = load(tmp_path, self.TEXT)
        assert settings.for_project("shop") is settings.for_project("shop")


class TestSources:
    def test_each_value_names_who_set_it_last(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_text('[session]\ngrace = "1h"\nidle_timeout = "1m"\n[projects.shop.privacy]\nmask = [".a"]')
        resolved = resolve_settings(file, {"WINCE_SESSION_GRACE": "2h"})
        assert resolved.sources == {
            ("session", "grace"): "WINCE_SESSION_GRACE",
            ("session", "idle_timeout"): str(file),
            ("projects", "shop", "privacy", "mask"): str(file),
        }
        assert resolved.settings == load_settings(file, {"WINCE_SESSION_GRACE": "2h"})


class TestSelectors:
    def test_each_selector_is_shown_to_the_given_check(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_text('[privacy]\nmask = [".a"]\nexclude_users = ["u"]\n[projects.shop.privacy]\nblock = [".b"]')
        seen: list[str] = []

        def accept(selector: str) -> None:
            seen.append(selector)

        load_settings(file, {"WINCE_PRIVACY_UNMASK": '[".c"]'}, validate_selectors=accept)
        assert sorted(seen) == [".a", ".b", ".c"]

    def test_what_it_says_is_reported_with_the_selector(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_text('[privacy]\nmask = [".a", "::-p-xpath"]')

        def refuse(selector: str) -> str | None:
            return "not a selector" if selector.startswith("::") else None

        with pytest.raises(SettingsError) as caught:
            load_settings(file, {}, validate_selectors=refuse)
        (problem,) = caught.value.problems
        assert (problem.key, problem.value) == ("privacy.mask[1]", '"::-p-xpath"')
        assert problem.expected == "a CSS selector (not a selector)"
