"""The description of the topics: current, whole, and the same that the engine goes by.

AsyncAPI's own parser and its JSON Schema of version 3.0.0 take it as well; they are no part of this project.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

import schemas
from engine.errors import Poison
from engine.input.messages import decode_message
from engine.settings import KafkaSettings, LimitSettings
from schemas.asyncapi import asyncapi_document
from schemas.json_schema import VERSION, json_schemas, schema_text

PACKAGE = Path(schemas.__file__).parent
STORED = PACKAGE / "generated" / VERSION / "asyncapi.json"
DOCUMENT = json.loads(STORED.read_bytes())
URI = f"{VERSION}/asyncapi.json"
RESOURCES = {URI: DOCUMENT} | {f"{VERSION}/{name}.schema.json": schema for name, schema in json_schemas().items()}
REGISTRY = Registry().with_resources(
    (uri, Resource.from_contents(content, default_specification=DRAFT202012)) for uri, content in RESOURCES.items()
)
CHANNELS = DOCUMENT["channels"]


def references(value: object) -> Iterator[str]:
    """List everything that is referred to, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def resolved(reference: str) -> object:
    return REGISTRY.resolver(URI).lookup(reference).contents


def messages_of(channel: str) -> dict[str, dict[str, object]]:
    return {name: resolved(at["$ref"]) for name, at in CHANNELS[channel]["messages"].items()}  # type: ignore[misc]


def test_the_stored_description_is_the_generated_one() -> None:
    assert STORED.read_text(encoding="utf-8") == schema_text(asyncapi_document()), "run: python -m schemas.json_schema"


def test_it_is_of_version_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert set(DOCUMENT) <= {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}


def test_whatever_is_referred_to_is_there() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > len(CHANNELS)
    assert all(isinstance(resolved(reference), dict) for reference in found)


def test_each_topic_is_the_one_of_its_setting() -> None:
    kafka = KafkaSettings()
    described = {channel["description"].split("`")[1]: channel["address"] for channel in CHANNELS.values()}
    topics = [name for name in KafkaSettings.__struct_fields__ if name.endswith("_topic")]
    assert described == {f"kafka.{name}": getattr(kafka, name) for name in topics}


def test_batches_are_received_and_all_else_is_sent() -> None:
    actions = {at["channel"]["$ref"].rpartition("/")[2]: at["action"] for at in DOCUMENT["operations"].values()}
    assert actions == {channel: "receive" if channel == "sessionEvents" else "send" for channel in CHANNELS}


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_message_has_a_key_and_a_schema_that_its_examples_fit(channel: str) -> None:
    for name, message in messages_of(channel).items():
        assert message["bindings"]["kafka"]["key"]["type"] == "string"  # type: ignore[index]
        schema = {"$ref": f"{VERSION}/{message['payload']['$ref'].removeprefix('./')}"}  # type: ignore[index]
        examples = [*(PACKAGE / "examples" / VERSION).glob(f"{name}.*json")]
        assert examples
        for example in examples:
            Draft202012Validator(schema, registry=REGISTRY).validate(json.loads(example.read_bytes()))


def test_the_compressions_described_are_those_that_are_read() -> None:
    headers = messages_of("sessionEvents")["envelope"]["headers"]
    assert "identity" in headers["properties"]["content-encoding"]["enum"]  # type: ignore[index]
    for encoding in headers["properties"]["content-encoding"]["enum"]:  # type: ignore[index]
        with pytest.raises(Poison) as caught:
            decode_message(b"", encoding, LimitSettings())
        assert caught.value.reason != "unknown_encoding"
    with pytest.raises(Poison, match="unknown_encoding"):
        decode_message(b"", "br", LimitSettings())
