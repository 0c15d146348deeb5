"""A headless Chromium that replays lists of events with rrweb's own player, one after the other."""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

HERE: Final = Path(__file__).parent
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REPLAY_TIMEOUT_S: Final = 60.0
FLAGS: Final = (
    "--headless",
    "--no-sandbox",  # as root there is no other way; the page it opens is ours
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1600,1200",
)
FILES: Final[Mapping[str, tuple[Path, str]]] = {
    "/": (HERE / "page/index.html", "text/html; charset=utf-8"),
    "/probe.js": (HERE / "page/probe.js", "text/javascript; charset=utf-8"),
    "/rrweb.umd.min.cjs": (HERE / "vendor/rrweb/rrweb.umd.min.cjs", "text/javascript; charset=utf-8"),
    "/style.min.css": (HERE / "vendor/rrweb/style.min.css", "text/css; charset=utf-8"),
}
# What a recording may load is what a viewer would let it load: nothing from outside and nothing from our own origin,
# so the files of the probe are named one by one.
POLICY: Final = (
    "default-src 'none'; script-src {origin}/rrweb.umd.min.cjs {origin}/probe.js; "
    "style-src 'unsafe-inline' {origin}/style.min.css; connect-src {origin}/job {origin}/result; "
    "img-src data: blob:; font-src data: blob:; media-src data: blob:; base-uri 'none'; form-action 'none'"
)


class NoChromiumError(Exception):
    """There is no Chromium on PATH."""


class BrowserGoneError(Exception):
    """The browser did not answer in time: it crashed, hangs, or the recording is too much for it."""


class Stop(msgspec.Struct, frozen=True):
    """A time (epoch ms) to seek to, and whether to describe the page there."""

    at: float
    look: bool


class Plan(msgspec.Struct, frozen=True):
    """Where to stop in the run that seeks, and in the run that plays event by event."""

    seeking: Sequence[Stop]
    playing: Sequence[Stop]


class Message(msgspec.Struct, frozen=True):
    """What the player said while it applied the event at a place in the list (`None`: between events)."""

    level: str
    text: str
    event: int | None = None


class Element(msgspec.Struct, frozen=True, array_like=True):
    """An element of the replayed page: its rrweb id, its parent's, and its box in CSS pixels.

    `bare` elements have no attribute but those of a placeholder, which they may be.
    """

    id: int
    tag: str
    parent: int
    bare: bool
    x: int
    y: int
    width: int
    height: int


class Sheet(msgspec.Struct, frozen=True, array_like=True):
    """A style sheet in force: the id of its owner, its rules (nested ones too), and their declarations."""

    owner: int
    rules: int
    declarations: int


class Look(msgspec.Struct, frozen=True):
    """The replayed page at one time."""

    at: float
    elements: list[Element]
    sheets: list[Sheet]
    text: int


class Run(msgspec.Struct, frozen=True):
    """One replay: `playing` changes the page event by event, `seeking` in batches between the stops."""

    kind: str
    messages: list[Message]
    looks: list[Look]


class _Job(msgspec.Struct, frozen=True):
    number: int
    events: str
    plan: Plan


class _Result(msgspec.Struct, frozen=True):
    number: int
    runs: list[Run]


def find_chromium() -> str:
    """Find the system's Chromium.

    Raises:
        NoChromiumError: None of the usual names is on PATH.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise NoChromiumError(f"no Chromium on PATH (looked for {', '.join(NAMES)})")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.jobs: queue.Queue[bytes] = queue.Queue()
        self.results: queue.Queue[bytes] = queue.Queue()
        self.closing = threading.Event()
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.strays: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that is ended in the middle of a request is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/job":
            self._job()
        elif self.path in FILES:
            path, kind = FILES[self.path]
            self._answer(200, path.read_bytes(), kind)
        else:
            self.server.strays.append(self.path)
            self._answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        self.server.results.put(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200, b"", "text/plain")

    def _job(self) -> None:
        while not self.server.closing.is_set():
            try:
                self._answer(200, self.server.jobs.get(timeout=0.2), "application/json")
            except queue.Empty:
                continue
            return
        self._answer(204, b"", "text/plain")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY.format(origin=self.server.origin))
        # Each replay loads the page anew; the player need not be compiled anew.
        self.send_header("Cache-Control", "no-store" if self.path == "/job" else "max-age=3600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: requests are not what is looked at."""


class Browser:
    """Replays events in Chromium; a context manager. The replay after a `BrowserGoneError` starts a new browser."""

    def __init__(self, chromium: str, timeout_s: float = REPLAY_TIMEOUT_S) -> None:
        self._chromium = chromium
        self._timeout_s = timeout_s
        self._number = 0
        self._server: _Server | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._profile: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def replay(self, events: Sequence[msgspec.Raw], plan: Plan) -> list[Run]:
        """Replay events, seeking as in a viewer and then once more event by event.

        Args:
            events: rrweb events as JSON, in any order of time.
            plan: The stops of both runs, in this order.

        Raises:
            BrowserGoneError: No answer in time.
        """
        server = self._server or self._start()
        self._number += 1
        text = b"[" + b",".join(bytes(event) for event in events) + b"]"
        server.jobs.put(msgspec.json.encode(_Job(self._number, text.decode(), plan)))
        try:
            result = msgspec.json.decode(server.results.get(timeout=self._timeout_s), type=_Result)
        except queue.Empty:
            self._end()
            raise BrowserGoneError(f"no answer from {self._chromium} within {self._timeout_s:g} s") from None
        return result.runs

    @property
    def strays(self) -> list[str]:
        """Paths that were asked for and are no part of the probe: what a recording made the browser load."""
        return self._server.strays if self._server else []

    def _start(self) -> _Server:
        self._server = server = _Server()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._profile = tempfile.TemporaryDirectory(prefix="wince-chromium-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [
                self._chromium,
                *FLAGS,
                f"--user-data-dir={self._profile.name}",
                f"{server.origin}/",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return server

    def _end(self) -> None:
        if self._process is not None:
            # Its own process group: the browser is a dozen processes, and only these are ours.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        if self._server is not None:
            self._server.closing.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._profile is not None:
            self._profile.cleanup()
            self._profile = None
