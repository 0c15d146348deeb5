"""Every metric of ours, declared once: the registry, the documentation, dashboards and alert rules follow this list.

Names and units follow the conventions of Prometheus (https://prometheus.io/docs/practices/naming/): base units, and
`_total` at the end of counters. `python -m engine.operate.meters` prints the page `docs/metrics.md`.
"""

from typing import Final, get_args

from detectors.registry import RULES
from engine.operate.declaring import (
    COMMAND_BUCKETS,
    LATENCY_BUCKETS,
    REQUEST_BUCKETS,
    Label,
    Meter,
    reasons,
    words,
)
from engine.reasons import Kind
from schemas.bundle_index import HoleReason
from schemas.session_record import EndReason

_TOPIC: Final = Label("topic", None, "topics read")
_PARTITION: Final = Label("partition", None, "partitions assigned")
HTTP_AREAS: Final = ("list", "session", "bundle", "live", "export", "page", "health", "other")
"""Parts of the HTTP server, by what a request to them costs."""

HTTP_STATUSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx", "401", "403", "404", "429", "503")
"""What statuses are counted as: by themselves, or else by their first digit."""

BREAK_REASONS: Final = ("stalled", "unreadable", "too_slow")
"""Why answers are broken off: the client took nothing, Redis could not be read, too much waited for a follower."""

ALERT_DROP_REASONS: Final = ("unreadable", "too_large", "late", "withdrawn")
"""Why alert rules did not judge something."""

_COHORT: Final = Label("cohort", None, "cohorts of the file")
_AREA: Final = words("area", *HTTP_AREAS)
_STAGE: Final = words("stage", "load", "feed", "write", "announce", "list", "mark", "commit")


