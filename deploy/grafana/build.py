"""Builds the Grafana dashboard from the declared metrics: `python deploy/grafana/build.py > dashboard.json`.

Queries are put together from `engine.operate.meters`, so that a metric that is renamed is renamed here, and a panel's
text is the metric's own meaning.
"""

import json
import sys
from collections.abc import Iterable, Iterator

from engine.operate.declaring import Meter
from engine.operate.meters import Count, Gauge, Histogram

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECTOR = 'job=~"$job"'
ROW_HEIGHT, PANEL_HEIGHT, PANEL_WIDTH, PANELS_A_ROW = 1, 8, 8, 3
Panel = dict[str, object]


def series(meter: Meter, *by: str, function: str = "", aggregate: str = "sum", more: str = "") -> str:
    """Write a query over all processes, split by labels; `function` is that of counters over a time.

    Raises ValueError for a label that the metric does not have.
    """
    declared = {label.name for label in meter.labels} | {"le", "instance"}
    if not set(by) <= declared:
        raise ValueError(f"{meter.metric} has no label {set(by) - declared}")
    name = f"{meter.metric}_bucket" if isinstance(meter, Histogram) else meter.metric
    inner = f"{name}{{{SELECTOR}{more}}}"
    if function:
        inner = f"{function}({inner}[$__rate_interval])"
    return f"{aggregate} by ({', '.join(by)}) ({inner})" if by else f"{aggregate}({inner})"


def rate(meter: Count, *by: str, more: str = "") -> str:
    """Write the query of a counter's rate a second."""
    return series(meter, *by, function="rate", more=more)


def quantile(share: float, meter: Histogram, *by: str) -> str:
    """Write the query of a quantile over all processes."""
    return f"histogram_quantile({share}, {series(meter, 'le', *by, function='rate')})"


