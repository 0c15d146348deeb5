"""A picture of sessions, signals and alerts over time, as one page that loads nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

import msgspec

from engine.alerts.core import Item
from engine.alerts.history import HOUR_MS
from schemas.activity import Activity
from schemas.alerts import Alert
from schemas.signals import Signal

WIDTH: Final = 1_100
HEIGHT: Final = 160
ROW: Final = 18
MAX_PROJECTS: Final = 20
MAX_ROWS: Final = 200
_STYLE: Final = """
body { font: 14px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
svg { width: 100%; height: auto; background: #fafafa } .sessions { fill: none; stroke: #7a8ca8 }
.signals { fill: none; stroke: #c2410c } rect { fill: #dc2626; opacity: .75 } text { font-size: 11px; fill: #444 }
"""


class Series(msgspec.Struct):
    """Sessions that started, and signals, by project and hour (epoch hours)."""

    sessions: dict[str, dict[int, int]] = {}
    signals: dict[str, dict[int, int]] = {}

    def saw(self, item: Item) -> None:
        """Count an item."""
        if isinstance(item, Signal):
            hours = self.signals.setdefault(item.project_id, {})
        elif isinstance(item, Activity) and item.kind == "session_start":
            hours = self.sessions.setdefault(item.project_id, {})
        else:
            return
        hour = item.t // HOUR_MS
        hours[hour] = hours.get(hour, 0) + 1


def draw(series: Series, alerts: Sequence[Alert]) -> str:
    """Draw a page with one picture a project; every word from the input is text."""
    projects = sorted({*series.sessions, *series.signals})[:MAX_PROJECTS]
    pictures = "".join(
        _picture(name, series, [each for each in alerts if each.project_id == name]) for name in projects
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Alerts</title>'
        f"<style>{_STYLE}</style><h1>Alerts over time</h1>"
        f"<p>Sessions an hour in blue, signals an hour in orange, alerts in red.</p>{pictures}</html>"
    )


def _picture(name: str, series: Series, alerts: Sequence[Alert]) -> str:
    sessions, signals = series.sessions.get(name, {}), series.signals.get(name, {})
    hours = [*sessions, *signals]
    first, last = min(hours), max(hours) + 1
    alerts = alerts[:MAX_ROWS]
    bars = "".join(_bar(alert, place, first, last) for place, alert in enumerate(alerts))
    height = HEIGHT + ROW * len(alerts) + 20
    days = f"{_day(first)} to {_day(last)}"
    return (
        f"<h2><bdi>{escape(name)}</bdi></h2><p>{days}, {len(alerts)} alerts</p>"
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{len(alerts)} alerts, {days}">'
        f"{_line('sessions', sessions, first, last)}{_line('signals', signals, first, last)}{bars}</svg>"
    )


def _line(kind: str, hours: dict[int, int], first: int, last: int) -> str:
    most = max(hours.values(), default=1)
    points = " ".join(
        f"{_x(hour, first, last):.1f},{HEIGHT - hours.get(hour, 0) / most * (HEIGHT - 10):.1f}"
        for hour in range(first, last)
    )
    return f'<polyline class="{kind}" points="{points}"/>'


def _bar(alert: Alert, place: int, first: int, last: int) -> str:
    start = _x(alert.fired_at / HOUR_MS, first, last)
    end = _x((alert.resolved_at or last * HOUR_MS) / HOUR_MS, first, last)
    top = HEIGHT + 10 + ROW * place
    label_x, anchor = (start - 4, "end") if start > WIDTH / 2 else (end + 4, "start")
    return (
        f'<rect x="{start:.1f}" y="{top}" width="{max(end - start, 2):.1f}" height="{ROW - 6}"/>'
        f'<text x="{label_x:.1f}" y="{top + 10}" text-anchor="{anchor}">{escape(alert.title[:150])}</text>'
    )


def _x(hour: float, first: int, last: int) -> float:
    return (hour - first) / max(last - first, 1) * WIDTH


def _day(hour: int) -> str:
    try:
        return datetime.fromtimestamp(hour * HOUR_MS / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return str(hour)
