"""What stores need to know of the settings."""

from engine.settings import Settings
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
