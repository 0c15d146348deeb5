"""What is remembered of a project between two signals; all of it can be put away and taken up again."""

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.alerts.change import HIGHEST_SHARE, LOWEST_SHARE, Evidence
from engine.alerts.history import Lagged, Minutes
from schemas.alerts import Alert, AlertKey, Dimension, Moment


class Visit(msgspec.Struct, gc=False):
    """One session: when it was last heard of (epoch ms), what it was counted for, and its signals by detector.

    `done` are rules that have nothing more to say of it, `goals` says by rule when it last reached what that waits for.
    """

    last_t: int
    bases: list[str] = []
    keys: list[str] = []
    signal_ids: list[str] = []
    counts: dict[str, int] = {}
    done: list[str] = []
    goals: dict[str, int] = {}


class Base(msgspec.Struct, gc=False):
    """Sessions that could be concerned: all there were, those told of by activities, lately, and long ago."""

    total: int = 0
    told: int = 0
    lately: Minutes = msgspec.field(default_factory=Minutes)
    history: Lagged = msgspec.field(default_factory=Lagged)


class Family(msgspec.Struct, gc=False):
    """All keys of one detector and dimension together: what is normal for a key of which little is known.

    `worst` is the highest share that is normal for one of them, as of `worst_hour` (epoch hours).
    """

    keys: int = 0
    worst: float = 0.0
    worst_hour: int = -1
    history: Lagged = msgspec.field(default_factory=Lagged)


class Tracked(msgspec.Struct, gc=False):
    """One key: distinct sessions concerned and signals lately, concerned sessions long ago, and the evidence.

    `base_seen` is how much of its base, `base`, the evidence has taken into account. `recent` are the sessions
    concerned since the evidence began, with their moments, bounded. `heard` counts sessions concerned since the key was
    heard of first, or again after a long while: since the project had `heard_from` sessions, the last `quiet_for` of
    them without it; `last_total` is how many it had when it was heard of last. `returned` counts those with a release
    that was first seen after the error was resolved. `held_since` says by rule since when its condition holds.
    """

    key: AlertKey
    sessions: Minutes = msgspec.field(default_factory=Minutes)
    signals: Minutes = msgspec.field(default_factory=Minutes)
    history: Lagged = msgspec.field(default_factory=Lagged)
    evidence: Evidence = msgspec.field(default_factory=Evidence)
    base: str = ""
    base_seen: int = 0
    quiet_for: int = 0
    heard_from: int = 0
    heard: int = 0
    last_total: int = 0
    returned: int = 0
    last_t: int = 0
    recent: list[Moment] = []
    held_since: dict[str, int] = {}
    incident: str = ""


class Incident(msgspec.Struct, gc=False):
    """An alert that fired: its keys, the sessions it is about, and when it was last found to be so (epoch ms).

    It `is_wide` if more than its first key is affected: then the sessions of all its keys are what it is about.
    """

    alert: Alert
    rule: str
    keys: list[str]
    sessions: dict[str, None]
    last_t: int
    opened_at: int
    cooldown_ms: int
    is_open: bool = True
    is_wide: bool = False


LEFT: Final = (0.1, 0.4, 0.65)
"""What an absence leaves of the visitors: hardly any, less than half of them, or two of three."""


class Traffic(msgspec.Struct, gc=False):
    """Sessions that start: by hour of the week, weighted sums and weights; and the evidence that they stay away.

    `days` says of the last days how many came of those who usually do; `day_started` and `day_expected` are of the one
    that runs, `lately_started` and `lately_expected` of the last two hours. `rates` are how many usually start in an
    hour, as of `rated_minute`. `evidences` are by how many are left, `since` is when there was none (epoch ms).
    """

    hour: int = -1
    started: int = 0
    hourly: list[float] = msgspec.field(default_factory=lambda: [0.0] * 168)
    weights: list[float] = msgspec.field(default_factory=lambda: [0.0] * 168)
    days: list[float] = []
    day_started: float = 0.0
    day_expected: float = 0.0
    lately_started: list[float] = []
    lately_expected: list[float] = []
    evidences: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(LEFT))
    rates: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(LEFT))
    rated_minute: int = -1
    judged_t: int = 0
    since: int = 0
    lately: Minutes = msgspec.field(default_factory=Minutes)

    def __post_init__(self) -> None:
        """Take up what was kept when fewer kinds of absence were told apart."""
        self.evidences += [0.0] * (len(LEFT) - len(self.evidences))
        self.rates += [0.0] * (len(LEFT) - len(self.rates))

    @property
    def evidence(self) -> float:
        """The evidence for the likeliest kind of absence."""
        return max(self.evidences)


