"""What is kept with a session to be told on Kafka."""

import msgspec
import pytest

from engine.core.core import Core
from engine.core.effects import SessionEffects
from engine.runtime.kafka.outbox import pack_outbox, unpack_outbox, withdrawal_message
from engine.settings import Settings
from schemas.activity import Activity
from schemas.signals import Signal
from tests.engine.core.batches import T0, batch
from tests.engine.core.harness import run_core, sample_batches


def all_effects() -> list[SessionEffects]:
    """Return what comes of all samples, as one write a session."""
    core = Core(Settings())
    for position, value in enumerate(value for batches in sample_batches().values() for value in batches):
        opened = core.open(value, None, "test", position)
        assert opened is not None
        core.feed(opened, position, T0)
    core.finish()
    return core.take(T0)


def test_signals_and_activity_come_out_as_they_went_in() -> None:
    signals = activities = 0
    for effects in all_effects():
        messages = unpack_outbox(pack_outbox(effects))
        assert {message.key for message in messages} == {effects.session_id}
        values = {"signal": Signal, "activity": Activity}
        told = [msgspec.json.decode(message.value, type=values[message.channel]) for message in messages]
        assert told == [*effects.signals, *effects.activities]
        signals += len(effects.signals)
        activities += len(effects.activities)
    assert signals > 20
    assert activities > 60


def test_nothing_to_tell_takes_no_room() -> None:
    collected = run_core([batch(0)], finish=False)
    assert collected.activities
    core = Core(Settings())
    opened = core.open(batch(0), None, "test", 0)
    assert opened is not None
    core.feed(opened, 0, T0)
    core.take(T0)
    opened = core.open(batch(1), None, "test", 1)
    assert opened is not None
    core.feed(opened, 1, T0)
    (effects,) = core.take(T0)
    assert pack_outbox(effects) == b""
    assert unpack_outbox(b"") == []


@pytest.mark.parametrize("outbox", [b"\xff", b"\x91\x01", b"\x91\x93\xa5other\xa1k\xc4\x00"])
def test_what_is_no_outbox_is_told(outbox: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        unpack_outbox(outbox)


def test_a_withdrawal_says_which_session_and_when_only() -> None:
    message = withdrawal_message("shop", "s1", 7)
    assert (message.channel, message.key) == ("activity", "s1")
    told = msgspec.json.decode(message.value, type=Activity)
    assert (told.kind, told.project_id, told.session_id, told.t) == ("session_withdrawn", "shop", "s1", 7)
