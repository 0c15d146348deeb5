"""Those who read our topics, and are told of deletions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from engine.errors import Unavailable as KafkaUnavailable
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.outbox import withdrawal_message
from engine.settings import Settings
from replay.errors import Unavailable
from replay.receipts import Readers
from replay.server.services import TellDeleted
from replay.tombstones import Removed


def readers_of(settings: Settings, *, told: bool) -> Readers:
    """Say whether readers were told, and what stays on topics until when: nothing there can be deleted."""
    kafka = settings.kafka
    stays_ms = {
        kafka.events_topic: kafka.events_retention_ms,
        kafka.signals_topic: kafka.signals_retention_ms,
        kafka.activity_topic: kafka.activity_retention_ms,
    }
    return Readers(kafka.activity_topic if told else "", stays_ms)


@asynccontextmanager
async def open_readers(settings: Settings) -> AsyncIterator[TellDeleted]:
    """Connect to Kafka before anything is deleted, and give what tells readers. Raises Unavailable, as that does."""
    emitter = Emitter(settings.kafka)

    async def tell(removed: Sequence[Removed]) -> None:
        stones = [(each.session_id, each.tombstone) for each in removed if each.tombstone.project_id]
        await emitter.send([withdrawal_message(stone.project_id, id_, stone.at) for id_, stone in stones])

    try:
        await emitter.connect()
        yield tell
    except KafkaUnavailable as error:
        raise Unavailable(str(error)) from error
    finally:
        await emitter.close()
