"""Right clicks: who opens the context menu again and again looks for something that the page does not offer."""

from collections.abc import Callable, Mapping

import msgspec

from detectors.interactions import AuxClick
from detectors.machine import Machine, Report
from detectors.protocol import Finding
from detectors.targets import describe

WINDOW_MS = 10_000
FEWEST, MOST = 2, 20


class State(msgspec.Struct):
    """When the context menu was opened lately (epoch ms), oldest first: all that is remembered, and bounded."""

    times: list[int] = msgspec.field(default_factory=list)


class RightClicks(Machine[State]):
    """Finds `count` context menus within ten seconds."""

    name = "right_clicks"

    def __init__(self, count: int, report: Report) -> None:
        super().__init__(State())
        self._count = count
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Only the clicks of other buttons than the main one."""
        return {AuxClick: self._on_click}

    def _on_click(self, click: AuxClick) -> None:
        times = [t for t in self._state.times if click.t - t < WINDOW_MS] + [click.t]
        self._state.times = [] if len(times) >= self._count else times
        if len(times) >= self._count:
            self._report(
                Finding(
                    detector=self.name,
                    t=times[0],
                    end_t=click.t,
                    page=click.page,
                    target=None if click.target is None else describe(click.target),
                    rule="example/right_clicks@1",
                    evidence={"window_ms": WINDOW_MS, "needed_clicks": self._count},
                    count=len(times),
                )
            )


def make(options: Mapping[str, str], report: Report) -> RightClicks:
    """Make the detector of one window. Raises ValueError if an option is wrong: Wince says so when it starts."""
    unknown = set(options) - {"count"}
    if unknown:
        raise ValueError(f"there is no option {min(unknown)}")
    count = int(options.get("count", "3"))
    if not FEWEST <= count <= MOST:
        raise ValueError(f"count must be from {FEWEST} to {MOST}")
    return RightClicks(count, report)