class Count(Meter):
    """Counters: they only rise, and start at 0 with the process."""

    # What was read, used and dropped: the sums of `engine.core.counts.Counts`.
    BATCHES_READ = "wince_batches_read_total", "batches", "Messages read from the sessions topic."
    BATCHES_USED = "wince_batches_used_total", "batches", "Batches that went into their session."
    BATCHES_DROPPED = (
        "wince_batches_dropped_total",
        "batches",
        "Batches of which nothing is kept.",
        (reasons(Kind.DROPPED_BATCH, Kind.DROPPED_EVENT),),
    )
    READ_BYTES = "wince_read_bytes_total", "bytes", "Bytes of the messages read, as they arrived."
    EVENTS_READ = "wince_events_read_total", "events", "Events in the batches that could be opened."
    EVENTS_PUBLISHED = "wince_events_published_total", "events", "Events that went into a bundle."
    EVENTS_DROPPED = (
        "wince_events_dropped_total",
        "events",
        "Events that are in no bundle, those of dropped batches included.",
        (reasons(Kind.DROPPED_BATCH, Kind.DROPPED_EVENT),),
    )
    REPAIRS = (
        "wince_repairs_total",
        "changes",
        "Changes and notes that were made inside what is kept.",
        (reasons(Kind.REPAIRED, Kind.NOTED),),
    )
    # What came of it.
    SIGNALS = "wince_signals_total", "signals", "Signals found, when durable.", (words("detector", *RULES),)
    DEAD_LETTERS = (
        "wince_dead_letters_total",
        "messages",
        "Messages that can never be read, when told to the dead-letter topic.",
        (reasons(Kind.DROPPED_BATCH),),
    )
    HOLES = (
        "wince_holes_total",
        "holes",
        "Parts of bundles known to be missing.",
        (words("reason", *get_args(HoleReason)),),
    )
    SESSIONS_LOADED = "wince_sessions_loaded_total", "sessions", "Sessions loaded from Redis to go on with them."
    SESSIONS_ENDED = (
        "wince_sessions_ended_total",
        "sessions",
        "Sessions that ended; one that is opened again can end again.",
        (words("reason", *get_args(EndReason)),),
    )
    # Redis.
    SESSION_WRITES = (
        "wince_session_writes_total",
        "writes",
        "Guarded writes of sessions: `repeated` had been applied before, `refused` found another owner's work.",
        (words("outcome", "applied", "repeated", "refused"),),
    )
    REDIS_SENT_BYTES = "wince_redis_sent_bytes_total", "bytes", "Bytes of session writes sent to Redis."
    RETRIES = (
        "wince_retries_total",
        "attempts",
        "Work offered again after a pause: a dependency was full (`saturated`) or away (`unavailable`).",
        (words("kind", "saturated", "unavailable"),),
    )
    # Kafka.
    REBALANCES = "wince_rebalances_total", "rebalances", "Times the group gave this process an assignment."
    PARTITION_RESETS = (
        "wince_partition_resets_total",
        "resets",
        "Times a partition was dropped and claimed again; `mark_lost`: Redis has no mark where Kafka has a commit.",
        (words("cause", "refused_write", "mark_refused", "log_changed", "out_of_range", "mark_lost", "stalled"),),
    )
    RECORDS_LOST = "wince_records_lost_total", "records", "Records that Kafka deleted before they were read."
    COMMITS = "wince_commits_total", "commits", "Offsets committed to Kafka, once for each commit."
    MARKS_MOVED = "wince_marks_moved_total", "marks", "Times the mark of a partition was moved in Redis."
    # The HTTP server.
    HTTP_REQUESTS = (
        "wince_http_requests_total",
        "requests",
        "Requests that were answered, streams when they ended.",
        (_AREA, words("status", *HTTP_STATUSES)),
    )
    HTTP_SENT_BYTES = "wince_http_sent_bytes_total", "bytes", "Bytes of bodies sent."
    HTTP_BROKEN_OFF = (
        "wince_http_broken_off_total",
        "answers",
        "Answers that ended before they were whole, so that the client knows.",
        (words("reason", *BREAK_REASONS),),
    )
    # Alerts.
    ALERT_FORWARDED = (
        "wince_alert_forwarded_total",
        "records",
        "Signals and activity that were put in order by project, when safe.",
    )
    ALERT_ITEMS = (
        "wince_alert_items_total",
        "items",
        "Signals and activity that rules have judged, when what came of them was stored.",
    )
    ALERT_DROPPED = (
        "wince_alert_dropped_total",
        "items",
        "Signals and activity that rules did not judge; `withdrawn`: of a session that was deleted.",
        (words("reason", *ALERT_DROP_REASONS),),
    )
    ALERT_TIMES_REPAIRED = (
        "wince_alert_times_repaired_total",
        "times",
        "Wrong clocks: an `item` was of a time far after it came; a `project` or `partition` was ahead, and set back.",
        (words("what", "item", "project", "partition"),),
    )
    ALERTS = (
        "wince_alerts_total",
        "alerts",
        "Alerts that fired and that were over, when stored.",
        (words("state", "fired", "resolved"),),
    )
    ALERT_WRITES = (
        "wince_alert_writes_total",
        "writes",
        "Guarded writes of projects: `repeated` had been applied before, `refused` found another owner's work.",
        (words("outcome", "applied", "repeated", "refused"),),
    )
    ALERT_STATE_BYTES = "wince_alert_state_bytes_total", "bytes", "Bytes of state that were stored, as they are kept."
    ALERT_PROJECTS_FORGOTTEN = (
        "wince_alert_projects_forgotten_total",
        "projects",
        "Projects that were forgotten, as nothing came of them for `alerts.forget_after`.",
    )
    ALERT_RULES_READ = (
        "wince_alert_rules_read_total",
        "times",
        "Times a changed rules file was read; a `rejected` one changed nothing.",
        (words("outcome", "taken", "rejected"),),
    )
    ALERT_POSTS = (
        "wince_alert_posts_total",
        "posts",
        "Attempts to send a message: `accepted`, or to be tried again; `gone`: 410; `refused`: address or redirect.",
        (
            words("kind", "webhook", "slack", "alertmanager", "alertmanager_api"),
            words("outcome", "accepted", "retry", "gone", "refused"),
        ),
    )
    ALERT_MESSAGES = (
        "wince_alert_messages_total",
        "messages",
        "Messages that arrived or failed (of these `left_out`: too many for a route), or a later version wrote.",
        (words("fate", "arrived", "failed", "left_out", "unreadable"),),
    )
    # Cohorts.
    COHORT_EVENTS = (
        "wince_cohort_events_total",
        "events",
        "Users told to have come into a cohort and to have left, when the receiver took that.",
        (words("event", "enter", "exit"),),
    )
    COHORT_BATCHES = (
        "wince_cohort_batches_total",
        "batches",
        "Batches sent: `accepted`, or to be sent again; `gone`: 410; `refused`: address or redirect.",
        (words("outcome", "accepted", "retry", "gone", "refused"),),
    )
    COHORT_RUNS = (
        "wince_cohort_runs_total",
        "runs",
        "Runs of a cohort: all was told, something waits for the next run, or the run failed.",
        (words("outcome", "done", "waiting", "failed"),),
    )
    COHORT_UNTOLD = (
        "wince_cohort_untold_total",
        "users",
        "Users who left and were forgotten, as no receiver took that for 30 days.",
    )
    # Time.
    STAGE_SECONDS = (
        "wince_stage_seconds_total",
        "seconds",
        "Wall time spent in each stage of polls, summed over partitions that wait side by side.",
        (_STAGE,),
    )


