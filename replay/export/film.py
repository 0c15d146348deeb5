"""Films of exports: made by a process of their own, under limits of time, size and number."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from replay.export.errors import FilmFailed, TooSlow
from replay.export.film_job import FilmJob, FilmOptions, find_browser, frames_of
from replay.export.plan import Plan

MEDIA_TYPES: Final[Mapping[str, str]] = {"gif": "image/gif", "mp4": "video/mp4"}

TIME_LIMIT_SECONDS: Final = 300.0
"""A film that takes longer is given up."""

HOME_PREFIX: Final = "wince-film-"
"""What the name of a browser's folder begins with."""

_PROGRESS: Final = re.compile(rb"([0-9]+)/([0-9]+)\n")
_MAX_LINE_BYTES: Final = 300
_KEPT_VARIABLES: Final = ("LANG", "LC_ALL", "PATH", "PYTHONPATH", "SYSTEMROOT")
"""What the process is told of our surroundings: settings with secrets in them are not among it."""

Progress = Callable[[int, int], None]
"""Is told how many frames are done, and of how many."""


def check_film(plan: Plan, options: FilmOptions) -> str:
    """See whether a film can be made here, and give the browser. Raises TooLarge, NotInstalled."""
    frames_of(plan.to_t - plan.from_t, options)
    return find_browser()


async def make_film(
    plan: Plan,
    html: AsyncIterator[bytes],
    folder: Path,
    options: FilmOptions,
    *,
    progress: Progress = lambda _done, _all: None,
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> Path:
    """Make a film of an export of one window, in `folder`, and give its path.

    Raises TooLarge, NotInstalled, TooSlow and FilmFailed; whatever happens, no process is left.
    """
    browser = check_film(plan, options)
    page, film, job = folder / "export.html", folder / f"film.{options.format}", folder / "job.json"
    with page.open("wb") as file:
        async for piece in html:
            file.write(piece)
    length = plan.to_t - plan.from_t
    job.write_bytes(msgspec.json.encode(FilmJob(str(page), str(film), browser, options, length)))
    # All that a browser leaves behind goes with its home. That has a short path: sockets in it have to fit 108 bytes.
    with tempfile.TemporaryDirectory(prefix=HOME_PREFIX, ignore_cleanup_errors=True) as home:
        try:
            await asyncio.wait_for(_run(job, home, progress), time_limit_seconds)
        except TimeoutError:
            raise TooSlow(f"the film took longer than {time_limit_seconds:g} seconds: choose less of it") from None
    return film


async def _run(job: Path, home: str, progress: Progress) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "replay.export.film_maker", str(job),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=_environment(home), start_new_session=True,
    )  # fmt: skip
    try:
        reason = await _watch(process, progress)
        if await process.wait() != 0:
            raise FilmFailed(f"the film could not be made: {reason or 'its maker died'}")
    finally:
        # The browser's processes are in groups of their own; they end when the pipe to their driver does.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _watch(process: asyncio.subprocess.Process, progress: Progress) -> str:
    """Pass progress on until the process says no more; give what it says went wrong."""
    reason = ""
    if process.stdout is not None:
        async for line in process.stdout:
            done = _PROGRESS.fullmatch(line)
            if done is not None:
                progress(int(done[1]), int(done[2]))
            elif line.startswith(b"! "):
                reason = line[2:_MAX_LINE_BYTES].decode(errors="replace").strip()
    return reason


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "HOME": home, "TMPDIR": home, "XDG_CONFIG_HOME": home}
