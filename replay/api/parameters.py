"""Reading the parameters of a query into a type, the same wherever it is written: an address, a file, an option."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, TypeVar

import msgspec

from replay.errors import Poison

MAX_QUERY_PARAMETERS: Final = 100

Inputs = TypeVar("Inputs", bound=msgspec.Struct)


def read_parameters(items: Sequence[tuple[str, str]], kind: type[Inputs]) -> Inputs:
    """Read names and texts, decoded, as fields of `kind`. Raises Poison with what is wrong.

    A list field is a parameter that may be repeated; all others may be given once.
    """
    if len(items) > MAX_QUERY_PARAMETERS:
        raise Poison(f"a query has at most {MAX_QUERY_PARAMETERS} parameters")
    repeatable = _is_repeatable(kind)
    fields: dict[str, object] = {}
    for name, text in items:
        if repeatable.get(name):
            gathered = fields.setdefault(name, [])
            if isinstance(gathered, list):
                gathered.append(text)
        elif name in fields:
            raise Poison("a parameter is given twice that can be given once")
        else:
            fields[name] = text
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Poison(str(error)) from None


@cache
def _is_repeatable(kind: type[msgspec.Struct]) -> Mapping[str, bool]:
    """Tell by its name in the query whether a parameter may be repeated."""
    collections = (msgspec.inspect.CollectionType, msgspec.inspect.VarTupleType)
    info = msgspec.inspect.type_info(kind)
    fields = info.fields if isinstance(info, msgspec.inspect.StructType) else ()
    return {field.encode_name: isinstance(field.type, collections) for field in fields}
