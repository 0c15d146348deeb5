"""Which metrics each program has."""

from typing import Final

from engine.operate.declaring import Meter
from engine.operate.meters import METERS, Count, Gauge, Histogram


def _named(prefix: str) -> frozenset[Meter]:
    return frozenset(meter for meter in METERS if meter.metric.startswith(prefix))


SERVER_METERS: Final = _named("wince_http") | {Gauge.BUILD, Histogram.REDIS_COMMAND}
"""Those of `wince serve`."""

_SHARED: Final = frozenset(
    {
        Count.REDIS_SENT_BYTES,
        Count.RETRIES,
        Count.REBALANCES,
        Count.PARTITION_RESETS,
        Count.RECORDS_LOST,
        Count.MARKS_MOVED,
        Gauge.LAG_RECORDS,
        Gauge.LAG_SECONDS,
        Gauge.PARTITIONS_ASSIGNED,
        Gauge.BUILD,
        Histogram.REDIS_COMMAND,
    }
)

ALERT_METERS: Final = _named("wince_alert") | _SHARED
"""Those of `wince alerts run`."""

COHORT_METERS: Final = _named("wince_cohort") | {
    Count.REDIS_SENT_BYTES,
    Count.RETRIES,
    Gauge.BUILD,
    Histogram.REDIS_COMMAND,
}
"""Those of `wince cohort`."""

WORKER_METERS: Final = _named("wince") - _named("wince_http") - _named("wince_alert") - _named("wince_cohort") | {
    Gauge.BUILD,
    Histogram.REDIS_COMMAND,
}
"""Those of `wince worker`."""
