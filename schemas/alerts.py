"""Alerts: a page, element, error or release that left its own normal range, and that it is over."""

from typing import Literal

import msgspec

Dimension = Literal["project", "page", "element", "error", "release", "device", "country"]
Severity = Literal["info", "warning", "critical"]


class AlertKey(msgspec.Struct, frozen=True, gc=False):
    """What an alert is about: one value of one dimension, and the detector that complains of it.

    `value` is a folded page (`schemas.page_paths`), a folded page and a selector parted by a space, the fingerprint of
    an error, or the name of a release, device or country; empty for a whole project. `detector` is empty where no
    signal is counted, as for traffic that vanished.
    """

    detector: str
    dimension: Dimension
    value: str = ""


class Moment(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A moment that shows it: which session, when (epoch ms), and what happened there, masked."""

    session_id: str
    t: int
    window_id: str = ""
    detector: str = ""
    page: str = ""
    text: str = ""


class AlertNumbers(msgspec.Struct, frozen=True, gc=False):
    """What an alert was decided on.

    Of the last `window_ms` milliseconds: distinct `sessions` concerned, of all `base_sessions` that could have been,
    and the number of `signals`. `rate` is the share of sessions concerned, `baseline_rate` what is normal here; for
    traffic that vanished both are sessions an hour.
    """

    sessions: int
    base_sessions: int
    signals: int
    window_ms: int
    rate: float
    baseline_rate: float


class Alert(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One alert, as it fires and, with `resolved_at`, as it ends.

    `id` is a hash of project, rule, key and what decided it: the same alert always has the same id. Times are epoch
    milliseconds of the events that decided. `grouped` are other keys that complain of the same sessions and raise no
    alert of their own. `moments` are at most three.
    """

    id: str
    rule: str
    project_id: str
    key: AlertKey
    severity: Severity
    title: str
    fired_at: int
    numbers: AlertNumbers
    moments: list[Moment] = []
    grouped: list[AlertKey] = []
    resolved_at: int | None = None
