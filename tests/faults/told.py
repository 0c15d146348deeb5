"""What the worker told on its topics: signals, activity, dead letters; judged against Redis and what was sent."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis

from tests.faults.expected import Expected
from tests.faults.journal import Sent
from tests.faults.stored import read_session
from tests.faults.verdict import Verdict
from tests.servers.kafka_admin import log_bounds

PAGES_IN_RECORD = 200
"""A record names no more visits of pages than this."""


class Told(NamedTuple):
    """One record of a topic."""

    key: str
    value: dict[str, Any]


@dataclass
class Repeats:
    """How often something was told again: allowed, as long as it is the same."""

    signals: int = 0
    activities: int = 0
    dead_letters: int = 0


async def read_topic(bootstrap: str, topic: str) -> list[Told]:
    """Read a topic from its start to where it ends now."""
    bounds = await log_bounds(bootstrap, topic)
    ends = {TopicPartition(topic, partition): end for partition, (start, end) in bounds.items() if end > start}
    if not ends:
        return []
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    told: list[Told] = []
    try:
        consumer.assign(list(ends))
        while any([await consumer.position(where) < end for where, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                told += [Told((each.key or b"").decode(), orjson.loads(each.value)) for each in records]
    finally:
        await consumer.stop()
    return told


async def judge_signals(
    verdict: Verdict, repeats: Repeats, told: Sequence[Told], redis: Redis, prefix: str, expected: Expected
) -> None:
    """Each signal that is stored was told, under its session's key, and the last time as it is stored."""
    last: dict[str, Told] = {each.value["id"]: each for each in told}
    repeats.signals = len(told) - len(last)
    stored: dict[str, dict[str, Any]] = {}
    for session_id in expected.sessions:
        found = await read_session(redis, prefix, session_id)
        stored |= found.signals if found else {}
    verdict.say("signals_untold", len(stored.keys() - last.keys()), f"{sorted(stored.keys() - last.keys())[:3]}")
    verdict.say("signals_unknown", len(last.keys() - stored.keys()), f"told: {sorted(last.keys() - stored.keys())[:3]}")
    for name in stored.keys() & last.keys():
        same = last[name].value == stored[name] and last[name].key == stored[name]["session_id"]
        verdict.say("signals_differ", int(not same), f"told: {name}")


def judge_activity(verdict: Verdict, repeats: Repeats, told: Sequence[Told], expected: Expected) -> None:
    """Each session started once and ended once, as did each of its visits of pages; told again means told the same."""
    first: dict[str, Told] = {}
    for each in told:
        known = first.setdefault(each.value["id"], each)
        verdict.say("activities_wrong", int(known != each), f"told twice, differently: {known.value} {each.value}")
    repeats.activities = len(told) - len(first)
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in first.values():
        kinds[each.value["session_id"]][each.value["kind"]] += 1
        verdict.say("activities_wrong", int(each.key != each.value["session_id"]), f"key of {each.value}")
    verdict.say("activities_wrong", len(kinds.keys() - expected.sessions.keys()), "of unknown sessions")
    for session_id, session in expected.sessions.items():
        count, record = kinds[session_id], expected.records[session_id]
        if session.ended and not record.get("reopened") and record.get("end_reason") != "max_bytes":
            visits = len(record["pages"])
            # Late batches are stored and not judged any more: their visits are in the record and are not told.
            is_all = visits < PAGES_IN_RECORD and "late_batch" not in record.get("repaired", {})
            wrong = (count["session_start"], count["session_end"]) != (1, 1) or count["page_start"] != count["page_end"]
            wrong = wrong or (is_all and count["page_start"] != visits)
        else:
            wrong = not count["session_start"]
        verdict.say("activities_wrong", int(wrong), f"{session_id}: {dict(count)}, {len(record['pages'])} pages")


def judge_dead_letters(
    verdict: Verdict, repeats: Repeats, told: Sequence[Told], topic: str, sent: Sequence[Sent]
) -> None:
    """Each poison has a letter with its place and size; nothing else has."""
    sizes = {(each.partition, each.offset): len(each.message.value) for each in sent if each.message.is_poison}
    letters = {(each.value["partition"], each.value["offset"]): each.value for each in told}
    repeats.dead_letters = len(told) - len(letters)
    verdict.say("letters_wrong", len(sizes.keys() - letters.keys()), "poison without a letter")
    verdict.say("letters_wrong", len(letters.keys() - sizes.keys()), "letters of what is no poison")
    for place in sizes.keys() & letters.keys():
        letter = letters[place]
        right = letter["topic"] == topic and letter["size_bytes"] == sizes[place] and letter["reason"]
        verdict.say("letters_wrong", int(not right), f"{letter}")
