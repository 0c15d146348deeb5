"""Script errors of a project: first seen, resolved, back again; the same however often it is told."""

import random
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from replay import error_book
from replay.error_book import ErrorBook, ErrorEntry, mark_of
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from schemas.signals import Signal
from tests.replay.samples import T0, record, signal, write
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")


def error(name: str, session_id: str, t: int, fingerprint: str = "f1", release: str = "") -> Signal:
    return msgspec.structs.replace(
        signal(name, session_id=session_id, t=t),
        detector="js_error",
        evidence={"fingerprint": fingerprint, "error_type": "TypeError", "top_frame": "buy@https://shop.test/a.js:1:2"},
        attributes={"release": release} if release else {},
    )


class Book:
    """A store and the book it keeps."""

    def __init__(self, url: str) -> None:
        self.client = connect(url)
        self.store = RedisStore(self.client, StoreSettings(), lambda: T0)
        self.book = ErrorBook(self.client, "wince")

    async def see(self, *signals: Signal) -> None:
        for each in signals:
            errors = {str(each.evidence["fingerprint"]): 1}
            base = await self.store.load(each.session_id)
            of = record(each.session_id, errors=errors)
            version = base.version if base else 0
            await self.store.apply(write(each.session_id, base=version, signals=[each], record_of=of))

    async def entry(self, fingerprint: str = "f1") -> ErrorEntry:
        return (await self.book.read("shop", [fingerprint]))[fingerprint]


@pytest_asyncio.fixture(loop_scope="session")
async def book(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[Book]:
    assert not await redis.keys()
    made = Book(redis_server.url)
    yield made
    await made.client.close()


async def test_the_first_signal_of_an_error_is_known_whatever_is_told_again(book: Book) -> None:
    first, later, before = error("s1", "a", 100, release="1.0"), error("s2", "b", 200), error("s3", "c", 50)
    await book.see(first, later, before)
    entry = await book.entry()
    assert [entry.is_first(each.id) for each in (first, later, before)] == [True, False, False]
    assert (entry.first_t, entry.last_t, entry.status) == (T0 + 100, T0 + 200, "open")
    assert entry.first_release == "1.0"
    assert entry.what == "TypeError at buy@https://shop.test/a.js:1:2"
    for session_id in ("b", "c", "a", "b"):
        await book.store.load(session_id)
    assert await book.entry() == entry


async def test_a_resolved_error_that_comes_back_is_a_regression_once(book: Book) -> None:
    await book.see(error("s1", "a", 100))
    assert await book.book.resolve("shop", ["f1", "nothing"], T0 + 500) == 1
    assert (await book.entry()).status == "resolved"
    await book.see(error("s2", "b", 400))
    assert (await book.entry()).status == "resolved", "it happened before"
    back, again = error("s3", "c", 600), error("s4", "d", 700)
    await book.see(back, again)
    entry = await book.entry()
    assert (entry.status, entry.regressed_t) == ("regressed", T0 + 600)
    assert [entry.is_regression(each.id) for each in (back, again)] == [True, False]
    for session_id in ("d", "a", "c", "b"):
        await book.store.load(session_id)
    assert await book.entry() == entry
    await book.book.resolve("shop", ["f1"], T0 + 900)
    await book.store.load("c")
    assert (await book.entry()).status == "resolved"


async def test_releases_it_was_known_from_do_not_bring_it_back(book: Book) -> None:
    await book.see(error("s1", "a", 100, release="1.0"))
    await book.book.resolve("shop", ["f1"], T0 + 500)
    await book.see(error("s2", "b", 600, release="1.0"))
    assert (await book.entry()).status == "resolved", "an old page that is still open"
    await book.see(error("s3", "c", 700, release="1.1"))
    entry = await book.entry()
    assert (entry.status, entry.regressed_release) == ("regressed", "1.1")
    await book.book.resolve("shop", ["f1"], T0 + 800)
    await book.see(error("s4", "d", 900, release="1.1"), error("s5", "e", 950, release="1.0"))
    assert (await book.entry()).status == "resolved"


async def test_a_clock_that_is_ahead_is_no_regression(book: Book) -> None:
    await book.see(error("s1", "a", 9_000))
    await book.book.resolve("shop", ["f1"], T0 + 500)
    await book.store.load("a")
    assert (await book.entry()).status == "resolved"


async def test_only_errors_of_the_record_are_noted(book: Book) -> None:
    beside = error("s2", "a", 100, fingerprint="of-another-preset")
    of = record("a", errors={"f1": 1})
    await book.store.apply(write("a", signals=[error("s1", "a", 100), beside, signal("s3")], record_of=of))
    assert list(await book.book.latest("shop", 10)) == ["f1"]


async def test_the_book_is_bounded_and_forgets_what_was_seen_longest_ago(
    book: Book, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_book, "MAX_ENTRIES", 5)
    numbers = list(range(12))
    random.Random(1).shuffle(numbers)
    for number in numbers:
        await book.see(error(f"s{number}", f"session-{number}", number, f"f{number}"))
    last = await book.book.latest("shop", 100)
    assert len(last) == await redis.hlen("wince:project:{shop}:errors") == 5
    assert next(iter(last)) == "f11"
    assert await redis.pttl("wince:project:{shop}:errors") > 0


async def test_releases_are_bounded(book: Book) -> None:
    for number in range(30):
        await book.see(error(f"s{number}", f"session-{number}", number, release=f"r{number}"))
    assert (await book.entry()).releases.split("\n") == [f"r{number}" for number in range(10, 30)]


async def test_a_deleted_session_is_not_named_in_it(book: Book, redis: Redis) -> None:
    await book.see(error("s1", "a", 100))
    await book.store.withdraw("a", "session_deleted")
    text = str(await redis.hget("wince:project:{shop}:errors", "f1"))
    assert '"a"' not in text
    assert "s1" not in text
    assert (await book.entry()).first == mark_of("s1")
