"""When to try again: after 5 s, 15 s, 45 s, ... up to an hour, each a quarter shorter or longer."""

from typing import Final

FIRST_MS: Final = 5_000
FACTOR: Final = 3
LONGEST_MS: Final = 3_600_000
_JITTER: Final = 0.25


def backoff_ms(attempts: int, chance: float, retry_after_s: float | None = None) -> int:
    """Return how long to wait (ms) after `attempts` attempts that failed (1 or more).

    `chance` is a random number from 0 to 1: who failed together does not come back together. A receiver that asked
    for a longer wait gets it.
    """
    usual_ms = min(FIRST_MS * int(FACTOR ** min(attempts - 1, 20)), LONGEST_MS)
    wait_ms = round(usual_ms * (1 - _JITTER + 2 * _JITTER * chance))
    return max(wait_ms, round((retry_after_s or 0) * 1_000))
