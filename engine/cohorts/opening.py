"""Puts together what works on one cohort, and sees to it that one process at a time does."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple

from engine.cohorts.file import Declared
from engine.cohorts.keeping import Clock, Keeping, Limits
from engine.cohorts.matching import IsExcluded, Matching
from engine.cohorts.state import LEASE_MS, CohortState, NotOwnerError, cohort_keys
from engine.core.projects import known_as
from engine.settings import Settings
from replay.errors import StoreError, Unavailable
from replay.exclusions import Exclusions
from replay.redis_client import RedisClient
from schemas.session_record import SessionRecord

ASK_EVERY_MS: Final = 1_000
"""How often is asked whether another owner has ended."""


class BusyError(Unavailable):
    """Another process works on the cohort, and goes on doing so."""


class Parts(NamedTuple):
    """What works on one cohort."""

    declared: Declared
    state: CohortState
    matching: Matching
    keeping: Keeping


class Tools(NamedTuple):
    """What cohorts of one process share. `lease_ms` is how long others wait for it if it dies."""

    settings: Settings
    client: RedisClient
    exclusions: Exclusions
    clock_ms: Clock
    lease_ms: int = LEASE_MS


def put_together(tools: Tools, declared: Declared, purpose: str = "", linger_ms: int = 0) -> Parts:
    """Make what works on a cohort; `purpose` tells states of the same cohort apart, `linger_ms` is as in `Limits`."""
    source, cohort, wanted = declared
    prefix = tools.settings.store.key_prefix
    state = CohortState(tools.client, cohort_keys(prefix, source, purpose), uuid.uuid4().hex, tools.lease_ms)
    is_excluded = excluded_by(tools.settings, tools.exclusions, source.project_id)
    matching = Matching(tools.client, prefix, source.project_id, wanted, cohort.window_ms, is_excluded)
    limits = Limits(cohort.window_ms, cohort.max_members, linger_ms)
    keeping = Keeping(state, matching, source, limits, tools.clock_ms)
    return Parts(declared, state, matching, keeping)


def excluded_by(settings: Settings, exclusions: Exclusions, project_id: str) -> IsExcluded:
    """Make what says whether a session is one of an excluded user, by settings or by `wince delete`.

    Settings name users as they are sent, sessions as they are stored, which may be hashes. `wince delete` deletes what
    is stored of a user it excludes, hashed or not.
    """
    named = settings.for_project(project_id).privacy.exclude_users
    stored = frozenset(known for user in named for known in known_as(settings, project_id, user))

    def is_excluded(record: SessionRecord) -> bool:
        users = [user for user in (record.user_id, record.anonymous_id) if user]
        return any(user in stored or exclusions.has(project_id, user) for user in users)

    return is_excluded


@asynccontextmanager
async def owned(parts: Parts, lease_ms: int, wait_ms: float) -> AsyncIterator[Parts]:
    """Own a cohort; an owner before is waited for. Raises BusyError if it did not end within `wait_ms`."""
    while (busy_ms := await parts.state.claim()) > 0:
        if wait_ms <= 0:
            raise BusyError(f"cohort {parts.declared.source.cohort}: another process is at work on it")
        pause_ms = min(busy_ms, ASK_EVERY_MS)
        wait_ms -= pause_ms
        await asyncio.sleep(pause_ms / 1_000)
    beating = asyncio.create_task(_beat(parts, lease_ms / 4_000))
    try:
        await parts.keeping.open()
        yield parts
    finally:
        beating.cancel()
        # Where it cannot be told, the lease ends by itself.
        with suppress(StoreError):
            await parts.state.release()


async def _beat(parts: Parts, every_seconds: float) -> None:
    """Go on owning it while nothing is written. Who lost it is told by the next write."""
    while True:
        await asyncio.sleep(every_seconds)
        with suppress(StoreError, NotOwnerError):
            await parts.keeping.renew()
