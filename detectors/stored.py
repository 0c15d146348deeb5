"""Tells msgspec how to read states again whose classes are compiled.

A compiled class remembers of each field's type only the bare class, and nothing of unions and aliases: of `list[Step]`
it knows `list`. Writing needs no types; reading does.
"""


def annotate(kind: type, **annotations: object) -> None:
    """Give back to the dataclass `kind` the types of fields, by name, that are more than a bare class.

    They are said twice, in the class and here; where nothing is compiled, this changes nothing.
    """
    kind.__annotations__.update(annotations)