class Gauge(Meter):
    """Values that rise and fall."""

    LAG_RECORDS = (
        "wince_lag_records",
        "records",
        "Records in the partition behind the last one whose effects are durable.",
        (_TOPIC, _PARTITION),
    )
    LAG_SECONDS = (
        "wince_lag_seconds",
        "seconds",
        "Age of the oldest record whose effects are not durable, by its timestamp; 0 when no record waits.",
        (_TOPIC, _PARTITION),
    )
    REPLAY_RECORDS = (
        "wince_replay_records",
        "records",
        "Records that a restart would read again: behind a stored state, or a batch that is held back.",
        (_TOPIC, _PARTITION),
    )
    SESSIONS_RESIDENT = "wince_sessions_resident", "sessions", "Sessions in this process, open or in their grace."
    BUFFERED_BYTES = "wince_buffered_bytes", "bytes", "Bytes fetched from Kafka whose effects are not durable yet."
    PARTITIONS_ASSIGNED = "wince_partitions_assigned", "partitions", "Partitions this process reads."
    PARTITIONS_PAUSED = (
        "wince_partitions_paused",
        "partitions",
        "Partitions from which nothing is fetched for now, because enough of them waits.",
    )
    ALERTS_OPEN = "wince_alerts_open", "alerts", "Alerts that go on, of the projects judged here."
    ALERT_PROJECTS = "wince_alert_projects", "projects", "Projects judged here."
    ALERT_KEYS = "wince_alert_keys", "keys", "Pages, elements, errors and so on that rules tell apart here."
    ALERT_SESSIONS = "wince_alert_sessions", "sessions", "Sessions that rules remember here."
    ALERT_RULES_WRONG = (
        "wince_alert_rules_wrong",
        "1",
        "Whether the rules file cannot be used as it is (1), so that the rules of before hold.",
    )
    ALERT_MESSAGES_WAITING = (
        "wince_alert_messages_waiting",
        "messages",
        "Messages that wait to be sent, of all projects.",
    )
    ALERT_MESSAGES_FAILED = (
        "wince_alert_messages_failed",
        "messages",
        "Messages that could not be delivered and were not sent again (`wince alerts failed`), of all projects.",
    )
    ALERT_ROUTES_DISABLED = "wince_alert_routes_disabled", "routes", "Routes whose receiver answered 410."
    COHORT_MEMBERS = "wince_cohort_members", "users", "Members of a cohort.", (_COHORT,)
    COHORT_WAITING = "wince_cohort_waiting", "users", "Users of whom something is to be told.", (_COHORT,)
    COHORT_LAG_SECONDS = (
        "wince_cohort_lag_seconds",
        "seconds",
        "Age of the oldest change of a cohort that its receiver has not taken; 0 when none waits.",
        (_COHORT,),
    )
    HTTP_IN_PROGRESS = "wince_http_requests_in_progress", "requests", "Requests being answered, live streams included."
    BUILD = "wince_build_info", "1", "Always 1; the label tells the version.", (Label("version", None, "this version"),)


