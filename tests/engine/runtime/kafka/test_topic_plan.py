import msgspec
import pytest

from engine.runtime.kafka.topic_plan import Change, TopicLayout, Way, plan, wanted_topics
from engine.settings import KafkaSettings

EVENTS, *OTHERS = wanted_topics(KafkaSettings())


def changes_of(**other: object) -> list[tuple[str, str, str, Way]]:
    """Say what is planned if the topic of events is there, but differs in something."""
    current = {EVENTS.name: msgspec.structs.replace(EVENTS, **other)}
    return [(change.about, change.now, change.wanted, change.way) for change in plan(current, [EVENTS])]


class TestWanted:
    def test_there_are_five(self) -> None:
        assert [(topic.name, topic.partitions) for topic in [EVENTS, *OTHERS]] == [
            ("session-events", 12),
            ("frustration-signals", 6),
            ("session-activity", 6),
            ("session-events-dlq", 1),
            ("alerts-input", 6),
        ]

    def test_batches_arrive_when_the_broker_says_so(self) -> None:
        assert EVENTS.settings == {
            "cleanup.policy": "delete",
            "retention.ms": "604800000",
            "min.insync.replicas": "2",
            "max.message.bytes": "10485760",
            "message.timestamp.type": "LogAppendTime",
        }

    @pytest.mark.parametrize("topic", OTHERS, ids=lambda topic: topic.name)
    def test_the_topics_written_to_take_what_is_written(self, topic: TopicLayout) -> None:
        assert topic.settings["max.message.bytes"] == str(KafkaSettings().max_request_bytes)
        days = 3 if topic.name == "alerts-input" else 30
        assert topic.settings["retention.ms"] == str(days * 86_400_000)

    @pytest.mark.parametrize(("copies", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "4")])
    def test_one_of_three_copies_may_be_away(self, copies: int, in_sync: str) -> None:
        topics = wanted_topics(KafkaSettings(replication_factor=copies))
        assert {topic.settings["min.insync.replicas"] for topic in topics} == {in_sync}


class TestPlan:
    def test_nothing_changes_what_is_as_it_should_be(self) -> None:
        assert plan({topic.name: topic for topic in [EVENTS, *OTHERS]}, [EVENTS, *OTHERS]) == []

    def test_a_missing_topic_is_created_whole(self) -> None:
        (change,) = plan({}, [EVENTS])
        assert (change.way, change.now) == (Way.CREATE, "missing")
        assert "partitions 12" in change.wanted
        assert "retention.ms 604800000" in change.wanted

    def test_partitions_are_added(self) -> None:
        assert changes_of(partitions=11) == [("partitions", "11", "12", Way.ADD_PARTITIONS)]

    def test_partitions_are_never_removed(self) -> None:
        assert changes_of(partitions=13) == [("partitions", "13", "12", Way.BY_HAND)]

    def test_copies_are_moved_by_hand(self) -> None:
        assert changes_of(replication_factor=1) == [("replication factor", "1", "3", Way.BY_HAND)]

    def test_settings_are_set(self) -> None:
        there = {**EVENTS.settings, "retention.ms": "1", "segment.bytes": "7"}
        del there["cleanup.policy"]
        assert changes_of(settings=there) == [
            ("cleanup.policy", "not set", "delete", Way.ALTER),
            ("retention.ms", "1", "604800000", Way.ALTER),
        ]

    def test_other_topics_and_settings_are_left_alone(self) -> None:
        current = {
            EVENTS.name: msgspec.structs.replace(EVENTS, settings={**EVENTS.settings, "segment.bytes": "7"}),
            "other": TopicLayout("other", 1, 1, {}),
        }
        assert plan(current, [EVENTS]) == []

    def test_each_difference_of_a_topic_is_told(self) -> None:
        smaller = msgspec.structs.replace(EVENTS, partitions=1, replication_factor=1, settings={})
        planned: list[Change] = plan({EVENTS.name: smaller}, [EVENTS])
        assert {change.about for change in planned} == {"partitions", "replication factor", *EVENTS.settings}
