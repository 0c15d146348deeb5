"""`python -m replay.export.film_maker JOB`: draws the frames of an exported file and makes a film of them.

A process of its own: what it draws was recorded from strangers' pages, and what draws it may hang or die. It tells how
far it is on standard output, a line a frame: `4/120`; what went wrong, in one line that begins with `! `.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import imageio_ffmpeg  # type: ignore[import-untyped]
import msgspec
from playwright.sync_api import Browser, Error, Page, Playwright, Route, sync_playwright

from replay.export.film_job import MAX_FILM_BYTES, FilmJob

if TYPE_CHECKING:
    from playwright.sync_api import ViewportSize

_MARK_PX: Final = 26
"""Height of the line at the top that says of whom and when this is."""

_START_MS: Final = 60_000
_NO_NETWORK: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-first-run",
    "--no-pings",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


def main(arguments: Sequence[str]) -> int:
    """Make the film of a job; exit status 1, and a line that says why, if that went wrong."""
    job = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=FilmJob)
    try:
        with _opened(job) as page:
            _make(job, page)
    except (Error, OSError, RuntimeError) as error:
        # What a browser says may quote the recording: the kind of error is enough.
        reason = str(error) if isinstance(error, RuntimeError) else type(error).__name__
        print(f"! {reason}", flush=True)  # noqa: T201 - how it answers
        return 1
    return 0


@contextmanager
def _opened(job: FilmJob) -> Iterator[Page]:
    """Open the file in a browser that reaches nothing else, and give it the size of the recorded page."""
    address = Path(job.page).as_uri() + "#film"
    with sync_playwright() as playwright:
        browser = _started(playwright, job)
        try:
            context = browser.new_context(offline=True, service_workers="block", accept_downloads=False)
            page = context.new_page()
            page.route("**/*", lambda route: _let_in(route, address))
            page.goto(address, timeout=_START_MS)
            # Not by a function that is waited for: that takes `eval`, which the file's own policy forbids.
            page.wait_for_selector("html[data-ready]", state="attached", timeout=_START_MS)
            page.set_viewport_size(_size(page, job.options.width))
            yield page
        finally:
            browser.close()


def _started(playwright: Playwright, job: FilmJob) -> Browser:
    try:
        return playwright.chromium.launch(
            executable_path=job.browser,
            # Chromium refuses its own sandbox to root; what it shows has no script that runs (see docs/exports.md).
            chromium_sandbox=os.geteuid() != 0,
            args=list(_NO_NETWORK),
            timeout=_START_MS,
        )
    except Error:
        raise RuntimeError("Chromium does not start; where user namespaces are forbidden it cannot") from None


def _let_in(route: Route, address: str) -> None:
    if route.request.url == address.partition("#")[0]:
        route.continue_()
    else:
        route.abort()


def _size(page: Page, width: int) -> "ViewportSize":
    """Fit the recorded page and the line above it; films have even sides."""
    page.evaluate("winceFilm.seek(0)")
    size = page.evaluate("winceFilm.size()")
    if not size["width"]:
        raise RuntimeError("the recording cannot be drawn")
    height = min(max(width * size["height"] / size["width"], width / 4), width * 3)
    return {"width": width // 2 * 2, "height": (round(height) + _MARK_PX) // 2 * 2}


def _make(job: FilmJob, page: Page) -> None:
    moments = job.moments()
    with _encoder(job) as pipe:
        for place, t in enumerate(moments, 1):
            page.evaluate("t => winceFilm.seek(t)", t)
            pipe.write(page.screenshot(type="jpeg", quality=92, timeout=_START_MS))
            if Path(job.film).stat().st_size > MAX_FILM_BYTES:
                raise RuntimeError(f"the film grows larger than {MAX_FILM_BYTES} bytes: choose less of it")
            print(f"{place}/{len(moments)}", flush=True)  # noqa: T201 - how it answers


@contextmanager
def _encoder(job: FilmJob) -> Iterator[IO[bytes]]:
    """Run ffmpeg, which takes pictures and writes the film; memory does not grow with its length."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y"]
    command += ["-f", "image2pipe", "-c:v", "mjpeg", "-framerate", str(job.options.fps), "-i", "pipe:0"]
    command += [*_CODECS[job.options.format], job.film]
    Path(job.film).touch()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - ours
        if process.stdin is None:
            raise RuntimeError("the film could not be written")
        try:
            yield process.stdin
            process.stdin.close()
            if process.wait() != 0:
                raise RuntimeError("the film could not be written")
        finally:
            process.kill()


_CODECS: Final = {
    # A palette for each picture: one for all would need all of them in memory first.
    "gif": ["-vf", "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1", "-loop", "0", "-f", "gif"],
    "mp4": ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
            "-f", "mp4"],
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
