"""Servers that faults may strike."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from replay.redis_server import Binary
from tests.faults.arena import Arena


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arena(jars: Path, redis_binary: Binary) -> AsyncIterator[Arena]:
    async with Arena(jars, redis_binary) as made:
        yield made
