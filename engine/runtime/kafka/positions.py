"""Where input was read to, and where to start: offsets that say which log they belong to.

A log is one partition of one topic of one cluster. A topic that was deleted and made again, or a partition that lost
its end, is another log: its offsets say nothing about those before.
"""

import msgspec

from replay.marks import Mark


class Position(msgspec.Struct, frozen=True):
    """How far the input of a session is stored: up to and with `offset` of `log`.

    `next_seqs` has, by window, the number of the batch after the last one stored, for whoever reads another log.
    """

    log: str
    offset: int
    next_seqs: dict[str, int] = {}


def encode_position(position: Position) -> str:
    """Write a position as text."""
    return msgspec.json.encode(position).decode()


def decode_position(text: str) -> Position:
    """Read a position. Raises msgspec.DecodeError if the text isn't one."""
    return msgspec.json.decode(text, type=Position)


def log_name(cluster_id: str, topic_id: str, partition: int, generation: int = 0) -> str:
    """Name a log; `generation` counts how often it was found cut."""
    return f"{cluster_id}/{topic_id}/{partition}#{generation}"


class Bounds(msgspec.Struct, frozen=True):
    """The offsets a log has: the first that is still there, and the one after the last."""

    begin: int
    end: int


class Start(msgspec.Struct, frozen=True):
    """Where to start reading a log, and what was found: records lost, or why all is read again."""

    log: str
    offset: int
    lost: int = 0
    cause: str = ""


def choose_start(log: str, found: Mark | None, commit: int, at: Bounds, reached: int = -1) -> Start:
    """Choose where to start: at the older of the mark and Kafka's commit (-1: none), both of which are hints.

    `log` is the name of generation 0, `reached` the offset up to which the partition is known to have been read, if it
    is. Sessions that are ahead of the start recognise what they know. Without a mark everything that is there is read;
    so is a log other than that of the mark, and one that ends before what was read of it (its offsets are given out
    anew).
    """
    if found is None:
        return Start(log, at.begin, cause="mark_lost" if commit > at.begin else "")
    same_topic, _, generation = found.log.rpartition("#")
    if same_topic != log.rpartition("#")[0]:
        return Start(log, at.begin, cause="log_changed")
    offset = found.offset if commit < 0 else min(found.offset, commit)
    if max(found.offset, commit, reached) > at.end:
        return Start(f"{same_topic}#{int(generation) + 1}", at.begin, cause="log_changed")
    lost = max(at.begin - offset, 0)
    return Start(found.log, offset + lost, lost, "out_of_range" if lost else "")
