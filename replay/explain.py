"""Why something of a session is there, or is not: an answer for every id."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from replay.index import late_events
from replay.store import Fate, Store
from replay.tombstones import Tombstone
from schemas.bundle_index import Hole
from schemas.session_record import SessionRecord

END_SENTENCES: Final[Mapping[str, str]] = {
    "idle": "It ended because nothing came for as long as a session may be idle.",
    "explicit": "It ended because the recorder said so.",
    "max_duration": "It ended because it had lasted as long as a session may.",
    "max_bytes": "It ended because it had grown as large as a session may.",
    "input_end": "It ended with the input.",
}
"""What each end reason means."""

HOLE_SENTENCES: Final[Mapping[str, str]] = {
    "gap": "Batches never arrived, and were given up after waiting for them.",
    "max_bytes": "What follows was left out: the session had reached its limit of bytes.",
    "max_duration": "What follows was left out: the session had reached its longest duration.",
    "undecodable": "Batches could not be decoded.",
}
"""What each reason of a hole means."""

UNKNOWN: Final = (
    "Nothing is known of this session. Its data may never have been sent, may be on its way, may lie further back than "
    "sessions (or the reasons for their absence) are kept, or its user is excluded or refused consent, of which not "
    "even that is noted."
)

NO_SENTENCE: Final = "There is no explanation of this reason in this version."


class Statement(msgspec.Struct, frozen=True):
    """One thing to say: about what, a reason's code, the sentence for it, and how often or how much (0: no count)."""

    about: str
    reason: str
    sentence: str
    count: int = 0


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a session; all empty for one that is not."""

    session_id: str
    record: SessionRecord | None = None
    holes: Sequence[Hole] = ()
    fates: Sequence[Fate] = ()
    late_events: int = 0
    compacted: bool = False
    tombstone: Tombstone | None = None


class Explanation(msgspec.Struct, frozen=True):
    """All there is to say about a session; `stored` tells whether it can be watched."""

    session_id: str
    stored: bool
    statements: list[Statement]

    def text(self) -> str:
        """Write it out for a terminal: one statement a line, nothing in it that could control the terminal."""
        lines = [f"session {self.session_id}: {'stored' if self.stored else 'not stored'}"]
        for statement in self.statements:
            times = f" x {statement.count}" if statement.count else ""
            reason = f" {statement.reason}" if statement.reason else ""
            lines.append(f"- {statement.about}{reason}{times}: {statement.sentence}")
        return "\n".join(_printable(line) for line in lines)


def _printable(text: str) -> str:
    """Write control and formatting characters (escape sequences, text direction) as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def explain(known: Known, reasons: Mapping[str, str]) -> Explanation:
    """Say what became of a session. `reasons` maps the codes of what is dropped or repaired to sentences."""
    statements: list[Statement] = []
    if known.record is not None:
        statements += _about_record(known.record, reasons)
    statements += _about_bundle(known)
    statements += [
        Statement(f"refused for project {fate.project_id}", fate.reason, _sentence(reasons, fate.reason), fate.count)
        for fate in known.fates
    ]
    if known.tombstone is not None:
        # Of what came of it since nothing is noted.
        statements.append(Statement("withdrawn", known.tombstone.reason, _sentence(reasons, known.tombstone.reason)))
    if not statements:
        statements.append(Statement("unknown", "", UNKNOWN))
    return Explanation(known.session_id, known.record is not None, statements)


def _sentence(sentences: Mapping[str, str], reason: str) -> str:
    return sentences.get(reason, NO_SENTENCE)


def _about_record(record: SessionRecord, reasons: Mapping[str, str]) -> list[Statement]:
    statements = [_about_life(record)]
    if record.reopened:
        sentence = "Data came after its end and opened it again."
        statements.append(Statement("reopened", "", sentence, record.reopened))
    for about, counts in (("dropped", record.dropped), ("repaired", record.repaired)):
        statements += [
            Statement(about, reason, _sentence(reasons, reason), count) for reason, count in sorted(counts.items())
        ]
    return statements


def _about_life(record: SessionRecord) -> Statement:
    if record.end_reason is None:
        return Statement("open", "", "It has not ended; more may come.")
    return Statement("ended", record.end_reason, _sentence(END_SENTENCES, record.end_reason))


def _about_bundle(known: Known) -> list[Statement]:
    statements = [_about_hole(hole) for hole in known.holes]
    if known.late_events:
        sentence = "Events came after their place was given up: they play, but were not judged."
        statements.append(Statement("late", "", sentence, known.late_events))
    if known.compacted:
        statements.append(Statement("compacted", "", "Its blocks were merged after its end; nothing was left out."))
    return statements


def _about_hole(hole: Hole) -> Statement:
    place = "" if hole.first_seq is None else f", batches {hole.first_seq} to {hole.last_seq}"
    about = f"hole in window {hole.window_id}{place}, at {hole.t} ms"
    return Statement(about, hole.reason, _sentence(HOLE_SENTENCES, hole.reason), hole.events)


async def explain_session(
    store: Store, session_id: str, reasons: Mapping[str, str], tombstone: Tombstone | None = None
) -> Explanation:
    """Explain a session from a store; `tombstone` is what stands for it, if so. Raises what the store raises."""
    index = await store.index(session_id)
    known = Known(
        session_id=session_id,
        record=await store.record(session_id),
        holes=index.holes if index else (),
        fates=await store.fates(session_id),
        late_events=late_events(index) if index else 0,
        compacted=bool(index and index.compacted),
        tombstone=tombstone,
    )
    return explain(known, reasons)
