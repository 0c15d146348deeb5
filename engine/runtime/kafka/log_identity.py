"""Which log an offset belongs to: a topic that was deleted and made again has another one, and its offsets start at 0.

The client knows topics by name only, so this asks the broker itself, with the one request that tells a topic's id:
`Metadata` of version 12 (KIP-516; Apache Kafka 3.1 and newer).
"""

import base64
from io import BytesIO
from typing import Any, ClassVar, Final, NamedTuple

from aiokafka import AIOKafkaClient
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    RequestTimedOutError,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from engine.errors import Broken, Unavailable

_METADATA: Final = 3
_VERSION: Final = 12
_NO_TOPIC_ID: Final = bytes(16)


class LogIdentity(NamedTuple):
    """What makes offsets of a topic comparable: the cluster, and the topic's id in Kafka's own spelling (base64)."""

    cluster_id: str
    topic_id: str


class _TopicId:
    """The wire type of an id: 16 bytes."""

    @staticmethod
    def encode(value: bytes) -> bytes:
        return value

    @staticmethod
    def decode(data: BytesIO) -> bytes:
        value = data.read(len(_NO_TOPIC_ID))
        if len(value) != len(_NO_TOPIC_ID):
            raise ValueError("a topic id is cut short")
        return value

    @staticmethod
    def repr(value: bytes) -> str:
        return value.hex()


def _list_of(*fields: tuple[str, Any]) -> CompactArray:
    return CompactArray(*fields, ("tags", TaggedFields))


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY = _METADATA
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            _list_of(("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString())),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            _list_of(
                ("error_code", Int16),
                ("topic", CompactString()),
                ("topic_id", Schema(("id", _TopicId))),
                ("is_internal", Boolean),
                (
                    "partitions",
                    _list_of(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = _MetadataResponse
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        ("topics", _list_of(("topic_id", Schema(("id", _TopicId))), ("topic", CompactString()))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataStruct]):  # type: ignore[misc]
    API_KEY: ClassVar[int] = _METADATA

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_MetadataStruct]) -> _MetadataStruct:
        topics: list[tuple[tuple[bytes], str, dict[int, bytes]]] = [((_NO_TOPIC_ID,), self._topic, {})]
        return request_struct_class(topics, False, False, {})  # noqa: FBT003 - the client takes them by place


async def read_log_identities(client: AIOKafkaClient, topic: str) -> LogIdentity:
    """Ask a broker which cluster it is of and which id the topic has now.

    `client` is a connected one (a consumer's own will do). A broker may lag behind a moment when a topic was just made
    again. Raises Unavailable if no broker answers or the topic is not there, Broken if the broker is older than
    Apache Kafka 3.1.
    """
    node = client.get_random_node()
    if node is None:
        raise Unavailable("no Kafka broker is known")
    try:
        answer = await client.send(node, _MetadataRequest(topic))
    except (IncompatibleBrokerVersion, NotImplementedError) as error:
        raise Broken("the Kafka broker cannot tell topic ids: Apache Kafka 3.1 or newer is needed") from error
    except (NodeNotReadyError, KafkaConnectionError, RequestTimedOutError, OSError) as error:
        raise Unavailable(f"Kafka cannot be reached: {type(error).__name__}") from error
    except KafkaError as error:
        raise Unavailable(f"Kafka refuses for now: {type(error).__name__}") from error
    code, _, (topic_id,), *_ = answer.topics[0]
    if code:
        raise Unavailable(f"Kafka does not tell of the topic: {for_code(code).__name__}")
    return LogIdentity(str(answer.cluster_id), base64.urlsafe_b64encode(topic_id).decode().rstrip("="))
