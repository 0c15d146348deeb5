"""A real browser reads stored zstd frames, one after the other, as one body."""

import shutil

import pytest
from playwright.async_api import async_playwright
from redis.asyncio import Redis

from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.server import ServeOptions, Services, create_app
from replay.store import StoreSettings
from tests.replay.asking import serving
from tests.replay.samples import T0, block, write
from tests.servers.redis_server import FoundRedis
from tests.servers.required import Missing, give_up

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASK = """async () => {
    const answer = await fetch('/api/v1/sessions/a/events?window_id=w1');
    const text = await answer.text();
    return [answer.headers.get('content-encoding'), text.split('\\n').length - 1];
}"""


async def test_chromium_goes_on_after_the_first_frame(redis: Redis, redis_server: FoundRedis) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        give_up("chromium", Missing("there is no chromium on PATH"))
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    store = RedisStore(client, StoreSettings(), lambda: T0)
    blocks = [block(range(n, n + 50), sequence=n, padding=300, keyframe=not n) for n in range(20)]
    await store.apply(write(blocks=blocks))
    services = Services(store=store, redis=client, settings=StoreSettings(), reasons={})
    async with serving(create_app(services, ServeOptions(login="none"))) as port, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        # The policy of our own pages names what they may ask for; this page is only a place to ask from.
        page = await browser.new_page(bypass_csp=True)
        await page.goto(f"http://127.0.0.1:{port}/openapi.json")
        assert await page.evaluate(ASK) == ["zstd", 1_000]
        await browser.close()
    await client.close()
