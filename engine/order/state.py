"""The order of a window as data: small, and without the batches held back."""

import msgspec


class HeldState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A batch held back, without its content: that is read again from its `position` in the input."""

    seq: int
    fingerprint: int
    size_bytes: int
    position: int
    arrived_ms: int


class OrderState(msgspec.Struct, frozen=True, array_like=True):
    """What `WindowOrder.snapshot` gives and its constructor takes.

    Every number below `next_seq` was taken, unless one of `holes` (first, last) contains it. `recent` are numbers and
    fingerprints of the batches taken last, oldest first. `last_position` is the highest input position seen,
    `near_position` that of the latest batch at the window's own place.
    """

    next_seq: int = 0
    holes: tuple[tuple[int, int], ...] = ()
    held: tuple[HeldState, ...] = ()
    recent: tuple[tuple[int, int], ...] = ()
    last_position: int = -1
    near_position: int = -1
    holes_closed: int = 0
