"""The arrival clock of one partition: timestamps of its records, and the wall clock while nothing waits."""


class PartitionClock:
    """Tells when a record arrived (epoch ms). It never falls and is never ahead of the wall clock that it is told.

    Records that waited in Kafka while no worker was there arrived when their timestamps say: else a backlog of an hour
    would end every session in it. While the partition has nothing to read, time goes on by the wall clock, so that
    idle partitions end their sessions as well.
    """

    __slots__ = ("now_ms",)

    def __init__(self) -> None:
        self.now_ms = 0

    def saw(self, record_ms: int, wall_ms: int) -> int:
        """Take note of a record's timestamp; return what time it is."""
        self.now_ms = max(self.now_ms, min(record_ms, wall_ms))
        return self.now_ms

    def idle(self, wall_ms: int) -> int:
        """Take note that nothing waits; return what time it is."""
        self.now_ms = max(self.now_ms, wall_ms)
        return self.now_ms
