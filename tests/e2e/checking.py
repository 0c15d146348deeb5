"""The check itself: every window of recordings, as sent and as published, in one browser."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tests.e2e.browser import Browser, Run
from tests.e2e.comparison import Finding, compare, elsewhere
from tests.e2e.recordings import Privacy, Window, plan, windows


class Verdict(msgspec.Struct, frozen=True):
    """What is worse about a window; `elsewhere` counts changed boxes among those of the last page."""

    window: Window
    findings: list[Finding]
    elsewhere: tuple[int, int] = (0, 0)


class Checker:
    """Checks recordings; an original is replayed once, whatever the number of settings."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._originals: dict[str, list[Run]] = {}

    def check(self, recordings: Sequence[Path], privacy: Privacy) -> Iterator[Verdict]:
        """Compare each window of the recordings with what is published of it with these settings.

        Raises:
            ProcessError: `wince process` failed.
            BrowserGoneError: The browser does not finish a replay.
        """
        with tempfile.TemporaryDirectory(prefix="wince-replay-") as scratch:
            for window in windows(recordings, privacy, Path(scratch)):
                yield self._compare(window, blocking=bool(privacy.block))

    def _compare(self, window: Window, *, blocking: bool) -> Verdict:
        if not window.masked:
            return Verdict(window, [Finding("blank", "", "nothing was published", len(window.original))])
        at = plan(window.original)
        if window.name not in self._originals:
            self._originals[window.name] = self._browser.replay(window.original, at)
        original, masked = self._originals[window.name], self._browser.replay(window.masked, at)
        return Verdict(window, compare(original, masked, blocking=blocking), elsewhere(original, masked))
