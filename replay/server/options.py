"""How a server is to behave, as its settings say."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names a request may call this machine by when nobody else is to reach it."""

Login = Literal["token", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the server asks of requests.

    `login` says whether a token is needed; with `none`, everybody who reaches the server may do everything.
    `allowed_hosts` are the names a request may call the server by, without ports. Any other name that leads here was
    made to (DNS rebinding), so that a page of others can read what we answer.
    """

    login: Login = "token"
    allowed_hosts: AbstractSet[str] = LOOPBACK_NAMES
