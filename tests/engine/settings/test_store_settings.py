"""How Redis is reached: what goes together, and what is never printed."""

from pathlib import Path

import pytest

from engine.runtime.stores import redis_client
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
