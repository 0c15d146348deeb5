"""Tells metrics and health of one process how Redis is, and how delivery goes."""

from engine.alerts.routes import RouteKind
from engine.delivery.posting import Outcome
from engine.operate.health import Health
from engine.operate.logs import get_logger
from engine.operate.meters import Count, Histogram
from engine.operate.registry import Meters
from replay.errors import StoreError
from replay.redis_client import Operation


class RedisMeters:
    """The `Observer` of a client."""

    def __init__(self, meters: Meters, health: Health) -> None:
        self._meters = meters
        self._health = health

    def called(self, operation: Operation, seconds: float, sent_bytes: int) -> None:
        """Take note of a pipeline that was answered."""
        self._health.reached("redis")
        self._meters.observe(Histogram.REDIS_COMMAND, seconds, operation=operation)
        self._meters.count(Count.REDIS_SENT_BYTES, sent_bytes)


class DeliveryMeters:
    """The `DeliveryObserver` of a sender."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def posted(self, kind: RouteKind, outcome: Outcome, seconds: float) -> None:
        """Take note of one attempt."""

    def arrived(self, seconds: float) -> None:
        """Take note of a message that arrived, so many seconds after it was put into the outbox."""

    def failed(self) -> None:
        """Take note of a message that will not be tried again."""

    def left_out(self) -> None:
        """Take note of a message that was too many for its route."""

    def looked(self, waiting: int, failed: int, disabled: int) -> None:
        """Take note of how many messages wait and have failed, and how many routes are disabled."""

    def unavailable(self, error: StoreError) -> None:
        """Take note that Redis could not do something; it is tried again."""
        get_logger().warning("work_offered_again", kind="unavailable", error=error)
