"""A visit that happens again is the same visit: same signals, same order, only later and under another name."""

import json
from collections import Counter

import pytest

from engine.core.core import Core
from engine.input.files import Problem, read_batches
from engine.runtime.revisit import revisit
from engine.samples import SAMPLES_FOLDER
from engine.settings import Settings
from schemas.session_record import SessionRecord
from tests.engine.core.harness import Collected

NOW = 1_900_000_000_000
SAMPLES = sorted(SAMPLES_FOLDER.glob("*.jsonl.zst"))


def unreadable(problem: Problem) -> None:
    raise AssertionError(problem)


def messages(name: str) -> list[bytes]:
    return [each.value for each in read_batches([name], Settings().limits, unreadable)]


def judged(values: list[bytes]) -> tuple[SessionRecord, Counter[str]]:
    core, collected = Core(Settings()), Collected()
    for position, value in enumerate(values):
        batch = core.open(value, None, "visit", position)
        assert batch is not None
        core.feed(batch, position, int(batch.envelope.sent_at))
    core.finish()
    collected.add(core.take())
    (record,) = collected.records.values()
    return record, Counter(signal.detector for signal in collected.signals.values())


@pytest.mark.parametrize("sample", [str(path) for path in SAMPLES], ids=lambda path: path[-20:-10])
def test_the_same_happens_again(sample: str) -> None:
    recorded = messages(sample)
    before, signals = judged(recorded)
    after, again = judged([each.value for each in revisit(recorded, "again", NOW)])
    assert again == signals
    assert (after.session_id, after.started_at, after.end_reason) == ("again", NOW, "explicit")
    assert after.last_event_at - after.started_at == before.last_event_at - before.started_at
    assert [page.url for page in after.pages] == [page.url for page in before.pages]


def test_messages_are_sent_in_time_and_the_last_one_says_so() -> None:
    sendings = revisit(reversed(messages(str(SAMPLES[0]))), "again", NOW)
    envelopes = [json.loads(each.value) for each in sendings]
    assert [each.at_ms for each in sendings] == sorted(envelope["sent_at"] for envelope in envelopes)
    assert [envelope["ended"] for envelope in envelopes] == [False] * (len(envelopes) - 1) + [True]
    assert min(event["timestamp"] for envelope in envelopes for event in envelope["events"]) == NOW
