"""Sends the shipped recordings to Kafka as visits of right now, to see a new installation at work.

It takes the settings of Kafka from a file, if it is given one, and the environment, as a worker does:

    docker compose exec -T worker python - /etc/wince/wince.toml < send_samples.py
"""

import asyncio
import os
import sys
import uuid
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec
import zstandard
from aiokafka import AIOKafkaProducer

from engine.runtime.kafka.client_options import producer_options
from engine.settings import KafkaSettings, load_settings


def visits() -> Iterator[tuple[str, list[bytes]]]:
    """Yield each sample under a session id that was never used: the id, and its batches in order."""
    for sample in sorted(files("engine").joinpath("samples").iterdir(), key=lambda path: path.name):
        if sample.name.endswith(".jsonl.zst"):
            session_id = str(uuid.uuid4())
            reader = zstandard.ZstdDecompressor().stream_reader(sample.read_bytes(), read_across_frames=True)
            yield session_id, [_renamed(line, session_id) for line in reader.read().splitlines() if line]


def _renamed(line: bytes, session_id: str) -> bytes:
    envelope = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**envelope, "session_id": session_id})


async def send(kafka: KafkaSettings) -> list[str]:
    """Send all samples, each batch under the key of its session; return the session ids."""
    sent = []
    async with AIOKafkaProducer(**producer_options(kafka)) as producer:
        for session_id, batches in visits():
            for batch in batches:
                await producer.send_and_wait(kafka.events_topic, batch, key=session_id.encode())
            sent.append(session_id)
    return sent


def main() -> int:
    """Send, and print the session ids."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for session_id in asyncio.run(send(load_settings(file, os.environ).kafka)):
        print(session_id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
