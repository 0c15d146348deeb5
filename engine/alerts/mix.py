"""What else may explain a spike: a campaign for a page of which many complain, a page that is new, or machines."""

from collections import Counter
from typing import Final

from engine.alerts.change import HIGHEST_SHARE
from engine.alerts.counting import Counting
from engine.alerts.history import HOUR_MS
from engine.alerts.state import Base, ProjectState, Tracked
from schemas.alerts import AlertKey
from schemas.page_paths import fold_page

KEEP_MS: Final = 2 * HOUR_MS
"""Visitors of the last two hours are those of now."""

_SMOOTHING: Final = 5.0
"""So many visitors, come as usual, are added to what was counted: a few more than usual are no campaign."""

_MOST: Final = 50.0
_NEW: Final = 5.0
"""A page with fewer visitors that are not of the last hours is new."""

_TOO_MANY: Final = 25
"""A session with so many signals is no visitor, but a machine, or somebody who tests."""

_OF_PAGES: Final = frozenset({"page", "element"})


def sober_share(counting: Counting, tracked: Tracked, t: int) -> float:
    """Return the share of sessions of a key that may be concerned where nothing is wrong."""
    share = counting.share(tracked, t)
    if tracked.key.dimension in _OF_PAGES:
        is_new = counting.base(tracked.key).history.settled < _NEW
        return max(share, counting.worst_share(tracked, t)) if is_new else share
    return min(share * max(more_visited(counting, tracked, t), 1.0), HIGHEST_SHARE)


def machines(state: ProjectState, tracked: Tracked) -> int:
    """Count the sessions of a key, of those that speak for an incident, that no visitor had."""
    visits = (state.visits.get(moment.session_id) for moment in tracked.recent)
    return sum(1 for visit in visits if visit is not None and sum(visit.counts.values()) >= _TOO_MANY)


def more_visited(counting: Counting, tracked: Tracked, t: int) -> float:
    """Return how many times more often than usual visitors go to the pages that a key's sessions complained on."""
    if not tracked.recent:
        return 1.0
    project = counting.base(AlertKey("", "project"))
    since = max(tracked.evidence.since, t - KEEP_MS)
    pages = Counter(fold_page(moment.page) for moment in tracked.recent)
    total = sum(number * _ratio(counting.page_base(page), project, since) for page, number in pages.items())
    return total / len(tracked.recent)


def _ratio(base: Base | None, project: Base, since: int) -> float:
    if base is None or not project.history.settled or base.told * 2 < base.total:
        return 1.0
    expected = project.lately.since(since) * base.history.settled / project.history.settled
    return min((base.lately.since(since) + _SMOOTHING) / (expected + _SMOOTHING), _MOST)
