from pathlib import Path

import pytest

from engine.settings import (
    KafkaSettings,
    Settings,
    SettingsError,
    WorkerSettings,
    load_settings,
    render,
    resolve_settings,
)

SECURE = 'kafka.sasl_username = "wince"\nkafka.sasl_password = "hunter2"\n'


def problems_of(path: Path, text: str) -> dict[str, str]:
    file = path / "wince.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load_settings(file, {})
    except SettingsError as error:
        return {problem.key: problem.expected for problem in error.problems if problem.source == str(file)}
    return {}


class TestDefaults:
    def test_names_are_those_that_other_programs_rely_on(self) -> None:
        kafka = KafkaSettings()
        topics = (kafka.events_topic, kafka.signals_topic, kafka.activity_topic, kafka.dead_letters_topic)
        assert topics == ("session-events", "frustration-signals", "session-activity", "session-events-dlq")
        assert (kafka.group_id, kafka.client_id, kafka.instance_id) == ("wince", "wince", "")

    def test_they_do_not_contradict_each_other(self) -> None:
        assert load_settings(None, {}) == Settings()


class TestValues:
    @pytest.mark.parametrize(
        ("text", "servers"),
        [
            ("kafka:9092", ("kafka:9092",)),
            ("a.example:9092, b.example:9093,[::1]:9094", ("a.example:9092", "b.example:9093", "[::1]:9094")),
        ],
    )
    def test_brokers_are_separated_by_commas(self, text: str, servers: tuple[str, ...]) -> None:
        assert load_settings(None, {"WINCE_KAFKA_BOOTSTRAP_SERVERS": text}).kafka.servers == servers

    @pytest.mark.parametrize(
        ("text", "host", "port"),
        [("127.0.0.1:9464", "127.0.0.1", 9464), ("[::1]:0", "::1", 0), ("h:64999", "h", 64_999)],
    )
    def test_an_address_is_host_and_port(self, text: str, host: str, port: int) -> None:
        worker = load_settings(None, {"WINCE_WORKER_HTTP_ADDRESS": text}).worker
        assert (worker.http_host, worker.http_port) == (host, port)

    @pytest.mark.parametrize(
        "text",
        [
            'kafka.bootstrap_servers = ""',
            'kafka.bootstrap_servers = "kafka"',
            'kafka.bootstrap_servers = "kafka:9092,"',
            'kafka.bootstrap_servers = "http://kafka:9092"',
            'kafka.group_id = ""',
            'kafka.group_id = "a\\nb"',
            'kafka.instance_id = "a b"',
            'kafka.events_topic = "."',
            'kafka.events_topic = ".."',
            'kafka.events_topic = "a/b"',
            f'kafka.events_topic = "{"a" * 250}"',
            "kafka.events_partitions = 0",
            'kafka.security_protocol = "ssl"',
            'kafka.sasl_mechanism = "GSSAPI"',
            'kafka.compression = "brotli"',
            'worker.http_address = "9464"',
            'worker.http_address = "h:65000"',
            'worker.http_address = "h:09"',
            "worker.max_resident_sessions = 0",
            'worker.log_level = "INFO"',
        ],
    )
    def test_anything_else_is_refused(self, tmp_path: Path, text: str) -> None:
        assert list(problems_of(tmp_path, text)) == [text.partition(" ")[0]]

    def test_the_longest_name_of_a_topic_is_one(self, tmp_path: Path) -> None:
        assert problems_of(tmp_path, f'kafka.events_topic = "{"a" * 249}"') == {}


