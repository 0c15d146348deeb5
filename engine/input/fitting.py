"""Makes the most of a damaged event: what fits its type is kept, what does not is left out and counted.

A *fit* takes a parsed JSON value and returns what the type allows of it, or raises `Misfit`. The fits are made once,
from the types in `schemas`, so that there is one place that says what an event looks like. A list loses the entries
that do not fit, a mapping the values, a struct its optional fields; a struct that lacks a required field does not fit
itself, but a missing list counts as an empty one. Unknown keys vanish, as they do for events that are whole.
"""

import math
from collections.abc import Callable, Container, Iterator
from typing import Final, get_args

import msgspec
from msgspec import inspect

from engine.input.tally import Tally
from engine.reasons import Reason
from schemas.interaction_events import InteractionEvent
from schemas.rrweb_events import RrwebEvent
from schemas.rrweb_nodes import Node
from schemas.rrweb_sources import Addition, IncrementalData

Fit = Callable[[object, Tally], object]


Missing = Callable[[], object] | None
"""Makes the value of a field that is not there; `None` where there is nothing to make."""


class Misfit(Exception):
    """Nothing of the value fits the type."""


_NODE_CLASSES: Final = frozenset({Addition, *get_args(Node)})
_structs: Final[dict[type, Fit]] = {}
"""Fits of the structs, for those that contain themselves; complete once this module is loaded."""


_INFINITE: Final = (math.inf, -math.inf)
"""What the parser makes of 1e400. (NaN is not within any bounds.)"""


def _fit_text(value: object, _tally: Tally) -> object:
    if type(value) is not str:
        raise Misfit
    return value


def _fit_bool(value: object, _tally: Tally) -> object:
    if type(value) is not bool:
        raise Misfit
    return value


def _fit_none(value: object, _tally: Tally) -> object:
    if value is not None:
        raise Misfit
    return value


def _fit_raw(value: object, _tally: Tally) -> object:
    return msgspec.Raw(msgspec.json.encode(value))


def _make_number_fit(information: inspect.IntType | inspect.FloatType) -> Fit:
    wanted = int if isinstance(information, inspect.IntType) else float
    low = -math.inf if information.ge is None else information.ge
    high = math.inf if information.le is None else information.le

    def fit(value: object, _tally: Tally) -> object:
        if type(value) is not wanted or not low <= value <= high or value in _INFINITE:
            raise Misfit
        return value

    return fit


def _make_literal_fit(information: inspect.LiteralType) -> Fit:
    allowed = information.values

    def fit(value: object, _tally: Tally) -> object:
        if type(value) is not str or value not in allowed:
            raise Misfit
        return value

    return fit


def _make_list_fit(information: inspect.ListType) -> Fit:
    fit_item = _make_fit(information.item_type)
    reason = Reason.NODE_DROPPED if _is_node(information.item_type) else Reason.FIELD_DROPPED

    def fit(value: object, tally: Tally) -> object:
        if type(value) is not list:
            raise Misfit
        kept = []
        for item in value:
            try:
                kept.append(fit_item(item, tally))
            except Misfit:
                tally.repaired[reason] += 1
        return kept

    return fit


def _make_mapping_fit(information: inspect.DictType) -> Fit:
    fit_value = _make_fit(information.value_type)

    def fit(value: object, tally: Tally) -> object:
        if type(value) is not dict:
            raise Misfit
        kept = {}
        for key, item in value.items():
            try:
                kept[key] = fit_value(item, tally)
            except Misfit:
                tally.repaired[Reason.ATTRIBUTE_DROPPED] += 1
        return kept

    return fit


def _make_union_fit(information: inspect.UnionType) -> Fit:
    """Choose by the value's JSON type; structs in a union are told apart by their tag."""
    by_type = {
        _JSON_TYPES[type(member)]: _make_fit(member) for member in information.types if type(member) in _JSON_TYPES
    }
    structs = [member for member in information.types if isinstance(member, inspect.StructType)]
    if structs:
        by_type[dict] = _make_tagged_fit(structs) if structs[0].tag_field else _make_fit(structs[0])

    def fit(value: object, tally: Tally) -> object:
        chosen = by_type.get(type(value))
        if chosen is None:
            raise Misfit
        return chosen(value, tally)

    return fit