class Histogram(Meter):
    """Distributions, as counts under rising bounds."""

    SIGNAL_LATENCY = (
        "wince_signal_latency_seconds",
        "seconds",
        "From the timestamp of the record that decided a signal until the signal was durable.",
        (),
        LATENCY_BUCKETS,
    )
    POLL = (
        "wince_poll_seconds",
        "seconds",
        "One poll of one partition, from its records until its mark and commit.",
        (),
        LATENCY_BUCKETS,
    )
    REDIS_COMMAND = (
        "wince_redis_command_seconds",
        "seconds",
        "One call to Redis, its retries and the wait for a connection included.",
        (words("operation", "load", "write", "list", "mark", "read"),),
        COMMAND_BUCKETS,
    )
    ALERT_LATENCY = (
        "wince_alert_latency_seconds",
        "seconds",
        "From the timestamp of a signal's or activity's record until what came of it was stored.",
        (),
        LATENCY_BUCKETS,
    )
    ALERT_POST = (
        "wince_alert_post_seconds",
        "seconds",
        "One attempt to send a message, from the look-up of the name to the answer.",
        (),
        REQUEST_BUCKETS,
    )
    ALERT_DELIVERY = (
        "wince_alert_delivery_seconds",
        "seconds",
        "From when a message could be sent until it arrived, all attempts and waits included.",
        (),
        LATENCY_BUCKETS,
    )
    HTTP_REQUEST = (
        "wince_http_request_seconds",
        "seconds",
        "One request, until all of its answer was sent; live streams last as long as they are followed.",
        (_AREA,),
        REQUEST_BUCKETS,
    )


METERS: Final[tuple[Meter, ...]] = (*Count, *Gauge, *Histogram)
"""Every metric."""


def metrics_document() -> str:
    """Return `docs/metrics.md`: every metric by kind, as Markdown tables."""
    lines = [
        "# Metrics",
        "",
        "What `/metrics` tells, beside `process_*` of the process itself. A worker has all but those that begin with",
        "`wince_http`, `wince_alert` or `wince_cohort`; the HTTP server has the first, `wince_build_info` and",
        "`wince_redis_command_seconds`; the alerter the second and those of Redis, retries, lag, partitions and marks;",
        "`wince cohort` the third and those of Redis and retries.",
        "Reasons are explained in [reasons.md](reasons.md). No label holds an id of a project, a session or a user.",
        "This page is written by `python -m engine.operate.meters > docs/metrics.md`.",
    ]
    for kind, heading in ((Count, "Counters"), (Gauge, "Gauges"), (Histogram, "Histograms")):
        lines += ["", f"## {heading}", "", "| metric | unit | labels | meaning |", "| --- | --- | --- | --- |"]
        lines += [_row(meter) for meter in kind]
    return "\n".join(lines) + "\n"


def _row(meter: Meter) -> str:
    labels = "; ".join(f"`{label.name}`: {label.told}" for label in meter.labels)
    bounds = f" Bounds: {', '.join(f'{bound:g}' for bound in meter.buckets)}." if meter.buckets else ""
    return f"| `{meter.metric}` | {meter.unit} | {labels} | {meter.meaning}{bounds} |"


if __name__ == "__main__":
    import sys

    sys.stdout.write(metrics_document())