def _hours() -> list[float]:
    return [0.0] * 24


class Daily(msgspec.Struct, gc=False):
    """How the share of concerned sessions changes with the hour of the day (UTC): today, and usually, which fades."""

    day: int = -1
    base_seen: int = 0
    today: list[float] = msgspec.field(default_factory=_hours)
    today_base: list[float] = msgspec.field(default_factory=_hours)
    usual: list[float] = msgspec.field(default_factory=_hours)
    usual_base: list[float] = msgspec.field(default_factory=_hours)


class ProjectState(msgspec.Struct, gc=False):
    """A project: its clock and when it was heard of last (epoch ms), sessions, bases, keys, incidents, traffic.

    `errors` says when errors were first seen, `resolved` when they were marked as resolved, `releases` when releases
    were first seen, `abandoning` by rule which sessions are awaited on its goal, and since when. `withdrawn` holds
    marks (not ids) of sessions of which nothing is to be known any more, and when that was. Until
    `releases_doubtful_until` an unknown release may be one that was in use and had to be forgotten: it is not taken for
    new. `tidied_hour` is when there was a look at what can be forgotten. `folded` counts values that were not told
    apart any more, `late` what came too late to count, `ahead` what was told to be of a time far after it came, and
    counted as of then.
    """

    first_t: int = 0
    now: int = 0
    heard_t: int = 0
    minute: int = 0
    visits: dict[str, Visit] = {}
    bases: dict[str, Base] = {}
    tracked: dict[str, Tracked] = {}
    families: dict[str, Family] = {}
    base_counts: dict[str, int] = {}
    daily: dict[str, Daily] = {}
    incidents: dict[str, Incident] = {}
    errors: dict[str, int] = {}
    resolved: dict[str, int] = {}
    releases: dict[str, int] = {}
    traffic: Traffic = msgspec.field(default_factory=Traffic)
    abandoning: dict[str, dict[str, int]] = {}
    withdrawn: dict[str, int] = {}
    releases_doubtful_until: int = 0
    tidied_hour: int = -1
    folded: int = 0
    late: int = 0
    ahead: int = 0


ALIKE: Final[Mapping[Dimension, float]] = {
    "project": 20.0, "release": 20.0, "device": 20.0, "country": 20.0, "page": 0.7, "element": 0.7, "error": 0.7,
}  # fmt: skip
"""How much alike the keys of a family are: so many concerned sessions' worth is what is normal for the family.

Visitors of one release complain as much as those of the next; a page may have ten times the complaints of another.
"""


UNKNOWN: Final = 2.0
"""A new page is taken for one with twice the complaints of its family: some have ten times as many."""


def normal_share(tracked: Tracked, base: Base, family: Family, family_base: Base, keys_per_base: float) -> float:
    """Return the share of sessions of a key that is normally concerned: rather too much than too little.

    It is drawn to that of its family where little is known of it, and lies above the likeliest value by what that may
    be wrong by (one standard deviation of the count).
    """
    usual = (family.history.settled + 0.5) / (family_base.history.settled * max(keys_per_base, 1.0) + 50.0)
    alike = ALIKE[tracked.key.dimension]
    if alike < 1:
        usual *= UNKNOWN
    concerned = tracked.history.settled + alike
    share = (concerned + math.sqrt(concerned)) / (base.history.settled + alike / usual)
    return min(max(share, LOWEST_SHARE), HIGHEST_SHARE)
