"""Servers for all tests. Every one of them is real."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

import hatch_build
from replay.redis_server import Binary
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.kafka_broker import Kafka, find_kafka
from tests.servers.kafka_jars import kafka_jars
from tests.servers.redis_server import FoundRedis, find_redis, find_redis_binary
from tests.servers.required import Missing, give_up, is_required

# No test judges by the clock: on a busy machine, examples take as long as they take.
settings.register_profile("wince", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wince")


def pytest_configure() -> None:
    """Refuse to test anything but what the sources say."""
    state = hatch_build.state()
    if state == "stale":
        raise pytest.UsageError("some modules were compiled from other sources: `make compiled`, or `make pure`")
    if state == "pure" and is_required("compiled"):
        raise pytest.UsageError("WINCE_TEST_REQUIRE asks for compiled, and nothing is: `make compiled`")


def _tell(request: pytest.FixtureRequest, text: str) -> None:
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"\n{text}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server(request: pytest.FixtureRequest) -> AsyncIterator[FoundRedis]:
    """A Redis that all tests share; each empties it first."""
    try:
        async with find_redis() as redis:
            _tell(request, f"redis: {redis.description}")
            yield redis
    except Missing as reason:
        give_up("redis", reason)


@pytest.fixture(scope="session")
def redis_binary() -> Binary:
    """A program to start Redis servers of one's own with."""
    try:
        return find_redis_binary()
    except Missing as reason:
        give_up("redis", reason)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka(request: pytest.FixtureRequest) -> AsyncIterator[Kafka]:
    """A broker that all tests share; each uses topics and groups with names of its own."""
    try:
        async with find_kafka() as broker:
            _tell(request, f"kafka: {broker.description}")
            yield broker
    except Missing as reason:
        give_up("kafka", reason)


@pytest.fixture(scope="session")
def jars() -> Path:
    """Apache Kafka, to start brokers of one's own with."""
    try:
        return kafka_jars()
    except Missing as reason:
        give_up("kafka", reason)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for servers on this machine."""
    try:
        return make_certificates(tmp_path_factory.mktemp("certificates"))
    except Missing as reason:
        give_up("openssl", reason)