def _make_tagged_fit(structs: list[inspect.StructType]) -> Fit:
    tag_field = structs[0].tag_field
    tagged = {member.tag: _make_fit(member) for member in structs}

    def fit(value: object, tally: Tally) -> object:
        tag = value.get(tag_field) if type(value) is dict else None
        chosen = tagged.get(tag) if type(tag) in _TAG_TYPES else None
        if chosen is None:
            raise Misfit
        return chosen(value, tally)

    return fit


def _make_struct_fit(information: inspect.StructType) -> Fit:
    made = _structs.get(information.cls)
    if made is not None:
        return made

    def fit(value: object, tally: Tally) -> object:
        if type(value) is not dict or (tag_field is not None and not is_tag(value.get(tag_field), expected)):
            raise Misfit
        arguments = {}
        for name, key, fit_field, required, missing in fields:
            if key in value:
                try:
                    arguments[name] = fit_field(value[key], tally)
                    continue
                except Misfit:
                    if missing is None and required:
                        raise
                    tally.repaired[Reason.FIELD_DROPPED] += 1
            if missing is not None:
                arguments[name] = missing()
            elif required:
                raise Misfit
        return cls(**arguments)

    cls, tag_field, expected = information.cls, information.tag_field, (information.tag,)
    _structs[cls] = fit
    fields = [
        (field.name, field.encode_name, _make_fit(field.type), field.required, _when_missing(field))
        for field in information.fields
    ]
    return fit


def _when_missing(field: inspect.Field) -> Missing:
    """Return what stands in for a required list, or for an object whose content is never read."""
    if field.required and isinstance(field.type, inspect.ListType):
        return list
    if field.required and isinstance(field.type, inspect.StructType) and not field.type.fields:
        return field.type.cls
    return None


def _is_node(information: inspect.Type) -> bool:
    members = information.types if isinstance(information, inspect.UnionType) else (information,)
    return any(isinstance(member, inspect.StructType) and member.cls in _NODE_CLASSES for member in members)


_JSON_TYPES: Final[dict[type, type]] = {
    inspect.StrType: str,
    inspect.LiteralType: str,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.BoolType: bool,
    inspect.NoneType: type(None),
    inspect.ListType: list,
    inspect.DictType: dict,
}
_TAG_TYPES: Final = (int, str)
_SIMPLE: Final[dict[type, Fit]] = {
    inspect.StrType: _fit_text,
    inspect.BoolType: _fit_bool,
    inspect.NoneType: _fit_none,
    inspect.RawType: _fit_raw,
}


def tags_of(union: object) -> Iterator[int | str | None]:
    """Return what tells the members of a union of structs apart."""
    for member in get_args(union):
        yield member.__struct_config__.tag


_MAKERS: Final[dict[type, Callable[..., Fit]]] = {
    inspect.IntType: _make_number_fit,
    inspect.FloatType: _make_number_fit,
    inspect.LiteralType: _make_literal_fit,
    inspect.ListType: _make_list_fit,
    inspect.DictType: _make_mapping_fit,
    inspect.UnionType: _make_union_fit,
    inspect.StructType: _make_struct_fit,
}


def _make_fit(information: inspect.Type) -> Fit:
    """Return the fit of a type. Raises KeyError for a type that no event has had so far."""
    simple = _SIMPLE.get(type(information))
    return _MAKERS[type(information)](information) if simple is None else simple


fit_rrweb_event: Final = _make_fit(inspect.type_info(RrwebEvent))
"""Takes a parsed event; returns an `RrwebEvent` or raises `Misfit`."""

fit_interaction_event: Final = _make_fit(inspect.type_info(InteractionEvent))
"""Takes a parsed event; returns an `InteractionEvent` or raises `Misfit`."""


def is_tag(value: object, known: Container[int | str | None]) -> bool:
    """Whether a value is one of these tags: `true` is no 1, and neither is 1.0."""
    return type(value) in _TAG_TYPES and value in known


EVENT_TYPES: Final = frozenset(tags_of(RrwebEvent))
SOURCES: Final = frozenset(tags_of(IncrementalData))
KINDS: Final = frozenset(tags_of(InteractionEvent))
