"""A project's state as many small parts, each under a name of its own: only those that changed are stored again.

A part is an entry of one of the large mappings of `ProjectState`, with its place among the others, or all the rest
together. A name is a letter for the mapping and the entry's key; parts are MessagePack, the larger ones in zstd.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import zstandard

from engine.alerts.kept import Kept
from engine.alerts.state import Base, Incident, ProjectState, Tracked, Visit

REST: Final = "h"
"""The name of the part with all that is in no other."""

_WAITING: Final = "a"
_INCIDENTS: Final = "i"
_LEAST_COMPRESSED_BYTES: Final = 512
_LARGEST_PART_BYTES: Final = 64 << 20
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


class _Group(NamedTuple):
    """A mapping: the letter of its parts, its field of `ProjectState`, what it holds, if that is immutable."""

    letter: str
    field: str
    decoder: msgspec.msgpack.Decoder[tuple[int, Any]]
    are_immutable: bool


def _group(letter: str, field: str, kind: type[Any]) -> _Group:
    return _Group(letter, field, msgspec.msgpack.Decoder(type=tuple.__class_getitem__((int, kind))), kind is int)


_GROUPS: Final = (
    _group("v", "visits", Visit),
    _group("b", "bases", Base),
    _group("k", "tracked", Tracked),
    _group(_INCIDENTS, "incidents", Incident),
    _group("e", "errors", int),
    _group("r", "resolved", int),
    _group("l", "releases", int),
    _group("w", "withdrawn", int),
)


def _field(info: msgspec.structs.FieldInfo) -> tuple[str, Any, Any]:
    if info.default_factory is not msgspec.NODEFAULT:
        return info.name, info.type, msgspec.field(default_factory=info.default_factory)
    return info.name, info.type, msgspec.field(default=info.default)


_BY_LETTER: Final = {group.letter: group for group in _GROUPS}
_IN_PARTS: Final = frozenset(group.field for group in _GROUPS) | {"abandoning"}
_Rest: Final = msgspec.defstruct(
    "_Rest",
    # What an older version did not know of is as it begins.
    [_field(each) for each in msgspec.structs.fields(ProjectState) if each.name not in _IN_PARTS],
    gc=False,
)
_decode_rest: Final = msgspec.msgpack.Decoder(_Rest).decode
_decode_waiting: Final = msgspec.msgpack.Decoder(tuple[int, int]).decode
_encode: Final = msgspec.msgpack.Encoder().encode


class Changes(NamedTuple):
    """Parts that have to be stored, by their names, and names of those that are gone."""

    stored: dict[bytes, bytes]
    gone: list[bytes]


class _Waiting(dict[str, Kept[int]]):
    """The sessions that are awaited, by rule: its entries are mappings that know of their changes, too."""

    def setdefault(self, key: str, _default: object = None, /) -> Kept[int]:
        if key not in self:
            self[key] = Kept(are_immutable=True)
        return self[key]


class Parts:
    """Watches a project's state, whose mappings it replaces; `changes` gives what has to be stored."""

    def __init__(self, state: ProjectState) -> None:
        self._state = state
        self._incidents: dict[str, int] = {}
        self._waiting = _Waiting()
        self._rules_waited_for: set[str] = set()
        for group in _GROUPS:
            entries = getattr(state, group.field)
            if not isinstance(entries, Kept):
                kept: Kept[Any] = Kept(entries.items(), are_immutable=group.are_immutable)
                kept.touch_all()
                setattr(state, group.field, kept)
        for rule, sessions in state.abandoning.items():
            self._waiting[rule] = sessions if isinstance(sessions, Kept) else _all_new(sessions)
        state.abandoning = self._waiting  # type: ignore[assignment]  # a mapping of mappings all the same

    def changes(self) -> Changes:
        """Give the parts that may have changed since this was called last."""
        changes = Changes({REST.encode(): _packed(self._rest())}, [])
        for group in _GROUPS:
            entries: Kept[Any] = getattr(self._state, group.field)
            if group.letter == _INCIDENTS:
                # They are few, and also changed by who goes through all of them.
                entries.touch_all()
            _collect(changes, group.letter, entries)
        self._leave_out_unchanged(changes)
        for rule, sessions in self._waiting.items():
            _collect(changes, f"{_WAITING}{rule} ", sessions)
        return changes

    def _rest(self) -> object:
        return {name: getattr(self._state, name) for name in _Rest.__struct_fields__}

    def _leave_out_unchanged(self, changes: Changes) -> None:
        """Keep incidents only that are not what they were."""
        checked: dict[str, int] = {}
        for id_ in self._state.incidents:
            name = _name(_INCIDENTS, id_)
            checked[id_] = zlib.crc32(changes.stored[name])
            if checked[id_] == self._incidents.get(id_):
                del changes.stored[name]
        self._incidents = checked


def _all_new(entries: Mapping[str, int]) -> Kept[int]:
    kept = Kept(entries.items(), are_immutable=True)
    kept.touch_all()
    return kept


def _collect(changes: Changes, before: str, entries: Kept[Any]) -> None:
    for key, order in entries.changed():
        name = _name(before, key)
        if order is None:
            changes.gone.append(name)
        else:
            changes.stored[name] = _packed((order, dict.__getitem__(entries, key)))


def _name(before: str, key: str) -> bytes:
    return (before + key).encode("utf-8", "surrogatepass")


def _packed(content: object) -> bytes:
    data = _encode(content)
    return data if len(data) < _LEAST_COMPRESSED_BYTES else zstandard.compress(data, 1)


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_ZSTD_MAGIC):
        return data
    return zstandard.decompress(data, max_output_size=_LARGEST_PART_BYTES)


def read_parts(parts: Mapping[bytes, bytes]) -> ProjectState:
    """Make a state of all its parts. Raises msgspec.DecodeError or zstandard.ZstdError for what are none."""
    found: defaultdict[str, list[tuple[int, str, Any]]] = defaultdict(list)
    waiting: defaultdict[str, list[tuple[int, str, int]]] = defaultdict(list)
    state = ProjectState()
    for letter, key, data in _opened(parts):
        if letter == REST:
            rest = _decode_rest(data)
            for name in _Rest.__struct_fields__:
                setattr(state, name, getattr(rest, name))
        elif letter == _WAITING:
            rule, _, session_id = key.partition(" ")
            order, since = _decode_waiting(data)
            waiting[rule].append((order, session_id, since))
        else:
            order, value = _BY_LETTER[letter].decoder.decode(data)
            found[letter].append((order, key, value))
    for group in _GROUPS:
        setattr(state, group.field, Kept.read_back(found[group.letter], are_immutable=group.are_immutable))
    state.abandoning = {rule: Kept.read_back(some, are_immutable=True) for rule, some in waiting.items()}
    return state


def _opened(parts: Mapping[bytes, bytes]) -> Iterator[tuple[str, str, bytes]]:
    for name, data in parts.items():
        text = name.decode("utf-8", "surrogatepass")
        yield text[0], text[1:], _unpacked(data)
