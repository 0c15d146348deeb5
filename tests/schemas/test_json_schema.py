"""The generated schemas say what the types take, and the examples are what both take."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

import schemas
from schemas.activity import Activity, ActivityKind
from schemas.alert_messages import AlertMessage
from schemas.bundle_index import BundleIndex
from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope
from schemas.interaction_events import InteractionEvent
from schemas.json_schema import VERSION, json_schemas, schema_text
from schemas.rrweb_events import RrwebEvent
from schemas.rrweb_sources import IncrementalData
from schemas.session_record import SessionRecord
from schemas.signals import Signal

PACKAGE = Path(schemas.__file__).parent
GENERATED = PACKAGE / "generated" / VERSION
EXAMPLES = sorted((PACKAGE / "examples" / VERSION).glob("*.json"))
TYPES = {
    "activity": Activity,
    "alert_message": AlertMessage,
    "bundle_index": BundleIndex,
    "dead_letter": DeadLetter,
    "envelope": Envelope,
    "interaction_event": InteractionEvent,
    "rrweb_event": RrwebEvent,
    "session_record": SessionRecord,
    "signal": Signal,
}


def validator(name: str) -> Draft202012Validator:
    stored = {f"{VERSION}/{file}.schema.json": schema for file, schema in json_schemas().items()}
    registry = Registry().with_resources((uri, Resource.from_contents(schema)) for uri, schema in stored.items())
    return Draft202012Validator(stored[f"{VERSION}/{name}.schema.json"], registry=registry)


def name_of(example: Path) -> str:
    return example.name.partition(".")[0]


def tags(union: object) -> set[object]:
    return {member.__struct_config__.tag for member in get_args(union)}


def without_defaults(value: object) -> object:
    """Leave out what a type adds or drops without changing the meaning: empty lists, `null`, `false`, 0 and so on."""
    if isinstance(value, dict):
        kept = {key: without_defaults(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, [], {}, False, 0, "")}
    if isinstance(value, list):
        return [without_defaults(item) for item in value]
    return value


@pytest.mark.parametrize("name", sorted(TYPES))
def test_the_stored_schema_is_the_generated_one(name: str) -> None:
    stored = (GENERATED / f"{name}.schema.json").read_text(encoding="utf-8")
    assert stored == schema_text(json_schemas()[name]), "run: python -m schemas.json_schema"


def test_nothing_else_is_stored() -> None:
    assert {path.name for path in GENERATED.iterdir()} == {f"{name}.schema.json" for name in TYPES} | {"asyncapi.json"}
    assert set(json_schemas()) == set(TYPES)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(json_schemas()[name])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_fits_its_type_and_its_schema(example: Path) -> None:
    text = example.read_bytes()
    decoded: object = msgspec.json.decode(text, type=TYPES[name_of(example)])
    validator(name_of(example)).validate(json.loads(text))
    again = msgspec.json.encode(decoded)
    assert msgspec.json.encode(msgspec.json.decode(again, type=TYPES[name_of(example)])) == again
    assert without_defaults(json.loads(again)) == without_defaults(json.loads(text))


def test_every_kind_of_event_has_an_example() -> None:
    events = [json.loads(path.read_bytes()) for path in EXAMPLES if name_of(path) == "rrweb_event"]
    assert {event["type"] for event in events} == tags(RrwebEvent) == set(range(9))
    assert (
        {event["data"]["source"] for event in events if event["type"] == 3} == tags(IncrementalData) == set(range(17))
    )
    told = [json.loads(path.read_bytes()) for path in EXAMPLES if name_of(path) == "interaction_event"]
    assert {event["kind"] for event in told} == tags(InteractionEvent)


def test_every_type_has_an_example() -> None:
    assert {name_of(path) for path in EXAMPLES} == set(TYPES)


def test_every_kind_of_activity_has_an_example() -> None:
    activities = [json.loads(path.read_bytes()) for path in EXAMPLES if name_of(path) == "activity"]
    assert {activity["kind"] for activity in activities} == set(get_args(ActivityKind))


def places_in(value: object, *before: str | int) -> Iterator[tuple[str | int, ...]]:
    """Yield the path to every value of an object, at any depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(value, dict):
            yield (*before, key)
        yield from places_in(item, *before, key)


def spoiled(text: bytes, place: tuple[str | int, ...]) -> object:
    """Return the document with a value of a wrong type in one place."""
    document = inner = json.loads(text)
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = [[None]]
    return document


@pytest.mark.parametrize(
    "example", [path for path in EXAMPLES if path.stat().st_size < 2_000], ids=lambda path: path.stem
)
def test_type_and_schema_refuse_the_same_documents(example: Path) -> None:
    text, name = example.read_bytes(), name_of(example)
    check = validator(name)
    for place in places_in(json.loads(text)):
        if name == "envelope" and place[0] == "events":
            continue  # the envelope's type leaves events undecoded
        document = spoiled(text, place)
        try:
            msgspec.json.decode(json.dumps(document), type=TYPES[name])
        except msgspec.ValidationError:
            with pytest.raises(ValidationError):
                check.validate(document)
        else:
            check.validate(document)
