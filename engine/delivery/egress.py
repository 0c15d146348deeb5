"""The guard at connect time: a name is looked up once, each of its addresses is checked, and only those are used.

A check of the URL's text alone lets spellings of loopback through, and a name can mean something else a moment later:
what counts is the address that the socket is about to be connected to. Redirects are not followed, and proxies of the
environment not used: the guard would see their address instead.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Final, TypeAlias, TypedDict, Unpack

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import AddrInfoType

from engine.delivery.addresses import AllowList, refusal
from engine.delivery.names import Refused

Lookup: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""Takes a host's name and a port; gives its addresses. Raises OSError if there are none."""

MAX_ADDRESSES: Final = 16
"""Addresses of a name that are looked at; no receiver needs more."""

MAX_RECEIVED_BYTES: Final = 64 << 10
"""Bytes of an answer that are looked at at all, interim answers and all else that is not read included."""

MAX_HEADERS: Final = 64
MAX_LINE_BYTES: Final = 4_096
_BUFFER_BYTES: Final = 4_096
_THREADS: Final = 32


class SystemLookup:
    """Looks names up as the system does, each name in one thread at a time, so that a slow name server holds few."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="lookup")
        self._running: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        """Look a name up. Raises OSError if it has no address."""
        running = self._running.get((host, port))
        if running is None:
            loop = asyncio.get_running_loop()
            running = self._running[host, port] = loop.run_in_executor(self._threads, _look_up, host, port)
            running.add_done_callback(lambda done: self._done((host, port), done))
        # Who gives up waiting must not end it for the others, and a thread that waits cannot be ended anyway.
        return await asyncio.shield(running)

    def _done(self, key: tuple[str, int], running: asyncio.Future[list[str]]) -> None:
        self._running.pop(key, None)
        if not running.cancelled():
            running.exception()  # nobody may be waiting any more

    def close(self) -> None:
        """Start no thread any more; those that wait end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for *_, address in found]


class _CheckedResolver(AbstractResolver):
    """Gives the addresses of a name if all of them may be spoken to: one that may not makes the name suspicious."""

    def __init__(self, lookup: Lookup, host: str, allow: AllowList) -> None:
        self._lookup = lookup
        self._host = host
        self._allow = allow

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Look a name up and check what comes. Raises Refused, or OSError if there is nothing."""
        found = list(dict.fromkeys(await self._lookup(host, port)))[:MAX_ADDRESSES]
        if not found:
            raise OSError("the name has no address")
        for address in found:
            check(self._host, address, self._allow)
        return [_resolved(host, port, address) for address in found if _fits(address, family)]

    async def close(self) -> None:
        """Hold nothing."""


def _fits(address: str, family: socket.AddressFamily) -> bool:
    return family in {socket.AF_UNSPEC, _family(address)}


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6  # noqa: PLR2004 - that of IP


def _resolved(host: str, port: int, address: str) -> ResolveResult:
    return ResolveResult(
        hostname=host, host=address, port=port, family=_family(address), proto=0, flags=socket.AI_NUMERICHOST
    )


def check(host: str, address: str, allow: AllowList) -> None:
    """Raise Refused if an address, as one of `host`, may not be spoken to."""
    why = refusal(host, address, allow)
    if why is not None:
        raise Refused(f"the host has an address that is not public ({why}) and that no allow_hosts opens")


class _Options(TypedDict):
    resolver: AbstractResolver
    socket_factory: Callable[[AddrInfoType], socket.socket]
    use_dns_cache: bool
    force_close: bool
    ssl: bool | ssl.SSLContext


class _Bounded(ResponseHandler):
    """Breaks off who sends and sends: limits on headers and bodies do not hold for interim answers."""

    _left = MAX_RECEIVED_BYTES

    def data_received(self, data: bytes) -> None:
        """Take what there is room for."""
        some, self._left = data[: self._left], self._left - len(data)
        if some:
            super().data_received(some)
        if self._left <= 0 and self.transport is not None:
            self.transport.abort()


class _BoundedConnector(aiohttp.TCPConnector):
    def __init__(self, **options: Unpack[_Options]) -> None:
        super().__init__(**options)
        # There is no public way to name the protocol; a test sees that it is the one in use.
        self._factory = partial(_Bounded, loop=self._loop)  # type: ignore[assignment]  # a subclass does as well


def guarded_session(host: str, allow: AllowList, lookup: Lookup, tls: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """Make a session for one request to `host`; whatever it connects to was checked.

    Requests have to be made with `allow_redirects=False`. They raise Refused where the guard says no.
    """

    def open_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        check(host, str(address[0]), allow)
        return socket.socket(family, kind, protocol)

    connector = _BoundedConnector(
        resolver=_CheckedResolver(lookup, host, allow),
        socket_factory=open_socket,
        use_dns_cache=False,
        force_close=True,
        ssl=True if tls is None else tls,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=_BUFFER_BYTES,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        max_headers=MAX_HEADERS,
    )
