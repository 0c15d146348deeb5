"""What stores need to know of the settings."""

from engine.settings import Settings
from replay.redis_access import Access
from replay.redis_client import Observer, RedisClient, connect
from replay.store import StoreSettings


def store_settings(settings: Settings) -> StoreSettings:
    """Return a store's limits as the settings have them."""
    largest = max([settings.session.max_bytes, *(own.session.max_bytes for own in settings.projects.values())])
    return StoreSettings(
        key_prefix=settings.store.key_prefix,
        max_session_bytes=largest,
        compact_block_bytes=settings.store.compact_block_bytes,
        retention_ms=settings.store.retention_ms,
    )


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
