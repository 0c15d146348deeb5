"""What the broker and the client really do: the worker is built on this.

Where the client's behaviour is a surprise the test says so in its name; should a new version of it behave better,
the test fails and the worker may become simpler.
"""

import uuid
from contextlib import AsyncExitStack

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError, ProducerFenced

from tests.kafka.groups import consumer, polling, producer
from tests.servers.kafka_admin import (
    admin,
    committed,
    create_topic,
    delete_records,
    delete_topic,
    log_bounds,
    members,
)
from tests.servers.kafka_broker import Kafka


@pytest.fixture
def topic() -> str:
    """A name that no other test uses; groups are named alike."""
    return f"test-{uuid.uuid4()}"


async def fill(bootstrap: str, topic: str, values: list[bytes]) -> None:
    async with producer(bootstrap) as made:
        for value in values:
            await made.send_and_wait(topic, value, partition=0)


async def test_it_is_apache_kafka_4(kafka: Kafka) -> None:
    async with admin(kafka.bootstrap) as client:
        # The request of version 4 consumer groups (KIP-848), which older brokers do not know.
        node = client._client.get_random_node()
        assert await client._client.ready(node)
        versions = client._client._conns[node, 0]._versions
    assert 68 in versions
    # Gone since 4.0: produce requests of version 0 to 2 (KIP-896); brokers claim them only for an old client library.
    assert 3 in versions
    assert versions[1][0] >= 4


