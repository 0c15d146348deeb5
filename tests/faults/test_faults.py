"""Faults strike real workers on real servers; afterwards nothing is lost, doubled or out of order.

The long version, with every fault many times: `make faults`.
"""

import pytest

from tests.faults.arena import Arena, Trial
from tests.faults.chaos import (
    Fault,
    group_of,
    kill_broker,
    kill_redis,
    kill_worker,
    lose_replies,
    pause_worker,
    strike,
)
from tests.faults.load import Mix
from tests.faults.specials import topic_made_again

SEED = 20_261_122

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT: tuple[Fault, ...] = (kill_worker, lose_replies, kill_redis, pause_worker, kill_broker)


async def test_nothing_is_lost_or_doubled(arena: Arena) -> None:
    async with Trial(arena, "short", SEED) as trial:
        for _ in range(2):
            trial.start_worker()
        await group_of(trial, 2)
        for fault in SHORT:
            wave = trial.make_wave(40, Mix())
            await trial.sender.send(wave.messages)
            struck = await strike(trial, wave, fault, share=trial.rng.uniform(0.05, 0.4))
            print(struck)  # noqa: T201 - shown if the test fails
            assert struck.done > 0
            assert struck.left > 0
            await trial.reached(wave, 1.0)
        outcome = await trial.judge()
        assert outcome.verdict.is_clean, str(outcome.verdict)
        assert await trial.stop_workers() == [0, 0]


async def test_a_topic_made_again_loses_nothing_that_was_read(arena: Arena) -> None:
    (struck,), outcome = await topic_made_again(arena, SEED)
    assert struck.left > 0
    assert outcome.verdict.is_clean, str(outcome.verdict)
