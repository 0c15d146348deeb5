"""Lists over HTTP: filters in the query, pages, counts, projects, saved filters."""

import dataclasses
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from replay.search import facets as facets_module
from replay.search.saved import MAX_FILTERS
from replay.server import ServeOptions, Services, create_app
from replay.server.tokens import Tokens
from schemas.session_record import PageVisit
from tests.replay.samples import T0, record, write
from tests.replay.server.asking import Answer, ask

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOP = "/api/v1/projects/shop"
CHANGES = {"x-wince-request": "1"}


@pytest_asyncio.fixture(loop_scope="session")
async def app(services: Services) -> ASGIApp:
    """Twelve sessions of two projects, without a login."""
    for number in range(10):
        made = record(
            f"s{number}",
            started_at=T0 + number,
            last_event_at=T0 + 10_000 * (10 - number),
            score=float(number * 10 % 70),
            status="open" if number == 9 else "ended",
            tags={"rage_click": 2, "js_error": 1} if number % 2 else {"rage_click": 1},
            pages=[PageVisit(f"https://shop.test/product/{number}?q=***", "w1", T0)],
            user_id="mia" if number == 3 else None,
            attributes={"device": "phone" if number < 4 else "desktop", "release": "1.0", "country": "NO"},
            errors={"beef": 1} if number % 2 else {},
        )
        await services.store.apply(write(made.session_id, record_of=made))
    for number in range(2):
        await services.store.apply(write(f"other{number}", project_id="blog"))
    return create_app(services, ServeOptions(login="none"))


async def ids(app: ASGIApp, query: str = "") -> list[str]:
    answer = await ask(app, f"{SHOP}/sessions?{query}")
    assert answer.status == 200, answer.body
    return [each["session_id"] for each in answer.json()["sessions"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "s9 s8 s7 s6 s5 s4 s3 s2 s1 s0"),
        ("tag=js_error", "s9 s7 s5 s3 s1"),
        ("tag=js_error&tag=rage_click&sort=score", "s5 s3 s9 s1 s7"),
        ("tag=js_error&min_score=30&max_score=30.0", "s3"),
        (f"from={T0 + 4}&to={T0 + 6}", "s5 s4"),
        ("sort=duration&max_duration_ms=30000&limit=2", "s7 s8"),
        ("device=phone&country=NO&release=1.0&error=beef", "s3 s1"),
        ("status=open", "s9"),
        ("user=mia", "s3"),
        ("page=" + quote("https://shop.test/product/7?x=1", safe=""), "s7"),
        ("page=" + quote("https://shop.test/product/*", safe="") + "&limit=1", "s9"),
        ("q=s4", "s4"),
        ("q=mia", "s3"),
        ("q=UCT/8", "s8"),
        ("page=nowhere", ""),
        ("tag=&status=&q=&limit=1", "s9"),
    ],
)
async def test_sessions_are_listed_by_any_filters(app: ASGIApp, query: str, expected: str) -> None:
    assert await ids(app, query) == expected.split()


async def test_people_are_found_by_what_was_sent_though_a_hash_is_stored(services: Services) -> None:
    known = dataclasses.replace(services, known_as=lambda _, user: (user, f"hash-of-{user}"))
    app = create_app(known, ServeOptions(login="none"))
    for session_id, user in (("hashed", "hash-of-mia"), ("plain", "ole")):
        await services.store.apply(write(session_id, record_of=record(session_id, user_id=user)))
    for query, expected in [
        ("user=mia", ["hashed"]), ("q=mia", ["hashed"]), ("user=ole", ["plain"]), ("q=pla", ["plain"]), ("q=eva", []),
    ]:  # fmt: skip
        assert await ids(app, query) == expected
        assert (await ask(app, f"{SHOP}/facets?{query}")).json()["counted"] == len(expected)


async def test_pages_follow_each_other(app: ASGIApp) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        answer = (await ask(app, f"{SHOP}/sessions?tag=rage_click&sort=score&limit=4&cursor={cursor}")).json()
        found += [each["session_id"] for each in answer["sessions"]]
        assert (answer["total"], answer["is_partial"]) == (10, False)
        cursor = answer["cursor"]
        if not cursor:
            break
    assert len(found) == len(set(found)) == 10


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=x", "sort=name", "status=lost", "min_score=101", "min_score=nan", "from=soon",
        "tags=x", "colour=red", "page=a&page=b", f"q={'x' * 301}", "&".join(["tag=a"] * 21),
        "min_duration_ms=-1", "from=99999999999999999999",
    ],
)  # fmt: skip
async def test_wrong_parameters_are_told(app: ASGIApp, query: str) -> None:
    answer = await ask(app, f"{SHOP}/sessions?{query}")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("cursor", ["x", "eyJhIjoxfQ"])
async def test_a_cursor_of_another_list_does_not_fit(app: ASGIApp, cursor: str) -> None:
    answer = await ask(app, f"{SHOP}/sessions?cursor={cursor}")
    assert (answer.status, answer.json()["title"]) == (409, "does not fit")


