"""Links to moments, in a real store: who may see what, for how long, and nothing of what was deleted."""

import re
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from engine.alerts.delivery.links import AFTER_MS, BEFORE_MS, MomentLinks, Shown, ViewerSettings
from engine.alerts.routes import Route
from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.redis_store import RedisStore
from replay.server.share_links import MAX_SHARES, ShareLinks
from replay.store import StoreSettings
from schemas.alert_messages import AlertLink
from schemas.alerts import Alert, Moment
from tests.engine.alerts.delivery.alerts import alert
from tests.replay.samples import T0, record, write

DAY = 86_400_000
PUBLIC = "https://replay.example"
NAMES = KeyNames("wince")
ROUTE = Route(name="a", kind="slack", url="env:A", share_lifetime_ms=3 * DAY)
SHOWN = alert(moments=[Moment("a", T0 + 500), Moment("b", T0 + 600), Moment("c d/e", T0 + 700)])


@pytest_asyncio.fixture
async def store(client: RedisClient) -> AsyncIterator[RedisStore]:
    """Sessions a and b are stored; of the third nothing is yet."""
    store = RedisStore(client, StoreSettings(), lambda: T0)
    for name in ("a", "b"):
        await store.apply(write(name, record_of=record(name)))
    yield store


async def made(  # noqa: PLR0913 - one for each thing that can differ
    client: RedisClient, alert: Alert = SHOWN, route: Route = ROUTE, before: list[AlertLink] | None = None,
    *, max_days: int = 30, may_share: bool = True, public_url: str = PUBLIC,
) -> Shown:  # fmt: skip
    links = MomentLinks(client, "wince", ViewerSettings(public_url, max_days * DAY, 100), lambda: T0)
    return await links.make(alert, route, before, may_share=may_share)


@pytest.mark.usefixtures("store")
async def test_a_link_shows_what_is_around_its_moment_to_everybody_for_some_days(client: RedisClient) -> None:
    shown = await made(client)
    assert shown.alert == SHOWN
    assert [link.expires_at for link in shown.links] == [T0 + 3 * DAY, T0 + 3 * DAY, None]
    found = re.fullmatch(rf"{PUBLIC}/p/([^/?]+)\?t={T0 + 500}", shown.links[0].url)
    assert found
    share = await ShareLinks(client, NAMES, lambda: T0).recognise(found[1])
    assert share is not None
    assert (share.session_id, share.project_id, share.created_by) == ("a", "shop", "alerts")
    assert (share.from_t, share.to_t) == (T0 + 500 - BEFORE_MS, T0 + 500 + AFTER_MS)
    assert await ShareLinks(client, NAMES, lambda: T0 + 3 * DAY).recognise(found[1]) is None


@pytest.mark.usefixtures("store")
async def test_sharing_is_in_the_audit_log(client: RedisClient) -> None:
    await made(client)
    entries = await client.run(Call("XRANGE", (NAMES.audit("shop"),), ("-", "+")))
    assert str(entries).count("b'share'") == 2
    assert "alerts: a" in str(entries)


@pytest.mark.usefixtures("store")
async def test_what_is_not_stored_yet_is_for_who_can_sign_in(client: RedisClient) -> None:
    assert (await made(client)).links[2].url == f"{PUBLIC}/s/c%20d%2Fe?t={T0 + 700}"


@pytest.mark.usefixtures("store")
async def test_the_server_says_how_long_a_link_can_be_good(client: RedisClient) -> None:
    assert (await made(client, max_days=1)).links[0].expires_at == T0 + DAY


@pytest.mark.usefixtures("store")
async def test_a_route_says_what_links_it_wants(client: RedisClient) -> None:
    viewer = await made(client, route=msgspec.structs.replace(ROUTE, links="viewer"))
    assert [link.url for link in viewer.links[:2]] == [f"{PUBLIC}/s/a?t={T0 + 500}", f"{PUBLIC}/s/b?t={T0 + 600}"]
    assert (await made(client, route=msgspec.structs.replace(ROUTE, links="none"))).links == []
    assert (await made(client, public_url="")).links == []
    assert [link.expires_at for link in (await made(client, may_share=False)).links] == [None] * 3


async def test_deleted_sessions_are_not_named(client: RedisClient, store: RedisStore) -> None:
    before = (await made(client)).links
    await store.withdraw("a", "session_deleted")
    for shown in (await made(client), await made(client, before=before)):
        assert [moment.session_id for moment in shown.alert.moments] == ["b", "c d/e"]
        assert [link.session_id for link in shown.links] == ["b", "c d/e"]


async def test_sessions_of_other_projects_are_not_named(client: RedisClient, store: RedisStore) -> None:
    await store.apply(write("x", record_of=record("x", project_id="other")))
    shown = await made(client, alert(moments=[Moment("x", T0), Moment("a", T0)]))
    assert [moment.session_id for moment in shown.alert.moments] == ["a"]


@pytest.mark.usefixtures("store")
async def test_another_attempt_makes_no_more_links(client: RedisClient) -> None:
    links = ShareLinks(client, NAMES, lambda: T0)
    before = (await made(client)).links
    assert (await made(client, before=before)).links == before
    assert len(await links.in_force("a")) == 1


@pytest.mark.usefixtures("store")
async def test_a_session_with_all_its_links_is_for_who_can_sign_in(client: RedisClient) -> None:
    links = ShareLinks(client, NAMES, lambda: T0)
    for _ in range(MAX_SHARES):
        await links.create(record("a"), "t", T0 + DAY, from_t=None, to_t=None)
    shown = await made(client)
    assert [link.expires_at is None for link in shown.links] == [True, False, True]
