"""Why something is missing: one word for everything that is ever dropped, held back or repaired.

The words appear in counters, dead letters, session records and `wince explain`; `python -m engine.reasons` prints the
page `docs/reasons.md`, which explains them all.
"""

from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """What became of the thing a reason is about; the value is the heading in the documentation."""

    DROPPED_BATCH = "Dropped batches"
    DROPPED_EVENT = "Dropped events"
    REPAIRED = "Repaired"
    NOTED = "Noted, nothing lost"


class Reason(StrEnum):
    """A reason, its kind and one sentence for operators. The words are an interface: add some, never rename."""

    kind: Kind
    explanation: str

    def __new__(cls, word: str, kind: Kind = Kind.NOTED, explanation: str = "") -> Self:
        """Make the member with the value `word`; the defaults only let `Reason(word)` look one up."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.kind = kind
        member.explanation = explanation
        return member

    # The message as a whole.
    NOT_JSON = "not_json", Kind.DROPPED_BATCH, "The message is no JSON text."
    NOT_AN_OBJECT = "not_an_object", Kind.DROPPED_BATCH, "The message is JSON, but no object."
    UNKNOWN_ENCODING = (
        "unknown_encoding",
        Kind.DROPPED_BATCH,
        "The `content-encoding` header names something other than `gzip` or `zstd`.",
    )
    TRUNCATED_COMPRESSION = "truncated_compression", Kind.DROPPED_BATCH, "The compressed message ends too early."
    CORRUPT_COMPRESSION = (
        "corrupt_compression",
        Kind.DROPPED_BATCH,
        "The compressed message cannot be decompressed, or only with unreasonable effort.",
    )
    TOO_LARGE_COMPRESSED = (
        "too_large_compressed",
        Kind.DROPPED_BATCH,
        "The compressed message is larger than `limits.max_message_bytes`.",
    )
    TOO_LARGE = "too_large", Kind.DROPPED_BATCH, "The decompressed message is larger than `limits.max_batch_bytes`."
    TOO_DEEP = "too_deep", Kind.DROPPED_BATCH, "The message is nested so deeply that a parser would overflow its stack."
    TOO_DENSE = (
        "too_dense",
        Kind.DROPPED_BATCH,
        "The message holds a damaged event and so many values that taking it apart would need too much memory.",
    )
    INVALID_ENVELOPE = "invalid_envelope", Kind.DROPPED_BATCH, "A field of the envelope is missing or of a wrong type."
    INVALID_IDENTIFIER = (
        "invalid_identifier",
        Kind.DROPPED_BATCH,
        "An identifier in the envelope is missing, empty, too long, no text, or holds control characters.",
    )
    UNKNOWN_VERSION = "unknown_version", Kind.DROPPED_BATCH, "The envelope's version `v` is not 1."
    NO_CONSENT = (
        "no_consent",
        Kind.DROPPED_BATCH,
        "The visitor refused consent: nothing of the batch is kept, and of its session nothing that was stored before.",
    )
    EXCLUDED_USER = (
        "excluded_user",
        Kind.DROPPED_BATCH,
        "The user is excluded, by `privacy.exclude_users` or since the user's sessions were deleted.",
    )
    SESSION_DELETED = (
        "session_deleted",
        Kind.DROPPED_BATCH,
        "The session was deleted; what comes of it later is not kept.",
    )
    STATE_UNREADABLE = (
        "state_unreadable",
        Kind.DROPPED_BATCH,
        "The session cannot go on: what is stored to resume it is of another version of Wince, or damaged.",
    )
    NOT_BATCHES = (
        "not_batches",
        Kind.DROPPED_BATCH,
        "The file holds neither batches, one a line, nor an array of events; nothing of it is read.",
    )
    INPUT_READ_ERROR = "input_read_error", Kind.DROPPED_BATCH, "The input could not be read, or not to its end."
    # The batch's place in its window and session.
    DUPLICATE_BATCH = "duplicate_batch", Kind.DROPPED_BATCH, "The batch was delivered before."
    SEQUENCE_CONFLICT = (
        "sequence_conflict",
        Kind.DROPPED_BATCH,
        "Another batch of the window with the same `seq` and other content came first.",
    )
    SEQUENCE_JUMP = (
        "sequence_jump",
        Kind.DROPPED_BATCH,
        "The batch's `seq` lies more than `order.max_gap_batches` ahead while the window went on at its old place.",
    )
    AFTER_END = "after_end", Kind.DROPPED_BATCH, "The batch came after its session had ended and its grace was over."
    TOO_MANY_WINDOWS = (
        "too_many_windows",
        Kind.DROPPED_BATCH,
        "The session has `limits.max_windows_per_session` windows already.",
    )
    PROJECT_CONFLICT = (
        "project_conflict",
        Kind.DROPPED_BATCH,
        "The batch names another project than the first one of its session.",
    )
    LATE_BATCH = (
        "late_batch",
        Kind.NOTED,
        "The batch came after its place was given up: it is stored in its place, but no longer judged.",
    )
    GAP_ABANDONED = (
        "gap_abandoned",
        Kind.NOTED,
        "Missing batches were given up after `order.gap_wait` or for want of room; the bundle has a hole there.",
    )
    EMPTY_BATCH = "empty_batch", Kind.NOTED, "The batch holds no events."
    # Events.
    TOO_MANY_EVENTS = (
        "too_many_events",
        Kind.DROPPED_EVENT,
        "The event lies beyond the first `limits.max_batch_events` of its batch.",
    )
    UNKNOWN_EVENT_TYPE = "unknown_event_type", Kind.DROPPED_EVENT, "The event's `type` or `kind` is not known."
    UNKNOWN_SOURCE = "unknown_source", Kind.DROPPED_EVENT, "The incremental event's `source` is not known."
    INVALID_EVENT = (
        "invalid_event",
        Kind.DROPPED_EVENT,
        "The event is no object, or lacks something without which it means nothing.",
    )
    PACKED_EVENT = (
        "packed_event",
        Kind.DROPPED_EVENT,
        "The event, or a part of it, is packed text of no known form, or damaged.",
    )
    EVENT_TOO_LARGE = (
        "event_too_large",
        Kind.DROPPED_EVENT,
        "The events that were sent packed are larger than `limits.max_batch_bytes` when unpacked.",
    )
    EVENT_TOO_DEEP = "event_too_deep", Kind.DROPPED_EVENT, "The event is nested deeper than `limits.max_depth`."
    EVENT_TOO_DENSE = (
        "event_too_dense",
        Kind.DROPPED_EVENT,
        "The event is damaged and holds so many values that repairing it would need too much memory.",
    )
    CANVAS_DROPPED = "canvas_dropped", Kind.DROPPED_EVENT, "Canvas content is not published."
    CUSTOM_DROPPED = "custom_dropped", Kind.DROPPED_EVENT, "Custom events with an unknown name are not published."
    PLUGIN_DROPPED = "plugin_dropped", Kind.DROPPED_EVENT, "Events of an unknown recorder plugin are not published."
    ASSET_DROPPED = "asset_dropped", Kind.DROPPED_EVENT, "Assets other than style sheets are not published."
    MASKING_FAILED = "masking_failed", Kind.DROPPED_EVENT, "Masking the event failed, so nothing of it is published."
    NOTHING_LEFT = "nothing_left", Kind.DROPPED_EVENT, "Masking and filtering left nothing of the event."
    SESSION_MAX_BYTES = (
        "session_max_bytes",
        Kind.DROPPED_EVENT,
        "The session's bundle has reached `session.max_bytes`; the rest is a hole.",
    )
    SESSION_MAX_DURATION = (
        "session_max_duration",
        Kind.DROPPED_EVENT,
        "The session has lasted `session.max_duration`; the rest is a hole.",
    )
    # Parts of events.
    SURROGATE_REPAIRED = (
        "surrogate_repaired",
        Kind.REPAIRED,
        "Half a surrogate pair, which no parser accepts, was replaced by U+FFFD.",
    )
    NUMBER_REPAIRED = (
        "number_repaired",
        Kind.REPAIRED,
        "A `NaN` or `Infinity`, of which JSON knows nothing, was replaced by `null`.",
    )
    INVALID_UTF8 = "invalid_utf8", Kind.REPAIRED, "Bytes that are no UTF-8 were replaced by U+FFFD."
    TEXT_TOO_LONG = "text_too_long", Kind.REPAIRED, "A text was cut to `limits.max_text_bytes`."
    TIMESTAMP_REPAIRED = (
        "timestamp_repaired",
        Kind.REPAIRED,
        "A timestamp that cannot be one was replaced by that of the event before.",
    )
    PLUGIN_FAILED = (
        "plugin_failed",
        Kind.NOTED,
        "A detector of another package failed and was left out of the rest of its window.",
    )
    CLOCK_JUMP = "clock_jump", Kind.REPAIRED, "The browser's clock jumped; the times after it were shifted."
    NODE_DROPPED = "node_dropped", Kind.REPAIRED, "A damaged node was left out of a page, with everything below it."
    NODE_TOO_DEEP = (
        "node_too_deep",
        Kind.REPAIRED,
        "A node nested deeper than `limits.max_depth` was left out of a page.",
    )
    TOO_MANY_NODES = (
        "too_many_nodes",
        Kind.REPAIRED,
        "A node was left out of a page that has `limits.max_nodes_per_page` already.",
    )
    ATTRIBUTE_DROPPED = "attribute_dropped", Kind.REPAIRED, "An attribute with a value of a wrong type was left out."
    FIELD_DROPPED = "field_dropped", Kind.REPAIRED, "A field or list entry of a wrong type was left out of an event."
    UNKNOWN_NODE = (
        "unknown_node",
        Kind.REPAIRED,
        "A change names a node that the page does not have: what it says was masked.",
    )
    MASKED_UNKNOWN = (
        "masked_unknown",
        Kind.REPAIRED,
        "A value was masked because the element it belongs to is not known.",
    )
    UNKNOWN_SESSION_ATTRIBUTE = (
        "unknown_session_attribute",
        Kind.REPAIRED,
        "An attribute of the envelope with a name that is not known was left out.",
    )
    INVALID_SESSION_ATTRIBUTE = (
        "invalid_session_attribute",
        Kind.REPAIRED,
        "An attribute of the envelope that is no text, or not of its form, or looks like a secret was left out.",
    )
    # The session.
    TOO_MANY_SIGNALS = (
        "too_many_signals",
        Kind.NOTED,
        "The session has `limits.max_signals_per_session` signals; further ones are counted only.",
    )
    TOO_MANY_VISITS = (
        "too_many_visits",
        Kind.NOTED,
        "The session has visited a thousand pages; further visits are not told to those who count activity.",
    )
    TOO_MANY_CUSTOM_EVENTS = (
        "too_many_custom_events",
        Kind.NOTED,
        "An event of `activity.custom_events` came a hundred times in its session; further ones are not told.",
    )


def reasons_document() -> str:
    """Return `docs/reasons.md`: every reason by kind, as Markdown tables."""
    lines = [
        "# Reasons",
        "",
        "Whatever is dropped, repaired or worth a note is counted under one of these words.",
        "This page is written by `python -m engine.reasons > docs/reasons.md`.",
    ]
    for kind in Kind:
        lines += ["", f"## {kind}", "", "| reason | meaning |", "| --- | --- |"]
        lines += [f"| `{reason}` | {reason.explanation} |" for reason in Reason if reason.kind is kind]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(reasons_document())
