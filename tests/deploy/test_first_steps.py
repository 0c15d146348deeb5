"""What docs/operate.md shows first, with real servers: topics, a worker, visits, and what can be seen of them."""

import asyncio
import os
import re
import sys
import uuid
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from deploy.send_samples import visits
from engine.operate.meters import Histogram
from engine.operate.programs import WORKER_METERS
from tests.deploy.files import DEPLOY
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis
from tests.servers.waiting import until


@pytest.fixture
def environ(kafka: Kafka, redis_server: FoundRedis) -> dict[str, str]:
    """Variables of an installation of its own on servers that others use as well."""
    name = f"first-{uuid.uuid4().hex[:8]}"
    return {key: value for key, value in os.environ.items() if not key.startswith("WINCE_")} | {
        "WINCE_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "WINCE_KAFKA_REPLICATION_FACTOR": "1",
        "WINCE_KAFKA_EVENTS_TOPIC": f"{name}-events",
        "WINCE_KAFKA_EVENTS_PARTITIONS": "2",
        "WINCE_KAFKA_SIGNALS_TOPIC": f"{name}-signals",
        "WINCE_KAFKA_ACTIVITY_TOPIC": f"{name}-activity",
        "WINCE_KAFKA_DEAD_LETTERS_TOPIC": f"{name}-dlq",
        "WINCE_KAFKA_GROUP_ID": name,
        "WINCE_STORE_REDIS_URL": redis_server.url,
        "WINCE_STORE_KEY_PREFIX": name,
        "WINCE_WORKER_HTTP_ADDRESS": "127.0.0.1:0",
    }


async def run(environ: dict[str, str], *command: str, stdin: bytes = b"") -> str:
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    out, errors = await process.communicate(stdin)
    assert process.returncode == 0, errors.decode()
    return out.decode()


@asynccontextmanager
async def collector() -> AsyncIterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Run what receives traces."""
    received: list[ExportTraceServiceRequest] = []

    async def take(request: web.Request) -> web.Response:
        received.append(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", received
    await runner.cleanup()


@asynccontextmanager
async def running_worker(environ: dict[str, str]) -> AsyncIterator[str]:
    """Run a worker and give the address of its metrics; it has to stop well in the end."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine.cli", "worker", env=environ, stderr=PIPE, limit=1 << 20
    )
    assert worker.stderr is not None
    said = b""
    while (port := re.search(rb'"worker_started".*"port":(\d+)|"port":(\d+).*"worker_started"', said)) is None:
        line = await worker.stderr.readline()
        assert line, said
        said += line
    rest = asyncio.create_task(worker.stderr.read())
    yield f"http://127.0.0.1:{int(port[1] or port[2])}"
    worker.terminate()
    assert await worker.wait() == 0, (await rest).decode()
    await rest


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return answer.status, await answer.text()


async def test_visits_sent_to_a_new_installation_are_seen(environ: dict[str, str]) -> None:
    await run(environ, sys.executable, "-m", "engine.cli", "topics", "--apply")
    async with collector() as (endpoint, received):
        traced = environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        async with running_worker(traced) as address:
            await see_visits(address, environ)
    spans = [span for each in received for sent in each.resource_spans for of in sent.scope_spans for span in of.spans]
    polls = {span.span_id for span in spans if span.name == "wince poll"}
    assert {span.name for span in spans if span.parent_span_id in polls} >= {"wince feed", "wince write"}
    assert not any(span.status.code == span.status.STATUS_CODE_ERROR for span in spans)


async def see_visits(address: str, environ: dict[str, str]) -> None:
    async def is_ready() -> bool:
        return (await get(f"{address}/readyz"))[0] == 200

    await until(is_ready, 60, "the worker is ready")
    script = (DEPLOY / "send_samples.py").read_bytes()
    sent = (await run(environ, sys.executable, "-", str(DEPLOY / "wince.toml"), stdin=script)).split()
    recorded = list(visits())
    batches = sum(len(each) for _, each in recorded)
    assert len(set(sent)) == len(recorded) > 0

    async def values() -> dict[str, float]:
        families = text_string_to_metric_families((await get(f"{address}/metrics"))[1])
        found: dict[str, float] = {}
        for sample in (sample for family in families for sample in family.samples):
            found[sample.name] = found.get(sample.name, 0) + sample.value
        return found

    async def all_is_read() -> bool:
        seen = await values()
        return seen["wince_batches_read_total"] == batches and seen["wince_lag_records"] == 0

    await until(all_is_read, 60, "all batches are read")
    seen = await values()
    for what, used in (("batches", "used"), ("events", "published")):
        assert seen[f"wince_{what}_{used}_total"] > 0
        balance = seen[f"wince_{what}_{used}_total"] + seen[f"wince_{what}_dropped_total"]
        assert seen[f"wince_{what}_read_total"] == balance
    assert seen["wince_sessions_resident"] == len(recorded)
    assert seen["wince_partitions_assigned"] == 2
    assert {meter.metric + ("_count" if isinstance(meter, Histogram) else "") for meter in WORKER_METERS} <= set(seen)
    told = await run(environ, sys.executable, "-m", "engine.cli", "explain", sent[0])
    assert sent[0] in told
