"""Summaries over HTTP: of a whole session, of a shared range, and in a model's words."""

import asyncio
import dataclasses
from typing import Any

import pytest
from starlette.types import ASGIApp

from replay.server import ServeOptions, Services, create_app, summary
from replay.summary.model import Rephraser
from replay.summary.reading import summarize_session
from replay.summary.types import Summary
from schemas.session_record import PageVisit
from tests.replay.samples import T0, block, record, signal, write
from tests.replay.server.asking import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/api/v1/sessions/{}/summary"


async def test_a_summary_tells_a_session_and_names_its_signals(app: ASGIApp) -> None:
    answer = await ask(app, PATH.format("a"))
    told: Summary = answer.json(Summary)
    assert answer.status == 200
    assert told.headline == "Clicked the button “Pay” again and again on /cart; the session is still open."
    assert told.rephrased is None
    assert [sentence.signal_ids for sentence in told.sentences if sentence.kind == "friction"] == [["s1"]]


async def test_there_is_none_of_an_unknown_session(app: ASGIApp) -> None:
    assert (await ask(app, PATH.format("ghost"))).status == 404


async def test_a_models_words_are_given_only_if_asked_for(stocked: Services) -> None:
    rephraser = Rephraser("local", lambda _: "Paid in vain.", timeout_ms=60_000, max_chars=100)
    app = create_app(dataclasses.replace(stocked, rephraser=rephraser), ServeOptions(login="none"))
    assert (await ask(app, PATH.format("a"))).json(Summary).rephrased is None
    told = (await ask(app, PATH.format("a") + "?rephrased=true")).json(Summary).rephrased
    assert (told.text, told.by) == ("Paid in vain.", "local")


async def test_of_a_range_nothing_outside_is_told(stocked: Services) -> None:
    pages = [PageVisit(f"https://shop.test/{t}", "w1", T0 + t) for t in (0, 4_000, 9_000)]
    long = record("long", pages=pages, last_event_at=T0 + 10_000, status="ended", end_reason="idle")
    signals = [signal("early", session_id="long", t=500), signal("late", session_id="long", t=5_000, count=4)]
    await stocked.store.apply(write("long", record_of=long, signals=signals, blocks=[block([0, 4_000, 9_999])]))
    stored = await stocked.store.record("long")
    assert stored is not None
    told = await summarize_session(stocked.store, stored, T0 + 3_000, T0 + 8_000)
    assert [sentence.text for sentence in told.sentences] == [
        "Landed on /4000 (4 s).",
        "Clicked the button “Pay” 4 times in 0.5 s on /cart.",
        "The recording ends after 5 s, 2.5 s after the last friction.",
    ]


async def test_a_model_is_not_asked_for_who_has_a_link(stocked: Services) -> None:
    rephraser = Rephraser("local", lambda _: "Paid in vain.", timeout_ms=60_000, max_chars=100)
    app = create_app(dataclasses.replace(stocked, rephraser=rephraser), ServeOptions(login="none"))
    own = {"x-wince-request": "1"}
    link = (await ask(app, "/api/v1/sessions/a/shares", method="POST", headers=own)).json()["url"].rpartition("/")[2]
    answer = await ask(app, f"/api/v1/shared/{link}/summary?rephrased=true")
    assert (answer.status, answer.json(Summary).rephrased) == (200, None)


async def test_each_who_asks_gets_one_at_a_time(stocked: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[int] = []

    async def watched(*asked: Any) -> Summary:
        running.append(1 + (running[-1] if running else 0))
        told = await summarize_session(*asked)
        running.append(running[-1] - 1)
        return told

    monkeypatch.setattr(summary, "summarize_session", watched)
    app = create_app(stocked, ServeOptions(login="none"))
    answers = await asyncio.gather(*(ask(app, PATH.format("a")) for _ in range(4)))
    assert ({each.status for each in answers}, max(running), len(running)) == ({200}, 1, 8)
