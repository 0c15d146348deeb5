"""A site and its visitors: pages few and many go to, habits of day and week, complaints that are normal there."""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
START_MS: Final = 1_767_571_200_000
"""Monday, 2026-01-05, 00:00 UTC."""

DETECTORS: Final = ("rage_click", "dead_click", "error_click", "js_error")
DEVICES: Final = ("desktop", "phone", "tablet")
COUNTRIES: Final = ("DE", "FR", "US", "BR", "JP")

Floats = NDArray[np.float64]


class Site(msgspec.Struct, frozen=True):
    """A project: sessions on a working day, pages with their shares of visits, and of visits that complain.

    `complaints` has a row a page and a column a detector. `growth` is by how much a week has more visitors than the
    one before.
    """

    project_id: str
    sessions_a_day: float
    pages: list[str]
    popularity: Floats
    complaints: Floats
    growth: float = 1.0


def make_site(project_id: str, sessions_a_day: float, pages: int, rng: np.random.Generator) -> Site:
    """Make a site: a few pages have most visits, and pages differ much in how often visitors complain of them."""
    popularity = 1.0 / np.arange(1, pages + 1) ** 1.1
    shares = np.clip(rng.lognormal(np.log(0.008), 0.9, (pages, len(DETECTORS))), 0.0005, 0.12)
    names = [f"https://{project_id}.example/page-{_word(place)}" for place in range(pages)]
    return Site(project_id, sessions_a_day, names, popularity / popularity.sum(), shares, rng.uniform(1.0, 1.08))


def _word(place: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(place))


def sessions_a_minute(site: Site, t: int) -> float:
    """Return how many sessions start in the minute at `t` (epoch ms): day and night, week and weekend, growth."""
    hour = t % DAY_MS / HOUR_MS
    day = (t - START_MS) // DAY_MS
    daily = 0.08 + max(0.0, np.sin((hour - 6) / 16 * np.pi) if 6 <= hour <= 22 else 0.0)  # noqa: PLR2004 - hours of the day
    weekly = 0.55 if day % 7 >= 5 else 1.0  # noqa: PLR2004 - the weekend
    grown = site.growth ** ((t - START_MS) / (7 * DAY_MS))
    return float(site.sessions_a_day / 1_440 * daily * weekly * grown / 0.5)
