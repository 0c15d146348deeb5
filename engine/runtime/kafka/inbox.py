"""Records of one partition that were fetched and not processed yet."""

import asyncio
from collections import deque
from collections.abc import Sequence

from engine.runtime.kafka.records import Record, size_of


class Inbox:
    """A queue with a known size, read in portions. `waiting_bytes` counts what waits and what is being processed."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque()
        self._waiting_bytes = 0
        self._taken_bytes = 0
        self._taken_ms: int | None = None
        self._arrived = asyncio.Event()

    @property
    def waiting_bytes(self) -> int:
        """Bytes that were put in and of which `done` was not told."""
        return self._waiting_bytes + self._taken_bytes

    @property
    def oldest_ms(self) -> int | None:
        """The timestamp of the first record of which `done` was not told (epoch ms)."""
        if self._taken_ms is not None:
            return self._taken_ms
        return self._records[0].timestamp if self._records else None

    def __len__(self) -> int:
        return len(self._records)

    def put(self, records: Sequence[Record]) -> None:
        """Append records."""
        self._records.extend(records)
        self._waiting_bytes += sum(map(size_of, records))
        self._arrived.set()

    def wake(self) -> None:
        """Let a waiting `take` return, with nothing if there is nothing."""
        self._arrived.set()

    async def take(self, max_records: int, max_bytes: int, wait_seconds: float) -> list[Record]:
        """Return the next records up to both limits, at least one; none if none came in time or `wake` was called."""
        if not self._records:
            self._arrived.clear()
            try:
                # Not `wait_for`: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(wait_seconds):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        taken: list[Record] = []
        size = 0
        while self._records and len(taken) < max_records:
            size += size_of(self._records[0])
            if taken and size > max_bytes:
                size -= size_of(self._records[0])
                break
            taken.append(self._records.popleft())
        self._waiting_bytes -= size
        self._taken_bytes = size
        self._taken_ms = taken[0].timestamp if taken else None
        return taken

    def done(self) -> None:
        """Tell that what was taken last is processed."""
        self._taken_bytes = 0
        self._taken_ms = None

    def clear(self) -> None:
        """Forget everything."""
        self._records.clear()
        self._waiting_bytes = self._taken_bytes = 0
        self._taken_ms = None
