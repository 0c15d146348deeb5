"""Which events change what a page looks like for good. Pure."""

from typing import Final

import msgspec

_FULL_SNAPSHOT, _INCREMENTAL, _META = 2, 3, 4

_LOOKS: Final = frozenset({0, 3, 4, 5, 8, 13, 15})
"""Sources of changes that show for good: the tree, scrolling, the viewport, fields, style sheets. Moves, presses and
media do not."""


class _Change(msgspec.Struct, gc=False):
    source: int


_changes: Final = msgspec.json.Decoder(_Change)


def shows(kind: int, data: msgspec.Raw) -> bool:
    """Say whether an rrweb event of a type (`kind`) shows for good. Raises msgspec.DecodeError for a damaged one."""
    if kind == _INCREMENTAL:
        return _changes.decode(data).source in _LOOKS
    return kind in {_FULL_SNAPSHOT, _META}
