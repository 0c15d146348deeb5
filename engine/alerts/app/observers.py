"""Tells metrics and health of one process how Redis is."""

from engine.operate.health import Health
from engine.operate.meters import Count, Histogram
from engine.operate.registry import Meters
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