def panel(title: str, meaning: str, unit: str, queries: Iterable[tuple[str, str]], *, stack: bool = False) -> Panel:
    """Make a panel of curves; `queries` are pairs of a query and the legend of its curves."""
    targets = [
        {"refId": chr(ord("A") + number), "expr": expr, "legendFormat": legend, "datasource": DATASOURCE}
        for number, (expr, legend) in enumerate(queries)
    ]
    custom: Panel = {"drawStyle": "line", "fillOpacity": 20 if stack else 5, "showPoints": "never"}
    if stack:
        custom["stacking"] = {"mode": "normal"}
    return {
        "type": "timeseries",
        "title": title,
        "description": meaning,
        "datasource": DATASOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": custom}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }


def of(meter: Meter, title: str, unit: str, query: str, legend: str = "", *, stack: bool = False) -> Panel:
    """Make a panel about one metric, which it explains."""
    return panel(title, meter.meaning, unit, [(query, legend or title)], stack=stack)


def by_label(meter: Count, title: str, unit: str = "short") -> Panel:
    """Make a panel of a counter's rates, by its only label; what never happened is left out."""
    (label,) = meter.labels
    return of(meter, title, unit, f"{rate(meter, label.name)} > 0", f"{{{{{label.name}}}}}", stack=True)


def rows() -> Iterator[tuple[str, list[Panel]]]:
    """Yield the rows of the dashboard from top to bottom."""
    latency, poll, redis = Histogram.SIGNAL_LATENCY, Histogram.POLL, Histogram.REDIS_COMMAND
    yield (
        "Keeping up",
        [
            of(
                Gauge.LAG_SECONDS,
                "Lag in time",
                "s",
                series(Gauge.LAG_SECONDS, "partition", aggregate="max"),
                "{{partition}}",
            ),
            of(Gauge.LAG_RECORDS, "Lag in records", "short", series(Gauge.LAG_RECORDS, "partition"), "{{partition}}"),
            panel(
                "Signal latency",
                latency.meaning,
                "s",
                [(quantile(0.5, latency), "half"), (quantile(0.99, latency), "99 of 100")],
            ),
        ],
    )
    yield (
        "Throughput",
        [
            panel(
                "Batches",
                "What became of the messages read, a second.",
                "short",
                [
                    (rate(Count.BATCHES_READ), "read"),
                    (rate(Count.BATCHES_USED), "used"),
                    (rate(Count.BATCHES_DROPPED), "dropped"),
                ],
            ),
            panel(
                "Events",
                "What became of the events read, a second.",
                "short",
                [
                    (rate(Count.EVENTS_READ), "read"),
                    (rate(Count.EVENTS_PUBLISHED), "published"),
                    (rate(Count.EVENTS_DROPPED), "dropped"),
                ],
            ),
            of(
                Count.READ_BYTES,
                "Read from Kafka",
                "Bps",
                rate(Count.READ_BYTES, "instance"),
                "{{instance}}",
                stack=True,
            ),
            of(
                Gauge.SESSIONS_RESIDENT,
                "Sessions in memory",
                "short",
                series(Gauge.SESSIONS_RESIDENT, "instance"),
                "{{instance}}",
                stack=True,
            ),
            by_label(Count.SESSIONS_ENDED, "Sessions ended"),
            by_label(Count.SIGNALS, "Signals"),
        ],
    )
    yield (
        "Dropped and repaired",
        [
            by_label(Count.BATCHES_DROPPED, "Batches dropped"),
            by_label(Count.EVENTS_DROPPED, "Events dropped"),
            by_label(Count.REPAIRS, "Repairs"),
            by_label(Count.DEAD_LETTERS, "Dead letters"),
            by_label(Count.HOLES, "Holes"),
            of(Count.RECORDS_LOST, "Records lost", "short", series(Count.RECORDS_LOST, function="increase")),
        ],
    )
    yield (
        "Redis",
        [
            panel(
                "Calls",
                redis.meaning,
                "s",
                [
                    (quantile(0.5, redis, "operation"), "{{operation}}, half"),
                    (quantile(0.99, redis, "operation"), "{{operation}}, 99 of 100"),
                ],
            ),
            by_label(Count.SESSION_WRITES, "Session writes"),
            of(Count.REDIS_SENT_BYTES, "Sent to Redis", "Bps", rate(Count.REDIS_SENT_BYTES)),
            of(Count.SESSIONS_LOADED, "Sessions loaded", "short", rate(Count.SESSIONS_LOADED)),
            by_label(Count.RETRIES, "Retries"),
            of(Count.MARKS_MOVED, "Marks moved", "short", rate(Count.MARKS_MOVED)),
        ],
    )
    yield (
        "Kafka and the group",
        [
            of(
                Gauge.PARTITIONS_ASSIGNED,
                "Partitions",
                "short",
                series(Gauge.PARTITIONS_ASSIGNED, "instance"),
                "{{instance}}",
                stack=True,
            ),
            of(
                Count.REBALANCES,
                "Rebalances",
                "short",
                series(Count.REBALANCES, "instance", function="increase"),
                "{{instance}}",
            ),
            of(
                Count.PARTITION_RESETS,
                "Partition resets",
                "short",
                series(Count.PARTITION_RESETS, "cause", function="increase"),
                "{{cause}}",
            ),
            of(
                Gauge.BUFFERED_BYTES,
                "Waiting in memory",
                "bytes",
                series(Gauge.BUFFERED_BYTES, "instance"),
                "{{instance}}",
            ),
            of(
                Gauge.PARTITIONS_PAUSED,
                "Partitions paused",
                "short",
                series(Gauge.PARTITIONS_PAUSED, "instance"),
                "{{instance}}",
            ),
            panel(
                "Commits and replay",
                f"{Count.COMMITS.meaning} {Gauge.REPLAY_RECORDS.meaning}",
                "short",
                [
                    (rate(Count.COMMITS), "commits"),
                    (series(Gauge.REPLAY_RECORDS), "records read again after a restart"),
                ],
            ),
        ],
    )
    yield (
        "HTTP server",
        [
            of(Count.HTTP_REQUESTS, "Requests", "short", rate(Count.HTTP_REQUESTS, "status"), "{{status}}", stack=True),
            panel(
                "Answers",
                Histogram.HTTP_REQUEST.meaning,
                "s",
                [(quantile(0.99, Histogram.HTTP_REQUEST, "area"), "{{area}}, 99 of 100")],
            ),
            panel(
                "Sent and under way",
                f"{Count.HTTP_SENT_BYTES.meaning} {Gauge.HTTP_IN_PROGRESS.meaning}",
                "short",
                [
                    (rate(Count.HTTP_SENT_BYTES), "bytes a second"),
                    (series(Gauge.HTTP_IN_PROGRESS), "requests in progress"),
                ],
            ),
            by_label(Count.HTTP_BROKEN_OFF, "Broken off", "short"),
        ],
    )
    yield "Alerts", list(alert_panels())
    yield "Cohorts", list(cohort_panels())
    yield (
        "Processes",
        [
            panel(
                "Processor time",
                "Processor seconds a second, for each process: 1 is a whole core.",
                "short",
                [(f"rate(process_cpu_seconds_total{{{SELECTOR}}}[$__rate_interval])", "{{instance}}")],
            ),
            panel(
                "Memory",
                "Resident memory of each process.",
                "bytes",
                [(f"process_resident_memory_bytes{{{SELECTOR}}}", "{{instance}}")],
            ),
            by_label(Count.STAGE_SECONDS, "Time in each stage", "s"),
            panel("Polls", poll.meaning, "s", [(quantile(0.5, poll), "half"), (quantile(0.99, poll), "99 of 100")]),
            of(Gauge.BUILD, "Versions", "short", series(Gauge.BUILD, "version"), "{{version}}", stack=True),
        ],
    )


def alert_panels() -> Iterator[Panel]:
    """Yield the panels about alerters."""
    judged, post, told = Histogram.ALERT_LATENCY, Histogram.ALERT_POST, Histogram.ALERT_DELIVERY
    yield by_label(Count.ALERTS, "Alerts")
    yield of(Gauge.ALERTS_OPEN, "Alerts that go on", "short", series(Gauge.ALERTS_OPEN))
    yield panel(
        "From a signal to its judgement",
        judged.meaning,
        "s",
        [(quantile(0.5, judged), "half"), (quantile(0.95, judged), "95 of 100")],
    )
    yield panel(
        "Signals and activity",
        f"{Count.ALERT_FORWARDED.meaning} {Count.ALERT_ITEMS.meaning}",
        "short",
        [(rate(Count.ALERT_FORWARDED), "put in order"), (rate(Count.ALERT_ITEMS), "judged")],
    )
    yield by_label(Count.ALERT_DROPPED, "Not judged")
    yield by_label(Count.ALERT_TIMES_REPAIRED, "Wrong clocks")
    yield panel(
        "Known",
        "What rules know of the projects judged here.",
        "short",
        [
            (series(Gauge.ALERT_PROJECTS), "projects"),
            (series(Gauge.ALERT_KEYS), "keys"),
            (series(Gauge.ALERT_SESSIONS), "sessions"),
            (series(Count.ALERT_PROJECTS_FORGOTTEN, function="increase"), "projects forgotten"),
        ],
    )
    yield by_label(Count.ALERT_WRITES, "Writes of projects")
    yield of(Count.ALERT_STATE_BYTES, "State stored", "Bps", rate(Count.ALERT_STATE_BYTES))
    yield panel(
        "Rules file",
        f"{Count.ALERT_RULES_READ.meaning} {Gauge.ALERT_RULES_WRONG.meaning}",
        "short",
        [
            (series(Count.ALERT_RULES_READ, "outcome", function="increase"), "{{outcome}}"),
            (series(Gauge.ALERT_RULES_WRONG, aggregate="max"), "wrong"),
        ],
    )
    yield of(
        Count.ALERT_POSTS,
        "Attempts to send",
        "short",
        rate(Count.ALERT_POSTS, "kind", "outcome"),
        "{{kind}} {{outcome}}",
    )
    yield by_label(Count.ALERT_MESSAGES, "Messages")
    yield panel(
        "Messages that wait",
        "Messages that wait or have failed, and routes that are disabled, of all projects.",
        "short",
        [
            (series(Gauge.ALERT_MESSAGES_WAITING, aggregate="max"), "waiting"),
            (series(Gauge.ALERT_MESSAGES_FAILED, aggregate="max"), "failed"),
            (series(Gauge.ALERT_ROUTES_DISABLED, aggregate="max"), "routes disabled"),
        ],
    )
    yield panel("One attempt", post.meaning, "s", [(quantile(0.5, post), "half"), (quantile(0.95, post), "95 of 100")])
    yield panel(
        "Until a message arrives",
        told.meaning,
        "s",
        [(quantile(0.5, told), "half"), (quantile(0.95, told), "95 of 100")],
    )


def cohort_panels() -> Iterator[Panel]:
    """Yield the panels about processes that work on cohorts."""
    yield by_label(Count.COHORT_EVENTS, "Users told to have come and left")
    yield of(
        Gauge.COHORT_MEMBERS, "Members", "short", series(Gauge.COHORT_MEMBERS, "cohort", aggregate="max"), "{{cohort}}"
    )
    yield of(
        Gauge.COHORT_WAITING,
        "Users to be told of",
        "short",
        series(Gauge.COHORT_WAITING, "cohort", aggregate="max"),
        "{{cohort}}",
    )
    yield of(
        Gauge.COHORT_LAG_SECONDS,
        "How long changes wait",
        "s",
        series(Gauge.COHORT_LAG_SECONDS, "cohort", aggregate="max"),
        "{{cohort}}",
    )
    yield by_label(Count.COHORT_BATCHES, "Batches sent")
    yield panel(
        "Runs",
        f"{Count.COHORT_RUNS.meaning} {Count.COHORT_UNTOLD.meaning}",
        "short",
        [
            (series(Count.COHORT_RUNS, "outcome", function="increase"), "{{outcome}}"),
            (series(Count.COHORT_UNTOLD, function="increase"), "users nobody was told of"),
        ],
    )


def dashboard() -> Panel:
    """Return the dashboard as Grafana imports it."""
    return {
        "uid": "wince",
        "title": "Wince workers",
        "tags": ["wince"],
        "editable": False,
        "refresh": "15s",
        "schemaVersion": 41,
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_datasource_variable(), _job_variable()]},
        "panels": list(_placed()),
    }


def _datasource_variable() -> Panel:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}


def _job_variable() -> Panel:
    query = f"label_values({Gauge.BUILD.metric}, job)"
    return {
        "name": "job",
        "type": "query",
        "label": "Job",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": "jobs"},
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }


def _placed() -> Iterator[Panel]:
    """Give each panel its number and its place, row by row."""
    number, top = 0, 0
    for title, panels in rows():
        number += 1
        place = {"x": 0, "y": top, "w": PANEL_WIDTH * PANELS_A_ROW, "h": ROW_HEIGHT}
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}
        top += ROW_HEIGHT
        for index, each in enumerate(panels):
            number += 1
            line, column = divmod(index, PANELS_A_ROW)
            place = {"x": column * PANEL_WIDTH, "y": top + line * PANEL_HEIGHT, "w": PANEL_WIDTH, "h": PANEL_HEIGHT}
            yield {"id": number, **each, "gridPos": place}
        top += PANEL_HEIGHT * -(-len(panels) // PANELS_A_ROW)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dashboard(), indent=1) + "\n")
