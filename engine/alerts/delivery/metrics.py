"""Delivery in metrics."""

from engine.alerts.routes import RouteKind
from engine.delivery.posting import Outcome
from engine.operate.meters import Count, Gauge, Histogram
from engine.operate.registry import Meters
from replay.errors import Saturated, StoreError


class DeliveryMeters:
    """Tells the metrics of a process what a sender does."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def posted(self, kind: RouteKind, outcome: Outcome, seconds: float) -> None:
        """Count an attempt."""
        self._meters.count(Count.ALERT_POSTS, kind=kind, outcome=outcome)
        self._meters.observe(Histogram.ALERT_POST, seconds)

    def arrived(self, seconds: float) -> None:
        """Count a message that arrived."""
        self._meters.count(Count.ALERT_MESSAGES, fate="arrived")
        self._meters.observe(Histogram.ALERT_DELIVERY, seconds)

    def failed(self) -> None:
        """Count a message that will not be tried again."""
        self._meters.count(Count.ALERT_MESSAGES, fate="failed")

    def left_out(self) -> None:
        """Count a message that was too many for its route."""
        self._meters.count(Count.ALERT_MESSAGES, fate="left_out")

    def unreadable(self, messages: int) -> None:
        """Count messages that this version cannot read."""
        self._meters.count(Count.ALERT_MESSAGES, messages, fate="unreadable")

    def looked(self, waiting: int, failed: int, disabled: int) -> None:
        """Tell how many messages wait and have failed, and how many routes are disabled."""
        self._meters.set(Gauge.ALERT_MESSAGES_WAITING, waiting)
        self._meters.set(Gauge.ALERT_MESSAGES_FAILED, failed)
        self._meters.set(Gauge.ALERT_ROUTES_DISABLED, disabled)

    def unavailable(self, error: StoreError) -> None:
        """Count work that is offered to Redis again."""
        self._meters.count(Count.RETRIES, kind="saturated" if isinstance(error, Saturated) else "unavailable")
