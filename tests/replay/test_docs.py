"""The documentation of keys and bundles is followed to the letter, with nothing of ours but the writing side."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import zstandard

from replay.error_book import ErrorBook
from replay.marks import RedisMarks
from replay.redis_client import RedisClient, connect
from replay.redis_exclusions import RedisExclusions
from replay.redis_keys import KeyNames
from replay.redis_store import RedisStore
from replay.search.saved import SavedFilters
from replay.server import ServeOptions, Services
from replay.server.audit import Audit
from replay.server.share_links import ShareLinks
from replay.server.tokens import Logins, Tokens
from replay.store import StoreSettings
from replay.tombstones import DELETED, Removed, Tombstone
from replay.withdrawals import Withdrawals
from schemas.bundle_index import Hole
from tests.replay.samples import T0, block, record, signal, write
from tests.replay.test_error_book import error
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

DOCS = Path(__file__).parents[2] / "docs"
SUBSTITUTES = {
    "{S}": "{visit-1}", "{P}": "{shop}", "FROM": str(T0 - 1), "TO": str(T0 + 1), "LAST_ID": "0", "MY_CONSUMER": "me",
    "MY_GROUP": "hooks", "OFFSET+LENGTH-1": "9", "OFFSET": "0",
}  # fmt: skip


def commands() -> list[list[str]]:
    """The commands of the documentation, with examples for what stands for something."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", (DOCS / "redis.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    found = []
    for line in "".join(text for language, text in fenced if not language).splitlines():
        text = line
        for word, example in SUBSTITUTES.items():
            text = text.replace(word, example)
        found.append(text.split())
    return found


def keys() -> list[str]:
    """The patterns of keys in the documentation's tables, but for those of alerts, which others write."""
    rows = re.findall(r"^\| (`wince:.*?) \|", (DOCS / "redis.md").read_text("utf-8"), re.MULTILINE)
    patterns = [name for row in rows if "alerts" not in row for name in re.findall(r"`([^`]+)`", row)]
    return [name if name.startswith("wince") else "wince:session:{S}" + name for name in patterns]


@pytest_asyncio.fixture(loop_scope="session")
async def filled(redis: Any, redis_server: FoundRedis) -> AsyncIterator[Any]:
    store = RedisStore(connect(redis_server.url), StoreSettings(), lambda: T0)
    drafts = [block([50, 60], window="w2", keyframe=True), block([0, 10], keyframe=True), block([20], sequence=1)]
    shown = record("visit-1", attributes={"release": "4.2", "device": "phone", "country": "NO"}, errors={"beef": 1})
    holes = [Hole("w1", "gap", T0 + 25, 2, 3)]
    seen = error("e1", "visit-1", 100, "beef")
    await store.apply(write("visit-1", blocks=drafts, holes=holes, signals=[seen], deadline_ms=T0, record_of=shown))
    late = [block([40], sequence=4, keyframe=True), block([30], sequence=2, late=True)]
    signals = [signal(session_id="visit-1")]
    again = write("visit-1", base=1, record_of=shown, blocks=late, signals=signals, deadline_ms=T0, shard="topic/0")
    await store.apply(again)
    marks = RedisMarks(client := connect(redis_server.url), "wince")
    claim = await marks.claim("topic/0", "me")
    assert await marks.move("topic/0", "me", claim.count, "log", 7)
    await client.close()
    await store.note_fate("visit-1", "shop", "late", 1, T0)
    await RedisExclusions(client := connect(redis_server.url), "wince").add("shop", "mia")
    await SavedFilters(client, KeyNames("wince")).add("shop", "painful", "min_score=50", T0)
    await ErrorBook(client, "wince").resolve("shop", ["beef"], T0)
    await Withdrawals(client, KeyNames("wince")).tell([removed("visit-2")], T0)
    await fill_what_the_server_keeps(client)
    await client.close()
    yield redis
    await store.close()


def removed(session_id: str) -> Removed:
    stone = Tombstone("t1", DELETED, T0, "shop")
    return Removed(session_id=session_id, tombstone=stone, keys=[], listings=[], stream_entries=0, signal_ids=[])


async def fill_what_the_server_keeps(client: RedisClient) -> None:
    names = KeyNames("wince")
    tokens = Tokens(client, names, lambda: T0)
    _, token = await tokens.create("support", "shop")
    await Logins(client, names, tokens, 60_000).open(token, T0)
    shown = record("visit-1")
    await ShareLinks(client, names, lambda: T0).create(shown, "me", T0 + 60_000, from_t=None, to_t=T0)
    store = RedisStore(client, StoreSettings())
    services = Services(store=store, redis=client, settings=StoreSettings(), reasons={})
    await Audit(services, ServeOptions()).note("watch", "shop", token.access(), "visit-1")


async def test_every_documented_command_gives_something(filled: Any) -> None:
    assert len(commands()) >= 10
    for command in commands():
        reply = await filled.execute_command(*command)
        assert reply, command


async def test_every_key_is_documented_and_every_documented_key_exists(filled: Any) -> None:
    stand_ins = {"{S}": "{visit-1}", "{P}": "{shop}", "TAG": "rage_click", "USER": "anon-1",
                 "SHARD": "topic%2F0", "URL": "https%3A%2F%2Fshop%2Etest%2Fcart", "RELEASE": "4.2",
                 "DEVICE": "phone", "COUNTRY": "NO", "FINGERPRINT": "beef"}  # fmt: skip
    documented = set()
    for pattern in keys():
        name = pattern
        for word, example in stand_ins.items():
            name = name.replace(word, example)
        documented.add(name)
    written = {re.sub("[0-9a-f]{64}", "DIGEST", key.decode()) for key in await filled.keys()}
    assert written <= documented
    assert documented - written <= {"wince:session:{visit-1}:data:1", "wince:deadlines"}


def play(parts: list[bytes], data: bytes) -> list[tuple[str, Any]]:
    """Read a bundle as `bundle-format.md` says, with plain zstandard and json."""
    head, blocks = json.loads(parts[0]), [json.loads(part) for part in parts[2:]]
    assert head["format"] == 1
    assert head["length"] == len(data)
    starts = {b["window_id"]: min(o["first_t"] for o in blocks if o["window_id"] == b["window_id"]) for b in blocks}
    blocks.sort(key=lambda b: (starts[b["window_id"]], b["window_id"], b["sequence"], b["offset"]))
    played = []
    for entry in blocks:
        frame = data[entry["offset"] : entry["offset"] + entry["length"]]
        text = zstandard.ZstdDecompressor().decompress(frame)
        assert len(text) == entry["raw_length"] == zstandard.frame_content_size(frame)
        lines = [json.loads(line) for line in text.splitlines()]
        assert len(lines) == entry["events"]
        assert min(line["timestamp"] for line in lines) == entry["first_t"]
        assert max(line["timestamp"] for line in lines) == entry["last_t"]
        played += [(entry["window_id"], line["timestamp"] - T0) for line in lines]
    return played


async def test_a_bundle_is_read_with_plain_tools(filled: Any, redis_server: FoundRedis) -> None:
    expected = [("w1", 0), ("w1", 10), ("w1", 20), ("w1", 30), ("w1", 40), ("w2", 50), ("w2", 60)]
    store = RedisStore(connect(redis_server.url), StoreSettings(), lambda: T0)
    for compacted in (False, True):
        if compacted:
            assert await store.compact("visit-1", 2)
        parts = await filled.lrange("wince:session:{visit-1}:index", 0, -1)
        assert json.loads(parts[0])["compacted"] == compacted
        assert json.loads(parts[1]) == [
            {"window_id": "w1", "reason": "gap", "t": T0 + 25, "first_seq": 2, "last_seq": 3}
        ]
        data = await filled.get(json.loads(parts[0])["data"])
        assert isinstance(data, bytes)
        assert play(parts, data) == expected
    await store.close()
