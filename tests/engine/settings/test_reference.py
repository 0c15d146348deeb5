from pathlib import Path

import msgspec

from engine.settings import (
    LimitSettings,
    PrivacySettings,
    Settings,
    StoreSettings,
    describe,
    load_settings,
    reference_document,
    render,
    resolve_settings,
)
from engine.settings._layers import _VARIABLES

DOCS = Path(__file__).parents[3] / "docs" / "settings.md"
ROWS = {row.key: row for row in describe()}


def test_the_page_in_docs_is_the_one_made_from_the_declarations() -> None:
    assert DOCS.read_text(encoding="utf-8") == reference_document()


def test_every_setting_has_a_type_and_a_meaning() -> None:
    assert [row.key for row in ROWS.values() if not (row.type and row.meaning.endswith("."))] == []


def test_defaults_are_written_as_in_a_file() -> None:
    assert ROWS["session.idle_timeout"].default == '"30m"'
    assert ROWS["limits.max_batch_bytes"].default == '"16MiB"'
    assert ROWS["detectors.rage_click.enabled"].default == "true"
    assert ROWS["privacy.mask"].default == "[]"
    assert ROWS["privacy.rules[].url"].default == ""


def test_types_are_named() -> None:
    assert ROWS["session.idle_timeout"].type == "duration"
    assert ROWS["session.max_bytes"].type == "size"
    assert ROWS["order.max_held_batches"].type == "whole number"
    assert ROWS["privacy.level"].type == "`conservative` / `light` / `medium`"
    assert ROWS["privacy.mask"].type == "list of text"
    assert ROWS["privacy.rules"].type == "list of tables"
    assert ROWS["store.redis_url"].type == "text"
    assert ROWS["detectors.dead_click.enabled"].type == "`true` / `false`"


def test_the_defaults_of_the_reference_load_as_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "wince.toml"
    rows = [row for row in ROWS.values() if row.default and "[]" not in row.key]
    file.write_text("".join(f"{row.key} = {row.default}\n" for row in rows))
    assert load_settings(file, {}) == Settings()


def test_no_two_keys_share_a_variable() -> None:
    assert len(_VARIABLES) == len([key for key in ROWS if "[]" not in key])


def test_every_section_is_part_of_the_reference() -> None:
    for section in (PrivacySettings, LimitSettings, StoreSettings):
        for field in msgspec.structs.fields(section):
            assert any(key.endswith(f".{field.encode_name}") for key in ROWS)


class TestRender:
    def test_each_value_tells_where_it_was_set(self, tmp_path: Path) -> None:
        file = tmp_path / "wince.toml"
        file.write_text('session.grace = "36h"\nprojects.shop.privacy.level = "light"')
        printed = render(resolve_settings(file, {"WINCE_SESSION_MAX_BYTES": "1GiB"}))
        assert f'grace = "36h"  # {file}\n' in printed
        assert 'max_bytes = "1GiB"  # WINCE_SESSION_MAX_BYTES\n' in printed
        assert 'idle_timeout = "30m"  # default\n' in printed
        assert printed.endswith(f'[projects.shop.privacy]\nlevel = "light"  # {file}\n')

    def test_a_password_is_not_printed(self) -> None:
        printed = render(resolve_settings(None, {"WINCE_STORE_REDIS_URL": "redis://user:hunter2@host/0"}))
        assert 'redis_url = "redis://***@host/0"' in printed
        assert "hunter2" not in printed
