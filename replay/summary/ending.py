"""How a session ended, and its headline."""

from collections.abc import Sequence
from typing import Final

from replay.summary.incidents import Incident
from replay.summary.phrases import clause
from replay.summary.types import Outcome, Sentence
from replay.summary.visits import Visit
from replay.summary.words import TOLD_MS, capital, counted, duration, path_of
from schemas.session_record import SessionRecord

SOON_MS: Final = 30_000
"""A session that ended no later than this after its last friction ended on it: as long as makes a pause (`idle`)."""

_LEFT: Final = frozenset({"idle", "explicit"})
"""Reasons that mean that the visitor left; of the others it is not known."""

_CUTS: Final = {
    "max_bytes": "it had reached its limit of bytes",
    "max_duration": "it had reached its longest duration",
}


def outcome_of(record: SessionRecord, frictions: Sequence[Incident]) -> Outcome:
    """Say in a word how it went."""
    if record.status == "open":
        return "open"
    if not frictions:
        return "calm"
    return "ended_on_friction" if record.last_event_at - last_end(frictions) <= SOON_MS else "went_on"


def last_end(frictions: Sequence[Incident]) -> int:
    """Tell when the last friction ended (epoch ms); there is at least one."""
    return max(incident.end_t for incident in frictions)


def end_sentence(record: SessionRecord, frictions: Sequence[Incident]) -> Sentence:
    """Tell how it ended."""
    lasted = duration(record.last_event_at - record.started_at)
    if record.status == "open":
        text = f"The session is still open after {lasted}."
    elif record.end_reason in _CUTS:
        text = f"The session was cut off after {lasted}: {_CUTS[record.end_reason]}."
    else:
        verb = "Left" if record.end_reason in _LEFT else "The recording ends"
        text = f"{verb} after {lasted}{_since(record, frictions)}."
    return Sentence(text, record.last_event_at, "", [], "end")


def _since(record: SessionRecord, frictions: Sequence[Incident]) -> str:
    if not frictions:
        return ""
    gap = record.last_event_at - last_end(frictions)
    return f", {duration(gap)} after the last friction" if gap >= TOLD_MS else ", right after the last friction"


def headline_of(record: SessionRecord, visits: Sequence[Visit], frictions: Sequence[Incident], outcome: Outcome) -> str:
    """Tell the worst moment and how it ended; `frictions` are worst first."""
    if not frictions:
        return capital(f"{_calm(record, visits)}: no friction.")
    worst = frictions[0]
    gap = record.last_event_at - worst.end_t
    if outcome == "open":
        tail = "the session is still open"
    elif outcome == "went_on" or worst.end_t != last_end(frictions):
        tail = f"the session went on for {duration(gap)}"
    else:
        when = f"{duration(gap)} later" if gap >= TOLD_MS else "right after"
        tail = f"left {when}" if record.end_reason in _LEFT else f"the session ends {when}"
    return f"{capital(clause(worst, f' on {path_of(worst.page)}'))}; {tail}."


def _calm(record: SessionRecord, visits: Sequence[Visit]) -> str:
    lasted = duration(record.last_event_at - record.started_at)
    paths = {visit.path for visit in visits}
    if not paths:
        return f"was there for {lasted}"
    pages = next(iter(paths)) if len(paths) == 1 else counted(len(paths), "page")
    clicks = f" with {counted(record.totals.clicks, 'click')}" if record.totals.clicks else ""
    return f"looked at {pages} for {lasted}{clicks}"
