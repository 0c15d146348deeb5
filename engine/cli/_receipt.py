"""The receipt of a deletion: what was asked for, what was removed where, what was searched, what is told and stays."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.settings import Settings
from replay.deletion import DeletionQuery, Proof, count_removed
from replay.exclusions import ANY_PROJECT, user_digest
from replay.tombstones import Removed

FORMAT: Final = 1

_encode: Final = msgspec.json.Encoder().encode


# Listings of users are named after them; a quote ends the name, which holds none.
_USER: Final = re.compile(rb'(:user:)[^"]*')


def _without_users(part: Removed | Proof) -> bytes:
    return _USER.sub(rb"\1***", _encode(part))


class Receipt:
    """Made before a deletion, written after it. `excluded` is the digest of a user who was excluded as well."""

    def __init__(self, settings: Settings, query: DeletionQuery, started_at: int) -> None:
        self.excluded = ""
        self._settings = settings
        self._query = query
        self._started_at = started_at

    def write(self, path: Path, removed: Sequence[Removed], proof: Proof, finished_at: int, *, told: bool) -> None:
        """Write the file, readable by its owner only: it names sessions. Raises OSError."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_encode(self._head(removed, finished_at))[:-1])
            file.write(b',"sessions":[')
            for place, each in enumerate(removed):
                file.write((b",\n" if place else b"\n") + _without_users(each))
            file.write(
                b'\n],"proof":' + _without_users(proof) + b',"kafka":' + _encode(self._kafka(told=told)) + b"}\n"
            )

    def _head(self, removed: Sequence[Removed], finished_at: int) -> dict[str, object]:
        query = {name: value for name, value in msgspec.structs.asdict(self._query).items() if value}
        if self._query.user:
            # A receipt is kept for years; that it is of this user can be checked without naming the user.
            query["user"] = user_digest(self._query.project_id or ANY_PROJECT, self._query.user)
        return {
            "format": FORMAT,
            "key_prefix": self._settings.store.key_prefix,
            "query": query,
            "excluded": self.excluded,
            "started_at": self._started_at,
            "finished_at": finished_at,
            "counts": count_removed(removed),
        }

    def _kafka(self, *, told: bool) -> dict[str, object]:
        """Say whether readers were told, and what stays on topics until when: nothing there can be deleted."""
        kafka = self._settings.kafka
        return {
            "told_on": kafka.activity_topic if told else "",
            "stays_ms": {
                kafka.events_topic: kafka.events_retention_ms,
                kafka.signals_topic: kafka.signals_retention_ms,
                kafka.activity_topic: kafka.activity_retention_ms,
            },
        }
