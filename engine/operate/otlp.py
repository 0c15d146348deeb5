"""Spans by OpenTelemetry; importing this needs the extra `wince[traces]`."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from engine.operate.faults import describe
from engine.operate.traces import SpanName

_CLOSE_WITHIN_S: Final = 3


class OtlpTracer:
    """Begins spans and gives them to a processor when they end."""

    def __init__(self, processor: SpanProcessor, resource: Resource, version: str) -> None:
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("wince", version)

    def span(
        self,
        name: SpanName,
        *,
        topic: str | None = None,
        partition: int | None = None,
        records: int | None = None,
        sessions: int | None = None,
    ) -> AbstractContextManager[None]:
        """Begin a span; the names of attributes are those of OpenTelemetry's conventions for messaging."""
        attributes = {
            "messaging.destination.name": topic,
            "messaging.destination.partition.id": None if partition is None else str(partition),
            "messaging.batch.message_count": records,
            "wince.sessions": sessions,
        }
        return self._span(name, {key: value for key, value in attributes.items() if value is not None})

    @contextmanager
    def _span(self, name: SpanName, attributes: Mapping[str, AttributeValue]) -> Iterator[None]:
        kind = SpanKind.CONSUMER if name == "poll" else SpanKind.INTERNAL
        with self._tracer.start_as_current_span(
            f"wince {name}",
            kind=kind,
            attributes=attributes,
            # Both would put the text of an error into the span.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                fault = describe(error)
                span.set_status(StatusCode.ERROR)
                span.set_attribute("error.type", fault.error)
                span.set_attribute("wince.where", fault.where)
                raise

    async def close(self) -> None:
        """Send what is left; a collector that does not answer is waited for only so long."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces-closing", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, _CLOSE_WITHIN_S)


def make_otlp_tracer(environ: Mapping[str, str], version: str) -> OtlpTracer:
    """Return a tracer that sends in batches, from a thread of its own, to where the `OTEL_*` variables say."""
    own = {"service.version": version}
    if not environ.get("OTEL_SERVICE_NAME"):
        own["service.name"] = "wince-worker"
    return OtlpTracer(BatchSpanProcessor(OTLPSpanExporter()), Resource.create(own), version)
