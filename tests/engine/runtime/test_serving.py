"""What the HTTP server is given: the settings as its options, users by every id, readers that can be told or not."""

import pytest

from engine.runtime.readers import open_readers, readers_of
from engine.runtime.serving import make_services, serve_options
from engine.settings import KafkaSettings, PrivacySettings, ProjectSettings, ServeSettings, Settings
from replay.errors import Unavailable
from replay.redis_client import connect
from replay.server import ServeOptions
from replay.server.operations import Silent
from tests.servers.process import free_port

HASHED = PrivacySettings(identifier_secret="a secret for tests", hash_identifiers=True)


def test_without_settings_it_is_for_this_machine_with_tokens() -> None:
    assert serve_options(ServeSettings()) == ServeOptions()


def test_settings_become_options() -> None:
    serve = ServeSettings(
        http_address="replay.test:443", allowed_hosts=("other.test",), cors_origins=("https://a.test",),
        max_requests_per_second=7, max_failed_logins_per_minute=8, login_lifetime_ms=9, max_share_lifetime_ms=10,
        max_deletions_per_request=11, max_audit_entries=12,
    )  # fmt: skip
    assert serve_options(serve) == ServeOptions(
        allowed_hosts=frozenset({"replay.test", "other.test"}), cors_origins=frozenset({"https://a.test"}),
        requests_per_second=7, failed_logins_per_minute=8, login_lifetime_ms=9, max_share_lifetime_ms=10,
        max_deletions=11, audit_max_entries=12,
    )  # fmt: skip


async def test_a_user_is_known_as_each_project_hashes_them() -> None:
    settings = Settings(projects={"bank": ProjectSettings(privacy=HASHED)})
    services = make_services(settings, connect("redis://127.0.0.1:1"), Silent())
    known = services.known_as("", "ada@bank.test")
    assert known[0] == "ada@bank.test"
    assert len(known) == 2
    assert services.known_as("bank", "ada@bank.test") == known
    assert services.known_as("shop", "ada@bank.test") == ["ada@bank.test"]


async def test_nobody_is_told_where_nobody_is_to_be_told() -> None:
    settings = Settings(serve=ServeSettings(tell_readers=False))
    services = make_services(settings, connect("redis://127.0.0.1:1"), Silent())
    async with services.open_readers() as tell:
        await tell([])
    assert services.readers.told_on == ""
    assert services.readers.stays_ms[settings.kafka.events_topic] == settings.kafka.events_retention_ms
    assert readers_of(settings, told=True).told_on == settings.kafka.activity_topic


async def test_a_kafka_that_is_away_is_told_before_anything_is_deleted() -> None:
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}"))
    with pytest.raises(Unavailable, match="Kafka cannot be reached"):
        async with open_readers(settings):
            pytest.fail("there is nobody to tell")
