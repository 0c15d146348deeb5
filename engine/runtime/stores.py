"""What stores need to know of the settings."""

from engine.settings import Settings
from replay.store import StoreSettings


def store_settings(settings: Settings) -> StoreSettings:
    """Return a store's limits as the settings have them."""
    return StoreSettings(
        max_session_bytes=settings.session.max_bytes,
        compact_block_bytes=settings.store.compact_block_bytes,
        retention_ms=settings.store.retention_ms,
    )
