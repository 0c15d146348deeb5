"""What hurts is counted once for each session, however it was written, on each kind of Redis."""

import random
from collections import Counter

import msgspec
import pytest

from replay.redis_client import RedisClient
from replay.redis_keys import KeyNames
from replay.redis_store import RedisStore
from replay.search import pain
from replay.search.facets import count_facets
from replay.search.filters import SessionFilter
from replay.search.finding import SessionSearch
from replay.search.heatmap import HeatmapReader
from replay.search.pain import PainCounter, PainReader
from schemas.page_paths import fold_page
from schemas.session_record import PageVisit
from schemas.signals import Signal, Target
from tests.replay.samples import T0, record, signal, write
from tests.replay.search.test_heatmap import click, meta, snapshot
from tests.replay.search.world import random_record
from tests.replay.server.test_overview import blocks_of


def told(rng: random.Random, session_id: str, page: str, number: int) -> Signal:
    target = Target(5, f"button.b{rng.randrange(3)}", "button", "Pay") if rng.random() < 0.8 else None
    made = signal(f"{session_id}-{number}", session_id=session_id)
    return msgspec.structs.replace(made, page=page, target=target, detector=rng.choice(["rage_click", "dead_click"]))


@pytest.mark.asyncio(loop_scope="session")
async def test_an_overview_counts_what_is_stored(client: RedisClient, store: RedisStore) -> None:
    rng = random.Random(3)
    sessions: Counter[str] = Counter()
    signals: Counter[tuple[str, str]] = Counter()
    for number in range(30):
        made = random_record(rng, number)
        if not made.pages:
            continue
        pages = [visit.url for visit in made.pages]
        found = [told(rng, made.session_id, rng.choice(pages), place) for place in range(rng.randrange(4))]
        made = msgspec.structs.replace(made, tags=dict(Counter(each.detector for each in found)))
        sessions.update({fold_page(page) for page in pages})
        signals.update((fold_page(each.page), each.detector) for each in found)
        await store.apply(write(made.session_id, record_of=made, signals=found))
        # Written again, as open sessions are all the time.
        await store.apply(write(made.session_id, base=1, record_of=made, signals=found[:1]))
    overview = await PainReader(client, KeyNames("wince")).overview("shop", 0, 1 << 52)
    assert overview.pages
    for page in overview.pages:
        assert page.sessions == sessions[page.page]
        assert page.signals == {name: signals[page.page, name] for name in page.signals}
        assert page.per_1000_sessions == round(1_000 * sum(page.signals.values()) / page.sessions, 1)
    assert sum(sum(page.signals.values()) for page in overview.pages) == signals.total()


@pytest.mark.asyncio(loop_scope="session")
async def test_heatmaps_and_counts_are_read_from_any_server(
    client: RedisClient, store: RedisStore, search: SessionSearch
) -> None:
    made = record(pages=[PageVisit("https://shop.test/cart", "w1", T0)], last_event_at=T0 + 9_000)
    await store.apply(write(record_of=made, blocks=blocks_of(meta(0), snapshot(0), click(5, 10, 10))))
    wanted = SessionFilter(page="https://shop.test/cart")
    assert (await HeatmapReader(client, KeyNames("wince")).heatmap("shop", wanted, "click")).points == 1
    assert (await count_facets(search, "shop", wanted)).counted == 1


def test_few_sessions_count_less_for_the_rank_but_not_for_the_rate() -> None:
    counter = PainCounter()
    for number in range(20):
        page = "https://shop.test/busy"
        signals = [told(random.Random(1), f"s{number}", page, 0)] if number < 15 else []
        counter.add(record(f"s{number}", pages=[PageVisit(page, "w1", T0)]), signals)
    rare = [told(random.Random(1), "rare", "https://shop.test/rare", place) for place in range(2)]
    counter.add(record("rare", pages=[PageVisit("https://shop.test/rare", "w1", T0)]), rare)
    pages = counter.overview(is_partial=False).pages
    assert [(page.page[-4:], page.per_1000_sessions) for page in pages] == [("busy", 750.0), ("rare", 2_000.0)]


def test_what_is_held_while_counting_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pain, "ELEMENTS_MAX", 10)
    counter = PainCounter()
    for number in range(200):
        target = Target(5, f"b{number}", "b")
        counter.add(record(), [msgspec.structs.replace(signal(), target=target, page=f"https://shop.test/p-{number}")])
    overview = counter.overview(is_partial=True)
    assert len(overview.elements) == 10
    assert len(overview.pages) == pain.RANKS_MAX
    assert overview.pages[0].per_1000_sessions > 0
