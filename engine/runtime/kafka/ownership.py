"""Owning a partition in Redis: the mark as this owner left it, which tells whether all is as it was."""

import asyncio

from engine.operate.meters import Count
from engine.runtime.kafka.tools import Tools
from replay.marks import Mark, Written


class ResetError(Exception):
    """What is known here of a partition is worth nothing: take it over again. `cause` is a label of a metric."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Ownership:
    """One process's hold on a shard. What passes is waited for.

    Redis may have gone back in time: been put back to an older dump, or lost its last moments in a failover. What this
    owner stored and let go of could then be taken for the truth, so the mark has to vouch for all of it: it is only
    moved while everything written since the last move is still there, nothing is let go of before, and what was
    loaded counts only if the mark is still the one that was left.
    """

    def __init__(self, shard: str, tools: Tools) -> None:
        self.shard = shard
        self._tools = tools
        self._moves = 0
        self._offset = -1
        self._moved_at = 0.0

    async def claim(self) -> tuple[Mark | None, bool]:
        """Become the owner; return the mark as it was, and whether nobody but this process has moved it."""
        tools = self._tools
        claim = await tools.patience.insist(lambda: tools.marks.claim(self.shard, tools.owner))
        found = claim.previous
        undisturbed = found is not None and (found.owner, found.count) == (tools.owner, self._moves)
        self._moves, self._offset = claim.count, -1
        return found, undisturbed

    async def check(self) -> None:
        """Raise ResetError if somebody else is the owner by now, or Redis went back in time."""
        tools = self._tools
        if not await tools.patience.insist(lambda: tools.marks.holds(self.shard, tools.owner, self._moves)):
            raise ResetError("mark_refused")

    async def move(self, log: str, offset: int, written: Written) -> None:
        """Move the mark, if there is anything to tell by it, or nothing was for a while. Raises ResetError."""
        tools, now = self._tools, asyncio.get_running_loop().time()
        age_ms = (now - self._moved_at) * 1_000
        if offset == self._offset and not written and age_ms < tools.settings.worker.mark_interval_ms:
            return
        with tools.stage("mark"):
            moved = await tools.patience.insist(
                lambda: tools.marks.move(self.shard, tools.owner, self._moves, log, offset, written)
            )
        if not moved:
            raise ResetError("mark_refused")
        tools.meters.count(Count.MARKS_MOVED)
        self._moves, self._offset, self._moved_at = self._moves + 1, offset, now
