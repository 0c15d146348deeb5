"""The envelope around one batch: what a collector writes as one Kafka message."""

from typing import Annotated, Final

import msgspec

from schemas.numbers import Milliseconds

ENVELOPE_VERSION: Final = 1
"""The only envelope version this engine reads; others are poison (`unknown_version`)."""

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


def _null() -> msgspec.Raw:
    # As a default value it would have to appear in the JSON Schema, which knows no undecoded JSON.
    return msgspec.Raw(b"null")


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """Header of a batch; its events stay undecoded bytes until the batch's turn has come.

    `seq` numbers the batches of one session and window from 0, across page loads. `sent_at` is the sender's
    clock. `ended` is the explicit end: the recorder says that nothing will follow in this session. `consent` is
    what the visitor answered, where the site asks; `False` refuses the batch. `attributes` says what the session runs
    on: an object with the texts `release`, `device`, `country`, `browser` and `os`, or some of them. It stays undecoded
    too: nothing in it is worth losing a batch.
    """

    v: int
    project_id: Identifier
    session_id: Identifier
    window_id: Identifier
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    sent_at: Milliseconds
    events: msgspec.Raw
    user_id: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    anonymous_id: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    ended: bool = False
    consent: bool | None = None
    attributes: msgspec.Raw = msgspec.field(default_factory=_null)
