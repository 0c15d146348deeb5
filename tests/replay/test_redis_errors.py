"""Which of our four kinds the refusals of real servers are, inside and outside of scripts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from replay.errors import Broken, Saturated, StoreError, Unavailable
from replay.redis_client import Call, connect
from replay.redis_errors import translate
from replay.redis_server import Binary
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from replay.writes import Outcome
from tests.replay.samples import T0, write
from tests.servers.redis_process import RedisProcess, redis_cluster
from tests.servers.waiting import until

SECRET = "secret-session"


def make_store(url: str) -> RedisStore:
    return RedisStore(connect(url), StoreSettings(), lambda: T0)


@asynccontextmanager
async def closing(store: RedisStore) -> AsyncIterator[RedisStore]:
    try:
        yield store
    finally:
        await store.close()


async def refusal(store: RedisStore, kind: type[StoreError], reason: str) -> None:
    """A write is refused for a reason, and nothing of what it was about is told."""
    with pytest.raises(kind, match=reason) as caught:
        await store.apply(write(SECRET, base=1))
    assert SECRET not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_a_failover_and_lost_replicas_pass(redis_binary: Binary) -> None:
    async with RedisProcess(redis_binary) as server, closing(make_store(server.url)) as store, server.client() as admin:
        await store.apply(write(SECRET))
        await admin.config_set("min-replicas-to-write", 1)
        await refusal(store, Unavailable, "NOREPLICAS")
        await admin.config_set("min-replicas-to-write", 0)
        await admin.replicaof("127.0.0.1", "1")
        await refusal(store, Unavailable, "READONLY")
        await admin.config_set("replica-serve-stale-data", "no")
        await refusal(store, Unavailable, "MASTERDOWN")
        with pytest.raises(Unavailable, match="MASTERDOWN"):
            await store.due(T0, 1)
        await admin.replicaof("NO", "ONE")
        assert (await store.apply(write(SECRET, base=1))).outcome is Outcome.APPLIED


async def test_a_disk_that_fails_is_waited_for(redis_binary: Binary) -> None:
    options = {"save": "3600 1"}
    async with (
        RedisProcess(redis_binary, options=options) as server,
        closing(make_store(server.url)) as store,
        server.client() as admin,
    ):

        async def has_saved(status: str) -> bool:
            found = await admin.info("persistence")
            return not found["rdb_bgsave_in_progress"] and found["rdb_last_bgsave_status"] == status

        await store.apply(write(SECRET))
        (server.folder / "dump.rdb").mkdir()
        await admin.bgsave()
        await until(partial(has_saved, "err"), 10, "a dump that fails")
        await refusal(store, Unavailable, "MISCONF")
        (server.folder / "dump.rdb").rmdir()
        await admin.bgsave()
        await until(partial(has_saved, "ok"), 10, "a dump that succeeds")
        assert (await store.apply(write(SECRET, base=1))).outcome is Outcome.APPLIED


async def test_full_memory_is_saturated(redis_binary: Binary) -> None:
    async with RedisProcess(redis_binary) as server, closing(make_store(server.url)) as store, server.client() as admin:
        await store.apply(write(SECRET))
        await admin.config_set("maxmemory", 1)
        await refusal(store, Saturated, "memory")


async def test_a_server_that_is_killed_is_unavailable(redis_binary: Binary) -> None:
    async with RedisProcess(redis_binary) as server, closing(make_store(server.url)) as store:
        await store.apply(write(SECRET))
        server.kill()
        await refusal(store, Unavailable, "cannot be reached")


async def test_a_cluster_that_lacks_slots_or_is_gone_is_unavailable(redis_binary: Binary) -> None:
    async with redis_cluster(redis_binary) as servers:
        url = servers[0].url.replace("redis://", "redis+cluster://")
        async with closing(make_store(url)) as store:
            await store.apply(write(SECRET))
            for server in servers:
                async with server.client() as admin:
                    mine = (await admin.execute_command("CLUSTER", "NODES")).decode()  # type: ignore[no-untyped-call]
                    first, last = re.findall(r"myself,.* (\d+)-(\d+)\n", mine)[0]
                    await admin.execute_command("CLUSTER", "DELSLOTSRANGE", first, last)  # type: ignore[no-untyped-call]
            await refusal(store, Unavailable, "CLUSTERDOWN|cannot be reached")
            for server in servers:
                server.kill()
            await refusal(store, Unavailable, "cannot be reached")
        async with closing(make_store(url)) as store:
            await refusal(store, Unavailable, "cannot be reached")


async def test_a_command_of_a_later_version_is_broken_and_quotes_nothing(redis_binary: Binary) -> None:
    async with RedisProcess(redis_binary) as server:
        client = connect(server.url)
        with pytest.raises(Broken) as caught:
            await client.run(Call("FROBNICATE", ("key",), (SECRET,)))
        assert SECRET not in repr(caught.value)
        await client.close()


WRAPPED = "Error running script (call to f_0): @user_script:41: "


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("@user_script: 41: -OOM command not allowed when used memory > 'maxmemory'.", Saturated),
        ("@user_script: 41: -READONLY You can't write against a read only replica.", Unavailable),
        ("@user_script: 41: attempt to index a nil value", Broken),
    ],
)
def test_servers_before_7_quote_the_refusal_in_an_error_of_the_script(text: str, kind: type[StoreError]) -> None:
    assert type(translate(Exception(WRAPPED + text))) is kind
