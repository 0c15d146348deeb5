"""Mappings that know which of their entries may have changed, so that only those have to be stored again."""

from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar, overload

Value = TypeVar("Value")
Default = TypeVar("Default")


class Changed(NamedTuple):
    """An entry that may have changed: its key, and its place among all; `None` if it is gone."""

    key: str
    order: int | None


class Kept(dict[str, Value], Generic[Value]):
    """A dict that notes what was set, removed, or, unless values are immutable, asked for.

    Entries have a place, which grows with each that is set anew: read back by it, they are in their order again.
    Values that were reached by iterating are not noted.
    """

    __slots__ = ("_are_immutable", "_next", "_order", "_touched")

    def __init__(self, entries: Iterable[tuple[str, Value]] = (), *, are_immutable: bool = False) -> None:
        super().__init__(entries)
        self._are_immutable = are_immutable
        self._order = {key: place for place, key in enumerate(self)}
        self._next = len(self._order)
        self._touched: dict[str, None] = {}

    @classmethod
    def read_back(cls, entries: Iterable[tuple[int, str, Value]], *, are_immutable: bool = False) -> "Kept[Value]":
        """Make one of entries with their places, none of which has changed."""
        in_order = sorted(entries, key=lambda entry: entry[0])
        made = cls(((key, value) for _, key, value in in_order), are_immutable=are_immutable)
        made._order = {key: place for place, key, _ in in_order}
        made._next = in_order[-1][0] + 1 if in_order else 0
        return made

    def changed(self) -> Iterator[Changed]:
        """Give what may have changed since this was called last."""
        touched, self._touched = self._touched, {}
        for key in touched:
            yield Changed(key, self._order.get(key))

    def touch_all(self) -> None:
        """Take every entry for changed."""
        self._touched.update(dict.fromkeys(self))

    def __setitem__(self, key: str, value: Value) -> None:
        if key not in self:
            self._order[key] = self._next
            self._next += 1
        self._touched[key] = None
        super().__setitem__(key, value)

    def __getitem__(self, key: str) -> Value:
        value = super().__getitem__(key)
        if not self._are_immutable:
            self._touched[key] = None
        return value

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._gone(key)

    @overload
    def get(self, key: str, default: None = None, /) -> Value | None: ...
    @overload
    def get(self, key: str, default: Value, /) -> Value: ...
    @overload
    def get(self, key: str, default: Default, /) -> Value | Default: ...
    def get(self, key: str, default: object = None, /) -> object:
        """Return an entry's value."""
        return self[key] if key in self else default  # noqa: SIM401 - this is what it calls

    @overload
    def pop(self, key: str, /) -> Value: ...
    @overload
    def pop(self, key: str, default: Value, /) -> Value: ...
    @overload
    def pop(self, key: str, default: Default, /) -> Value | Default: ...
    def pop(self, key: str, /, *default: object) -> object:
        """Take an entry out and return its value."""
        if key not in self:
            return super().pop(key, *default)
        value = super().__getitem__(key)
        del self[key]
        return value

    def setdefault(self, key: str, default: Value, /) -> Value:
        """Return an entry's value, which is `default` if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Take all entries out."""
        for key in list(self):
            del self[key]

    def _gone(self, key: str) -> None:
        del self._order[key]
        self._touched[key] = None
