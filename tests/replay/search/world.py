"""Random sessions, random filters, and what a plain look at all records finds."""

import random
from collections.abc import Sequence

import msgspec

from replay.search.filters import SessionFilter
from schemas.page_paths import fold_page, page_of
from schemas.session_record import PageVisit, SessionRecord
from tests.replay.samples import T0, record

TAGS = ("rage_click", "dead_click", "js_error", "error_click")
PAGES = ("/cart", "/product/1", "/product/22?x=1", "/product/22", "/checkout#top", "/")
USERS = ("mia", "ole", "anon-1", "anon-2", None)


def random_record(rng: random.Random, number: int, *, project_id: str = "shop") -> SessionRecord:
    """Make a session; many share the same numbers."""
    started_at = T0 + rng.choice([0, 0, 1, 5, rng.randrange(50)]) * 1_000
    return record(
        f"{rng.choice('abAB-')}{number:03d}",
        project_id=project_id,
        started_at=started_at,
        last_event_at=started_at + rng.choice([0, 1_000, 1_000, rng.randrange(90_000)]),
        status=rng.choice(["open", "ended", "ended"]),
        tags={tag: rng.randrange(3) for tag in TAGS if rng.random() < 0.4},
        score=float(rng.choice([0, 0, 0, 50, 99.5, rng.randrange(100)])),
        pages=[PageVisit(f"https://shop.test{rng.choice(PAGES)}", "w1", T0) for _ in range(rng.randrange(4))],
        user_id=rng.choice(USERS),
        anonymous_id=rng.choice(USERS),
        attributes={
            name: value
            for name, value in {
                "release": rng.choice(["1.0", "1.1"]), "device": rng.choice(["phone", "desktop"]), "country": "NO",
            }.items()
            if rng.random() < 0.8
        },
        errors={f"f{rng.randrange(3)}": 1} if rng.random() < 0.3 else {},
    )  # fmt: skip


def random_filter(rng: random.Random, records: Sequence[SessionRecord]) -> SessionFilter:
    """Make a filter of a few things; often one that something matches."""
    example = rng.choice(records)
    visit = rng.choice([*example.pages, PageVisit("https://shop.test/cart", "w1", T0)])
    choices = {
        "tag": rng.sample(TAGS, rng.choice([1, 1, 2])),
        "min_score": rng.choice([0, 1, 50]),
        "max_score": rng.choice([0, 50, 100]),
        "from": T0 + rng.randrange(-1, 20) * 1_000,
        "to": T0 + rng.randrange(0, 50) * 1_000,
        "page": rng.choice([visit.url, fold_page(visit.url)]),
        "user": rng.choice(["mia", "anon-1", "nobody"]),
        "device": "phone",
        "release": rng.choice(["1.0", "9"]),
        "country": "NO",
        "error": "f1",
        "min_duration_ms": rng.choice([0, 1_000, 1_001]),
        "max_duration_ms": rng.choice([999, 1_000, 50_000]),
        "status": rng.choice(["open", "ended"]),
        "q": rng.choice([example.session_id[:1], example.session_id, "mia", "/product", "CART", "nothing"]),
    }
    names = rng.sample(sorted(choices), rng.choice([0, 1, 1, 2, 3]))
    return msgspec.convert({name: choices[name] for name in names}, SessionFilter)


def plainly(records: Sequence[SessionRecord], wanted: SessionFilter, sort: str) -> list[str]:
    """Find sessions by looking at all records; their ids in order."""
    found = [each for each in records if _fits(each, wanted)]
    if wanted.q:
        named = [each for each in found if _is_named(each, wanted.q)] if "/" not in wanted.q else []
        found = named or [each for each in found if _has_page_with(each, wanted.q)]
    numbers = {"time": lambda each: each.started_at, "score": lambda each: each.score, "duration": _duration}
    return [each.session_id for each in sorted(found, key=lambda e: (numbers[sort](e), e.session_id), reverse=True)]


def _duration(each: SessionRecord) -> int:
    return each.last_event_at - each.started_at


def _is_named(each: SessionRecord, q: str) -> bool:
    return each.session_id.startswith(q) or q in (each.user_id, each.anonymous_id)


def _has_page_with(each: SessionRecord, q: str) -> bool:
    return any(q.lower() in page_of(visit.url).lower() for visit in each.pages)


def _fits(each: SessionRecord, wanted: SessionFilter) -> bool:
    pages = {page_of(visit.url) for visit in each.pages}
    checks = [
        all(each.tags.get(tag) for tag in wanted.tags),
        wanted.min_score is None or each.score >= wanted.min_score,
        wanted.max_score is None or each.score <= wanted.max_score,
        wanted.from_ms is None or each.started_at >= wanted.from_ms,
        wanted.to_ms is None or each.started_at < wanted.to_ms,
        not wanted.page or page_of(wanted.page) in pages | set(map(fold_page, pages)),
        not wanted.user or wanted.user in (each.user_id, each.anonymous_id),
        not wanted.device or each.attributes.get("device") == wanted.device,
        not wanted.release or each.attributes.get("release") == wanted.release,
        not wanted.country or each.attributes.get("country") == wanted.country,
        not wanted.error or wanted.error in each.errors,
        wanted.min_duration_ms is None or _duration(each) >= wanted.min_duration_ms,
        wanted.max_duration_ms is None or _duration(each) <= wanted.max_duration_ms,
        not wanted.status or each.status == wanted.status,
    ]
    return all(checks)
