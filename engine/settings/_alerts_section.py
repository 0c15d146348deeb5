"""The declarations of `[alerts]`: what the alerter reads and keeps, and how it is watched."""

from typing import Annotated

from msgspec import Meta, Struct, field

from engine.settings._http import HttpAddress, OverHttp
from engine.settings._kafka_section import ClientDuration, Partitions, Topic
from engine.settings._types import Count, Duration
from engine.settings._units import DAY_MS, SECOND_MS


class AlertsSettings(OverHttp, Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `wince alerts run` reads and keeps, and how it is watched; what is not here is as it is for workers."""

    rules_file: Annotated[
        str, Meta(description="File of the alert rules, looked at again and again; without one the shipped rules hold.")
    ] = ""
    rules_interval_ms: Annotated[Duration, Meta(description="How often that file is looked at.")] = field(
        default=5 * SECOND_MS, name="rules_interval"
    )
    group_id: Annotated[
        str,
        Meta(
            pattern=r"\A[^\x00-\x1f\x7f]{1,249}\Z",
            description="Consumer group of the alerters: its members share the partitions. Not that of the workers.",
            extra={"expected": "1 to 249 printable characters"},
        ),
    ] = "wince-alerts"
    session_timeout_ms: Annotated[
        ClientDuration,
        Meta(description="An alerter not heard of for so long loses its projects to others; brokers allow 6 seconds."),
    ] = field(default=6 * SECOND_MS, name="session_timeout")
    input_topic: Annotated[
        Topic,
        Meta(
            description="Topic of the alerters' own: signals and activity, by project.",
            extra={"expected": "1 to 249 of the characters A-Z, a-z, 0-9, _ . -"},
        ),
    ] = "alerts-input"
    input_partitions: Annotated[
        Partitions, Meta(description="Its partitions: the most alerters that share projects.")
    ] = 6
    input_retention_ms: Annotated[
        Duration, Meta(description="How long it keeps them: how far back an older Redis can be repaired.")
    ] = field(default=3 * DAY_MS, name="input_retention")
    save_interval_ms: Annotated[
        Duration, Meta(description="What changed is stored this often; alerts go out after that.")
    ] = field(default=500, name="save_interval")
    save_max_items: Annotated[
        Count, Meta(description="It is stored sooner after so many signals and activities of one partition.")
    ] = 2_000
    resolved_interval_ms: Annotated[
        Duration, Meta(description="How often it is asked which errors were marked as resolved.")
    ] = field(default=2 * SECOND_MS, name="resolved_interval")
    kept_alerts: Annotated[
        Count, Meta(description="Alerts that are over and still listed, by project: the latest, for `store.retention`.")
    ] = 200
    forget_after_ms: Annotated[
        Duration,
        Meta(
            description="What is known of a project of which nothing came for so long is forgotten, unless an alert "
            "goes on or a message waits; longer than `input_retention`, and at most 30 days: deletions are told for "
            "one more."
        ),
    ] = field(default=30 * DAY_MS, name="forget_after")
    drain_timeout_ms: Annotated[
        Duration, Meta(description="Time to store what was read when the alerter is asked to stop.")
    ] = field(default=20 * SECOND_MS, name="drain_timeout")
    http_address: Annotated[
        HttpAddress,
        Meta(
            description="Where metrics, `/livez` and `/readyz` are served; in a container `0.0.0.0:9474`.",
        ),
    ] = "127.0.0.1:9474"
