"""Messages are put in as alerting does it: by the write that stores what became of their project."""

import secrets
from collections.abc import Sequence
from typing import cast

from engine.alerts.names import AlertNames
from engine.alerts.parts import Changes
from engine.alerts.routing import Message
from engine.alerts.store import AlertStore, Outcome, ProjectWrite
from replay.redis_client import Call, RedisClient


async def put(client: RedisClient, project_id: str, messages: Sequence[Message], now_ms: int) -> int:
    """Put messages of a project in, at `now_ms` (epoch ms); return how many are there that were not before."""
    store = AlertStore(client, "wince")
    await store.register([project_id])
    before = await _known(client, project_id)
    (stored,) = await store.load([project_id])
    write = ProjectWrite(
        project_id=project_id, base_token=stored.token, token=secrets.token_hex(8), position={},
        changes=Changes({}, []), messages=messages, now_ms=now_ms,
    )  # fmt: skip
    assert await store.save([write]) == [Outcome.APPLIED]
    return len(await _known(client, project_id) - before)


async def _known(client: RedisClient, project_id: str) -> set[bytes]:
    keys = AlertNames("wince").project(project_id)
    waiting = cast("list[bytes]", await client.run(Call("HKEYS", (keys.messages,))))
    failed = cast("list[bytes]", await client.run(Call("HKEYS", (keys.failed,))))
    return {*waiting, *failed}
