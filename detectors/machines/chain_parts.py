"""The rule of a click chain, and what is known of its clicks: parts of `detectors.machines.chains`."""

from collections.abc import Callable

import msgspec

from detectors.elements import Element
from detectors.interactions import Mutation
from detectors.machines.gestures import Place

SELECTION, SCROLL, INPUT = 1, 2, 4


class ChainRule(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of the rule, and what is left out: `is_exempt` targets are never dead."""

    preset: str
    version: int
    count: int
    gap_ms: int
    span_ms: int
    max_px: float
    settle_ms: int
    longest_ms: int
    is_exempt: Callable[[Element], bool]
    is_activity: Callable[[Mutation], bool]
    is_request: Callable[[str], bool]


class Action(msgspec.Struct, gc=False):
    """Click number `number`, released at `t` (epoch ms). `activity_t` is the last activity since, if any.

    `pending` counts requests that began since and have not ended; `first_request` is the number of the first that
    could. `is_stopped` when its life is over (since `stopped_t`), `errors` counts those in it.
    """

    number: int
    t: int
    press_t: int
    x: float
    y: float
    first_request: int
    is_exempt: bool
    activity_t: int | None = None
    pending: int = 0
    errors: int = 0
    has_activity: bool = False
    is_stopped: bool = False
    stopped_t: int = 0
    user: int = 0


class Chain(msgspec.Struct, gc=False):
    """Clicks that are alike; what older clicks came to is summed up.

    `closed_t` is when no more were taken because none came, `judged_t` when all was known: a click that was released
    before and is told after takes both back. What happens after `judged_t` is not the chain's any more.
    """

    node_id: int | str
    place: Place
    t: int
    actions: list[Action]
    total: int = 1
    errors: int = 0
    is_dense: bool = False
    is_open: bool = True
    user: int = 0
    any_dead: bool = False
    closed_t: int | None = None
    judged_t: int | None = None
    times: list[int] = msgspec.field(default_factory=list)


class ChainState(msgspec.Struct, gc=False):
    """Open chains, the newest last; the activities of late; requests under way, by key, with their numbers.

    `user` holds the times of selections, scrolls and inputs since the last press; `selected` says whether text is.
    """

    chains: list[Chain] = msgspec.field(default_factory=list)
    recent: list[int] = msgspec.field(default_factory=list)
    user: dict[int, list[int]] = msgspec.field(default_factory=dict)
    requests: dict[str, list[int]] = msgspec.field(default_factory=dict)
    next_request: int = 1
    clicks: int = 0
    selected: bool = False


def is_dead(action: Action) -> bool:
    """Tell whether a click had no activity, and owed some."""
    return not (action.has_activity or action.is_exempt or action.user & (INPUT | SCROLL))
