"""Moments of many sessions at once, for drawing."""

import pytest
from starlette.types import ASGIApp

from replay.server.moments import MAX_MOMENTS, MAX_SESSIONS
from replay.server.services import Services
from tests.replay.samples import T0, record, signal, write
from tests.replay.server.asking import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def moments(app: ASGIApp, *session_ids: str, project_id: str = "shop") -> list[object]:
    query = "&".join(f"session_id={session_id}" for session_id in session_ids)
    answer = await ask(app, f"/api/v1/projects/{project_id}/moments?{query}")
    assert answer.status == 200
    found: list[object] = answer.json()["sessions"]
    return found


async def test_each_session_has_its_moments_in_the_order_asked_for(app: ASGIApp) -> None:
    assert await moments(app, "calm", "a", "unknown") == [
        {"session_id": "calm", "moments": [], "total": 0},
        {
            "session_id": "a",
            "moments": [{"t": T0, "detector": "rage_click", "window_id": "w1", "text": "Pay"}],
            "total": 1,
        },
        {"session_id": "unknown", "moments": [], "total": 0},
    ]


async def test_sessions_of_another_project_have_none(app: ASGIApp) -> None:
    assert await moments(app, "a", project_id="other") == [{"session_id": "a", "moments": [], "total": 0}]


async def test_only_the_first_moments_are_given_and_all_are_counted(app: ASGIApp, stocked: Services) -> None:
    many = [signal(f"s{number}", session_id="busy", t=number, count=3) for number in range(MAX_MOMENTS + 1)]
    await stocked.store.apply(write("busy", record_of=record("busy"), signals=many))
    (busy,) = await moments(app, "busy")
    assert isinstance(busy, dict)
    assert busy["total"] == MAX_MOMENTS + 1
    assert [moment["t"] - T0 for moment in busy["moments"]] == list(range(MAX_MOMENTS))
    assert busy["moments"][0]["count"] == 3


@pytest.mark.parametrize(("count", "status"), [(0, 200), (MAX_SESSIONS, 200), (MAX_SESSIONS + 1, 400)])
async def test_so_many_sessions_may_be_asked_for(app: ASGIApp, count: int, status: int) -> None:
    query = "&".join(f"session_id=s{number}" for number in range(count))
    assert (await ask(app, f"/api/v1/projects/shop/moments?{query}")).status == status