async def test_two_members_share_partitions(kafka: Kafka, topic: str) -> None:
    await create_topic(kafka.bootstrap, topic, 4)
    async with consumer(kafka.bootstrap, topic, topic) as (one, _), consumer(kafka.bootstrap, topic, topic) as (two, _):
        await polling([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 2)
        assert {each.partition for each in one.assignment() | two.assignment()} == {0, 1, 2, 3}


async def test_a_member_that_leaves_is_replaced_at_once(kafka: Kafka, topic: str) -> None:
    await create_topic(kafka.bootstrap, topic, 4)
    async with consumer(kafka.bootstrap, topic, topic) as (one, _):
        async with consumer(kafka.bootstrap, topic, topic) as (two, _):
            await polling([one, two], lambda: len(one.assignment()) == len(two.assignment()) == 2)
        await polling([one], lambda: len(one.assignment()) == 4, seconds=4)


@pytest.mark.parametrize("restarted", ["leader", "follower"])
async def test_a_static_member_may_restart_and_nobody_notices(kafka: Kafka, topic: str, restarted: str) -> None:
    await create_topic(kafka.bootstrap, topic, 4)
    async with AsyncExitStack() as stack:
        # Whoever comes first leads the group.
        names = ["stays", "restarts"] if restarted == "follower" else ["restarts", "stays"]
        found = {}
        restarting = AsyncExitStack()
        for name in names:
            owner = restarting if name == "restarts" else stack
            found[name] = await owner.enter_async_context(consumer(kafka.bootstrap, topic, topic, name))
        (stays, watched), (restarts, _) = found["stays"], found["restarts"]
        await polling([stays, restarts], lambda: len(stays.assignment()) == len(restarts.assignment()) == 2)
        before, seen = restarts.assignment(), len(watched.assignments)

        await restarting.aclose()
        assert await members(kafka.bootstrap, topic) == 2, "closing a static member leaves it in the group"
        async with consumer(kafka.bootstrap, topic, topic, "restarts") as (again, _):
            await polling([stays, again], lambda: bool(again.assignment()))
            assert again.assignment() == before
            assert len(watched.assignments) == seen


async def test_a_static_member_that_stays_away_is_missed_after_its_session(kafka: Kafka, topic: str) -> None:
    await create_topic(kafka.bootstrap, topic, 2)
    async with consumer(kafka.bootstrap, topic, topic, "stays") as (stays, _):
        async with consumer(kafka.bootstrap, topic, topic, "leaves") as (leaves, _):
            await polling([stays, leaves], lambda: len(stays.assignment()) == len(leaves.assignment()) == 1)
        await polling([stays], lambda: len(stays.assignment()) == 2)


async def test_two_members_of_one_name_fight_without_an_end(kafka: Kafka, topic: str) -> None:
    """The client does not know the error that tells a member it was replaced (FENCED_INSTANCE_ID): it joins again."""
    await create_topic(kafka.bootstrap, topic, 1)
    async with consumer(kafka.bootstrap, topic, topic, "same") as (one, watched_one):
        await polling([one], lambda: bool(one.assignment()))
        async with consumer(kafka.bootstrap, topic, topic, "same") as (two, watched_two):
            await polling([one, two], lambda: min(len(w.assignments) for w in (watched_one, watched_two)) >= 4)


async def test_an_idempotent_producer_writes_once_and_in_order(kafka: Kafka, topic: str) -> None:
    await create_topic(kafka.bootstrap, topic, 1)
    values = [b"%d" % number for number in range(1_000)]
    async with producer(kafka.bootstrap, linger_ms=1) as made:
        for value in values:
            await made.send(topic, value, partition=0)
        await made.flush()
        assert made._txn_manager.producer_id >= 0
    async with consumer(kafka.bootstrap, topic, topic) as (reader, _):
        got: list[bytes] = []
        while len(got) < len(values):
            got += [each.value for batch in (await reader.getmany(timeout_ms=1_000)).values() for each in batch]
    assert got == values
    assert await log_bounds(kafka.bootstrap, topic) == {0: (0, len(values))}


class TestTransactions:
    async def test_what_was_aborted_is_not_read(self, kafka: Kafka, topic: str) -> None:
        await create_topic(kafka.bootstrap, topic, 1)
        async with producer(kafka.bootstrap, transactional_id=topic) as made:
            async with made.transaction():
                await made.send_and_wait(topic, b"kept", partition=0)
            await made.begin_transaction()
            await made.send_and_wait(topic, b"aborted", partition=0)
            await made.abort_transaction()
            async with made.transaction():
                await made.send_and_wait(topic, b"kept too", partition=0)
        assert await self.read(kafka, topic, "read_committed", 2) == [b"kept", b"kept too"]
        assert await self.read(kafka, topic, "read_uncommitted", 3) == [b"kept", b"aborted", b"kept too"]

    async def test_an_older_producer_of_the_same_id_is_fenced(self, kafka: Kafka, topic: str) -> None:
        await create_topic(kafka.bootstrap, topic, 1)
        old = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=topic)
        await old.start()
        try:
            await old.begin_transaction()
            await old.send_and_wait(topic, b"of the old one", partition=0)
            async with producer(kafka.bootstrap, transactional_id=topic) as new, new.transaction():
                await new.send_and_wait(topic, b"of the new one", partition=0)
            with pytest.raises(ProducerFenced):
                await old.commit_transaction()
        finally:
            await old.stop()
        assert await self.read(kafka, topic, "read_committed", 1) == [b"of the new one"]

    async def read(self, kafka: Kafka, topic: str, isolation: str, wanted: int) -> list[bytes]:
        async with consumer(kafka.bootstrap, topic, f"{topic}-{isolation}", isolation_level=isolation) as (reader, _):
            end = (await log_bounds(kafka.bootstrap, topic))[0][1]
            got: list[bytes] = []
            while len(got) < wanted or await reader.position(TopicPartition(topic, 0)) < end:
                got += [each.value for batch in (await reader.getmany(timeout_ms=200)).values() for each in batch]
            return got


