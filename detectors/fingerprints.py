"""When two JavaScript errors are the same error.

As Sentry and PostHog group: by type and the frames of the application's own code; without such frames by type and
message template. Messages and frames come masked and with their volatile parts replaced already.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from detectors.interactions import Failure

MAX_FRAMES: Final = 8
"""Own frames that tell one error from another; recursion makes the rest."""

MESSAGE_MAX_CHARACTERS: Final = 300
TYPE_MAX_CHARACTERS: Final = 64
FRAME_MAX_CHARACTERS: Final = 500

_FOREIGN: Final = (
    "chrome-extension:", "moz-extension:", "safari-extension:", "safari-web-extension:", "/node_modules/",
    "webpack/bootstrap", "[native code]", "<anonymous>:",
)  # fmt: skip
_PREFIX: Final = re.compile(r"(?:Uncaught )?(?:\(in promise\) )?(?:(?:[A-Z]\w{0,63}(?:Error|Exception)|Error): )?")


@dataclass(slots=True)
class Identified:
    """What an error is: its `fingerprint` (16 hexadecimal digits), type, message template and topmost own frame."""

    fingerprint: str
    error_type: str
    message: str
    top_frame: str


def identify(failure: Failure) -> Identified:
    """Identify an error, the same however it came: as an event, a rejected promise or a line of the console."""
    message = _PREFIX.sub("", failure.message[:MESSAGE_MAX_CHARACTERS], count=1)
    error_type = failure.error_type[:TYPE_MAX_CHARACTERS]
    frames = [frame for frame in failure.frames if not any(mark in frame for mark in _FOREIGN)][:MAX_FRAMES]
    basis = "\n".join(frames) if frames else f"{error_type}\n{message}"
    digest = hashlib.blake2b(basis.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return Identified(digest, error_type, message, frames[0][:FRAME_MAX_CHARACTERS] if frames else "")
