"""JSON Schemas of everything on the wire, generated from the types.

`python -m schemas.json_schema` writes them to `schemas/generated/v1/`; a test compares. A schema describes what the
decoder takes as it stands; keys it does not name are allowed and ignored. Undecoded parts (`payload`, `args`, ...) are
any JSON value.
"""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Final

import msgspec

from schemas.activity import Activity
from schemas.alert_messages import AlertMessage
from schemas.bundle_index import BundleIndex
from schemas.dead_letter import DeadLetter
from schemas.envelope import ENVELOPE_VERSION, Envelope
from schemas.interaction_events import InteractionEvent
from schemas.rrweb_events import RrwebEvent
from schemas.session_record import SessionRecord
from schemas.signals import Signal

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
VERSION: Final = "v1"

Schema = dict[str, object]

_TYPES: Final[Mapping[str, tuple[str, object]]] = {
    "envelope": ("One Kafka message of the topic session-events", Envelope),
    "rrweb_event": ("One event of an rrweb recorder", RrwebEvent),
    "interaction_event": ("One event of a recorder without a DOM", InteractionEvent),
    "signal": ("One detected incident", Signal),
    "activity": ("One start or end of a session or a page visit, or a custom event", Activity),
    "alert_message": ("What a webhook is told of an alert", AlertMessage),
    "dead_letter": ("Where a message was that can never be used", DeadLetter),
    "session_record": ("What lists and alerts read about a session", SessionRecord),
    "bundle_index": ("The blocks and holes of a stored session", BundleIndex),
}


def json_schemas() -> dict[str, Schema]:
    """Return the schema of each type that crosses a process boundary, by the name of its file."""
    return {name: _schema(name, title, subject) for name, (title, subject) in _TYPES.items()}


def schema_text(schema: Schema) -> str:
    """Return a schema as it is stored: indented, and the same for the same types."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _schema(name: str, title: str, subject: object) -> Schema:
    (root,), components = msgspec.json.schema_components([subject], ref_template="#/$defs/{name}")
    for component in components.values():
        component["description"] = cleandoc(str(component["description"]))
    if name == "envelope":
        _describe_envelope(components)
    return {"$schema": DIALECT, "$id": f"{VERSION}/{name}.schema.json", "title": title, **root, "$defs": components}


def _describe_envelope(components: Mapping[str, Schema]) -> None:
    """Say what the envelope's type leaves open: its version, and that it holds events of one kind or both."""
    properties = components["Envelope"]["properties"]
    if not isinstance(properties, dict):
        raise TypeError("an object schema without properties")
    properties["v"] = {"const": ENVELOPE_VERSION}
    properties["events"] = {
        "type": "array",
        "items": {"anyOf": [{"$ref": "rrweb_event.schema.json"}, {"$ref": "interaction_event.schema.json"}]},
    }


if __name__ == "__main__":
    from pathlib import Path

    from schemas.asyncapi import asyncapi_document

    folder = Path(__file__).parent / "generated" / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, generated in json_schemas().items():
        (folder / f"{file_name}.schema.json").write_text(schema_text(generated), encoding="utf-8")
    (folder / "asyncapi.json").write_text(schema_text(asyncapi_document()), encoding="utf-8")
