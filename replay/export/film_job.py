"""What a film is to be, and what its maker needs to know; shared by both sides of the process border."""

import math
import shutil
from importlib.util import find_spec
from typing import Annotated, Final, Literal

import msgspec

from replay.export.errors import NotInstalled, TooLarge

FilmFormat = Literal["gif", "mp4"]

MAX_FRAMES: Final = 900
"""Frames of a film: a minute and a half at ten a second."""

MAX_FILM_BYTES: Final = 64 << 20

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""Names under which a Chromium may be on PATH, in the order in which they are tried."""

_PACKAGES: Final = ("playwright", "imageio_ffmpeg")


class FilmOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a film is made: frames a second, its width in pixels, and how much quicker than life it runs."""

    format: FilmFormat = "mp4"
    fps: Annotated[int, msgspec.Meta(ge=1, le=30)] = 8
    width: Annotated[int, msgspec.Meta(ge=320, le=1920)] = 960
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=16)] = 1.0


class FilmJob(msgspec.Struct, frozen=True):
    """A film of an exported file: its path, the path to write to, both programs, and when to take each frame.

    `length_ms` is how long the file plays.
    """

    page: str
    film: str
    browser: str
    options: FilmOptions
    length_ms: int

    def moments(self) -> list[int]:
        """List when the frames are taken: milliseconds after the start."""
        step = 1000 * self.options.speed / self.options.fps
        return [min(round(place * step), self.length_ms) for place in range(frames_of(self.length_ms, self.options))]


def frames_of(length_ms: int, options: FilmOptions) -> int:
    """Count the frames of a film of so many milliseconds. Raises TooLarge if there are more than `MAX_FRAMES`."""
    frames = max(1, math.ceil(length_ms * options.fps / (1000 * options.speed)))
    if frames > MAX_FRAMES:
        raise TooLarge(
            f"this film would have {frames} frames, allowed are {MAX_FRAMES}: choose a shorter range, fewer frames a "
            "second, or a higher speed"
        )
    return frames


def find_browser() -> str:
    """Find the program that draws the frames. Raises NotInstalled with what to install."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise NotInstalled('films need the extra "pictures": pip install "wince[pictures]"')
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise NotInstalled(f"films need Chromium on PATH, as one of: {', '.join(BROWSERS)}")
    return found
