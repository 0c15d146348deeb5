"""What a visitor did, read off the events of a bundle: when they clicked, and which fields they changed."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

import msgspec

from replay.store import BundleLine

MAX_ACTIONS: Final = 100_000
"""Clicks and changes of fields remembered of a session; one with more is told without them."""

_INCREMENTAL: Final = 3
_MOUSE, _INPUT, _CLICK = 2, 5, 2


class _Data(msgspec.Struct, gc=False):
    source: int = -1
    type: int | float | str | None = None
    id: int | str | None = None


class _Element(msgspec.Struct, gc=False):
    id: int | str = ""


class _Line(msgspec.Struct, gc=False):
    """What is read of an event, of either kind: an rrweb event has `type`, an interaction event `kind`."""

    type: int = -1
    timestamp: float = 0
    data: msgspec.Raw = msgspec.Raw(b"{}")
    kind: str = ""
    t: float = 0
    target: _Element | None = None


_lines: Final = msgspec.json.Decoder(_Line)
_data: Final = msgspec.json.Decoder(_Data)


class Actions(msgspec.Struct, frozen=True):
    """Clicks (epoch ms) and changes of fields (epoch ms, node id) by window, each in ascending order."""

    clicks: dict[str, list[int]]
    changes: dict[str, list[tuple[int, str]]]

    def clicks_between(self, window_id: str, from_t: int, to_t: int) -> int:
        """Count clicks from one moment to before another."""
        clicks = self.clicks.get(window_id, [])
        return max(bisect_left(clicks, to_t) - bisect_left(clicks, from_t), 0)

    def fields_between(self, window_id: str, from_t: int, to_t: int) -> int:
        """Count the different fields that were changed from one moment to before another."""
        changes = self.changes.get(window_id, [])
        begin, end = bisect_left(changes, (from_t, "")), bisect_left(changes, (to_t, ""))
        return len({node for _, node in changes[begin:end]})


class ActionsReader:
    """Takes the lines of a bundle, in any order. What is no event of ours is left out."""

    def __init__(self) -> None:
        self._clicks: dict[str, list[int]] = {}
        self._changes: dict[str, list[tuple[int, str]]] = {}
        self._room = MAX_ACTIONS

    def read(self, lines: Iterable[BundleLine]) -> None:
        """Take more lines."""
        for line in lines:
            try:
                self._read(line.window_id, line.event)
            except msgspec.DecodeError:
                continue

    def actions(self) -> Actions | None:
        """Give what was done; nothing if it was too much to remember, since a part of it would be a wrong number."""
        if self._room < 0:
            return None
        return Actions(
            {window: sorted(times) for window, times in self._clicks.items()},
            {window: sorted(changes) for window, changes in self._changes.items()},
        )

    def _read(self, window_id: str, event: bytes) -> None:
        line = _lines.decode(event)
        if line.kind in {"click", "input"}:
            node = str(line.target.id) if line.target else ""
            self._note(window_id, line.kind == "click", int(line.t), node)
        elif line.type == _INCREMENTAL:
            data = _data.decode(line.data)
            is_click = data.source == _MOUSE and data.type == _CLICK
            if is_click or data.source == _INPUT:
                self._note(window_id, is_click, int(line.timestamp), str(data.id))

    def _note(self, window_id: str, is_click: bool, t: int, node: str) -> None:  # noqa: FBT001
        self._room -= 1
        if self._room < 0:
            return
        if is_click:
            self._clicks.setdefault(window_id, []).append(t)
        else:
            self._changes.setdefault(window_id, []).append((t, node))