async def test_cursors_of_other_lists_are_refused(app: ASGIApp) -> None:
    cursor = (await ask(app, f"{SHOP}/sessions?limit=1")).json()["cursor"]
    for query in ("cursor=x", f"cursor={cursor}&sort=score", f"cursor={cursor}&tag=js_error"):
        assert (await ask(app, f"{SHOP}/sessions?{query}")).status == 409


async def test_facets_count_what_is_listed(app: ASGIApp) -> None:
    assert (await ask(app, f"{SHOP}/facets?tag=js_error&device=desktop")).json() == {
        "tags": {"js_error": 3, "rage_click": 3},
        "pages": {"https://shop.test/product/*": 3},
        "devices": {"desktop": 3},
        "releases": {"1.0": 3},
        "countries": {"NO": 3},
        "errors": {"beef": 3},
        "status": {"ended": 2, "open": 1},
        "counted": 3,
        "is_partial": False,
    }


async def test_facets_of_many_sessions_are_of_the_latest(app: ASGIApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets_module, "COUNTED_MAX", 4)
    found = (await ask(app, f"{SHOP}/facets")).json()
    assert (found["counted"], found["is_partial"], found["devices"]) == (4, True, {"desktop": 4})


async def test_projects_are_listed_with_their_sessions(app: ASGIApp) -> None:
    answer = await ask(app, "/api/v1/projects")
    assert answer.json() == {
        "projects": [{"project_id": "blog", "sessions": 2}, {"project_id": "shop", "sessions": 10}]
    }


@pytest.mark.usefixtures("app")
async def test_a_token_sees_its_own_project_only(services: Services) -> None:
    guarded = create_app(services, ServeOptions())
    secret, _ = await Tokens(services.redis, services.names, services.clock_ms).create("viewer", "shop")
    headers = {"authorization": f"Bearer {secret}"}
    projects = (await ask(guarded, "/api/v1/projects", headers=headers)).json()["projects"]
    assert [each["project_id"] for each in projects] == ["shop"]
    assert (await ask(guarded, f"{SHOP}/sessions", headers=headers)).status == 200
    assert (await ask(guarded, f"{SHOP}/filters", headers=headers)).status == 200
    for path in ("sessions", "facets", "filters", "overview", "heatmap?page=x"):
        assert (await ask(guarded, f"/api/v1/projects/blog/{path}", headers=headers)).status == 403
        assert (await ask(guarded, f"{SHOP}/{path}")).status == 401
    refused = await ask(
        guarded, f"{SHOP}/filters", method="POST", headers=headers, body={"name": "a", "query": "tag=a"}
    )
    assert refused.status == 403


async def save(app: ASGIApp, name: str = "painful", query: str = "min_score=50&tag=js_error") -> Answer:
    return await ask(app, f"{SHOP}/filters", method="POST", headers=CHANGES, body={"name": name, "query": query})


async def filters(app: ASGIApp) -> list[Any]:
    found: list[Any] = (await ask(app, f"{SHOP}/filters")).json()["filters"]
    return found


async def test_filters_are_saved_listed_and_deleted(app: ASGIApp, services: Services) -> None:
    first = await save(app)
    assert first.status == 201
    await save(app, "calm", "project=shop&range=7d&sort=time&max_score=0")
    assert [each["name"] for each in await filters(app)] == ["calm", "painful"]
    assert first.json() in await filters(app)
    assert first.json()["created_at"] == services.clock_ms()
    assert (await ask(app, "/api/v1/projects/blog/filters")).json() == {"filters": []}
    path = f"{SHOP}/filters/{first.json()['id']}"
    assert (await ask(app, path, method="DELETE", headers=CHANGES)).status == 204
    assert (await ask(app, path, method="DELETE", headers=CHANGES)).status == 404
    assert [each["name"] for each in await filters(app)] == ["calm"]


@pytest.mark.parametrize("query", ["user=mia", "tag=a&q=mia", "us%65r=mia", "colour=red", "no query", "%FF=1"])
async def test_filters_that_name_a_person_or_nothing_are_not_saved(app: ASGIApp, query: str) -> None:
    answer = await save(app, query=query)
    assert answer.status == 409
    assert await filters(app) == []


async def test_a_project_has_so_many_filters(app: ASGIApp) -> None:
    for number in range(MAX_FILTERS):
        assert (await save(app, f"f{number}")).status == 201
    assert (await save(app)).status == 409
    assert len(await filters(app)) == MAX_FILTERS


async def test_wrong_bodies_are_refused(app: ASGIApp) -> None:
    for body in (
        {},
        {"name": "", "query": ""},
        {"name": "x" * 101, "query": ""},
        {"name": "a", "query": "a" * 2_001},
        5,
    ):
        answer = await ask(app, f"{SHOP}/filters", method="POST", headers=CHANGES, body=msgspec.json.encode(body))
        assert answer.status == 400
