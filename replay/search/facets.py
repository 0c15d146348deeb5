"""Counting what the sessions of a list have, so that filters can show how many each would leave."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from replay.api.types_listing import Facets
from replay.entries import listed_values
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
    counts: dict[str, Counter[str]] = {
        kind: Counter() for kind in ("tag", "page", "device", "release", "country", "error", "status")
    }
    counted = 0
    for record in records:
        counted += 1
        values: dict[str, list[str]] = {**listed_values(record), "status": [record.status]}
        values["page"] = list({fold_page(page) for page in values["page"]})
        for kind, count in counts.items():
            count.update(values.get(kind, ()))
    tags, pages, devices, releases, countries, errors, status = map(_first, counts.values())
    return Facets(tags, pages, devices, releases, countries, errors, status, counted, is_partial)


def _first(counter: Counter[str]) -> dict[str, int]:
    """Take the most frequent values; of equally many the first by name."""
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:VALUES_MAX])
