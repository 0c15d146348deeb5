"""Exports over HTTP: files at once, films when they are made, and a plain answer where there is none."""

import asyncio
import gc
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.types import ASGIApp

from replay.errors import Saturated, Unavailable
from replay.export.film_job import MAX_FRAMES
from replay.export.plan import plan_export
from replay.room import Room
from replay.server import ServeOptions, Services, create_app
from replay.server import exports as module
from replay.server.audit import Audit
from replay.server.exports import FILE_PLACES, Exporter, ExportRequest
from tests.replay.export.recordings import Tree, change, draft, meta, put, snapshot
from tests.replay.samples import T0
from tests.replay.server.asking import Answer, ask
from tests.servers.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/api/v1/sessions/played/exports"


@pytest.fixture
def app(services: Services) -> ASGIApp:
    return create_app(services, ServeOptions(login="none"))


async def fill(services: Services) -> None:
    tree = Tree()
    page = tree.document([], [tree.element("p", {}, tree.text("a page"))])
    await put(services.store, draft([meta(), snapshot(page), change(2_000)]), session_id="played")


async def post(app: ASGIApp, path: str = PATH, **body: object) -> Answer:
    return await ask(app, path, method="POST", body=body, headers={"x-wince-request": "1"})


async def test_a_file_is_sent_to_be_kept_and_may_do_nothing_here(app: ASGIApp, services: Services) -> None:
    await fill(services)
    answer = await post(app)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="wince-played.html"'
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.body.startswith(b"<!doctype html>")
    assert answer.body.endswith(b"</body>\n</html>\n")
    assert b'data-window="0"' in answer.body


@pytest.mark.parametrize("kind", ["gif", "mp4"])
@pytest.mark.usefixtures("chromium")
async def test_a_film_is_sent_when_it_is_made(app: ASGIApp, services: Services, kind: str) -> None:
    await fill(services)
    answer = await post(app, format=kind, to=T0 + 500, fps=4, width=320)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == {"gif": "image/gif", "mp4": "video/mp4"}[kind]
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.body[:12].find({"gif": b"GIF8", "mp4": b"ftyp"}[kind]) in {0, 4}


async def test_where_nothing_can_be_shown_that_is_said(app: ASGIApp, stocked: Services) -> None:
    answer = await post(app, "/api/v1/sessions/calm/exports")
    assert (answer.status, answer.json()["title"]) == (409, "nothing to show")
    assert (await post(app, "/api/v1/sessions/ghost/exports")).status == 404
    await fill(stocked)
    assert (await post(app, window_id="w9")).status == 409
    backwards: dict[str, Any] = {"from": T0 + 2, "to": T0 + 1}
    assert (await post(app, **backwards)).status == 409


@pytest.mark.parametrize(
    "wrong",
    [{"format": "png"}, {"from": -1}, {"fps": 99}, {"width": 1}, {"colour": "red"}],
)
async def test_wrong_requests_are_refused(app: ASGIApp, services: Services, wrong: dict[str, Any]) -> None:
    await fill(services)
    assert (await post(app, **wrong)).status == 400


@pytest.mark.usefixtures("chromium")
async def test_a_film_that_is_too_long_is_refused(app: ASGIApp, services: Services) -> None:
    await fill(services)
    answer = await post(app, format="mp4", to=T0 + 1_000 * MAX_FRAMES, fps=2)
    assert (answer.status, answer.json()["title"]) == (422, "too large")


async def test_without_chromium_it_says_what_to_install(
    app: ASGIApp, services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await fill(services)
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = await post(app, format="gif")
    assert (answer.status, answer.json()["title"]) == (501, "not installed")
    assert "Chromium" in answer.json()["detail"]


@pytest.mark.usefixtures("chromium")
async def test_one_film_is_made_at_a_time(app: ASGIApp, services: Services) -> None:
    await fill(services)
    films = [post(app, format="gif", to=T0 + 250, fps=4, width=320) for _ in range(2)]
    first, second = sorted(await asyncio.gather(*films), key=lambda answer: answer.status)
    assert (first.status, second.status) == (200, 503)
    assert second.json()["title"] == "busy"
    assert int(second.headers["retry-after"]) > 0


async def test_slow_readers_leave_places_for_others(services: Services) -> None:
    await fill(services)
    room = Room(FILE_PLACES, wait_seconds=0)
    exporter = Exporter(services, room)
    stored = await services.store.record("played")
    assert stored is not None
    plan = plan_export(stored, await services.store.index("played"), None, None, None)
    slow, other = room.of("slow"), room.of("other")
    open_ones = [exporter._pieces(plan, slow) for _ in range(FILE_PLACES // 4)]
    for pieces in open_ones:
        await anext(pieces)
    with pytest.raises(Saturated):
        await exporter._file(plan, slow)
    await exporter._file(plan, other)
    for pieces in open_ones:
        await pieces.aclose()
    await exporter._file(plan, slow)


@pytest.mark.usefixtures("chromium")
async def test_a_film_that_may_not_be_watched_is_closed(
    app: ASGIApp, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(services)

    async def refuse(*_: object) -> None:
        raise Unavailable("the audit log cannot be written")

    monkeypatch.setattr(Audit, "watched", refuse)
    answer = await post(app, format="gif", to=T0 + 250, fps=4, width=320)
    assert answer.status == 503
    gc.collect()
    await until(_is_film_closed, 30, "the film is closed")


async def _is_film_closed() -> bool:
    return not await asyncio.to_thread(_is_film_open)


def _is_film_open() -> bool:
    targets = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            targets.append(str(descriptor.readlink()))
    return any("wince-export" in target for target in targets)


@pytest.mark.usefixtures("chromium")
async def test_a_film_that_takes_too_long_is_given_up(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(services)
    monkeypatch.setattr(module, "FILM_TIME_LIMIT_SECONDS", 0.5)
    answer = await post(create_app(services, ServeOptions(login="none")), format="gif", to=T0 + 250, width=320)
    assert (answer.status, answer.json()["title"]) == (422, "too slow")


async def test_names_in_json_are_those_of_the_contract() -> None:
    assert msgspec.convert({"from": 1, "to": 2}, ExportRequest) == ExportRequest(from_t=1, to_t=2)
