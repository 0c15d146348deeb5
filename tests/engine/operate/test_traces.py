"""Spans of polls, through OpenTelemetry's own exporters; nothing of it where nobody wants traces."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from engine.errors import Unavailable
from engine.operate.otlp import OtlpTracer
from engine.operate.traces import NO_TRACES, Tracer, make_tracer

ROOT = Path(__file__).parents[3]
SECRET = "hunter2"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Tracer:
    return OtlpTracer(SimpleSpanProcessor(exporter), Resource.create({"service.name": "w"}), "1.2.3")


def finished(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_poll_and_its_stages_are_one_trace(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    with tracer.span("poll", topic="session-events", partition=3, records=500):
        with tracer.span("feed"):
            pass
        with tracer.span("write", sessions=7):
            pass
    spans = finished(exporter)
    poll, write = spans["wince poll"], spans["wince write"]
    assert dict(poll.attributes or {}) == {
        "messaging.destination.name": "session-events",
        "messaging.destination.partition.id": "3",
        "messaging.batch.message_count": 500,
    }
    assert dict(write.attributes or {}) == {"wince.sessions": 7}
    assert poll.kind is SpanKind.CONSUMER
    assert poll.context is not None
    assert {span.parent.span_id for span in spans.values() if span.parent} == {poll.context.span_id}
    assert len(spans) == 3


def test_an_error_is_told_by_type_and_place(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(Unavailable), tracer.span("write"):
        raise Unavailable(SECRET)
    span = finished(exporter)["wince write"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "engine.errors.Unavailable"
    assert str(span.attributes["wince.where"]).startswith("tests/engine/operate/test_traces.py:")
    assert SECRET not in span.to_json()
    assert not span.events


@pytest.mark.parametrize(
    "environ",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "OTEL_SDK_DISABLED": "True"}],
)
async def test_there_are_none_unless_somebody_wants_them(environ: dict[str, str]) -> None:
    tracer = make_tracer(environ, "1")
    assert tracer is NO_TRACES
    assert tracer.span("poll", records=1) is tracer.span("write")
    with tracer.span("poll"), tracer.span("write"):
        pass
    await tracer.close()


def test_nothing_is_imported_unless_somebody_wants_them() -> None:
    program = (
        "import sys; from engine.operate.traces import make_tracer; make_tracer({}, '1')\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True) == "[]\n"


def test_without_the_extra_they_are_off_and_it_is_said() -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from engine.operate.logs import configure_logs; configure_logs('info', 'json', stream=sys.stdout)\n"
        "from engine.operate.traces import make_tracer, NO_TRACES\n"
        "assert make_tracer({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:1'}, '1') is NO_TRACES"
    )
    said = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    assert '"traces_not_installed"' in said


@pytest.fixture
async def collector() -> AsyncIterator[tuple[str, list[bytes]]]:
    received: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        received.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", received
    await runner.cleanup()


async def test_spans_arrive_at_a_collector(collector: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    address, received = collector
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    tracer = make_tracer(environ, "1.2.3")
    with tracer.span("poll", topic="session-events", partition=0, records=2):
        pass
    await tracer.close()
    (sent,) = ExportTraceServiceRequest.FromString(received[0]).resource_spans
    resource = {each.key: each.value.string_value for each in sent.resource.attributes}
    assert resource["service.name"] == "wince-worker"
    assert resource["service.version"] == "1.2.3"
    assert [span.name for span in sent.scope_spans[0].spans] == ["wince poll"]


async def test_the_name_of_the_service_can_be_set(
    collector: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, received = collector
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_SERVICE_NAME": "replay"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    tracer = make_tracer(environ, "1")
    with tracer.span("poll"):
        pass
    await tracer.close()
    (sent,) = ExportTraceServiceRequest.FromString(received[0]).resource_spans
    assert "replay" in {each.value.string_value for each in sent.resource.attributes}
