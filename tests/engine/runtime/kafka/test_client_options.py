"""No option of a client is left to its default: what it says today it need not say in its next release."""

import inspect
import ssl
from pathlib import Path
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from engine.runtime.kafka.client_options import Options, admin_options, consumer_options, producer_options
from engine.settings import KafkaSettings, SettingsError

KAFKA = KafkaSettings()
DEPRECATED = {"loop", "api_version"}
"""Passing anything but their default is an error or does nothing."""


def options_of(client: type) -> set[str]:
    parameters = inspect.signature(client).parameters.values()
    return {item.name for item in parameters if item.kind is not inspect.Parameter.VAR_POSITIONAL} - DEPRECATED


def only_assignor(options: Options) -> type[StickyPartitionAssignor]:
    (assignor,) = cast("tuple[type[StickyPartitionAssignor]]", options["partition_assignment_strategy"])
    return assignor


@pytest.mark.parametrize(
    ("client", "options"),
    [
        (AIOKafkaConsumer, consumer_options(KAFKA, 0)),
        (AIOKafkaProducer, producer_options(KAFKA)),
        (AIOKafkaAdminClient, admin_options(KAFKA)),
    ],
)
async def test_every_option_is_stated_and_taken(client: type, options: Options) -> None:
    assert set(options) == options_of(client)
    made = client(**options)
    await (made.close() if hasattr(made, "close") else made.stop())


class TestConsumer:
    def test_the_worker_alone_decides_where_reading_goes_on(self) -> None:
        options = consumer_options(KAFKA, 0)
        assert (options["enable_auto_commit"], options["auto_offset_reset"]) == (False, "none")

    @pytest.mark.parametrize(("instance_id", "expected"), [("", None), ("pod-3", "pod-3-1")])
    def test_each_process_is_a_member_of_its_own(self, instance_id: str, expected: str | None) -> None:
        assert consumer_options(KafkaSettings(instance_id=instance_id), 1)["group_instance_id"] == expected

    def test_consumers_of_one_process_remember_their_own_partitions(self) -> None:
        first, second = (only_assignor(consumer_options(KAFKA, number)) for number in (0, 1))
        first.member_assignment = []
        assert second.member_assignment is None

    def test_a_fetch_has_room_for_the_largest_message(self) -> None:
        options = consumer_options(KAFKA, 0)
        assert options["max_partition_fetch_bytes"] == KAFKA.max_message_bytes


class TestProducer:
    def test_what_is_written_is_kept_once(self) -> None:
        options = producer_options(KAFKA)
        assert (options["acks"], options["enable_idempotence"]) == ("all", True)

    def test_no_compression_is_a_choice(self) -> None:
        assert producer_options(KafkaSettings(compression="none"))["compression_type"] is None
        assert producer_options(KAFKA)["compression_type"] == "zstd"


class TestSecurity:
    def test_a_password_stays_at_home_without_a_login(self) -> None:
        options = admin_options(KafkaSettings(sasl_username="u", sasl_password="p"))
        assert (options["sasl_plain_username"], options["sasl_plain_password"]) == (None, None)

    def test_a_login_names_user_and_mechanism(self) -> None:
        kafka = KafkaSettings(security_protocol="SASL_PLAINTEXT", sasl_username="u", sasl_password="p")
        options = admin_options(kafka)
        assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")
        assert options["sasl_mechanism"] == "SCRAM-SHA-512"

    @pytest.mark.parametrize("check", [True, False])
    def test_certificates_are_always_checked_and_names_unless_told_otherwise(self, *, check: bool) -> None:
        options = admin_options(KafkaSettings(security_protocol="SSL", tls_check_hostname=check))
        context = cast("ssl.SSLContext", options["ssl_context"])
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, check)

    def test_all_unusable_files_are_named_at_once(self, tmp_path: Path) -> None:
        bad = tmp_path / "cert.pem"
        bad.write_text("no certificate")
        kafka = KafkaSettings(security_protocol="SSL", tls_ca_file=str(tmp_path / "none.pem"), tls_cert_file=str(bad))
        with pytest.raises(SettingsError) as caught:
            admin_options(kafka)
        assert [problem.key for problem in caught.value.problems] == ["kafka.tls_ca_file", "kafka.tls_cert_file"]
        assert "No such file" in caught.value.problems[0].expected
