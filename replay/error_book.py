"""The book of a project's script errors: when each was first and last seen, if it is resolved, if it came back.

It lies outside of sessions: sightings are told after their session is stored, any number of times. It names no session;
those with an error are in its listing (`replay.entries`). Readers ask of a signal whether it is the first of its error,
or the one by which a resolved error came back: a signal that is told again gets the same answer.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, cast

import msgspec

from replay.redis_client import Call, RedisClient, load_script
from replay.redis_keys import KeyNames
from replay.retention import DAY_MS
from schemas.signals import Signal

JS_ERROR: Final = "js_error"

MAX_ENTRIES: Final = 10_000
"""Errors known of a project; beyond, those seen longest ago are forgotten."""

KEPT_MS: Final = 400 * DAY_MS
"""A book in which nothing was noted for so long is forgotten."""

_SIGHTINGS_AT_ONCE: Final = 50
_WHAT_CHARACTERS: Final = 300

_ERRORS: Final = load_script("errors")
_RESOLVE: Final = load_script("resolve")

Status = Literal["open", "resolved", "regressed"]


class ErrorEntry(msgspec.Struct, frozen=True):
    """What is known of an error; times are epoch ms of events, 0 for what has not happened.

    `first` and `regressed` are marks of signals (`mark_of`), `releases` those it was seen in while it was not resolved.
    """

    what: str
    first: str
    first_t: int
    first_release: str
    last_t: int
    last_release: str
    releases: str
    resolved_at: int
    regressed: str
    regressed_t: int
    regressed_release: str

    @property
    def status(self) -> Status:
        """Whether the error is resolved, and came back since."""
        if not self.resolved_at:
            return "open"
        return "regressed" if self.regressed else "resolved"

    def is_first(self, signal_id: str) -> bool:
        """Say whether this signal is the first of the error."""
        return self.first == mark_of(signal_id)

    def is_regression(self, signal_id: str) -> bool:
        """Say whether the error came back with this signal."""
        return self.regressed == mark_of(signal_id)


_entry: Final = msgspec.json.Decoder(ErrorEntry, strict=False)
_signal: Final = msgspec.json.Decoder(Signal)


def mark_of(signal_id: str) -> str:
    """Make a signal's mark: by it the signal is known again, and nothing else is."""
    return hashlib.blake2b(signal_id.encode(), digest_size=8).hexdigest()


def sightings(
    names: KeyNames, told: Mapping[str, Iterable[tuple[str, bytes]]], known: Mapping[str, Collection[str]]
) -> Iterator[Call]:
    """Make the calls that note script errors among signals (ids with JSON), by project.

    Only fingerprints `known` to the records of their sessions are noted: presets beside the main one have others.
    """
    for project_id, signals in told.items():
        seen = [found for _, text in signals if (found := _sighting(text)) and found[0] in known[project_id]]
        for start in range(0, len(seen), _SIGHTINGS_AT_ONCE):
            some = [argument for sighting in seen[start : start + _SIGHTINGS_AT_ONCE] for argument in sighting]
            yield Call(_ERRORS, _keys(names, project_id), (MAX_ENTRIES, KEPT_MS, *some))


def _sighting(text: bytes) -> tuple[str, str, int, str, str] | None:
    if b'"js_error"' not in text:
        return None
    signal = _signal.decode(text)
    fingerprint = signal.evidence.get("fingerprint")
    if signal.detector != JS_ERROR or not isinstance(fingerprint, str):
        return None
    what = " at ".join(str(part) for name in ("error_type", "top_frame") if (part := signal.evidence.get(name)))
    release = signal.attributes.get("release", "")
    return fingerprint, mark_of(signal.id), signal.t, release, what[:_WHAT_CHARACTERS]


def _keys(names: KeyNames, project_id: str) -> tuple[str, str]:
    return names.project(project_id, "errors"), names.project(project_id, "errors_seen")


class ErrorBook:
    """Reads books and marks what is resolved. Methods raise Unavailable, Saturated and Broken as the client does."""

    def __init__(self, client: RedisClient, key_prefix: str) -> None:
        self._client = client
        self._names = KeyNames(key_prefix)

    async def read(self, project_id: str, fingerprints: Sequence[str]) -> dict[str, ErrorEntry]:
        """Read the entries of some errors; those that are not in the book are left out."""
        if not fingerprints:
            return {}
        book, _ = _keys(self._names, project_id)
        reply = await self._client.run(Call("HMGET", (book,), fingerprints))
        texts = cast("list[bytes | None]", reply)
        found = zip(fingerprints, texts, strict=True)
        return {fingerprint: _entry.decode(text) for fingerprint, text in found if text is not None}

    async def latest(self, project_id: str, limit: int) -> dict[str, ErrorEntry]:
        """Read the errors seen last, latest first."""
        _, seen = _keys(self._names, project_id)
        reply = await self._client.run(Call("ZREVRANGE", (seen,), (0, limit - 1)))
        return await self.read(project_id, [name.decode() for name in cast("list[bytes]", reply)])

    async def resolve(self, project_id: str, fingerprints: Sequence[str], now_ms: int) -> int:
        """Mark errors as resolved at `now_ms` (epoch ms); return how many of them are in the book."""
        book, _ = _keys(self._names, project_id)
        call = Call(_RESOLVE, (book, self._marked(project_id)), (now_ms, MAX_ENTRIES, KEPT_MS, *fingerprints))
        return cast("int", await self._client.run(call, "list"))

    async def resolved(self, project_id: str, since_ms: int) -> dict[str, int]:
        """Say which errors were marked as resolved from `since_ms` on, and when each was last (epoch ms)."""
        call = Call("ZRANGEBYSCORE", (self._marked(project_id),), (since_ms, "+inf", "WITHSCORES"))
        flat = cast("list[bytes]", await self._client.run(call))
        return {name.decode(): int(float(at)) for name, at in zip(flat[::2], flat[1::2], strict=True)}

    def _marked(self, project_id: str) -> str:
        return self._names.project(project_id, "errors_resolved")