class TestOffsetsThatAreNotThere:
    """With `auto_offset_reset="none"`, which the worker needs so that no loss goes unseen."""

    async def assigned(self, reader: AIOKafkaConsumer, topic: str) -> TopicPartition:
        while not reader.assignment():
            with pytest.raises(NoOffsetForPartitionError):
                await reader.getmany(timeout_ms=200)
        return TopicPartition(topic, 0)

    async def test_without_a_commit_every_poll_raises_until_one_seeks(self, kafka: Kafka, topic: str) -> None:
        await create_topic(kafka.bootstrap, topic, 1)
        await fill(kafka.bootstrap, topic, [b"0", b"1"])
        async with consumer(kafka.bootstrap, topic, topic, auto_offset_reset="none") as (reader, _):
            for _ in range(2):
                with pytest.raises(NoOffsetForPartitionError):
                    await reader.getmany(timeout_ms=5_000)
            reader.seek(TopicPartition(topic, 0), 1)
            got = await reader.getmany(timeout_ms=5_000)
            assert [each.offset for each in got[TopicPartition(topic, 0)]] == [1]

    @pytest.mark.parametrize("offset", [3, 50], ids=["before-the-start", "after-the-end"])
    async def test_out_of_range_every_poll_raises_until_one_seeks(self, kafka: Kafka, topic: str, offset: int) -> None:
        await create_topic(kafka.bootstrap, topic, 1)
        await fill(kafka.bootstrap, topic, [b"%d" % number for number in range(10)])
        await delete_records(kafka.bootstrap, topic, {0: 8})
        where = TopicPartition(topic, 0)
        async with consumer(kafka.bootstrap, topic, topic, auto_offset_reset="none") as (reader, _):
            await polling([reader], lambda: bool(reader.assignment()))
            reader.seek(where, offset)
            for _ in range(2):
                with pytest.raises(OffsetOutOfRangeError) as raised:
                    await reader.getmany(timeout_ms=5_000)
                assert raised.value.args == ({where: offset},)
            reader.seek(where, (await reader.beginning_offsets([where]))[where])
            assert [each.offset for each in (await reader.getmany(timeout_ms=5_000))[where]] == [8, 9]


class TestATopicMadeAgain:
    async def test_commits_go_with_the_topic_and_positions_with_the_assignment(self, kafka: Kafka, topic: str) -> None:
        await create_topic(kafka.bootstrap, topic, 1)
        await fill(kafka.bootstrap, topic, [b"old"] * 5)
        where = TopicPartition(topic, 0)
        async with consumer(kafka.bootstrap, topic, topic) as (reader, watched):
            await polling([reader], lambda: bool(reader.assignment()))
            await reader.commit({where: 3})
            await delete_topic(kafka.bootstrap, topic)
            await create_topic(kafka.bootstrap, topic, 1)
            await fill(kafka.bootstrap, topic, [b"new"] * 5)
            assert await committed(kafka.bootstrap, topic) == {}
            records = await polling([reader], lambda: len(watched.assignments) >= 3 and bool(reader.assignment()))
            assert watched.assignments == [[0], [], [0]]
            while (await reader.position(where)) < 5:
                records += (await reader.getmany(timeout_ms=200)).get(where, [])
            assert [each.offset for each in records if each.value == b"new"] == [0, 1, 2, 3, 4]

    async def test_it_is_not_missed_and_not_found_before_metadata_is_old(self, kafka: Kafka, topic: str) -> None:
        """So metadata must never be older than the time an operator will wait for a topic made again."""
        await create_topic(kafka.bootstrap, topic, 1)
        async with consumer(kafka.bootstrap, topic, topic, metadata_max_age_ms=300_000) as (reader, watched):
            await polling([reader], lambda: bool(reader.assignment()))
            await delete_topic(kafka.bootstrap, topic)
            await polling([reader], lambda: not reader.assignment())
            await create_topic(kafka.bootstrap, topic, 1)
            await polling([reader], lambda: not reader.assignment())
            await reader._client.force_metadata_update()
            await polling([reader], lambda: bool(reader.assignment()))
            assert watched.assignments == [[0], [], [0]]
