"""The AsyncAPI 3.0 description of the topics in Kafka: what is on them, under which key, with which headers.

`python -m schemas.json_schema` writes it beside the JSON Schemas, to which it refers; a test compares.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

BINDING_VERSION: Final = "0.5.0"
"""Version of AsyncAPI's Kafka bindings, which say how keys and topics are described."""

Document = dict[str, object]

_CONTENT_ENCODING: Final[Document] = {
    "type": "object",
    "properties": {
        "content-encoding": {
            "type": "string",
            "enum": ["identity", "gzip", "zstd"],
            "description": "How the value is compressed; without this header, or as `identity`, it is not.",
        }
    },
}


class _Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic: its name unless settings say otherwise, what Wince does with it, and what a message on it is."""

    name: str
    setting: str
    action: str
    schema: str
    title: str
    summary: str
    key: str
    headers: Document | None = None


_TOPICS: Final[Mapping[str, _Topic]] = {
    "sessionEvents": _Topic(
        name="session-events",
        setting="kafka.events_topic",
        action="receive",
        schema="envelope",
        title="Batch of events",
        summary="Events of one session and window, as a recorder or collector sends them. Only this topic has headers.",
        key="The session_id of the batch: batches of a session have to be in one partition.",
        headers=_CONTENT_ENCODING,
    ),
    "frustrationSignals": _Topic(
        name="frustration-signals",
        setting="kafka.signals_topic",
        action="send",
        schema="signal",
        title="Signal",
        summary="One detected incident with its evidence. It may come more than once, always with the same id.",
        key="The session_id of the signal.",
    ),
    "sessionActivity": _Topic(
        name="session-activity",
        setting="kafka.activity_topic",
        action="send",
        schema="activity",
        title="Activity",
        summary="A start or end of a session or visit, a custom event, a withdrawal. Any may come again, with its id.",
        key="The session_id of the activity.",
    ),
    "sessionEventsDeadLetters": _Topic(
        name="session-events-dlq",
        setting="kafka.dead_letters_topic",
        action="send",
        schema="dead_letter",
        title="Dead letter",
        summary="Where a batch was that can never be used, and why. It may come more than once, with the same place.",
        key="Topic and partition of the batch, with a slash between them.",
    ),
}


def asyncapi_document() -> Document:
    """Return the description, as Wince sees it: it receives batches and sends all else."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wince",
            "version": "1",
            "description": "What Wince reads from Kafka and writes to it. All values are JSON texts.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {channel: _channel(topic) for channel, topic in _TOPICS.items()},
        "operations": {channel: _operation(channel, topic) for channel, topic in _TOPICS.items()},
        "components": {"messages": {topic.schema: _message(topic) for topic in _TOPICS.values()}},
    }


def _channel(topic: _Topic) -> Document:
    return {
        "address": topic.name,
        "description": f"Another topic is named by the setting `{topic.setting}`.",
        "messages": {topic.schema: {"$ref": f"#/components/messages/{topic.schema}"}},
        "bindings": {"kafka": {"topic": topic.name, "bindingVersion": BINDING_VERSION}},
    }


def _operation(channel: str, topic: _Topic) -> Document:
    return {
        "action": topic.action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{topic.schema}"}],
    }


def _message(topic: _Topic) -> Document:
    key = {"type": "string", "description": topic.key}
    message: Document = {
        "name": topic.schema,
        "title": topic.title,
        "summary": topic.summary,
        "contentType": "application/json",
        "payload": {"$ref": f"./{topic.schema}.schema.json"},
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING_VERSION}},
    }
    return message if topic.headers is None else {**message, "headers": topic.headers}
