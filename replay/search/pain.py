"""Where it hurts: signals by page and element, over an even sample of sessions.

Counted when asked, from what is stored: a session counts once however often it was written, and not at all once it is
deleted (`docs/decisions/0048-pain-is-counted-when-asked.md`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar, cast

from replay.api.types_overview import ElementPain, Overview, PagePain
from replay.redis_client import Call, RedisClient, load_script
from replay.redis_keys import KeyNames
from replay.redis_reads import decode_signals
from replay.search.finding import SessionSearch
from schemas.page_paths import fold_page
from schemas.session_record import SessionRecord
from schemas.signals import Signal

K = TypeVar("K", str, tuple[str, str])

_SAMPLE: Final = load_script("sample")

SESSIONS_MAX: Final = 1_000
"""Sessions looked at for one overview."""

SIGNALS_MAX: Final = 50
"""Signals of one session that count: one visitor must not outweigh all others."""

RANKS_MAX: Final = 50
ELEMENTS_MAX: Final = 20_000
"""Elements held while counting; further ones are left out."""

DOUBT_SESSIONS: Final = 5
"""Sessions without signals that are added to each page for its rank: three signals of one session say little."""


class PainCounter:
    """Counts sessions and signals by page and element."""

    def __init__(self) -> None:
        self.counted = 0
        self._sessions: Counter[str] = Counter()
        self._pages: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._elements: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._texts: dict[tuple[str, str], str | None] = {}

    def add(self, record: SessionRecord, signals: Iterable[Signal]) -> None:
        """Count a session and its signals."""
        self.counted += 1
        seen = {fold_page(visit.url) for visit in record.pages}
        for signal in signals:
            page = fold_page(signal.page)
            seen.add(page)
            self._pages[page][signal.detector] += 1
            if signal.target is not None:
                self._add_element((page, signal.target.selector), signal.detector, signal.target.text)
        self._sessions.update(seen)

    def _add_element(self, element: tuple[str, str], detector: str, text: str | None) -> None:
        if element in self._elements or len(self._elements) < ELEMENTS_MAX:
            self._elements[element][detector] += 1
            self._texts[element] = self._texts.get(element) or text

    def overview(self, *, is_partial: bool) -> Overview:
        """Give what hurts most."""
        pages = [
            PagePain(page, self._sessions[page], _sorted(signals), self._rate(page, signals))
            for page, signals in self._worst(self._pages, lambda page: page)
        ]
        elements = [
            ElementPain(*element, self._texts[element], _sorted(signals), self._rate(element[0], signals))
            for element, signals in self._worst(self._elements, lambda element: element[0])
        ]
        return Overview(pages, elements, self.counted, is_partial)

    def _worst(self, signals: Mapping[K, Counter[str]], page_of: Callable[[K], str]) -> list[tuple[K, Counter[str]]]:
        def rank(item: tuple[K, Counter[str]]) -> tuple[float, K]:
            return -item[1].total() / (self._sessions[page_of(item[0])] + DOUBT_SESSIONS), item[0]

        return sorted(signals.items(), key=rank)[:RANKS_MAX]

    def _rate(self, page: str, signals: Counter[str]) -> float:
        return round(1_000 * signals.total() / max(self._sessions[page], 1), 1)


def _sorted(signals: Counter[str]) -> dict[str, int]:
    return dict(sorted(signals.items(), key=lambda item: (-item[1], item[0])))


class PainReader:
    """Reads what an overview counts."""

    def __init__(self, client: RedisClient, names: KeyNames) -> None:
        self._client = client
        self._names = names
        self._search = SessionSearch(client, names)

    async def overview(self, project_id: str, from_ms: int, to_ms: int) -> Overview:
        """Say where it hurt in sessions that started from a moment on and before another (epoch ms)."""
        key = self._names.project(project_id, "time")
        reply = await self._client.run(Call(_SAMPLE, (key,), (from_ms, to_ms - 1, SESSIONS_MAX)))
        count, *picked = cast("list[bytes]", reply)
        records = await self._search.records([session_id.decode() for session_id in picked])
        shown = [record for record in records if record is not None and record.project_id == project_id]
        counter = PainCounter()
        for record, signals in zip(shown, await self._signals(shown), strict=True):
            counter.add(record, signals)
        return counter.overview(is_partial=int(count) > len(picked))

    async def _signals(self, records: Sequence[SessionRecord]) -> list[list[Signal]]:
        """Read the signals of sessions, at most `SIGNALS_MAX` of each."""
        with_signals = [record.session_id for record in records if record.tags]
        keys = [self._names.session(session_id).signals for session_id in with_signals]
        calls = [Call("HRANDFIELD", (key,), (SIGNALS_MAX, "WITHVALUES")) for key in keys]
        replies = await self._client.run_many(calls, in_order=False)
        texts = [cast("list[bytes]", reply)[1::2] for reply in replies]
        found = dict(zip(with_signals, (decode_signals(list(each)) for each in texts), strict=True))
        return [found.get(record.session_id, []) for record in records]
