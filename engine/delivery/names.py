"""Names of hosts and addresses of receivers, in the one spelling that is used from then on."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from yarl import URL

MAX_URL_CHARACTERS: Final = 2_000

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_WITH_USER: Final = re.compile(r"[^/?#]*//[^/?#]*@")
_MAX_NAME: Final = 253
_WEB_PORTS: Final = frozenset({80, 443})
_LEAST_OPEN_PORT: Final = 1_024
_LAST_PORT: Final = 65_535
_BAD_PORTS: Final = frozenset(
    {
        1719, 1720, 1723, 2049, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, *range(6665, 6670), 6679,
        6697, 10080, 11211, 27017,
    }
)  # fmt: skip
"""Ports of protocols that could take a request for one of theirs: those no browser speaks to
(https://fetch.spec.whatwg.org/#port-blocking), and of databases."""


class Refused(Exception):
    """We do not speak to that address; the text says why, and holds nothing that is secret."""


class Destination(NamedTuple):
    """Where to post to: the URL as it is used, and its host, a name in ASCII or an address."""

    url: URL
    host: str


def read_name(text: str) -> str:
    """Bring a host's name into the spelling of `Destination.host`. Raises ValueError with the text if it is none."""
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    # What ends in a number is an address to everybody who resolves it, be it 127.1, 0x7f000001 or 017700000001.
    is_name = all(_LABEL.fullmatch(label) for label in labels) and not _NUMBER.fullmatch(labels[-1])
    if not is_name or len(name) > _MAX_NAME:
        raise ValueError(text)
    return name


def read_url(text: str) -> Destination:
    """Read the URL of a receiver. Raises Refused if it is none that we post to, whoever may answer there."""
    if len(text) > MAX_URL_CHARACTERS or not text.isprintable() or " " in text or "\\" in text:
        raise Refused("the URL is too long, or has characters that no URL has")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except (ValueError, TypeError):
        raise Refused("the URL cannot be read") from None
    if url.scheme not in {"http", "https"} or not host or port is None:
        raise Refused("the URL does not begin with http:// or https:// and a host")
    if _WITH_USER.match(text):
        raise Refused("the URL has a user in it")
    if not _is_open(port):
        raise Refused(f"port {port} is none of the web's")
    host = _read_host(host)
    return Destination(url.with_host(host).with_fragment(None), host)


def _is_open(port: int) -> bool:
    return port in _WEB_PORTS or (_LEAST_OPEN_PORT <= port <= _LAST_PORT and port not in _BAD_PORTS)


def _read_host(host: str) -> str:
    try:
        if ":" in host:
            return IPv6Address(_without_zone(host)).compressed
        return read_name(host) if _NUMBER.fullmatch(host.removesuffix(".").split(".")[-1]) is None else _read_v4(host)
    except ValueError:
        raise Refused("the host is neither a name nor an address in its usual spelling") from None


def _without_zone(host: str) -> str:
    if "%" in host:
        raise ValueError(host)
    return host


def _read_v4(host: str) -> str:
    return str(IPv4Address(host.removesuffix(".")))
