"""The cookie of a login, and how we know that a request with it comes from our own pages."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from replay.server.options import LOOPBACK_NAMES

COOKIE: Final = "wince_login"
SECURE_COOKIE: Final = "__Host-wince_login"
"""Browsers take a cookie of such a name from HTTPS only, for this very host, for all paths."""

OWN_HEADER: Final = "x-wince-request"
"""Pages of other origins cannot send this header: browsers ask us first, and we say no."""

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_CHARS: Final = 64


def cookie_of(request: Request) -> str:
    """Return the value of the login's cookie, empty if there is none."""
    # Another host of our domain can set a cookie for us, but none of the secure name.
    value = request.cookies.get(_name(request), "")
    return value if len(value) <= _MAX_CHARS else ""


def set_cookie(request: Request, response: Response, value: str, lifetime_ms: int) -> None:
    """Have the browser keep a login: no script can read it, no other site can make use of it."""
    response.set_cookie(
        _name(request), value, max_age=lifetime_ms // 1_000, path="/", secure=_needs_tls(request), httponly=True,
        samesite="strict",
    )  # fmt: skip


def clear_cookie(request: Request, response: Response) -> None:
    """Have the browser forget a login."""
    response.delete_cookie(_name(request), path="/", secure=_needs_tls(request), httponly=True, samesite="strict")


def is_own_request(request: Request) -> bool:
    """Say whether a request reads only, or shows that it does not come from a page of others."""
    # A page of others cannot send a token either, unless its origin is allowed to.
    is_marked = request.headers.get(OWN_HEADER) == "1" or "authorization" in request.headers
    return request.method in _READING or is_marked


def _name(request: Request) -> str:
    return SECURE_COOKIE if _needs_tls(request) else COOKIE


def _needs_tls(request: Request) -> bool:
    return request.url.scheme == "https" or request.url.hostname not in LOOPBACK_NAMES
