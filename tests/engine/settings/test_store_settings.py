"""How Redis is reached: what goes together, and what is never printed."""

from pathlib import Path

import pytest

from engine.runtime.stores import redis_client, store_settings
from engine.settings import Settings, SettingsError, load_settings, render, resolve_settings

TLS = 'redis_url = "rediss://redis:6380/0"\n'


def problems_of(path: Path, text: str) -> dict[str, str]:
    file = path / "wince.toml"
    file.write_text(f"[store]\n{text}", encoding="utf-8")
    try:
        load_settings(file, {})
    except SettingsError as error:
        return {problem.key: problem.expected for problem in error.problems if problem.source == str(file)}
    return {}


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('redis_url = "redis://me:hunter2@h/0"\nredis_password = "x"', "redis_password", "nothing, with a login in"),
        ('redis_url = "redis://h/0?password=x"\nredis_username = "me"', "redis_username", "nothing, with a login in"),
        ('redis_username = "me"', "redis_password", "the user's password"),
        ('redis_tls_ca_file = "ca.pem"', "redis_tls_ca_file", 'nothing, unless store.redis_url begins with "rediss"'),
        (f'{TLS}redis_tls_key_file = "k.pem"', "redis_tls_cert_file", "the certificate of store.redis_tls_key_file"),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path: Path, text: str, key: str, expected: str) -> None:
    assert problems_of(tmp_path, text)[f"store.{key}"].startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        'redis_password = "x"',
        'redis_username = "me"\nredis_password = "x"',
        f'{TLS}redis_tls_ca_file = "ca.pem"\nredis_tls_cert_file = "c.pem"\nredis_tls_key_file = "k.pem"',
        'redis_url = "rediss+cluster://redis:6380"\nredis_tls_cert_file = "both.pem"',
        'redis_url = "redis://h/0?name=a@b"\nredis_password = "x"',
    ],
)
def test_what_goes_together_is_taken(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path, text) == {}


def test_passwords_are_neither_printed_nor_told() -> None:
    environ = {"WINCE_STORE_REDIS_USERNAME": "me", "WINCE_STORE_REDIS_PASSWORD": "hunter2"}
    printed = render(resolve_settings(None, environ))
    assert 'redis_password = "***"' in printed
    assert "hunter2" not in printed
    with pytest.raises(SettingsError) as caught:
        load_settings(None, environ | {"WINCE_STORE_REDIS_URL": "redis://you:secret@h/0"})
    assert "store.redis_password" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_files_that_are_not_there_are_told_at_once(tmp_path: Path) -> None:
    missing = str(tmp_path / "ca.pem")
    settings = load_settings(
        None, {"WINCE_STORE_REDIS_URL": "rediss://redis/0", "WINCE_STORE_REDIS_TLS_CA_FILE": missing}
    )
    with pytest.raises(ValueError, match=r"No such file.*ca\.pem"):
        redis_client(settings)


def test_the_defaults_need_no_files() -> None:
    assert redis_client(Settings()) is not None


class TestRetention:
    TEXT = """
        [store]
        redis_url = "redis://elsewhere:6379/0"
        retention = "10d"
        retention_by_tag = { rage_click = "90d", js_error = "20d" }
        [projects.shop.store]
        retention = "1d"
        retention_by_tag = { js_error = "5d" }
        [projects.bank.session]
        grace = "2d"
        """

    def test_a_project_has_its_own_rule_over_the_common_one(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_text(self.TEXT)
        resolved = resolve_settings(file, {"WINCE_STORE_MAX_RETENTION": "60d"})
        rules = store_settings(resolved.settings)
        days = 86_400_000
        assert (
            rules.retention_of("other").text() == f"{10 * days} {60 * days} js_error={20 * days} rage_click={90 * days}"
        )
        assert rules.retention_of("bank") == rules.retention
        assert rules.retention_of("shop").text() == f"{days} {60 * days} js_error={5 * days} rage_click={90 * days}"
        assert (rules.retention.shortest_ms, rules.retention.longest_ms) == (10 * days, 60 * days)
        assert rules.max_life_ms == 3 * days + 1_800_000
        assert rules.tombstone_ms == 61 * days

    def test_tombstones_outlast_input_that_can_be_read_again(self) -> None:
        settings = load_settings(None, {"WINCE_STORE_RETENTION": "1h", "WINCE_KAFKA_EVENTS_RETENTION": "9d"})
        assert store_settings(settings).tombstone_ms == 10 * 86_400_000

    def test_it_is_printed_as_it_is_written(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_text(self.TEXT)
        printed = render(resolve_settings(file, {}))
        assert 'retention_by_tag = { rage_click = "90d", js_error = "20d" }' in printed
        file.write_text(printed)
        assert load_settings(file, {}).projects["shop"].store.retention_by_tag_ms["js_error"] == 5 * 86_400_000

    @pytest.mark.parametrize("at", ["", "projects.shop."])
    def test_what_cannot_be_is_told(self, tmp_path: Path, at: str) -> None:
        file = tmp_path / "wince.toml"
        file.write_text(
            f'[{at}store]\nretention = "3d"\nmax_retention = "2d"\nretention_by_tag = {{ rageclick = "1d" }}'
        )
        with pytest.raises(SettingsError) as raised:
            load_settings(file, {})
        told = {problem.key: problem.expected for problem in raised.value.problems}
        assert told[f"{at}store.retention"] == 'at most store.max_retention, which is "2d"'
        assert "rage_click" in told[f"{at}store.retention_by_tag"]
