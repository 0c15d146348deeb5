"""A picture of how good alerters are: precision, recall, and how soon they tell."""

from collections.abc import Sequence
from html import escape
from typing import Final

from engine.alerts.simulation.report import Quality

WIDTH: Final = 860
HEIGHT: Final = 330
LONGEST_MINUTES: Final = 120

_LEFT: Final = 50
_TOP: Final = 40
_PLOT_WIDTH: Final = 330
_PLOT_HEIGHT: Final = 220
_SECOND_LEFT: Final = 480
_COLORS: Final = ("#0f766e", "#c2410c", "#6d28d9")
_STYLE: Final = (
    "text { font: 12px system-ui, sans-serif; fill: #334155 } .title { font-weight: 600; font-size: 14px } "
    ".axis { stroke: #cbd5e1 } polyline { fill: none; stroke-width: 2 }"
)


def draw_qualities(qualities: Sequence[Quality]) -> str:
    """Draw precision and recall of each alerter, and what share of incidents it has told of after how long, as SVG."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Precision, recall and delay"><style>{_STYLE}</style>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{_bars(qualities)}{_delays(qualities)}'
        f"{_legend(qualities)}</svg>\n"
    )


def _bars(qualities: Sequence[Quality]) -> str:
    parts = [_frame(_LEFT, "Of incidents found, of alarms right")]
    values = (("recall", [each.recall for each in qualities]), ("precision", [each.precision for each in qualities]))
    for group, (name, shares) in enumerate(values):
        left = _LEFT + 30 + group * 155
        parts.append(f'<text x="{left + 60}" y="{_TOP + _PLOT_HEIGHT + 18}" text-anchor="middle">{name}</text>')
        for place, share in enumerate(shares):
            x, y = left + place * 42, _y(share)
            height = _TOP + _PLOT_HEIGHT - y
            parts.append(f'<rect x="{x}" y="{y:.1f}" width="34" height="{height:.1f}" fill="{_COLORS[place]}"/>')
            parts.append(f'<text x="{x + 17}" y="{y - 5:.1f}" text-anchor="middle">{share:.0%}</text>')
    return "".join(parts)


def _delays(qualities: Sequence[Quality]) -> str:
    parts = [_frame(_SECOND_LEFT, "Incidents found, by minutes after they could be known of")]
    for minutes in range(0, LONGEST_MINUTES + 1, 30):
        x = _SECOND_LEFT + minutes / LONGEST_MINUTES * _PLOT_WIDTH
        parts.append(f'<text x="{x:.1f}" y="{_TOP + _PLOT_HEIGHT + 18}" text-anchor="middle">{minutes}</text>')
    for place, quality in enumerate(qualities):
        points = " ".join(
            f"{_SECOND_LEFT + minute / LONGEST_MINUTES * _PLOT_WIDTH:.1f},{_y(_found_by(quality, minute)):.1f}"
            for minute in range(LONGEST_MINUTES + 1)
        )
        parts.append(f'<polyline points="{points}" stroke="{_COLORS[place]}"/>')
    return "".join(parts)


def _found_by(quality: Quality, minute: int) -> float:
    return sum(delay <= minute * 60 for delay in quality.delays_s) / max(quality.incidents, 1)


def _frame(left: int, title: str) -> str:
    lines = "".join(
        f'<line class="axis" x1="{left}" x2="{left + _PLOT_WIDTH}" y1="{_y(share):.1f}" y2="{_y(share):.1f}"/>'
        f'<text x="{left - 8}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share in (0.0, 0.5, 1.0)
    )
    return f'<text class="title" x="{left}" y="20">{title}</text>{lines}'


def _legend(qualities: Sequence[Quality]) -> str:
    return "".join(
        f'<rect x="{_LEFT + place * 170}" y="{HEIGHT - 28}" width="12" height="12" fill="{_COLORS[place]}"/>'
        f'<text x="{_LEFT + place * 170 + 18}" y="{HEIGHT - 17}">{escape(quality.name)}</text>'
        for place, quality in enumerate(qualities)
    )


def _y(share: float) -> float:
    return _TOP + (1 - share) * _PLOT_HEIGHT
