"""What stores need to know of the settings."""

from typing import Final

from engine.settings import KeepSettings, Settings
from replay.redis_access import Access
from replay.redis_client import Observer, RedisClient, connect
from replay.retention import DAY_MS, Retention
from replay.store import StoreSettings

TOMBSTONE_MARGIN_MS: Final = DAY_MS
"""Clocks differ, and what expires is deleted a little later."""


def store_settings(settings: Settings) -> StoreSettings:
    """Return a store's limits as the settings have them."""
    largest = max([settings.session.max_bytes, *(own.session.max_bytes for own in settings.projects.values())])
    return StoreSettings(
        key_prefix=settings.store.key_prefix,
        max_session_bytes=largest,
        compact_block_bytes=settings.store.compact_block_bytes,
        retention=_retention(settings.store),
        project_retention={project_id: _retention(own.store) for project_id, own in settings.projects.items()},
        tombstone_ms=_tombstone_ms(settings),
        max_life_ms=_max_life_ms(settings),
    )


def _retention(keep: KeepSettings) -> Retention:
    return Retention(base_ms=keep.retention_ms, by_tag_ms=keep.retention_by_tag_ms, max_ms=keep.max_retention_ms)


def _max_life_ms(settings: Settings) -> int:
    """Return how long after its start a session can still be written."""
    of_projects = [settings.session, *(own.session for own in settings.projects.values())]
    return max(each.max_duration_ms + each.idle_timeout_ms + each.grace_ms for each in of_projects)


def _tombstone_ms(settings: Settings) -> int:
    """Return how long an id has to be kept out: longer than anything is kept that could bring it back."""
    keeps = [settings.store, *(own.store for own in settings.projects.values())]
    kept_ms = max(_retention(keep).longest_ms for keep in keeps)
    return max(kept_ms, settings.kafka.events_retention_ms, _max_life_ms(settings)) + TOMBSTONE_MARGIN_MS


def redis_client(settings: Settings, observer: Observer | None = None) -> RedisClient:
    """Make the client of the Redis in the settings; nothing is connected yet.

    Raises ValueError if files for TLS cannot be used, or the URL is none.
    """
    store = settings.store
    access = Access(
        username=store.redis_username,
        password=store.redis_password,
        tls_ca_file=store.redis_tls_ca_file,
        tls_cert_file=store.redis_tls_cert_file,
        tls_key_file=store.redis_tls_key_file,
    )
    return connect(store.redis_url, access, observer)
