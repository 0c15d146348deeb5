"""Asks brokers what topics are like, and has them changed."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code

from engine.errors import Unavailable
from engine.runtime.kafka.client_options import admin_options
from engine.runtime.kafka.topic_plan import Change, TopicLayout, Way
from engine.settings import KafkaSettings

SET_ON_TOPIC: Final = 1
"""Where Kafka has a value from, if it was set for this very topic (`DYNAMIC_TOPIC_CONFIG`)."""


class TopicsRefused(Exception):
    """Brokers refused something; the text says what, and why."""


class TopicAdmin:
    """Reads and changes topics. Made by `connect`."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def read(self, names: Iterable[str]) -> dict[str, TopicLayout]:
        """Return those of the named topics that are there.

        Raises:
            TopicsRefused: Brokers do not tell.
        """
        wanted = set(names)
        # All are asked for: some brokers create a topic that is asked for by its name.
        found = [each for each in await self._client.describe_topics() if each["topic"] in wanted]
        for each in found:
            _raise_for(each["error_code"], f"topic {each['topic']} cannot be read", "")
        settings = await self._settings([each["topic"] for each in found])
        return {
            each["topic"]: TopicLayout(
                each["topic"],
                len(each["partitions"]),
                min(len(partition["replicas"]) for partition in each["partitions"]),
                {name: value for name, (value, _) in settings[each["topic"]].items()},
            )
            for each in found
        }

    async def apply(self, changes: Sequence[Change]) -> None:
        """Make all changes that can be made; those `BY_HAND` are left.

        Raises:
            TopicsRefused: Brokers refuse one; others may have been made.
        """
        for topic, of_topic in groupby(changes, lambda change: change.topic):
            ways = {change.way: change for change in of_topic}
            if Way.CREATE in ways:
                await self._create(topic)
            if Way.ADD_PARTITIONS in ways:
                await self._add_partitions(topic)
            if Way.ALTER in ways:
                await self._alter(topic)

    async def _create(self, topic: TopicLayout) -> None:
        new = NewTopic(topic.name, topic.partitions, topic.replication_factor, topic_configs=dict(topic.settings))
        answer = await self._client.create_topics([new])
        for name, code, reason in answer.topic_errors:
            _raise_for(code, f"topic {name} cannot be created", reason)

    async def _add_partitions(self, topic: TopicLayout) -> None:
        try:
            await self._client.create_partitions({topic.name: NewPartitions(topic.partitions)})
        except KafkaError as error:
            raise TopicsRefused(f"topic {topic.name} gets no more partitions: {error}") from error

    async def _alter(self, topic: TopicLayout) -> None:
        # The request replaces all that is set for a topic, so what others have set goes along.
        before = (await self._settings([topic.name]))[topic.name]
        kept = {name: value for name, (value, source) in before.items() if source == SET_ON_TOPIC}
        resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, {**kept, **topic.settings})
        for answer in await self._client.alter_configs([resource]):
            for code, reason, *_ in answer.resources:
                _raise_for(code, f"settings of topic {topic.name} cannot be changed", reason)

    async def _settings(self, names: Sequence[str]) -> dict[str, Mapping[str, tuple[str, int]]]:
        """Return the settings of topics: value, and where it is from."""
        if not names:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        settings: dict[str, Mapping[str, tuple[str, int]]] = {}
        for answer in await self._client.describe_configs(resources):
            for code, reason, _, name, entries in answer.resources:
                _raise_for(code, f"settings of topic {name} cannot be read", reason)
                settings[name] = {entry[0]: (entry[1], entry[3]) for entry in entries}
        return settings


@asynccontextmanager
async def connect(kafka: KafkaSettings) -> AsyncIterator[TopicAdmin]:
    """Connect to the brokers.

    Raises:
        SettingsError: A file of certificates or keys is of no use.
        Unavailable: They cannot be reached, or do not let us in; also later, when they are gone.
    """
    client = AIOKafkaAdminClient(**admin_options(kafka))
    try:
        await client.start()
        yield TopicAdmin(client)
    except KafkaConnectionError as error:
        raise Unavailable(f"no answer from Kafka at {kafka.bootstrap_servers} (kafka.bootstrap_servers)") from error
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka at {kafka.bootstrap_servers} does not serve us: {error}") from error
    finally:
        await client.close()


def _raise_for(code: int, what: str, reason: str | None) -> None:
    if code:
        name = for_code(code).__name__
        raise TopicsRefused(f"{what}: {name}{f' ({reason})' if reason else ''}")
