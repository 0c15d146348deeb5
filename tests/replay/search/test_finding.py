"""Whatever is looked for: what is found is what a plain look at all records finds, in bounded steps."""

import random

import msgspec
import pytest

from replay.errors import Poison
from replay.redis_client import Call, RedisClient
from replay.redis_store import RedisStore
from replay.search import finding, plan, walking
from replay.search.filters import SessionFilter
from replay.search.finding import SessionSearch
from schemas.session_record import SessionRecord
from tests.replay.samples import T0, record, write
from tests.replay.search.world import plainly, random_filter, random_record

pytestmark = pytest.mark.asyncio(loop_scope="session")

SORTS = ("time", "score", "duration")


def wanted(**given: object) -> SessionFilter:
    return msgspec.convert(given, SessionFilter)


async def fill(store: RedisStore, records: list[SessionRecord]) -> None:
    await store.apply_many([write(each.session_id, record_of=each, project_id=each.project_id) for each in records])


async def find_all(search: SessionSearch, asked: SessionFilter, sort: str, limit: int) -> list[str]:
    found: list[str] = []
    cursor = ""
    for _ in range(200):
        page = await search.find("shop", asked, sort=sort, limit=limit, cursor=cursor)  # type: ignore[arg-type]
        assert len(page.sessions) <= limit
        assert page.is_partial or not page.cursor or len(page.sessions) == limit
        found += [each.session_id for each in page.sessions]
        cursor = page.cursor
        if not cursor:
            return found
    raise AssertionError("a list without an end")


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_found_is_what_a_plain_look_finds(
    seed: int, store: RedisStore, search: SessionSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    records = [random_record(rng, number) for number in range(70)]
    await fill(store, [*records, *(random_record(rng, number + 500, project_id="other") for number in range(9))])
    if seed:
        monkeypatch.setattr(walking, "LOOKED_AT_ONCE", rng.choice([3, 11, 5_000]))
        monkeypatch.setattr(plan, "GATHER_MAX", rng.choice([0, 10, 20_000]))
        monkeypatch.setattr(walking, "GATHER_MAX", 5_000)
        monkeypatch.setattr(walking, "NAMED_MAX", rng.choice([0, 5, 500]))
        monkeypatch.setattr(walking, "LOOKED_FIRST", rng.choice([1, 8, 1_000]))
    for _ in range(40):
        asked, sort = random_filter(rng, records), rng.choice(SORTS)
        expected = plainly(records, asked, sort)
        assert await find_all(search, asked, sort, rng.choice([2, 7, 100])) == expected, (asked, sort)


async def test_what_changed_since_it_was_listed_is_found_as_it_is(store: RedisStore, search: SessionSearch) -> None:
    first = record("a", attributes={"device": "desktop"}, user_id="mia")
    later = msgspec.structs.replace(
        first, attributes={"device": "phone"}, user_id="ole", last_event_at=T0 + 9_000, status="ended",
        started_at=T0 - 5, score=20.0,
    )  # fmt: skip
    await store.apply(write("a", record_of=first))
    assert await find_all(search, wanted(device="desktop", status="open"), "duration", 9) == ["a"]
    await store.apply(write("a", base=1, record_of=later))
    assert await find_all(search, wanted(device="desktop"), "time", 9) == []
    assert await find_all(search, wanted(user="mia"), "time", 9) == []
    for asked in (
        {"device": "phone", "user": "ole", "status": "ended", "min_duration_ms": 9_005, "max_duration_ms": 9_005},
        {"tag": ["rage_click"], "from": T0 - 5, "to": T0},
        {"min_score": 20.0, "max_score": 20.0},
    ):
        assert await find_all(search, wanted(**asked), "time", 9) == ["a"]


async def test_what_is_gone_is_skipped(store: RedisStore, search: SessionSearch, client: RedisClient) -> None:
    await fill(store, [record(f"s{number:03d}", started_at=T0 + number) for number in range(300)])
    await store.withdraw("s299", "session_deleted")
    await client.run_many([Call("DEL", (f"wince:session:{{s{number:03d}}}:record",)) for number in range(100, 298)])
    page = await search.find("shop", wanted(tag=["rage_click"]), limit=3)
    assert [each.session_id for each in page.sessions] == ["s298", "s099", "s098"]
    assert not page.is_partial
    everything = await find_all(search, wanted(), "score", 40)
    assert everything == sorted(["s298", *(f"s{number:03d}" for number in range(100))], reverse=True)


async def test_a_list_goes_on_where_it_was_while_sessions_come_and_go(store: RedisStore, search: SessionSearch) -> None:
    await fill(store, [record(f"s{number}", started_at=T0 + number // 3) for number in range(9)])
    first = await search.find("shop", wanted(), limit=4)
    assert [each.session_id for each in first.sessions] == ["s8", "s7", "s6", "s5"]
    await fill(store, [record("s99", started_at=T0 + 9)])
    await store.withdraw("s5", "session_deleted")
    second = await search.find("shop", wanted(), limit=4, cursor=first.cursor)
    assert [each.session_id for each in second.sessions] == ["s4", "s3", "s2", "s1"]
    last = await search.find("shop", wanted(), limit=4, cursor=second.cursor)
    assert ([each.session_id for each in last.sessions], last.cursor) == (["s0"], "")


async def test_totals_are_told_where_they_are_known(store: RedisStore, search: SessionSearch) -> None:
    tags: tuple[dict[str, int], ...] = ({"rage_click": 1}, {"rage_click": 1, "js_error": 1}, {})
    await fill(store, [record(f"s{number}", tags=tags[number % 3]) for number in range(9)])
    for asked, sort, total in [
        (wanted(), "score", 9),
        (wanted(tag=["rage_click"]), "time", 6),
        (wanted(tag=["rage_click", "js_error"]), "score", None),
        (wanted(tag=["js_error"], min_score=99), "score", 0),
        (wanted(tag=["no_such"]), "score", 0),
        (wanted(q="s1"), "time", 1),
    ]:
        page = await search.find("shop", asked, sort=sort, limit=2)  # type: ignore[arg-type]
        assert page.total == total, asked


async def test_no_more_is_looked_at_than_is_allowed(
    store: RedisStore, search: SessionSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LOOKED_AT_ONCE", 10)
    monkeypatch.setattr(walking, "LOOKED_MAX", 20)
    monkeypatch.setattr(plan, "GATHER_MAX", 0)
    tags = [{"rare": 1} if number == 3 else {} for number in range(50)]
    await fill(store, [record(f"s{number:02d}", score=number, tags=tags[number]) for number in range(50)])
    asked = wanted(tag=["rare"])
    page = await search.find("shop", asked, sort="score", limit=5)
    assert (page.sessions, page.is_partial) == ([], True)
    assert page.cursor
    assert await find_all(search, asked, "score", 5) == ["s03"]


async def test_few_matches_among_many_do_not_make_it_look_on(
    store: RedisStore, search: SessionSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LOOKED_AT_ONCE", 10)
    monkeypatch.setattr(walking, "LOOKED_MAX", 20)
    monkeypatch.setattr(plan, "GATHER_MAX", 0)
    tags = [{"rare": 1} if number % 15 == 0 else {} for number in range(90)]
    await fill(store, [record(f"s{number:02d}", score=number, tags=tags[number]) for number in range(90)])
    page = await search.find("shop", wanted(tag=["rare"]), sort="score", limit=5)
    assert ([each.session_id for each in page.sessions], page.is_partial) == (["s75"], True)
    assert await find_all(search, wanted(tag=["rare"]), "score", 5) == ["s75", "s60", "s45", "s30", "s15", "s00"]


async def test_no_more_records_are_read_than_is_allowed(
    store: RedisStore, search: SessionSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "RECORDS_MAX", 10)
    await fill(store, [record(f"s{number:02d}", started_at=T0 + number) for number in range(50)])
    page = await search.find("shop", wanted(q="/nowhere"), limit=5)
    assert (page.sessions, page.is_partial) == ([], True)
    assert await find_all(search, wanted(q="/nowhere"), "time", 5) == []
    assert len(await find_all(search, wanted(q="/CART"), "time", 7)) == 50


async def test_cursors_of_other_lists_are_refused(store: RedisStore, search: SessionSearch) -> None:
    await fill(store, [record(f"s{number}") for number in range(4)])
    cursor = (await search.find("shop", wanted(), limit=2)).cursor
    for asked, sort in [(wanted(tag=["rage_click"]), "time"), (wanted(), "score")]:
        with pytest.raises(Poison, match="other filters"):
            await search.find("shop", asked, sort=sort, cursor=cursor)  # type: ignore[arg-type]
    for garbled in ("x", "é", "W10", cursor[:-3], "AAAA" * 100):
        with pytest.raises(Poison, match="not a cursor"):
            await search.find("shop", wanted(), cursor=garbled)


async def test_nothing_is_written_by_looking(store: RedisStore, search: SessionSearch, client: RedisClient) -> None:
    await fill(store, [record(f"s{number}") for number in range(30)])
    before = sorted([key async for key in client.scan("*")])
    await find_all(search, wanted(tag=["rage_click"], min_score=1, user="anon-1", q="s"), "score", 7)
    assert sorted([key async for key in client.scan("*")]) == before
