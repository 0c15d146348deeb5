"""Traces of polls, sent by OpenTelemetry to a collector if there is one: off, and free, where there is none.

On with the extra `wince[traces]` and the variable `OTEL_EXPORTER_OTLP_ENDPOINT`; all other `OTEL_*` variables
(sampling, headers, names) hold as OpenTelemetry documents them. Spans hold coordinates and counts, and of errors type
and place.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, Protocol

from engine.operate.logs import get_logger

SpanName = Literal["poll", "load", "feed", "write", "announce", "list", "mark", "commit"]
"""One poll of one partition, and the stages inside it."""

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Tracer(Protocol):
    """Where spans are begun."""

    def span(
        self,
        name: SpanName,
        *,
        topic: str | None = None,
        partition: int | None = None,
        records: int | None = None,
        sessions: int | None = None,
    ) -> AbstractContextManager[None]:
        """Return a context that is one span, below the span of this task that is under way."""

    async def close(self) -> None:
        """Send what is left, for at most some seconds."""


class _Off:
    """No traces."""

    _nothing: Final[AbstractContextManager[None]] = nullcontext()

    def span(self, *_: object, **__: object) -> AbstractContextManager[None]:
        return self._nothing

    async def close(self) -> None:
        """Nothing is left."""


NO_TRACES: Final[Tracer] = _Off()
"""For whoever wants none."""


def make_tracer(environ: Mapping[str, str], version: str) -> Tracer:
    """Return the tracer that the environment asks for; `version` is that of the program."""
    wanted = any(environ.get(name) for name in _ENDPOINTS)
    if not wanted or environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return NO_TRACES
    try:
        from engine.operate.otlp import make_otlp_tracer  # noqa: PLC0415  # what it imports is an extra
    except ImportError as error:
        get_logger().warning("traces_not_installed", error=error)
        return NO_TRACES
    return make_otlp_tracer(environ, version)
