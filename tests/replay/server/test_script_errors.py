"""Script errors in words."""

import msgspec
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from replay.error_book import ErrorBook
from replay.server.script_errors import MAX_ERRORS
from replay.server.services import Services
from schemas.signals import Signal
from tests.replay.samples import T0, record, signal, write
from tests.replay.server.asking import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")


def script_error(session_id: str, fingerprint: str, what: str, t: int) -> Signal:
    evidence = {"fingerprint": fingerprint, "error_type": what, "top_frame": "shop.js:12"}
    of = signal(f"{session_id}-{fingerprint}", session_id=session_id, t=t)
    return msgspec.structs.replace(of, detector="js_error", evidence=evidence)


@pytest_asyncio.fixture(loop_scope="session")
async def erring(stocked: Services) -> Services:
    errors = [script_error("broken", "aaaa", "TypeError", 10), script_error("broken", "bbbb", "RangeError", 20)]
    of = record("broken", tags={"js_error": 2}, errors={"aaaa": 1, "bbbb": 1})
    await stocked.store.apply(write("broken", record_of=of, signals=errors))
    return stocked


async def names(app: ASGIApp, query: str = "", project_id: str = "shop") -> list[tuple[str, str]]:
    answer = await ask(app, f"/api/v1/projects/{project_id}/errors{query}")
    assert answer.status == 200
    return [(each["fingerprint"], each["what"]) for each in answer.json()["errors"]]


@pytest.mark.usefixtures("erring")
async def test_errors_are_told_by_fingerprint_or_the_latest_first(app: ASGIApp) -> None:
    told = [("aaaa", "TypeError at shop.js:12"), ("bbbb", "RangeError at shop.js:12")]
    assert await names(app, "?fingerprint=aaaa&fingerprint=unknown") == told[:1]
    assert await names(app) == told[::-1]
    assert await names(app, project_id="other") == []


async def test_an_error_that_was_resolved_says_so(app: ASGIApp, erring: Services) -> None:
    book = ErrorBook(erring.redis, erring.settings.key_prefix)
    assert await book.resolve("shop", ["aaaa"], T0 + 99) == 1
    answer = await ask(app, "/api/v1/projects/shop/errors?fingerprint=aaaa")
    (error,) = answer.json()["errors"]
    assert (error["first_t"], error["last_t"], error["status"]) == (T0 + 10, T0 + 10, "resolved")


@pytest.mark.parametrize(("count", "status"), [(MAX_ERRORS, 200), (MAX_ERRORS + 1, 400)])
async def test_so_many_may_be_asked_for(app: ASGIApp, count: int, status: int) -> None:
    query = "&".join(f"fingerprint=f{number}" for number in range(count))
    assert (await ask(app, f"/api/v1/projects/shop/errors?{query}")).status == status
