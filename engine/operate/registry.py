"""The metrics of this process, kept by prometheus-client in a registry of their own."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import product
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from engine.core.counts import Counts
from engine.operate.declaring import Meter
from engine.operate.meters import Count, Gauge, Histogram
from engine.operate.programs import WORKER_METERS
from engine.reasons import Reason

CONTENT_TYPE: Final = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4
"""Media type of what `Meters.exposition` gives."""


class Meters:
    """Count, set and observe what `engine.operate.meters` declares. Not for several threads at a time.

    Labels are given as keyword arguments, all that are declared and no other; `ValueError` is raised for wrong ones,
    and for a value that is not declared. A series whose labels are known before starts at 0, so that its first step
    is seen. `version` is that of the program, `meters` are those it has.
    """

    def __init__(self, version: str, meters: AbstractSet[Meter] = WORKER_METERS) -> None:
        self._registry = CollectorRegistry()
        self._counts = {meter: _counter(meter, self._registry) for meter in Count if meter in meters}
        self._gauges = {meter: _gauge(meter, self._registry) for meter in Gauge if meter in meters}
        self._histograms = {meter: _histogram(meter, self._registry) for meter in Histogram if meter in meters}
        ProcessCollector(registry=self._registry)
        self._refresh: Callable[[], None] = _nothing
        self._sums: dict[Count, int] = {}
        self._reasons: dict[Count, Counter[Reason]] = {meter: Counter() for meter in _MIRRORED_REASONS}
        self._start_at_zero()
        self.set(Gauge.BUILD, 1, version=version)

    def _start_at_zero(self) -> None:
        for meter, wrapper in (*self._counts.items(), *self._gauges.items(), *self._histograms.items()):
            known = [label.values for label in meter.labels if label.values is not None]
            if not known or len(known) < len(meter.labels):
                continue
            for values in product(*known):
                wrapper.labels(*values)

    # -- in -----------------------------------------------------------------------------------------------------

    def count(self, meter: Count, amount: float = 1, **labels: str | int) -> None:
        """Add to a counter; a negative amount is a `ValueError`."""
        counter = self._counts[meter]
        if labels:
            _check(meter, labels)
            counter = counter.labels(**labels)
        counter.inc(amount)

    def set(self, meter: Gauge, value: float, **labels: str | int) -> None:
        """Set a gauge."""
        gauge = self._gauges[meter]
        if labels:
            _check(meter, labels)
            gauge = gauge.labels(**labels)
        gauge.set(value)

    def observe(self, meter: Histogram, value: float, **labels: str | int) -> None:
        """Add one observation to a histogram."""
        histogram = self._histograms[meter]
        if labels:
            _check(meter, labels)
            histogram = histogram.labels(**labels)
        histogram.observe(value)

    def mirror(self, counts: Counts) -> None:
        """Add what the core's sums rose by since the last call; call it once per poll.

        `counts` are the sums of the whole process, the same object at every call. `Counts.signals` is not mirrored:
        signals are counted by detector, when they are durable.
        """
        for meter, field in _MIRRORED_SUMS.items():
            total: int = getattr(counts, field)
            rise = total - self._sums.get(meter, 0)
            if rise:
                self.count(meter, rise)
                self._sums[meter] = total
        for meter, field in _MIRRORED_REASONS.items():
            totals: Counter[Reason] = getattr(counts, field)
            seen = self._reasons[meter]
            for reason, total in totals.items():
                if total != seen[reason]:
                    self.count(meter, total - seen[reason], reason=reason)
                    seen[reason] = total

    def forget_partition(self, topic: str, partition: int) -> None:
        """Take the series of a partition away that another process reads now."""
        for meter in self._gauges:
            if {label.name for label in meter.labels} == {"topic", "partition"}:
                self._gauges[meter].remove_by_labels({"topic": topic, "partition": str(partition)})

    def refresh_with(self, refresh: Callable[[], None]) -> None:
        """Have `refresh` called before every exposition, to set gauges that change by time passing alone."""
        self._refresh = refresh

    # -- out ----------------------------------------------------------------------------------------------------

    def value(self, meter: Meter, **labels: str | int) -> float:
        """Return the value of a series, of a histogram the number of its observations; 0 if there is none."""
        name = f"{meter.metric}_count" if isinstance(meter, Histogram) else meter.metric
        found = self._registry.get_sample_value(name, {key: str(value) for key, value in labels.items()})
        return 0.0 if found is None else found

    def exposition(self) -> bytes:
        """Return everything in the text format of Prometheus, version 0.0.4. Raises what `refresh_with`'s raises."""
        self._refresh()
        return generate_latest(_WithoutCreated(self._registry))


class _WithoutCreated(Collector):
    """Leaves out when each series was made: that would double their number, and only a switch for all is offered."""

    def __init__(self, registry: Collector) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


_MIRRORED_SUMS: Final[Mapping[Count, str]] = {
    Count.BATCHES_READ: "batches_read",
    Count.BATCHES_USED: "batches_used",
    Count.READ_BYTES: "bytes_read",
    Count.EVENTS_READ: "events_read",
    Count.EVENTS_PUBLISHED: "events_published",
}
_MIRRORED_REASONS: Final[Mapping[Count, str]] = {
    Count.BATCHES_DROPPED: "batches_dropped",
    Count.EVENTS_DROPPED: "events_dropped",
    Count.REPAIRS: "repaired",
}


def _nothing() -> None:
    """Refresh no gauge."""


def _check(meter: Meter, labels: Mapping[str, str | int]) -> None:
    """Keep the number of series bounded: a value that is not declared would be one more for each of its kind."""
    for label in meter.labels:
        if label.values is not None and labels.get(label.name) not in label.values:
            raise ValueError(f"{meter.metric} has no {label.name} of that value")


def _names(meter: Meter) -> list[str]:
    return [label.name for label in meter.labels]


def _counter(meter: Meter, registry: CollectorRegistry) -> prometheus_client.Counter:
    return prometheus_client.Counter(meter.metric, meter.meaning, _names(meter), registry=registry)


def _gauge(meter: Meter, registry: CollectorRegistry) -> prometheus_client.Gauge:
    return prometheus_client.Gauge(meter.metric, meter.meaning, _names(meter), registry=registry)


def _histogram(meter: Meter, registry: CollectorRegistry) -> prometheus_client.Histogram:
    return prometheus_client.Histogram(
        meter.metric, meter.meaning, _names(meter), buckets=meter.buckets, registry=registry
    )
