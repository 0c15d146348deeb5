"""Redis servers to be killed, paused, filled, secured, put back to an older dump; and a small cluster of them."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from replay.redis_server import Binary
from tests.servers.certificates import Certificates
from tests.servers.process import ServerProcess, free_port
from tests.servers.waiting import until

START_SECONDS = 30.0
SLOTS = 16_384
ADMIN = "admin"


class RedisProcess:
    """A server with a folder of its own, that can be stopped and started again with what it has kept.

    `append_only` writes each command to disk before the reply (`appendfsync always`); `users` are rules by name
    (`default` is the one without a name); with `certificates` it speaks TLS only and asks clients for a certificate;
    `options` are lines of redis.conf. Use it with `async with`.
    """

    def __init__(
        self,
        binary: Binary,
        *,
        append_only: bool = False,
        users: Mapping[str, str] | None = None,
        certificates: Certificates | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.port = 0
        self._binary = binary
        self._append_only = append_only
        self._users = users or {}
        self._certificates = certificates
        self._options = options or {}
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self.process: ServerProcess | None = None

    @property
    def url(self) -> str:
        return f"{'rediss' if self._certificates else 'redis'}://127.0.0.1:{self.port}"

    @property
    def folder(self) -> Path:
        assert self._directory is not None
        return Path(self._directory.name)

    def client(self, **options: Any) -> Redis:
        """Make a client that may do anything, whatever others may. `options` are those of redis-py."""
        return Redis(unix_socket_path=str(self.folder / "s"), username=ADMIN, password="", protocol=2, **options)

    async def __aenter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="wince-redis-")
        self.port = free_port()
        self._configure()
        self.process = ServerProcess((self._binary.path, str(self.folder / "redis.conf")), self.folder / "log")
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            await asyncio.to_thread(self.process.stop)
        if self._directory is not None:
            self._directory.cleanup()

    async def start(self) -> None:
        """Start it with what it has kept, and wait until it has loaded that. Raises TimeoutError."""
        self._running.start()
        await until(self._answers, START_SECONDS, f"{self._binary.path} that answers")

    def kill(self) -> None:
        self._running.kill()

    def pause(self) -> None:
        self._running.pause()

    def resume(self) -> None:
        self._running.resume()

    async def snapshot(self) -> bytes:
        """Return a dump of everything in it now."""
        async with self.client() as admin:
            await admin.save()
        return (self.folder / "dump.rdb").read_bytes()

    async def roll_back(self, dump: bytes) -> None:
        """Kill it and start it with an older dump: what was written since is gone."""
        self.kill()
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        (self.folder / "dump.rdb").write_bytes(dump)
        # With an append-only file asked for but not there, the dump would not be read.
        self._configure(appendonly="no")
        await self.start()
        self._configure()
        if self._append_only:
            async with self.client() as admin:
                await admin.config_set("appendonly", "yes")
                await until(partial(_has_rewritten, admin), START_SECONDS, "a new append-only file")

    async def refusals(self) -> int:
        """Return how many commands were refused for lack of memory since it was started."""
        async with self.client() as admin:
            stats = await admin.info("errorstats")
        return int(stats.get("errorstat_OOM", {}).get("count", 0))

    @property
    def _running(self) -> ServerProcess:
        assert self.process is not None
        return self.process

    def _configure(self, **changes: str) -> None:
        settings = [(name, changes.get(name, value)) for name, value in self._settings()]
        (self.folder / "redis.conf").write_text("".join(f"{name} {value}\n" for name, value in settings))

    def _settings(self) -> list[tuple[str, str]]:
        settings = [
            ("bind", "127.0.0.1"),
            ("port", "0" if self._certificates else f"{self.port}"),
            ("unixsocket", str(self.folder / "s")),
            ("dir", str(self.folder)),
            ("daemonize", "no"),
            ("save", '""'),
            ("appendonly", "yes" if self._append_only else "no"),
            ("appendfsync", "always"),
        ]
        if self._certificates:
            settings += [
                ("tls-port", f"{self.port}"),
                ("tls-cert-file", str(self._certificates.server.certificate)),
                ("tls-key-file", str(self._certificates.server.key)),
                ("tls-ca-cert-file", str(self._certificates.authority)),
            ]
        users = {ADMIN: "on nopass ~* &* +@all", **self._users}
        settings += [("user", f"{name} {rule}") for name, rule in users.items()]
        return [*settings, *self._options.items()]

    async def _answers(self) -> bool:
        if not self._running.is_running:
            raise RuntimeError(f"{self._binary.path} has ended: {self._running.said()}")
        async with self.client() as client:
            try:
                return int((await client.info("server"))["process_id"]) == self._running.pid
            except (RedisError, OSError):
                return False


async def _has_rewritten(admin: Redis) -> bool:
    state = await admin.info("persistence")
    return not state["aof_rewrite_in_progress"] and not state["aof_rewrite_scheduled"]


@asynccontextmanager
async def redis_cluster(binary: Binary, nodes: int = 3) -> AsyncIterator[list[RedisProcess]]:
    """Run a cluster of masters that share the slots; its URL is that of any of them."""
    async with AsyncExitStack() as stack:
        servers: list[RedisProcess] = []
        for _ in range(nodes):
            options = {"cluster-enabled": "yes", "cluster-port": f"{free_port()}", "cluster-node-timeout": "2000"}
            servers.append(await stack.enter_async_context(RedisProcess(binary, options=options)))
        clients = [await stack.enter_async_context(server.client()) for server in servers]
        for place, client in enumerate(clients):
            first, last = place * SLOTS // nodes, (place + 1) * SLOTS // nodes - 1
            await client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)  # type: ignore[no-untyped-call]
        for server in servers[1:]:
            bus = server._options["cluster-port"]
            await clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", server.port, bus)  # type: ignore[no-untyped-call]
        for client in clients:
            await until(partial(_is_whole, client, nodes), START_SECONDS, "a cluster of Redis")
        yield servers


async def _is_whole(client: Redis, nodes: int) -> bool:
    said = (await client.execute_command("CLUSTER", "INFO")).decode()  # type: ignore[no-untyped-call]
    return "cluster_state:ok" in said and f"cluster_known_nodes:{nodes}\r" in said
