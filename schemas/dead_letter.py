"""A dead letter: where a message was that can never be used, and why; never what was in it."""

from typing import Annotated

import msgspec


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """One message that was left out: its topic, partition and offset, by which it can be read again while it is kept.

    `reason` is a word of docs/reasons.md, `size_bytes` the size of the message as it arrived, `t` the time (epoch
    milliseconds) that Kafka had for it.
    """

    topic: str
    partition: Annotated[int, msgspec.Meta(ge=0)]
    offset: Annotated[int, msgspec.Meta(ge=0)]
    reason: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0)]
    t: int
