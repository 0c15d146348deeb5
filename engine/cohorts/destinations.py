"""Where batches go: files of JSON lines, standard output, webhooks."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from engine.cohorts.events import Batch, lines, webhook_body
from engine.delivery.addresses import AllowList
from engine.delivery.posting import TIMEOUT_SECONDS, Posted, Poster
from engine.delivery.webhook import sign

STANDARD_OUTPUT: Final = "-"
_LINES_AT_ONCE: Final = 1_000
_TAIL_BYTES: Final = 64 << 10


class Receiver(Protocol):
    """Who takes batches of up to `batch_users` users, one every `pause_ms` at most."""

    batch_users: int
    pause_ms: int

    async def take(self, batch: Batch) -> Posted:
        """Hand a batch over, and say what came of it. Raises OSError where that is ours to mend."""
        ...


class LinesReceiver:
    """Appends JSON lines to a file, safe on disk before it says so; or writes them to standard output."""

    batch_users = _LINES_AT_ONCE
    pause_ms = 0

    def __init__(self, path: str) -> None:
        self._path = path

    async def take(self, batch: Batch) -> Posted:
        """Write."""
        text = lines(batch.events)
        if self._path == STANDARD_OUTPUT:
            _write_all(1, text)
        else:
            _append(Path(self._path), text)
        return Posted("accepted")


def _append(path: Path, text: bytes) -> None:
    """Append whole lines. A line that a crash cut off is taken away: it comes again."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.lseek(file, _end_of_lines(file), os.SEEK_SET)
        os.ftruncate(file, os.lseek(file, 0, os.SEEK_CUR))
        _write_all(file, text)
        os.fsync(file)
    finally:
        os.close(file)


def _end_of_lines(file: int) -> int:
    size = os.fstat(file).st_size
    start = max(size - _TAIL_BYTES, 0)
    tail = os.pread(file, _TAIL_BYTES, start)
    return start + tail.rfind(b"\n") + 1 if b"\n" in tail or not start else size


def _write_all(file: int, text: bytes) -> None:
    view = memoryview(text)
    while view:
        view = view[os.write(file, view) :]


class Webhook(NamedTuple):
    """Where to post, with what to sign, which private addresses are open, how much and how often, as whom."""

    url: str
    secrets: Sequence[bytes]
    allow: AllowList
    batch_users: int
    per_minute: int
    authorization: str = ""


class WebhookReceiver:
    """Posts batches to a URL, signed by Standard Webhooks."""

    def __init__(
        self,
        poster: Poster,
        webhook: Webhook,
        clock_s: Callable[[], float] = time.time,
        timeout_s: float = TIMEOUT_SECONDS,
    ) -> None:
        self.batch_users = webhook.batch_users
        self.pause_ms = 60_000 // webhook.per_minute
        self._poster = poster
        self._webhook = webhook
        self._clock_s = clock_s
        self._timeout_s = timeout_s

    async def take(self, batch: Batch) -> Posted:
        """Post once."""
        webhook, body = self._webhook, webhook_body(batch)
        headers = {"content-type": "application/json"}
        headers |= sign(webhook.secrets, batch.id, int(self._clock_s()), body)
        if webhook.authorization:
            headers["authorization"] = webhook.authorization
        return await self._poster.post(webhook.url, body, headers, webhook.allow, timeout_s=self._timeout_s)
