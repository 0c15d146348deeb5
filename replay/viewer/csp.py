"""Content security policies: what a page may run, load and connect to, file by file.

`'self'` appears nowhere. In the document that replays, relative addresses of a recording resolve on our own origin, so
that `'self'` would let a recording ask our API; and elsewhere naming the files costs nothing.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from starlette.requests import Request

from replay.errors import Poison

_NOTHING: Final = "'none'"
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_ALLOWED: Final = re.compile(r"https?://(?:\*\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,10}(?::[0-9]{1,5})?")

API_PATHS: Final = ("/api/v1/", "/login", "/logout")
"""What pages connect to; a path that ends in a slash stands for all below it."""

FRAME_PATH: Final = "/replay"
"""The document that replays a recording."""


def origin_of(request: Request) -> str:
    """Return the origin a request came to, as its Host header says. Raises Poison for a host that is none.

    Behind a proxy that ends TLS the scheme may be `http`; in a policy that stands for `https` too.
    """
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise Poison("the Host header is no host")
    return f"{request.url.scheme}://{host}"


def is_allowed_host(source: str) -> bool:
    """Say whether an operator may name this as a place recordings load from: a scheme and a host, nothing else."""
    return _ALLOWED.fullmatch(source) is not None


def page_policy(
    origin: str, scripts: Iterable[str], styles: Iterable[str], images: Iterable[str] = (), fonts: Iterable[str] = ()
) -> str:
    """Make the policy of a page of ours, from the addresses (paths) of its files.

    Nothing inline, nothing from elsewhere, no text that becomes markup or script (trusted types without any policy).
    """
    return _written(
        {
            "default-src": ["'none'"],
            "script-src": _at(origin, scripts),
            "style-src": _at(origin, styles),
            "img-src": ["data:", *_at(origin, images)],
            "font-src": _at(origin, fonts),
            "connect-src": _at(origin, API_PATHS),
            "frame-src": _at(origin, [FRAME_PATH]),
            "base-uri": ["'none'"],
            "form-action": _at(origin, ["/login"]),
            "frame-ancestors": ["'none'"],
            "require-trusted-types-for": ["'script'"],
            "trusted-types": ["'none'"],
        }
    )


def frame_policy(origin: str, scripts: Iterable[str], styles: Iterable[str], hosts: Sequence[str] = ()) -> str:
    """Make the policy of the document that replays; the documents rebuilt inside it inherit it.

    It connects to nothing: events come to it by message. What a recording asks for may be in the recording itself
    (`data:`) or made of it (`blob:`), or be loaded from `hosts`, which the operator allowed. Inline styles have to be
    let in, since recorded pages are made of them. Scripts are ours by name only; `sandbox` takes away the rest of what
    a document can do to its visitor, also when somebody opens it by itself. Raises ValueError for a host that is none.
    """
    for host in hosts:
        if not is_allowed_host(host):
            raise ValueError(f"recordings load from hosts such as https://cdn.shop.example, not from {host!r}")
    return _written(
        {
            "default-src": ["'none'"],
            "script-src": _at(origin, scripts),
            "style-src": ["'unsafe-inline'", *_at(origin, styles), *hosts],
            "img-src": ["data:", "blob:", *hosts],
            "font-src": ["data:", "blob:", *hosts],
            "media-src": ["data:", "blob:", *hosts],
            "connect-src": ["'none'"],
            "frame-src": ["'none'"],
            "object-src": ["'none'"],
            "worker-src": ["'none'"],
            "manifest-src": ["'none'"],
            "base-uri": ["'none'"],
            "form-action": ["'none'"],
            "frame-ancestors": ["'self'"],
            "sandbox": ["allow-scripts", "allow-same-origin"],
        }
    )


def _at(origin: str, paths: Iterable[str]) -> list[str]:
    return [f"{origin}{path}" for path in paths]


def _written(directives: dict[str, list[str]]) -> str:
    return "; ".join(f"{name} {' '.join(sources) or _NOTHING}" for name, sources in directives.items())
