"""Several worker processes in one container: one per core, started anew when one of them ends."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

from engine.operate.logs import get_logger

RESTART_SECONDS: Final = 1.0
RESTARTS_MAX: Final = 5
"""A process that ends more often than this without having lived for `HEALTHY_SECONDS` is not started again."""
HEALTHY_SECONDS: Final = 60.0
KILL_AFTER_SECONDS: Final = 15.0
"""Beyond the time to drain, before processes that were asked to stop are killed."""


class Supervisor:
    """Runs `command` with the number of the process appended, `processes` times."""

    def __init__(self, command: Sequence[str], processes: int, drain_seconds: float) -> None:
        self._command = command
        self._processes = processes
        self._drain_seconds = drain_seconds
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask all processes to stop."""
        self._stopping.set()

    async def run(self) -> int:
        """Return when all have ended: 0 if that was asked for, else the exit status of the one that would not run."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        keepers = [asyncio.create_task(self._keep(number)) for number in range(self._processes)]
        statuses = await asyncio.gather(*keepers)
        return next((status for status in statuses if status), 0)

    async def _keep(self, number: int) -> int:
        """Run one process, again if it ends by itself."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            status = await self._run_once(number)
            if self._stopping.is_set():
                return 0
            failures = 1 if loop.time() - started > HEALTHY_SECONDS else failures + 1
            get_logger().error("worker_process_ended", process=number, exit_status=status, attempt=failures)
            if failures > RESTARTS_MAX:
                self.stop()
                return status or 1
            await self._sleep(RESTART_SECONDS * failures)

    async def _run_once(self, number: int) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *self._command, str(number), "--parent", str(os.getpid())
        )
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            _send(process, signal.SIGTERM)
            await asyncio.wait((ended,), timeout=self._drain_seconds + KILL_AFTER_SECONDS)
            if not ended.done():
                _send(process, signal.SIGKILL)
        return await ended

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # It may have ended this very moment.
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
