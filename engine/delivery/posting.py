"""Posting to a receiver that may be slow, huge, broken or hostile: what came of it, in bounded time and memory."""

import asyncio
import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, Literal, TypeAlias

import aiohttp
import msgspec

from engine.delivery.addresses import AllowList
from engine.delivery.egress import Lookup, SystemLookup, guarded_session
from engine.delivery.names import Destination, Refused, read_url
from engine.delivery.retry_after import read_retry_after

Outcome: TypeAlias = Literal["accepted", "retry", "gone", "refused"]
"""Taken; may be taken later; never wanted again (410); or not spoken to: refused by the guard, or a redirect."""

TIMEOUT_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 4_096
MAX_POSTS_PER_HOST: Final = 4
USER_AGENT: Final = "wince"
LEAST_SECRET: Final = 6
"""Characters of a part of a path, a value or a credential that is not told; shorter ones are words such as `api`."""

_TOLD_CHARACTERS: Final = 160
_SUCCESS: Final = 2
_REDIRECT: Final = 3
_WAITS: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})

NOTHING_OPEN: Final = AllowList()


class Posted(msgspec.Struct, frozen=True):
    """What came of a post: the status if there was an answer, the seconds to wait if it said so, and a line about it.

    The note is printable and names neither path nor query of the URL nor credentials, which may be secrets.
    """

    outcome: Outcome
    status: int | None = None
    retry_after_s: float | None = None
    note: str = ""


class Poster:
    """Posts. `lookup` finds addresses of names, `tls` says whom to trust; both are the system's by default.

    Posts to the same host wait for each other beyond `MAX_POSTS_PER_HOST`; that wait is part of their time.
    """

    def __init__(
        self,
        *,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._system = SystemLookup()
        self._lookup: Lookup = self._system if lookup is None else lookup
        self._tls = tls
        self._clock_s = clock_s
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_POSTS_PER_HOST))
        self._waiting: defaultdict[str, int] = defaultdict(int)

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        allow: AllowList = NOTHING_OPEN,
        *,
        timeout_s: float = TIMEOUT_SECONDS,
    ) -> Posted:
        """Post once, in `timeout_s` seconds at most. Raises nothing for what receivers, name servers and URLs do."""
        try:
            destination = read_url(url)
            async with asyncio.timeout(timeout_s):
                return await self._in_turn(destination, body, headers, allow)
        except Refused as why:
            return Posted("refused", note=str(why))
        except TimeoutError:
            return Posted("retry", note=f"no answer within {timeout_s:g} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Posted("retry", note=_told_error(error))

    async def _in_turn(
        self, destination: Destination, body: bytes, headers: Mapping[str, str], allow: AllowList
    ) -> Posted:
        host = destination.host
        self._waiting[host] += 1
        try:
            async with self._hosts[host]:
                return await self._ask(destination, body, headers, allow)
        finally:
            self._waiting[host] -= 1
            if not self._waiting[host]:
                del self._waiting[host], self._hosts[host]

    async def _ask(self, destination: Destination, body: bytes, headers: Mapping[str, str], allow: AllowList) -> Posted:
        sent = {"user-agent": USER_AGENT, "accept-encoding": "identity", **headers}
        async with (
            guarded_session(destination.host, allow, self._lookup, self._tls) as session,
            session.post(
                destination.url,
                data=body,
                headers=sent,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None),  # that of the caller holds for all of it
            ) as response,
        ):
            try:
                return await self._told(_secrets_of(destination, headers), response)
            finally:
                response.close()

    async def _told(self, secrets: Sequence[str], response: aiohttp.ClientResponse) -> Posted:
        status = response.status
        if status // 100 == _SUCCESS:
            return Posted("accepted", status)
        if status // 100 == _REDIRECT:
            return Posted("refused", status, note=f"answered {status}: redirects are not followed")
        wait_s = read_retry_after(response.headers.get("retry-after"), self._clock_s()) if status in _WAITS else None
        said = _printable(await _beginning(response), secrets)
        note = f"answered {status}" + (f": {said}" if said else "")
        return Posted("gone" if status == HTTPStatus.GONE else "retry", status, wait_s, note)

    async def close(self) -> None:
        """Look up no more names."""
        self._system.close()


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Read the beginning of an answer as it is sent, what is compressed stays so; or what came before it broke off."""
    read = bytearray()
    try:
        async with asyncio.timeout(1):
            while len(read) < MAX_ANSWER_BYTES:
                some = await response.content.read(MAX_ANSWER_BYTES - len(read))
                if not some:
                    break
                read += some
    except (TimeoutError, aiohttp.ClientError, OSError):
        return bytes(read)
    return bytes(read)


def _secrets_of(destination: Destination, headers: Mapping[str, str]) -> list[str]:
    """List what an answer may say back and nobody is to read: path and query, whole and in parts, and credentials."""
    url, said = destination.url, headers.get("authorization", "")
    whole = [url.raw_path_qs, url.path_qs, url.query_string, said]
    parts = [*url.raw_parts, *url.parts, *url.query.values(), *said.split()]
    secrets = {text for text in whole if len(text) > 1} | {text for text in parts if len(text) >= LEAST_SECRET}
    return sorted(secrets, key=len, reverse=True)


def _printable(answer: bytes, secrets: Sequence[str]) -> str:
    text = answer.decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret, "***")
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= _TOLD_CHARACTERS else f"{text[:_TOLD_CHARACTERS]}..."


def _told_error(error: Exception) -> str:
    """Say what went wrong in words of ours: texts of errors quote URLs and answers."""
    return next((told for kinds, told in _ERRORS if isinstance(error, kinds)), "the request cannot be made")


_ERRORS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((aiohttp.ClientConnectorCertificateError,), "the receiver's certificate is not valid for it"),
    ((aiohttp.ClientSSLError, ssl.SSLError), "no TLS connection"),
    ((aiohttp.ClientConnectorDNSError,), "the receiver's name has no address"),
    ((aiohttp.ClientConnectorError,), "no connection"),
    ((aiohttp.ClientResponseError,), "the answer is no HTTP, or has too much in its head"),
    ((aiohttp.ClientError, OSError), "the receiver broke off"),
)
"""In this order: later kinds include earlier ones."""
