"""Collects a window's masked events into block drafts."""

from replay.blocks import encode_block, join_lines
from replay.writes import BlockDraft


class Run:
    """Masked events of one window that follow each other, as JSON.

    `times` are the window's (epoch ms), which never fall; `timestamps` are the events' own.
    """

    __slots__ = ("lines", "times", "timestamps")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.times: list[int] = []
        self.timestamps: list[int] = []

    def cut(self, length: int) -> None:
        """Keep the first events only."""
        del self.lines[length:], self.times[length:], self.timestamps[length:]


class BlockBuilder:
    """The block a window is writing, and those it has finished since they were last taken.

    A block is cut before a page's Meta event, so that a keyframe starts its block, and where another privacy policy or
    level begins to hold.
    """

    __slots__ = (
        "_finished",
        "_first_t",
        "_keyframe",
        "_last_t",
        "_late",
        "_lines",
        "_policy",
        "_sequence",
        "_window_id",
    )

    def __init__(self, window_id: str, *, late: bool = False) -> None:
        self._window_id = window_id
        self._late = late
        self._finished: list[BlockDraft] = []
        self._policy = ""
        self._start()

    def _start(self) -> None:
        self._lines: list[bytes] = []
        self._sequence = 0
        self._first_t = self._last_t = 0
        self._keyframe = False

    def extend(self, run: Run, sequence: int, policy: str = "") -> None:
        """Append masked events of the batch with number `sequence`; `policy` is what they were masked by."""
        if not run.lines:
            return
        if policy != self._policy:
            if self._lines:
                self.cut()
            self._policy = policy
        first_t, last_t = min(run.timestamps), max(run.timestamps)
        if self._lines:
            first_t, last_t = min(first_t, self._first_t), max(last_t, self._last_t)
        else:
            self._sequence = sequence
        self._first_t, self._last_t = first_t, last_t
        self._lines += run.lines

    @property
    def open(self) -> bool:
        """Whether the current block holds anything yet."""
        return bool(self._lines)

    def start_keyframe(self) -> None:
        """Say that a Meta event comes next, or a full snapshot without one: players can start there."""
        self.cut()
        self._keyframe = True

    def cut(self) -> None:
        """End the block here, if it holds anything."""
        if not self._lines:
            self._keyframe = False
            return
        lines = join_lines(self._lines)
        self._finished.append(
            BlockDraft(
                window_id=self._window_id,
                sequence=self._sequence,
                data=encode_block(lines),
                raw_length=len(lines),
                events=len(self._lines),
                first_t=self._first_t,
                last_t=self._last_t,
                keyframe=self._keyframe,
                late=self._late,
                policy=self._policy,
            )
        )
        self._start()

    def take(self) -> list[BlockDraft]:
        """Give the blocks finished since the last call, the current one ended."""
        self.cut()
        finished, self._finished = self._finished, []
        return finished
