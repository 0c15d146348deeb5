"""Where the receipt of a deletion is written, and what of the settings is in it."""

import os
from collections.abc import Sequence
from pathlib import Path

from engine.settings import Settings
from replay.deletion import DeletionQuery, Proof
from replay.receipts import Readers, make_receipt, receipt_chunks
from replay.tombstones import Removed


def readers(settings: Settings, *, told: bool) -> Readers:
    """Say whether readers were told, and what stays on topics until when: nothing there can be deleted."""
    kafka = settings.kafka
    stays_ms = {
        kafka.events_topic: kafka.events_retention_ms,
        kafka.signals_topic: kafka.signals_retention_ms,
        kafka.activity_topic: kafka.activity_retention_ms,
    }
    return Readers(kafka.activity_topic if told else "", stays_ms)


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
            readers=readers(self._settings, told=told),
            excluded=self.excluded,
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(receipt_chunks(receipt))
