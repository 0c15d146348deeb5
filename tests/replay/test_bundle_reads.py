"""Bundles read as they are stored: what the index's head says, and frames that are not what the index says."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from replay.blocks import encode_block
from replay.bundle_reads import check_frame, open_bundle, open_frame
from replay.errors import Unavailable
from replay.redis_client import RedisClient, connect
from replay.redis_keys import KeyNames
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from schemas.bundle_index import BlockEntry
from tests.replay.samples import T0, block, write
from tests.servers.redis_server import FoundRedis

NAMES = KeyNames("wince")
LINES = b'{"a":1}\n'
ENTRY = BlockEntry("w1", 0, 0, 0, len(LINES), 1, T0, T0)


@pytest_asyncio.fixture(loop_scope="session")
async def client(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[RedisClient]:
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    yield client
    await client.close()


@pytest.mark.asyncio(loop_scope="session")
class TestOpening:
    async def test_index_project_and_data_follow_from_one_command(self, client: RedisClient) -> None:
        store = RedisStore(client, StoreSettings(), lambda: T0)
        await store.apply(write(project_id='"shop"', blocks=[block([0], keyframe=True), block([9], sequence=1)]))
        for compacted in (False, True):
            bundle = await open_bundle(client, NAMES, "a")
            assert bundle is not None
            assert (bundle.index, bundle.index.compacted) == (await store.index("a"), compacted)
            assert (bundle.project_id, bundle.data_key[-6:]) == ('"shop"', f"data:{int(compacted)}")
            entry = bundle.index.blocks[0]
            assert open_frame(entry, await bundle.fetch(entry.offset, entry.length)).count(b"\n") == entry.events
            await store.compact("a", 1)

    async def test_an_unknown_session_has_none(self, client: RedisClient) -> None:
        assert await open_bundle(client, NAMES, "nobody") is None

    async def test_the_index_says_by_which_policy_a_block_was_masked(self, client: RedisClient) -> None:
        store = RedisStore(client, StoreSettings(), lambda: T0)
        drafts = [
            msgspec.structs.replace(block([place], sequence=place), policy=policy)
            for place, policy in enumerate(("medium@1", "medium@1", "light@2"))
        ]
        await store.apply(write(blocks=drafts))
        await store.compact("a", 1)
        index = await store.index("a")
        assert index is not None
        assert [entry.policy for entry in index.blocks] == ["medium@1", "light@2"]


class TestFrames:
    def test_what_is_stored_is_given_as_it_is(self) -> None:
        frame = encode_block(LINES)
        assert check_frame(ENTRY, frame) == frame
        assert open_frame(ENTRY, frame) == LINES

    @pytest.mark.parametrize(
        "data", [b"", b"\x28\xb5\x2f", b"x" * 40, encode_block(LINES)[1:], encode_block(LINES * 2), encode_block(b"")]
    )
    def test_anything_else_has_changed(self, data: bytes) -> None:
        with pytest.raises(Unavailable):
            check_frame(ENTRY, data)
        with pytest.raises(Unavailable):
            open_frame(ENTRY, data)

    def test_a_damaged_frame_is_not_opened(self) -> None:
        frame = encode_block(LINES)
        with pytest.raises(Unavailable):
            open_frame(ENTRY, frame[:-1] + bytes([frame[-1] ^ 1]))
