"""Where the receipt of a deletion is written, and what of the settings is in it."""

import os
from collections.abc import Sequence
from pathlib import Path

from engine.runtime.readers import readers_of
from engine.settings import Settings
from replay.deletion import DeletionQuery, Proof
from replay.receipts import make_receipt, receipt_chunks
from replay.tombstones import Removed


class Receipt:
    """Made before a deletion, written after it. `excluded` is the digest of a user who was excluded as well."""

    def __init__(self, settings: Settings, query: DeletionQuery, started_at: int) -> None:
        self.excluded = ""
        self._settings = settings
        self._query = query
        self._started_at = started_at

    def write(self, path: Path, removed: Sequence[Removed], proof: Proof, finished_at: int, *, told: bool) -> None:
        """Write the file, readable by its owner only: it names sessions. Raises OSError."""
        receipt = make_receipt(
            self._query,
            removed,
            proof,
            key_prefix=self._settings.store.key_prefix,
            started_at=self._started_at,
            finished_at=finished_at,
            readers=readers_of(self._settings, told=told),
            excluded=self.excluded,
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(receipt_chunks(receipt))
