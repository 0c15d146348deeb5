"""Apache Kafka as plain Java processes on loopback, in KRaft mode; each is broker and controller."""

import asyncio
import base64
import secrets
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.certificates import Certificates
from tests.servers.kafka_admin import describe_cluster
from tests.servers.kafka_settings import (
    CLIENT_LISTENERS,
    LOGGING,
    Ports,
    broker_settings,
    scram_users,
    security_settings,
)
from tests.servers.process import ServerProcess, free_port
from tests.servers.waiting import until

START_SECONDS = 60.0
START_ATTEMPTS = 3
FORMAT_SECONDS = 60.0
HEAP_MB = 512

QUICK_START = "-XX:TieredStopAtLevel=1"
"""Compile once and simply: a broker is there in half the time, and slower later than tests can tell."""


class KafkaBroker(ServerProcess):
    """One broker of a cluster; `start` returns at once, `KafkaCluster.ready` waits until brokers serve."""

    def __init__(self, command: Sequence[str], log: Path, bootstrap: str) -> None:
        super().__init__(command, log)
        self.bootstrap = bootstrap


class KafkaCluster:
    """Brokers of one's own, started by `async with` and surely stopped. Node ids count from 1.

    `jars` is the folder of Apache Kafka; with `certificates` there are secured listeners too (see `kafka_settings`);
    `settings` go into every broker's server.properties. Brokers that were stopped or killed start again on the same
    ports and data. Entering raises TimeoutError, with the end of the brokers' logs, if they do not serve.
    """

    def __init__(
        self,
        jars: Path,
        *,
        brokers: int = 1,
        certificates: Certificates | None = None,
        settings: Mapping[str, str] | None = None,
        java_options: Sequence[str] = (QUICK_START,),
    ) -> None:
        self._jars = jars
        self._count = brokers
        self._certificates = certificates
        self._settings = settings or {}
        self._java_options = java_options
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._ports: dict[int, Ports] = {}
        self.cluster_id = base64.b64encode(secrets.token_bytes(16), b"xx").decode().rstrip("=")
        self.brokers: list[KafkaBroker] = []

    @property
    def bootstrap(self) -> str:
        """Return the addresses of all brokers, without security."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    def secured_bootstrap(self, protocol: str) -> str:
        """Return the addresses of the listeners of `SASL_PLAINTEXT`, `SASL_SSL` or `SSL`."""
        return ",".join(f"127.0.0.1:{ports.secured[protocol]}" for ports in self._ports.values())

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="wince-kafka-", ignore_cleanup_errors=True)
        for attempt in range(START_ATTEMPTS):
            await self._lay_out(Path(self._folder.name) / f"{attempt}")
            self.start()
            try:
                await self.ready()
            except RuntimeError:
                # A port that was free a moment ago is taken by now.
                self.stop()
            else:
                return self
        logs = "\n".join(broker.said() for broker in self.brokers)
        self._remove()
        raise TimeoutError(f"Apache Kafka does not start: {logs}")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)
        self._remove()

    def start(self) -> None:
        """Start those that do not run."""
        for broker in self.brokers:
            if not broker.is_running:
                broker.start()

    async def ready(self) -> None:
        """Wait until all brokers serve. Raises RuntimeError if one has ended, TimeoutError if it takes too long."""
        await until(self._all_serve, START_SECONDS, f"{self._count} brokers that serve")

    def stop(self) -> None:
        """Stop all: asked first, killed when they take too long."""
        running = [broker for broker in self.brokers if broker.is_running]
        for broker in running:
            broker.resume()
            broker.terminate()
        for broker in running:
            broker.stop()

    async def _all_serve(self) -> bool:
        for broker in self.brokers:
            if not broker.is_running:
                raise RuntimeError(f"a broker has ended: {broker.said()}")
        for broker in self.brokers:
            seen = await describe_cluster(broker.bootstrap)
            if seen is None or seen.cluster_id != self.cluster_id or len(seen.brokers) < self._count:
                return False
        return True

    async def _lay_out(self, folder: Path) -> None:
        """Choose ports, write settings, and have the storage formatted."""
        names = CLIENT_LISTENERS if self._certificates else ()
        nodes = range(1, self._count + 1)
        self._ports = {node: Ports(free_port(), free_port(), {name: free_port() for name in names}) for node in nodes}
        self.brokers = [self._make(node, folder / f"{node}") for node in nodes]
        formats = [self._format(folder / f"{node}") for node in nodes]
        await asyncio.gather(*formats)

    def _make(self, node: int, folder: Path) -> KafkaBroker:
        folder.mkdir(parents=True)
        settings = broker_settings(node, self._ports, folder / "data")
        if self._certificates:
            settings |= security_settings(self._certificates, folder)
        lines = [f"{name}={value}\n" for name, value in {**settings, **self._settings}.items()]
        (folder / "server.properties").write_text("".join(lines))
        (folder / "log4j2.properties").write_text(LOGGING)
        command = (
            *self._java(folder, f"-Xmx{HEAP_MB}m", *self._java_options),
            "kafka.Kafka",
            str(folder / "server.properties"),
        )
        return KafkaBroker(command, folder / "log", f"127.0.0.1:{self._ports[node].plain}")

    def _java(self, folder: Path, *options: str) -> tuple[str, ...]:
        logging = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
        return ("java", "-XX:+UseSerialGC", "-Djava.awt.headless=true", logging, *options, "-cp", f"{self._jars}/*")

    async def _format(self, folder: Path) -> None:
        users = scram_users() if self._certificates else ()
        tool = (*self._java(folder, QUICK_START), "kafka.tools.StorageTool", "format")
        command = (*tool, "-t", self.cluster_id, "-c", str(folder / "server.properties"), *users)
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=FORMAT_SECONDS)

    def _remove(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
