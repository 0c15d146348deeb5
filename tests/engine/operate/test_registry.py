"""What is counted is what is exposed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from engine.core.core import Core
from engine.core.counts import Counts
from engine.operate.meters import METERS, Count, Gauge, Histogram
from engine.operate.programs import ALERT_METERS, COHORT_METERS, SERVER_METERS
from engine.operate.registry import CONTENT_TYPE, Meters
from engine.reasons import Kind, Reason
from engine.settings import SessionSettings, Settings
from tests.engine.core.harness import Collected, feed, sample_batches


@pytest.fixture
def meters() -> Meters:
    return Meters("1.2.3")


def exposed(meters: Meters) -> dict[str, str]:
    """Return the type of every family, by name, as Prometheus would see them."""
    families = text_string_to_metric_families(meters.exposition().decode())
    return {family.name + ("_total" if family.type == "counter" else ""): family.type for family in families}


def test_everything_declared_is_exposed_and_nothing_else_of_ours(meters: Meters) -> None:
    of_server = Meters("1.2.3", SERVER_METERS)
    found = {name: kind for name, kind in exposed(meters).items() if not name.startswith("process_")}
    of_alerts = Meters("1.2.3", ALERT_METERS)
    found |= {name: kind for name, kind in exposed(of_alerts).items() if not name.startswith("process_")}
    of_cohorts = Meters("1.2.3", COHORT_METERS)
    found |= {name: kind for name, kind in exposed(of_cohorts).items() if not name.startswith("process_")}
    found |= {name: kind for name, kind in exposed(of_server).items() if not name.startswith("process_")}
    declared = {meter.metric: type(meter).__name__.lower() for meter in METERS}
    assert found == {name: kind.replace("count", "counter") for name, kind in declared.items()}


def test_the_process_itself_is_exposed(meters: Meters) -> None:
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes"} <= set(exposed(meters))


def test_no_series_tells_when_it_was_made(meters: Meters) -> None:
    assert b"_created" not in meters.exposition()
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_two_registries_know_nothing_of_each_other(meters: Meters) -> None:
    meters.count(Count.REBALANCES)
    assert Meters("1.2.3").value(Count.REBALANCES) == 0


def test_counters_add_up(meters: Meters) -> None:
    meters.count(Count.DEAD_LETTERS, reason=Reason.NOT_JSON)
    meters.count(Count.DEAD_LETTERS, 2, reason="not_json")
    assert meters.value(Count.DEAD_LETTERS, reason="not_json") == 3
    assert b'wince_dead_letters_total{reason="not_json"} 3.0' in meters.exposition()


def test_gauges_are_set(meters: Meters) -> None:
    meters.set(Gauge.LAG_SECONDS, 7.5, topic="session-events", partition=3)
    meters.set(Gauge.LAG_SECONDS, 1.5, topic="session-events", partition=3)
    assert b'wince_lag_seconds{partition="3",topic="session-events"} 1.5' in meters.exposition()


def test_histograms_observe(meters: Meters) -> None:
    meters.observe(Histogram.REDIS_COMMAND, 0.004, operation="write")
    assert meters.value(Histogram.REDIS_COMMAND, operation="write") == 1
    assert b'wince_redis_command_seconds_bucket{le="0.005",operation="write"} 1.0' in meters.exposition()
    assert b'wince_redis_command_seconds_bucket{le="0.0025",operation="write"} 0.0' in meters.exposition()


def test_the_version_is_told(meters: Meters) -> None:
    assert meters.value(Gauge.BUILD, version="1.2.3") == 1


def test_series_start_at_zero(meters: Meters) -> None:
    for reason in Reason:
        if reason.kind is Kind.DROPPED_BATCH:
            assert f'wince_batches_dropped_total{{reason="{reason}"}} 0.0'.encode() in meters.exposition()


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"reason": "because"},
        {"cause": "not_json"},
        {"reason": "not_json", "topic": "t"},
        {"reason": Reason.CLOCK_JUMP},
    ],
)
def test_wrong_labels_are_refused(meters: Meters, labels: dict[str, str]) -> None:
    before = meters.exposition()
    with pytest.raises(ValueError, match=r"label|no reason"):
        meters.count(Count.DEAD_LETTERS, 1, **labels)
    assert before.count(b"\n") == meters.exposition().count(b"\n")


def test_labels_where_there_are_none_are_refused(meters: Meters) -> None:
    with pytest.raises(ValueError, match="label"):
        meters.count(Count.COMMITS, reason="not_json")
    with pytest.raises(ValueError, match="label"):
        meters.set(Gauge.BUFFERED_BYTES, 1, topic="t")
    with pytest.raises(ValueError, match="label"):
        meters.observe(Histogram.POLL, 1, topic="t")


def test_counters_never_fall(meters: Meters) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        meters.count(Count.COMMITS, -1)


def test_a_partition_that_went_away_is_forgotten(meters: Meters) -> None:
    for partition in (1, 11):
        for gauge in (Gauge.LAG_RECORDS, Gauge.LAG_SECONDS, Gauge.REPLAY_RECORDS):
            meters.set(gauge, 5, topic="t", partition=partition)
    meters.forget_partition("t", 1)
    text = meters.exposition()
    assert b'partition="1"' not in text
    assert text.count(b'partition="11"') == 3
    meters.forget_partition("t", 1)


def test_gauges_can_be_set_when_somebody_looks(meters: Meters) -> None:
    looks = iter(range(1, 9))
    meters.refresh_with(lambda: meters.set(Gauge.BUFFERED_BYTES, next(looks)))
    assert b"wince_buffered_bytes 1.0" in meters.exposition()
    assert b"wince_buffered_bytes 2.0" in meters.exposition()


DROPPED = st.sampled_from([reason for reason in Reason if reason.kind is Kind.DROPPED_BATCH])


@given(st.lists(st.lists(st.tuples(DROPPED, st.integers(0, 9)), max_size=5), max_size=6))
def test_sums_are_mirrored_however_often(polls: list[list[tuple[Reason, int]]]) -> None:
    meters, counts = Meters("0"), Counts()
    for poll in polls:
        for reason, amount in poll:
            counts.batches_read += amount
            counts.batches_dropped[reason] += amount
        meters.mirror(counts)
    meters.mirror(counts)
    assert meters.value(Count.BATCHES_READ) == counts.batches_read
    for reason, total in counts.batches_dropped.items():
        assert meters.value(Count.BATCHES_DROPPED, reason=reason) == total


def test_batches_of_a_session_that_grew_too_large_are_counted() -> None:
    core = Core(Settings(session=SessionSettings(max_bytes=1)))
    largest = max(sample_batches().values(), key=len)
    feed(core, Collected(), largest, range(len(largest)))
    meters = Meters("0")
    meters.mirror(core.counts)
    assert meters.value(Count.BATCHES_DROPPED, reason=Reason.SESSION_MAX_BYTES) > 0


def test_all_sums_are_mirrored() -> None:
    """Every reason the core may count under has its series, and no field is left out but the number of signals."""
    kinds = {
        "batches_dropped": {Kind.DROPPED_BATCH, Kind.DROPPED_EVENT},
        "events_dropped": {Kind.DROPPED_BATCH, Kind.DROPPED_EVENT},
        "repaired": {Kind.REPAIRED, Kind.NOTED},
    }
    filled = {name: Counter({reason: 2 for reason in Reason if reason.kind in kinds[name]}) for name in kinds}
    counts = Counts(1, 2, 3, 4, 5, 6, **filled)
    meters = Meters("0")
    meters.mirror(counts)
    sums = [Count.BATCHES_READ, Count.BATCHES_USED, Count.READ_BYTES, Count.EVENTS_READ, Count.EVENTS_PUBLISHED]
    assert [meters.value(meter) for meter in sums] == [1, 2, 3, 4, 5]
    for meter, name in {
        Count.BATCHES_DROPPED: "batches_dropped",
        Count.EVENTS_DROPPED: "events_dropped",
        Count.REPAIRS: "repaired",
    }.items():
        assert all(meters.value(meter, reason=reason) == 2 for reason in filled[name])
