"""What the API says of a project's script errors."""

import msgspec

from replay.error_book import Status


class ScriptError(msgspec.Struct, frozen=True):
    """An error by its fingerprint: its type and top frame in words, when it was first and last seen (epoch ms).

    `status` is `regressed` for one that was resolved and came back.
    """

    fingerprint: str
    what: str
    first_t: int
    last_t: int
    last_release: str
    status: Status


class ScriptErrors(msgspec.Struct, frozen=True):
    """Those asked for that are known; or those seen last, latest first."""

    errors: list[ScriptError]
