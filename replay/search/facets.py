"""Counting what the sessions of a list have, so that filters can show how many each would leave."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from replay.api.types_listing import Facets
from replay.entries import VALUES
from replay.search.filters import SessionFilter
from replay.search.finding import SessionSearch
from schemas.page_paths import fold_page
from schemas.session_record import SessionRecord

COUNTED_MAX: Final = 1_000
"""Sessions whose records are read for one answer, the latest ones."""

VALUES_MAX: Final = 50
"""Values given of each kind, the most frequent ones."""


async def count_facets(search: SessionSearch, project_id: str, wanted: SessionFilter) -> Facets:
    """Count what the latest sessions that match have, at most `COUNTED_MAX` of them."""
    found = await search.find(project_id, wanted, sort="time", limit=COUNTED_MAX)
    return facets_of(found.sessions, is_partial=bool(found.cursor))


def facets_of(records: Iterable[SessionRecord], *, is_partial: bool) -> Facets:
    """Count what records have."""
    pages, status = Counter[str](), Counter[str]()
    counts = {kind: Counter[str]() for kind in ("tag", "device", "release", "country", "error")}
    counted = 0
    for record in records:
        counted += 1
        status[record.status] += 1
        pages.update({fold_page(visit.url) for visit in record.pages})
        for kind, count in counts.items():
            count.update(VALUES[kind](record))
    tags, devices, releases, countries, errors = map(_first, counts.values())
    return Facets(tags, _first(pages), devices, releases, countries, errors, _first(status), counted, is_partial)


def _first(counter: Counter[str]) -> dict[str, int]:
    """Take the most frequent values; of equally many the first by name."""
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:VALUES_MAX])
