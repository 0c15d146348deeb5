"""How a server is to behave, as its settings say."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names a request may call this machine by when nobody else is to reach it."""

ANY_HOST: Final = "*"

Login = Literal["token", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the server asks of requests, and how much of them it takes.

    `login` says whether a token is needed; with `none`, everybody who reaches the server may do everything.
    `allowed_hosts` are the names a request may call the server by, without ports, or `ANY_HOST`. Any other name that
    leads here was made to (DNS rebinding), so that a page of others can read what we answer. `cors_origins` are those
    whose pages may read the API with a token. Rates are of each token and each address; failed logins are of each
    address. A person is signed in for `login_lifetime_ms`, a share link may live for `max_share_lifetime_ms`.
    `max_deletions` bounds the sessions of one request. `audit_max_entries` is about how long a project's audit log is.
    """

    login: Login = "token"
    allowed_hosts: AbstractSet[str] = LOOPBACK_NAMES
    cors_origins: AbstractSet[str] = frozenset()
    requests_per_second: int = 100
    failed_logins_per_minute: int = 10
    login_lifetime_ms: int = 12 * 3_600_000
    max_share_lifetime_ms: int = 30 * 86_400_000
    max_deletions: int = 10_000
    audit_max_entries: int = 100_000
