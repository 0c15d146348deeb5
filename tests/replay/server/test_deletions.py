"""Deleting over HTTP: what goes, what stays, what is told of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from starlette.applications import Starlette

from replay.deletion import Deletable, Deletion, DeletionQuery
from replay.errors import Unavailable
from replay.receipts import Readers, Receipt
from replay.server import ServeOptions, Services, create_app
from replay.server.access import ANY_PROJECT, Scope
from replay.server.deletions import DeletionPlan
from replay.server.services import TellDeleted
from replay.server.tokens import Tokens
from replay.tombstones import Removed
from tests.replay.samples import T0, record, signal, write
from tests.replay.server.asking import Answer, ask
from tests.replay.wires import dump

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Told:
    """Readers elsewhere: they remember what they were told, or are away."""

    def __init__(self) -> None:
        self.session_ids: list[str] = []
        self.is_away = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TellDeleted]:
        if self.is_away:
            raise Unavailable("Kafka cannot be reached")

        async def tell(removed: Sequence[Removed]) -> None:
            self.session_ids += [each.session_id for each in removed]

        yield tell


class Shop:
    def __init__(self, app: Starlette, services: Services, tokens: dict[str, str], told: Told) -> None:
        self.app = app
        self.services = services
        self.told = told
        self._tokens = tokens

    async def delete(self, session_id: str) -> Answer:
        bearer = {"authorization": self._tokens["shop"]}
        return await ask(self.app, f"/api/v1/sessions/{session_id}", method="DELETE", headers=bearer)

    async def post(self, project: str = "shop", /, **body: object) -> Answer:
        bearer = {"authorization": self._tokens[project]}
        return await ask(self.app, "/api/v1/deletions", method="POST", headers=bearer, body=body)

    async def stored(self) -> set[str]:
        ids = ("a", "calm", "bob", "other")
        return {session_id for session_id in ids if await self.services.store.record(session_id)}


@pytest_asyncio.fixture(loop_scope="session")
async def shop(stocked: Services) -> Shop:
    told = Told()
    services = replace(
        stocked, open_readers=told.open, readers=Readers("session-activity", {"session-events": 7}),
        known_as=lambda _, user: (user, f"hash-of-{user}"),
    )  # fmt: skip
    await stocked.store.apply(write("bob", record_of=record("bob", user_id="hash-of-bob", started_at=T0 + 5_000)))
    await stocked.store.apply(write("other", project_id="travel", record_of=record("other", project_id="travel")))
    tokens = Tokens(services.redis, services.names, services.clock_ms)
    made = {name: await tokens.create(name, name, (Scope.DELETE,)) for name in ("shop", ANY_PROJECT)}
    app = create_app(services, ServeOptions(max_deletions=3))
    return Shop(app, services, {name: f"Bearer {text}" for name, (text, _) in made.items()}, told)


async def test_a_session_goes_with_proof(shop: Shop, redis: Redis) -> None:
    answer = await shop.delete("a")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    receipt = answer.json(Receipt)
    assert [each.session_id for each in receipt.sessions] == ["a"]
    assert (receipt.counts["stored"], receipt.counts["signals"], receipt.proof.left) == (1, 1, [])
    assert receipt.proof.searched.keys > 0
    assert receipt.kafka == Readers("session-activity", {"session-events": 7})
    assert shop.told.session_ids == ["a"]
    assert await shop.stored() == {"calm", "bob", "other"}
    left = {key for key in await dump(redis) if b"{a}" in key}
    assert left == {b"wince:session:{a}:meta"}, "the tombstone"
    assert (await shop.delete("a")).status == 404


async def test_sessions_of_a_user_go_under_every_id_they_are_stored_with(shop: Shop) -> None:
    receipt = (await shop.post(user="bob")).json(Receipt)
    assert [each.session_id for each in receipt.sessions] == ["bob"]
    assert "bob" not in str(receipt.query)
    assert await shop.stored() == {"a", "calm", "other"}


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"session_ids": ["a", "calm"]}, {"a", "calm"}),
        ({"tag": "rage_click"}, {"a", "bob"}),
        ({"tag": "rage_click", "to": T0 + 1}, {"a"}),
        ({"page": "https://shop.test/cart?x=1"}, {"a", "calm", "bob"}),
        ({"from": T0 + 1}, {"bob"}),
        ({"project_id": "shop"}, {"a", "calm", "bob"}),
        ({"session_ids": ["a", "other", "unknown"]}, {"a"}),
    ],
)
async def test_what_is_meant_is_listed_first_and_only_that_goes(
    shop: Shop, asked: dict[str, object], meant: set[str]
) -> None:
    before = await shop.stored()
    plan = (await shop.post(**asked, dry_run=True)).json(DeletionPlan)
    assert (plan.dry_run, {each.session_id for each in plan.sessions}) == (True, meant)
    assert (await shop.stored(), shop.told.session_ids) == (before, [])
    receipt = (await shop.post(**asked)).json(Receipt)
    assert {each.session_id for each in receipt.sessions} == meant
    assert await shop.stored() == before - meant


async def test_a_token_of_one_project_deletes_there_only(shop: Shop) -> None:
    assert (await shop.post(project_id="travel")).status == 403
    assert (await shop.post(session_ids=["other"])).json(Receipt).sessions == []
    assert (await shop.delete("other")).status == 404
    assert "other" in await shop.stored()
    assert (await shop.post(ANY_PROJECT, session_ids=["other"])).json(Receipt).counts["stored"] == 1
    assert "other" not in await shop.stored()


@pytest.mark.parametrize(
    "asked", [{}, {"dry_run": True}, {"session_ids": []}, {"user": ""}, {"tags": ["a"]}, {"from": "today"},
              {"session_ids": [1]}, {"session_ids": ["a"] * 1_001}]
)  # fmt: skip
async def test_it_has_to_be_said_what_is_meant(shop: Shop, asked: dict[str, object]) -> None:
    before = await shop.stored()
    assert (await shop.post(**asked)).status == 400
    assert await shop.stored() == before


async def test_one_request_deletes_only_so_many(shop: Shop) -> None:
    await shop.services.store.apply(write("fourth", record_of=record("fourth")))
    refused = await shop.post(project_id="shop")
    assert (refused.status, "wince delete" in refused.json()["detail"]) == (409, True)
    assert await shop.stored() == {"a", "calm", "bob", "other"}


async def test_nothing_goes_if_readers_cannot_be_told(shop: Shop) -> None:
    shop.told.is_away = True
    assert (await shop.delete("a")).status == 503
    assert "a" in await shop.stored()
    shop.told.is_away = False
    assert (await shop.delete("a")).status == 200


async def test_signals_are_gone_from_the_stream(shop: Shop, redis: Redis) -> None:
    await shop.services.store.apply(write("loud", record_of=record("loud"), signals=[signal("x", session_id="loud")]))
    assert b"loud" in repr(await redis.xrange("wince:project:{shop}:signals")).encode()
    await shop.delete("loud")
    assert b"loud" not in repr(await redis.xrange("wince:project:{shop}:signals")).encode()


async def test_one_at_a_time_is_searched_for_what_is_meant(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[int] = []
    usual = Deletion.plan

    async def watched(self: Deletion, query: DeletionQuery) -> list[Deletable]:
        running.append(1 + (running[-1] if running else 0))
        planned = await usual(self, query)
        running.append(running[-1] - 1)
        return planned

    monkeypatch.setattr(Deletion, "plan", watched)
    answers = await asyncio.gather(*(shop.post(tag="rage_click", dry_run=True) for _ in range(3)))
    assert ({each.status for each in answers}, max(running), len(running)) == ({200}, 1, 6)
