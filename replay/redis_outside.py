"""What lies outside a session's slot: listings, the stream of signals, deadlines.

All of it follows from the stored session, may be told any number of times, and is told again when a session is loaded.
Commands of many sessions are merged by key. Deadlines come last: until all else is told, a session stays due.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, Generic, NamedTuple, TypeVar

from replay.entries import CHANGING, NUMBERS, listing_names, listing_numbers
from replay.error_book import sightings
from replay.redis_client import Argument, Call, RedisClient, load_script
from replay.redis_keys import KeyNames
from replay.store import StoreSettings
from schemas.session_record import SessionRecord

T = TypeVar("T")

_PUBLISH: Final = load_script("publish")
_TEND: Final = load_script("tend")

_REMEMBERED: Final = 50_000
"""Sessions, and keys, of which it is remembered what was told last; forgetting one costs telling it again."""

_TEND_EVERY_MS: Final = 60_000
_TRIM_AT_ONCE: Final = 5_000
_MEMBERS_AT_ONCE: Final = 500
_SIGNALS_AT_ONCE: Final = 50


class Place(NamedTuple):
    """By what a session is listed; `values` stands for all that is no number."""

    project_id: str
    values: int
    numbers: Mapping[str, float]

    def is_news(self, told: "Place | None") -> bool:
        """Say whether a session has to be listed anew, rather than have its changing numbers corrected at most."""
        if told is None or self[:2] != told[:2]:
            return True
        return any(self.numbers[name] != told.numbers[name] for name in NUMBERS if name not in CHANGING)


_Entries = dict[tuple[str, str], dict[str, float]]


class Listed(NamedTuple):
    """What of a session is told outside its slot.

    `names` are the listings of values it is in, empty if these were told before; `signals` are ids with JSON;
    `errors` are the fingerprints of script errors in its record.
    """

    session_id: str
    place: Place
    names: Sequence[str]
    signals: Sequence[tuple[str, bytes]]
    shard: str
    deadline_ms: int | None
    errors: Collection[str] = ()


class _Recent(Generic[T]):
    """The last value for each of a bounded number of names."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, T] = OrderedDict()

    def get(self, name: str) -> T | None:
        return self._values.get(name)

    def put(self, name: str, value: T) -> None:
        self._values[name] = value
        self._values.move_to_end(name)
        if len(self._values) > _REMEMBERED:
            self._values.popitem(last=False)

    def drop(self, name: str) -> None:
        self._values.pop(name, None)