class TestContradictions:
    @pytest.mark.parametrize(
        ("text", "key", "expected"),
        [
            (
                'kafka.session_timeout = "8999ms"',
                "kafka.heartbeat_interval",
                'at most a third of kafka.session_timeout, which is "8999ms"',
            ),
            (
                'kafka.rebalance_timeout = "40s"',
                "kafka.request_timeout",
                'more than kafka.rebalance_timeout, which is "40s"',
            ),
            ('limits.max_message_bytes = "11MiB"', "kafka.max_partition_fetch_bytes", "at least limits.max_message_b"),
            ('kafka.max_message_bytes = "11MiB"', "kafka.max_partition_fetch_bytes", "at least kafka.max_message_byt"),
            ('kafka.fetch_max_bytes = "9MiB"', "kafka.fetch_max_bytes", "at least kafka.max_partition_fetch_bytes"),
            ('worker.poll_max_bytes = "65MiB"', "worker.max_bytes_in_flight", "at least worker.poll_max_bytes"),
            ('worker.retry_backoff = "6s"', "worker.retry_backoff", "at most worker.max_retry_backoff"),
            ('kafka.signals_topic = "session-events"', "kafka.signals_topic", "another topic than kafka.events_topic"),
            ('kafka.tls_ca_file = "ca.pem"', "kafka.tls_ca_file", "nothing, with kafka.security_protocol"),
            ('kafka.sasl_username = "u"', "kafka.sasl_username", "nothing, with kafka.security_protocol"),
            (
                f'{SECURE}kafka.security_protocol = "SASL_SSL"\nkafka.tls_key_file = "key.pem"',
                "kafka.tls_cert_file",
                "the certificate of kafka.tls_key_file",
            ),
        ],
    )
    def test_the_wrong_one_is_named_with_what_rules_it_out(
        self, tmp_path: Path, text: str, key: str, expected: str
    ) -> None:
        problems = problems_of(tmp_path, text)
        assert list(problems) == [key]
        assert problems[key].startswith(expected)

    @pytest.mark.parametrize(
        "text",
        [
            'kafka.session_timeout = "9s"',
            'kafka.rebalance_timeout = "39999ms"',
            'kafka.fetch_max_bytes = "10MiB"',
            'worker.poll_max_bytes = "64MiB"',
            'worker.retry_backoff = "5s"',
            f'{SECURE}kafka.security_protocol = "SASL_PLAINTEXT"',
            'kafka.security_protocol = "SSL"\nkafka.tls_ca_file = "ca.pem"',
        ],
    )
    def test_just_enough_is_enough(self, tmp_path: Path, text: str) -> None:
        assert problems_of(tmp_path, text) == {}

    def test_a_login_needs_user_and_password(self, tmp_path: Path) -> None:
        problems = problems_of(tmp_path, 'kafka.security_protocol = "SASL_PLAINTEXT"')
        assert list(problems) == ["kafka.sasl_username", "kafka.sasl_password"]

    def test_all_of_them_are_told_at_once(self, tmp_path: Path) -> None:
        text = 'kafka.session_timeout = "1s"\nworker.retry_backoff = "1m"\nsession.idle_timeout = "2d"'
        assert list(problems_of(tmp_path, text)) == [
            "session.idle_timeout",
            "kafka.heartbeat_interval",
            "worker.retry_backoff",
        ]


ENVIRON = {
    "WINCE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "WINCE_KAFKA_SASL_USERNAME": "wince",
    "WINCE_KAFKA_SASL_PASSWORD": "hunter2",
    "WINCE_KAFKA_TLS_CERT_FILE": "cert.pem",
    "WINCE_KAFKA_TLS_KEY_PASSWORD": "swordfish",
}


class TestSecrets:
    def test_passwords_are_not_printed(self) -> None:
        printed = render(resolve_settings(None, ENVIRON))
        assert 'sasl_password = "***"' in printed
        assert "hunter2" not in printed
        assert "swordfish" not in printed

    def test_passwords_are_not_told_in_problems(self) -> None:
        with pytest.raises(SettingsError) as caught:
            load_settings(None, ENVIRON | {"WINCE_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"})
        assert "kafka.sasl_password" in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert "swordfish" not in str(caught.value)


def test_worker_defaults_are_the_documented_ones() -> None:
    worker = WorkerSettings()
    assert (worker.poll_max_messages, worker.poll_max_bytes, worker.max_bytes_in_flight) == (500, 16 << 20, 64 << 20)
    assert (worker.max_resident_sessions, worker.max_poison_in_row) == (50_000, 100_000)
    assert (worker.retry_backoff_ms, worker.max_retry_backoff_ms) == (100, 5_000)
    assert (worker.mark_interval_ms, worker.drain_timeout_ms) == (5_000, 20_000)
    assert (worker.http_host, worker.http_port, worker.log_format) == ("127.0.0.1", 9464, "json")
