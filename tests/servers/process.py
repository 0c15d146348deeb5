"""A program that serves: started, paused, killed, started again. Its output goes to a file."""

import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

LOWEST_PORT = 20_000
HIGHEST_PORT = 32_767
STOP_SECONDS = 20.0


def free_port() -> int:
    """Find a port on loopback that nobody listens on.

    It lies below the range that Linux takes client ports from. A client that keeps calling a server which is down could
    otherwise be given that very port, and then it talks to itself and the server never gets its port back.
    """
    while True:
        port = random.SystemRandom().randint(LOWEST_PORT, HIGHEST_PORT)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def ends_with_us() -> tuple[str, ...]:
    """Return what to put before a command, so that its process dies with this one, however this one ends.

    Linux watches the thread that starts it: start it in one that lasts.
    """
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


class ServerProcess:
    """One program, of which one process runs at a time, in `folder`."""

    def __init__(self, command: Sequence[str], log: Path, folder: Path | None = None) -> None:
        self._command = (*ends_with_us(), *command)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._is_paused = False
        self.log = log

    def start(self) -> None:
        """Start a process; there must be none."""
        assert not self.is_running
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
            )
        self._is_paused = False

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """Return what the process ended with; none while it runs or before it was ever started."""
        return None if self._process is None else self._process.poll()

    def pause(self) -> None:
        """Stop it where it is; its connections stay open."""
        self._send(signal.SIGSTOP)
        self._is_paused = True

    def resume(self) -> None:
        self._send(signal.SIGCONT)
        self._is_paused = False

    def kill(self) -> None:
        """End it at once, with no chance to tidy up."""
        if self.is_running:
            self._send(signal.SIGKILL)
            self._wait(STOP_SECONDS)

    def terminate(self) -> None:
        """Ask it to end, without waiting."""
        self._send(signal.SIGTERM)

    def stop(self, seconds: float = STOP_SECONDS) -> int | None:
        """Ask it to end, wait, and kill it if it does not; gives its exit status."""
        if self.is_running:
            if self._is_paused:
                self.resume()
            self.terminate()
            try:
                self._wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.exit_status

    def said(self, last_bytes: int = 2_000) -> str:
        """Return the end of its output."""
        return self.log.read_bytes()[-last_bytes:].decode("utf-8", "replace") if self.log.exists() else ""

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _wait(self, seconds: float) -> None:
        assert self._process is not None
        self._process.wait(seconds)