class Outside:
    """Tells what is outside; what this process told before and has not changed is left out."""

    def __init__(self, client: RedisClient, settings: StoreSettings, names: KeyNames) -> None:
        self._client = client
        self._settings = settings
        self._names = names
        self._told: _Recent[Place] = _Recent()
        self._tended: _Recent[int] = _Recent()

    def forget(self, session_id: str) -> None:
        """Tell all of a session again next time."""
        self._told.drop(session_id)

    def place(self, record: SessionRecord) -> tuple[Place, list[str]]:
        """Say by what a session is listed, and the names of its listings of values if they were not told before."""
        users = (record.user_id, record.anonymous_id)
        tags = tuple(tag for tag, count in record.tags.items() if count)
        pages, attributes = tuple(visit.url for visit in record.pages), tuple(record.attributes.items())
        # Listings of values are sorted by start: another start is another place in each of them.
        values = hash((record.started_at, users, tags, pages, attributes, tuple(record.errors)))
        place = Place(record.project_id, values, listing_numbers(record))
        told = self._told.get(record.session_id)
        is_known = told is not None and told[:2] == place[:2]
        return place, [] if is_known else listing_names(record)

    async def tell(self, sessions: Sequence[Listed], now_ms: int) -> list[Listed]:
        """Tell all that is new of sessions, and give those of which more than the deadline was.

        Raises what the client raises; then tell the same again.
        """
        with_news = [each for each in sessions if each.signals or each.place.is_news(self._told.get(each.session_id))]
        entries, corrections = self._entries(sessions)
        tended: list[str] = []
        calls = [*self._listing_calls(entries), *self._upkeep_calls(entries, now_ms, tended)]
        for (project_id, name), scores in corrections.items():
            calls += _add(self._names.project(project_id, name), scores, "XX")
        calls += [*self._signal_calls(sessions, now_ms), *self._error_calls(sessions)]
        await self._client.run_many(calls, "list", in_order=False)
        for session in sessions:
            self._told.put(session.session_id, session.place)
        for key in tended:
            self._tended.put(key, now_ms)
        await self._client.run_many(list(self._deadline_calls(sessions)), "list")
        return with_news

    def _entries(self, sessions: Iterable[Listed]) -> tuple[_Entries, _Entries]:
        """Sort what is new by project and listing: sessions with their scores. And what is to be corrected.

        A correction changes an entry that is there and makes none, so it needs no look whether the session was
        withdrawn meanwhile: numbers that change with every write cost little.
        """
        entries: _Entries = {}
        corrections: _Entries = {}
        for session in sessions:
            place, told = session.place, self._told.get(session.session_id)
            known = told.numbers if told is not None and told.project_id == place.project_id else {}
            changed = {name: number for name, number in place.numbers.items() if known.get(name) != number}
            for name, number in (dict.fromkeys(session.names, place.numbers["time"]) | changed).items():
                sorted_into = corrections if known and name in CHANGING else entries
                sorted_into.setdefault((place.project_id, name), {})[session.session_id] = number
        return entries, corrections

    def _listing_calls(self, entries: Mapping[tuple[str, str], Mapping[str, float]]) -> Iterator[Call]:
        projects = list(dict.fromkeys(project_id for project_id, name in entries if name == "time"))
        if projects:
            yield Call("SADD", (self._names.projects,), projects)
        for (project_id, name), scores in entries.items():
            yield from _add(self._names.project(project_id, name), scores)

    def _upkeep_calls(self, entries: Iterable[tuple[str, str]], now_ms: int, tended: list[str]) -> Iterator[Call]:
        """Keep listings from growing and from lasting; those tended now are added to `tended`."""
        for project_id, name in dict.fromkeys(
            # Every session is in all of them; the one by time says what is old in the others.
            (project_id, "time" if name in NUMBERS else name)
            for project_id, name in entries
        ):
            key = self._names.project(project_id, name)
            if not self._is_untended(key, now_ms):
                continue
            tended.append(key)
            others = [self._names.project(project_id, other) for other in NUMBERS if name == "time" != other]
            keys = (self._names.project(project_id, "longest"), key, *others)
            yield Call(_TEND, keys, (now_ms, self._listed_ms(project_id), _TRIM_AT_ONCE))

    def _listed_ms(self, project_id: str) -> int:
        """Return how long after its start a session may be there, by the rule in force."""
        return self._settings.retention_of(project_id).longest_ms + self._settings.max_life_ms

    def _is_untended(self, key: str, now_ms: int) -> bool:
        last = self._tended.get(key)
        return last is None or now_ms - last >= _TEND_EVERY_MS

    def _signal_calls(self, sessions: Iterable[Listed], now_ms: int) -> Iterator[Call]:
        """Append signals to their projects' streams."""
        fields: dict[str, list[tuple[Argument, ...]]] = {}
        for session in sessions:
            for signal_id, text in session.signals:
                field = (identity(signal_id, text), signal_id, session.session_id, text)
                fields.setdefault(session.place.project_id, []).append(field)
        for project_id, found in fields.items():
            kept_ms = self._settings.retention_of(project_id).shortest_ms
            limits = (now_ms, kept_ms, self._listed_ms(project_id), self._settings.stream_max_signals)
            keys = (self._names.project(project_id, "signals"), self._names.project(project_id, "published"))
            for some in _batched(found, _SIGNALS_AT_ONCE):
                yield Call(_PUBLISH, keys, (*limits, *chain.from_iterable(some)))

    def _error_calls(self, sessions: Iterable[Listed]) -> Iterator[Call]:
        """Note script errors in their projects' books."""
        signals: dict[str, list[tuple[str, bytes]]] = {}
        known: dict[str, set[str]] = {}
        for session in sessions:
            if session.errors:
                signals.setdefault(session.place.project_id, []).extend(session.signals)
                known.setdefault(session.place.project_id, set()).update(session.errors)
        return sightings(self._names, signals, known)

    def _deadline_calls(self, sessions: Iterable[Listed]) -> Iterator[Call]:
        deadlines: dict[str, dict[str, int | None]] = {}
        for session in sessions:
            deadlines.setdefault(session.shard, {})[session.session_id] = session.deadline_ms
        for shard, of_sessions in deadlines.items():
            key = self._names.deadlines(shard)
            yield from _add(key, {id_: at for id_, at in of_sessions.items() if at is not None})
            for ids in _batched([id_ for id_, at in of_sessions.items() if at is None], _MEMBERS_AT_ONCE):
                yield Call("ZREM", (key,), ids)


def _add(key: str, scores: Mapping[str, float], *options: str) -> Iterator[Call]:
    for some in _batched(list(scores.items()), _MEMBERS_AT_ONCE):
        arguments = [argument for member, score in some for argument in (score, member)]
        yield Call("ZADD", (key,), [*options, *arguments])


def _batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def identity(signal_id: str, text: bytes) -> str:
    """Name one content of a signal: the same signal may be published again when it has grown."""
    return f"{signal_id}:{hashlib.blake2b(text, digest_size=8).hexdigest()}"
