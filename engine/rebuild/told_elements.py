"""What sticks to the elements that interaction events name: once masked, always masked while the page lives."""

import hashlib
from typing import Final

import msgspec

from engine.masking.elements import TAG_FLAGS
from engine.masking.flags import STICKY, UNKNOWN
from engine.masking.identifiers import passes_name

TOLD_MAX: Final = 4_096
"""So many elements to which something sticks are remembered; once there are more, every other one is unknown."""

_HASH_BYTES: Final = 3
"""Too few to tell which name it was, enough that two of a page are hardly ever taken for one."""


class ToldElements(msgspec.Struct, array_like=True):
    """Sticky flags by element; `crowded` is true once one found no room."""

    flags: dict[str, int] = {}
    crowded: bool = False

    def copy(self) -> "ToldElements":
        """Return one that can be changed by itself."""
        return ToldElements(dict(self.flags), self.crowded)

    def stick(self, element_id: int | str, tag: str, flags: int) -> int:
        """Return the flags of an element together with what sticks to it, and remember them."""
        key = _key(element_id)
        known = self.flags.get(key)
        if known is not None:
            flags |= known
        elif self.crowded:
            flags |= UNKNOWN
        sticky = flags & STICKY
        # An element that is no more than its name makes it will be that again.
        if sticky != (known or TAG_FLAGS.get(tag, 0) & STICKY):
            if known is not None or len(self.flags) < TOLD_MAX:
                self.flags[key] = sticky
            else:
                self.crowded = True
        return flags


def _key(element_id: int | str) -> str:
    """Name an element; of names that may not be kept a few bits of a hash are."""
    if isinstance(element_id, int):
        return str(element_id)
    if passes_name(element_id):
        return element_id
    digest = hashlib.blake2b(element_id.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES)
    return f"#{digest.hexdigest()}"
