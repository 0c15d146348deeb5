"""What a session's write has to tell on Kafka: kept with the session until the next write, sent again when in doubt."""

from typing import Final, Literal

import msgspec

from engine.core.activity import withdrawal
from engine.core.effects import SessionEffects
from schemas.signals import Signal

Channel = Literal["signal", "activity"]


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message to be sent: on which of the topics, under which key, and what."""

    channel: Channel
    key: str
    value: bytes


_encode: Final = msgspec.json.Encoder().encode
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Message])


def pack_outbox(effects: SessionEffects) -> bytes:
    """Pack what there is to tell of a write; nothing (`b""`) if there is nothing."""
    key = effects.session_id
    messages = [signal_message(signal) for signal in effects.signals]
    messages += [Message("activity", key, _encode(activity)) for activity in effects.activities]
    return _ENCODER.encode(messages) if messages else b""


def unpack_outbox(outbox: bytes) -> list[Message]:
    """Unpack an outbox. Raises msgspec.DecodeError if it is none."""
    return _DECODER.decode(outbox) if outbox else []


def signal_message(signal: Signal) -> Message:
    """Make the message that tells readers of a signal."""
    return Message("signal", signal.session_id, _encode(signal))


def withdrawal_message(project_id: str, session_id: str, t: int) -> Message:
    """Make the message that tells readers to drop what they have of a session, withdrawn at `t` (epoch ms)."""
    return Message("activity", session_id, _encode(withdrawal(project_id, session_id, t)))
