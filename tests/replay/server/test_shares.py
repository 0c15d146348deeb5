"""Share links: what they show, for how long, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import Route

from replay.blocks import encode_block, join_lines
from replay.redis_client import Call
from replay.server import ServeOptions, Services, create_app
from replay.server.access import Scope
from replay.server.endpoints import SHARED_PATH
from replay.server.share_links import MAX_SHARES
from replay.server.tokens import Tokens
from replay.writes import BlockDraft
from schemas.session_record import ScorePart
from tests.replay.samples import T0, block, record, signal, write
from tests.replay.server.asking import Answer, ask
from tests.replay.server.conftest import NOW, application
from tests.replay.wires import dump

SESSION = "/api/v1/sessions/a"
DAY_MS = 86_400_000


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Shop:
    """The application, a token that may do everything in one project, and links made with it."""

    def __init__(self, app: Starlette, text: str, services: Services) -> None:
        self.app = app
        self.services = services
        self._bearer = {"authorization": f"Bearer {text}"}

    async def ask(self, path: str, method: str = "GET", body: object = b"") -> Answer:
        return await ask(self.app, path, method=method, headers=self._bearer, body=body)

    async def share(self, **asked: int) -> str:
        """Make a link; give the path its API begins with."""
        answer = await self.ask(f"{SESSION}/shares", "POST", asked)
        assert answer.status == 201, answer.body
        url: str = answer.json()["url"]
        return "/api/v1/shared/" + urlsplit(url).path.removeprefix("/p/")

    async def read(self, path: str) -> Answer:
        """Ask without any token."""
        return await ask(self.app, path)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(services: Services, clock: Clock) -> Shop:
    services = replace(services, clock_ms=clock)
    visible = record("a", user_id="ada@shop.test", anonymous_id="anon-1")
    drafts = [block([0, 10], keyframe=True), block([20, 30], sequence=1), block([40, 50], keyframe=True, sequence=2)]
    signals = [signal(), signal("s2", t=45)]
    await services.store.apply(write(record_of=visible, blocks=drafts, signals=signals))
    text, _ = await Tokens(services.redis, services.names, clock).create("Ada", "shop", tuple(Scope))
    return Shop(create_app(services, ServeOptions()), text, services)


@pytest.mark.asyncio(loop_scope="session")
class TestWhatALinkShows:
    async def test_the_session_without_who_it_was(self, shop: Shop) -> None:
        link = await shop.share()
        shown = (await shop.read(link)).json()
        assert shown["session_id"] == "a"
        assert "user_id" not in shown
        assert "anonymous_id" not in shown
        assert (await shop.ask(SESSION)).json()["user_id"] == "ada@shop.test"

    async def test_its_parts(self, shop: Shop) -> None:
        link = await shop.share()
        for path in ("", "/signals", "/index", "/timeline", "/summary", "/events?window_id=w1"):
            assert (await shop.read(link + path)).status == 200, path

    async def test_nothing_else(self, shop: Shop) -> None:
        link = await shop.share()
        for path in ("/explain", "/bundle", "/blocks?window_id=w1", "/data", "/live", "/shares", "/exports"):
            assert (await shop.read(link + path)).status == 404, path
        token = link.rpartition("/")[2]
        for path in (SESSION, "/api/v1/projects", "/api/v1/projects/shop/audit", "/api/v1/access"):
            refused = await ask(shop.app, path, headers={"authorization": f"Bearer {token}"})
            assert refused.status == 401, path

    async def test_only_the_moments_of_its_range(self, shop: Shop) -> None:
        link = await shop.share(**{"from": T0 + 40, "to": T0 + 45})
        lines = (await shop.read(f"{link}/events?window_id=w1&from=0&to={T0 + 10_000}")).body
        assert [b'"timestamp":%d' % (T0 + t) in lines for t in (0, 10, 20, 30, 40, 50)] == [False] * 4 + [True, False]
        assert [each["id"] for each in (await shop.read(f"{link}/signals")).json()] == ["s2"]

    async def test_a_record_tells_nothing_found_outside_of_it(self, shop: Shop) -> None:
        tags, errors, parts = {"rage_click": 2, "js_error": 1}, {"f1": 1}, [ScorePart("js_error", 1, 5.0)]
        found = record("a", tags=tags, errors=errors, score_parts=parts)
        await shop.services.store.apply(write(base=1, record_of=found, signals=[signal(), signal("s2", t=45)]))
        part = (await shop.read(await shop.share(**{"from": T0 + 40, "to": T0 + 50}))).json()
        assert (part["tags"], part.get("errors"), part["score_parts"], part["pages"]) == (
            {"rage_click": 1},
            None,
            [],
            [],
        )
        whole = (await shop.read(await shop.share())).json()
        assert (whole["tags"], whole["errors"]) == (tags, errors)

    async def test_what_its_first_picture_is_made_of_comes_from_the_keyframe_before(self, shop: Shop) -> None:
        """Without what changed the page since then nothing could be drawn at all; what was done there is not told."""
        told: list[dict[str, object]] = [
            {"type": 4, "timestamp": T0, "data": {"width": 9, "height": 9}},
            {"type": 2, "timestamp": T0 + 1, "data": {"node": {"id": 1}}},
            {"type": 3, "timestamp": T0 + 2, "data": {"source": 0}},
            {"type": 3, "timestamp": T0 + 3, "data": {"source": 2, "type": 2}},
            {"type": 6, "timestamp": T0 + 4, "data": {"plugin": "rrweb/console@1"}},
            {"type": "press", "kind": "click", "t": T0 + 5},
            {"type": 3, "timestamp": T0 + 25, "data": {"source": 2, "type": 2}},
            {"type": "press", "kind": "click", "t": T0 + 26},
            {"type": 3, "timestamp": T0 + 36, "data": {"source": 0}},
        ]
        text = join_lines([msgspec.json.encode(each) for each in told])
        draft = BlockDraft("w1", 0, encode_block(text), len(text), len(told), T0, T0 + 36, keyframe=True)
        await shop.services.store.withdraw("a", "test")
        await shop.services.redis.run(Call("DEL", (shop.services.names.session("a").meta,)), "list")
        await shop.services.store.apply(write(blocks=[draft]))
        link = await shop.share(**{"from": T0 + 25, "to": T0 + 35})
        lines = (await shop.read(f"{link}/events?window_id=w1")).body.splitlines()
        assert [msgspec.json.decode(line) for line in lines] == [*told[:3], *told[6:8]]

    async def test_the_page_of_a_link_knows_when_it_ends(self, shop: Shop) -> None:
        link = await shop.share(expires_in_s=60)
        assert (await shop.read("/p/" + link.rpartition("/")[2])).status == 200


@pytest.mark.asyncio(loop_scope="session")
class TestHowLong:
    async def test_until_it_expires_to_the_millisecond(self, shop: Shop, clock: Clock) -> None:
        link = await shop.share(expires_in_s=10)
        clock.now_ms += 9_999
        assert (await shop.read(link)).status == 200
        clock.now_ms += 1
        gone = await shop.read(link)
        assert (gone.status, gone.headers["content-type"]) == (404, "application/problem+json")

    async def test_a_week_if_nothing_is_said_and_no_longer_than_is_allowed(self, shop: Shop) -> None:
        answer = await shop.ask(f"{SESSION}/shares", "POST", {})
        assert answer.json()["expires_at"] == NOW + 7 * DAY_MS
        assert (await shop.ask(f"{SESSION}/shares", "POST", {"expires_in_s": 30 * 86_400 + 1})).status == 409

    async def test_until_it_is_revoked(self, shop: Shop) -> None:
        link = await shop.share()
        (listed,) = (await shop.ask(f"{SESSION}/shares")).json()["shares"]
        assert (await shop.ask(f"/api/v1/shares/{listed['share_id']}", "DELETE")).status == 204
        assert (await shop.read(link)).status == 404
        assert (await shop.ask(f"/api/v1/shares/{listed['share_id']}", "DELETE")).status == 404
        assert (await shop.ask(f"{SESSION}/shares")).json() == {"shares": []}

    async def test_until_its_session_is_deleted(self, shop: Shop, redis: Redis) -> None:
        link = await shop.share()
        receipt = (await shop.ask(SESSION, "DELETE")).json()
        key = shop.services.names.session("a").shares
        assert key in receipt["sessions"][0]["keys"]
        assert await redis.exists(key) == 0
        assert (await shop.read(link)).status == 404
        assert (await shop.ask(f"{SESSION}/shares", "POST", {})).status == 404

    async def test_redis_forgets_links_when_the_last_ends(self, shop: Shop, redis: Redis) -> None:
        await shop.share(expires_in_s=100)
        await shop.share(expires_in_s=10)
        assert 10_000 < await redis.pttl(shop.services.names.session("a").shares) <= 100_000


@pytest.mark.asyncio(loop_scope="session")
class TestMaking:
    async def test_what_is_kept_of_a_link(self, shop: Shop, redis: Redis) -> None:
        link = await shop.share(**{"from": T0, "to": T0 + 10})
        secret = link.rpartition(".")[2]
        assert len(secret) == 43
        assert secret not in repr(await dump(redis))
        (listed,) = (await shop.ask(f"{SESSION}/shares")).json()["shares"]
        assert (listed["from"], listed["to"], listed["created_at"]) == (T0, T0 + 10, NOW)
        assert "sha256" not in listed

    async def test_wrong_links_are_none_and_count_as_wrong_logins(self, shop: Shop) -> None:
        link = await shop.share()
        wrong = [link[:-1], link + "a", link.replace(".", ".0", 1), "/api/v1/shared/x", "/api/v1/shared/.."]
        assert {(await shop.read(path)).status for path in wrong} == {404}
        statuses = [(await shop.read(link[:-1])).status for _ in range(8)]
        assert statuses[-1] == 429
        assert (await shop.read(link)).status == 200

    async def test_ranges_and_times_that_make_no_sense(self, shop: Shop) -> None:
        assert (await shop.ask(f"{SESSION}/shares", "POST", {"from": 2, "to": 1})).status == 409
        for wrong in ({"expires_in_s": 0}, {"from": "soon"}, {"until": 5}):
            assert (await shop.ask(f"{SESSION}/shares", "POST", wrong)).status == 400, wrong

    async def test_there_are_only_so_many_at_a_time(self, shop: Shop, clock: Clock) -> None:
        for _ in range(MAX_SHARES):
            await shop.share(expires_in_s=10)
        assert (await shop.ask(f"{SESSION}/shares", "POST", {})).status == 409
        clock.now_ms += 10_000
        await shop.share()

    async def test_a_link_of_another_project_cannot_be_seen_or_revoked(self, shop: Shop) -> None:
        link = await shop.share()
        share_id = link.rpartition("/")[2].rpartition(".")[0]
        text, _ = await Tokens(shop.services.redis, shop.services.names, shop.services.clock_ms).create(
            "foreign", "travel", tuple(Scope)
        )
        foreign = {"authorization": f"Bearer {text}"}
        assert (await ask(shop.app, f"/api/v1/shares/{share_id}", method="DELETE", headers=foreign)).status == 404
        assert (await shop.read(link)).status == 200


def shared_paths() -> Iterator[str]:
    for route in application().routes:
        if isinstance(route, Route) and route.path.startswith(SHARED_PATH):
            yield route.path.removeprefix(SHARED_PATH)


def test_the_list_of_what_links_reach_is_complete() -> None:
    assert set(shared_paths()) == {"", "/signals", "/index", "/timeline", "/summary", "/events"}
