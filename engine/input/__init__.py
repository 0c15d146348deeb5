"""Reads input: messages into envelopes, envelopes into events, files into messages. Hostile input is normal here."""

from engine.input.events import DecodedEvents, EventDecoder
from engine.input.files import Problem, SourceMessage, read_batches
from engine.input.messages import DecodedBatch, decode_message

__all__ = [
    "DecodedBatch",
    "DecodedEvents",
    "EventDecoder",
    "Problem",
    "SourceMessage",
    "decode_message",
    "read_batches",
]
