"""What may pass is waited for, with growing pauses; what will not is told at once."""

import asyncio
from collections.abc import Callable

import pytest

from engine import errors
from engine.operate.meters import Count
from engine.operate.registry import Meters
from engine.runtime.kafka.patience import Patience
from engine.settings import WorkerSettings
from replay import errors as store_errors
from tests.engine.runtime.kafka.virtual_time import run_in_virtual_time

SETTINGS = WorkerSettings(retry_backoff_ms=100, max_retry_backoff_ms=1_000)


class Attempts:
    """Fails with each of some errors in turn, then succeeds; notes when it was tried."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.at: list[float] = []

    async def __call__(self) -> str:
        self.at.append(asyncio.get_running_loop().time())
        if self._failures:
            raise self._failures.pop(0)
        return "done"


def insist(attempts: Attempts, beat: Callable[[], None] = lambda: None) -> Meters:
    meters = Meters("test")

    async def program() -> None:
        assert await Patience(SETTINGS, meters, beat).insist(attempts) == "done"

    run_in_virtual_time(program())
    return meters


def test_what_passes_is_tried_again_and_counted_by_kind() -> None:
    beats: list[int] = []
    full, away = [errors.Saturated(), store_errors.Saturated()], [errors.Unavailable(), store_errors.Unavailable()]
    meters = insist(attempts := Attempts(*full, *away), lambda: beats.append(1))
    assert len(attempts.at) == len(beats) == 5
    assert meters.value(Count.RETRIES, kind="saturated") == 2
    assert meters.value(Count.RETRIES, kind="unavailable") == 2


def test_pauses_grow_up_to_a_bound_and_are_different_for_each() -> None:
    insist(attempts := Attempts(*[errors.Unavailable()] * 20))
    pauses_ms = [1_000 * (later - earlier) for earlier, later in zip(attempts.at, attempts.at[1:], strict=False)]
    bounds = [min(100 << tries, 1_000) for tries in range(20)]
    assert all(bound // 2 <= round(pause) <= bound for pause, bound in zip(pauses_ms, bounds, strict=True))
    assert len({round(pause) for pause in pauses_ms}) > 3


@pytest.mark.parametrize("error", [errors.Broken(), store_errors.Broken(), store_errors.Poison(), ValueError()])
def test_what_does_not_pass_is_raised(error: Exception) -> None:
    attempts = Attempts(error)
    with pytest.raises(type(error)):
        insist(attempts)
    assert len(attempts.at) == 1


def test_the_longest_pause_has_no_overflow() -> None:
    patience = Patience(SETTINGS, Meters("test"), lambda: None)
    assert all(500 <= patience.pause_ms(tries) <= 1_000 for tries in (4, 20, 1_000, 10**9))
