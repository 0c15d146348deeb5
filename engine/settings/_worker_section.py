"""The declarations of `[worker]`: how much one worker process takes at a time, and how it is watched."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from engine.settings._http import HttpAddress, OverHttp
from engine.settings._types import Count, Duration, Size
from engine.settings._units import MIB, MINUTE_MS, SECOND_MS

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]
LogFormat: TypeAlias = Literal["json", "console"]


class WorkerSettings(OverHttp, Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one worker process takes at a time, and how it is watched."""

    poll_max_messages: Annotated[Count, Meta(description="Most batches of one partition that are taken at a time.")] = (
        500
    )
    poll_max_bytes: Annotated[
        Size, Meta(description="Most bytes of one partition that are taken at a time; one larger batch goes alone.")
    ] = 16 * MIB
    max_bytes_in_flight: Annotated[
        Size,
        Meta(description="Fetched bytes that are not yet written; above it no more is fetched for busy partitions."),
    ] = 64 * MIB
    max_resident_sessions: Annotated[
        Count,
        Meta(description="Most sessions kept in memory; others rest in Redis until their next batch or deadline."),
    ] = 50_000
    max_unpacked_sessions: Annotated[
        Count,
        Meta(description="Most sessions kept ready for their next batch; the others in memory are packed."),
    ] = 512
    save_interval_ms: Annotated[
        Duration,
        Meta(
            description="What sessions publish is stored at once, what is needed to go on with them this often: so "
            "much is read again after a crash."
        ),
    ] = field(default=MINUTE_MS, name="save_interval")
    save_max_bytes: Annotated[Size, Meta(description="It is stored sooner after this many bytes of a session.")] = MIB
    max_poison_in_row: Annotated[
        Count,
        Meta(description="A worker that reads only poison, this often in a row, stops: something is wrong upstream."),
    ] = 100_000
    retry_backoff_ms: Annotated[
        Duration, Meta(description="Time before a failed write is offered again; it doubles each time.")
    ] = field(default=100, name="retry_backoff")
    max_retry_backoff_ms: Annotated[Duration, Meta(description="Longest such time.")] = field(
        default=5 * SECOND_MS, name="max_retry_backoff"
    )
    mark_interval_ms: Annotated[
        Duration, Meta(description="An idle partition confirms this often that it still owns what is in Redis.")
    ] = field(default=5 * SECOND_MS, name="mark_interval")
    drain_timeout_ms: Annotated[
        Duration, Meta(description="Time to write what was fetched when the worker is asked to stop.")
    ] = field(default=20 * SECOND_MS, name="drain_timeout")
    http_address: Annotated[
        HttpAddress,
        Meta(
            description="Where metrics, `/livez` and `/readyz` are served; in a container `0.0.0.0:9464`. Each further "
            "process takes the next port; with port 0 each takes any free one.",
        ),
    ] = "127.0.0.1:9464"
    log_level: Annotated[LogLevel, Meta(description="Least level that is logged.")] = "info"
    log_format: Annotated[
        LogFormat, Meta(description="`json`, one object a line, or `console` for reading at a terminal.")
    ] = "json"
