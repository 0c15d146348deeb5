"""The receiver in the documentation, beside real runs."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from engine.cohorts.destinations import Webhook, WebhookReceiver
from engine.cohorts.events import CohortEvent, Source, batch_of
from engine.delivery.addresses import read_allow_list
from engine.delivery.posting import Posted, Poster
from engine.delivery.webhook import read_secret
from tests.cohorts.world import World
from tests.docs.documents import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLE = ROOT / "docs/examples/cohort-receiver/receive.py"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@asynccontextmanager
async def running(table: Path) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), str(table), "0", env=os.environ | {"CRM_SECRET": SECRET},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield int(line.split()[-1])
    finally:
        process.terminate()
        await process.wait()


def members(table: Path) -> set[str]:
    with closing(sqlite3.connect(table)) as known:
        return {user for (user,) in known.execute("select user_id from members where is_member")}


async def test_the_receiver_in_the_documentation_keeps_a_table_right(world: World, tmp_path: Path) -> None:
    table = tmp_path / "members.sqlite"
    async with running(table) as port:
        webhook = Webhook(f"http://127.0.0.1:{port}/", [read_secret(SECRET)], read_allow_list(["127.0.0.1"]), 50, 6_000)
        receiver = WebhookReceiver(Poster(), webhook)
        await world.visits([f"u{number}" for number in range(120)])
        assert (await world.run(receiver)).is_done
        await world.delete("s-u3", "s-u4")
        await world.visits(["new"])
        assert (await world.run(receiver)).is_done
        expected = {f"u{number}" for number in range(120)} - {"u3", "u4"} | {"new"}
        assert members(table) == expected
        stranger = WebhookReceiver(Poster(), webhook._replace(secrets=[b"x" * 24]))
        await world.visits(["late"])
        assert not (await world.run(stranger)).is_done
        assert members(table) == expected


async def test_batches_that_come_twice_or_late_change_nothing(tmp_path: Path) -> None:
    table = tmp_path / "members.sqlite"
    async with running(table) as port:
        webhook = Webhook(f"http://127.0.0.1:{port}/", [read_secret(SECRET)], read_allow_list(["127.0.0.1"]), 50, 6_000)
        for sequence, event in ((2, "exit"), (1, "enter"), (2, "exit"), (3, "enter"), (2, "exit")):
            assert (await post(webhook, sequence, event)).outcome == "accepted"
        assert members(table) == {"ada"}


async def post(webhook: Webhook, sequence: int, event: str) -> Posted:
    told = CohortEvent(f"{sequence}", "enter" if event == "enter" else "exit", "angry", "shop", "ada", 1, sequence)
    return await WebhookReceiver(Poster(), webhook).take(batch_of(Source("shop", "angry"), [told]))
