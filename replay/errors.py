"""The four kinds of failure a store may raise; the caller does one thing for each."""


class StoreError(Exception):
    """Root of what a store raises; raised only as one of the four below, or a kind of them."""


class Saturated(StoreError):
    """Not now: nothing was written, the store is full. Offer the same write again later."""


class Poison(StoreError):
    """This can never succeed: drop it with a reason and go on."""


class Mismatched(Poison):
    """What is asked for is well-formed, and does not fit together, or does not fit what is there."""


class Unavailable(StoreError):
    """The store cannot be reached, and what was tried may or may not be done. Back off, then send the same again."""


class Broken(StoreError):
    """An invariant of ours does not hold: stop."""
