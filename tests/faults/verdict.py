"""Compares what is stored with what was sent, and counts. It knows the input and Redis, and nothing else."""

import math
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

from redis.asyncio import Redis

from tests.faults.expected import EventName, Expected, ExpectedSession, expected_lines, name_of
from tests.faults.stored import StoredSession, read_session, stored_session_ids

EXAMPLES = 10


@dataclass
class Verdict:
    """How much is wrong, by kind; each of them has to be zero. `examples` names the first things found."""

    sessions_missing: int = 0
    sessions_unknown: int = 0
    sessions_unlisted: int = 0
    bundles_broken: int = 0
    events_lost: int = 0
    events_duplicated: int = 0
    events_out_of_order: int = 0
    events_differ: int = 0
    holes_wrong: int = 0
    signals_lost: int = 0
    signals_unknown: int = 0
    signals_differ: int = 0
    signals_untold: int = 0
    activities_wrong: int = 0
    letters_wrong: int = 0
    counts_wrong: int = 0
    ends_wrong: int = 0
    examples: list[str] = field(default_factory=list)
    sessions: int = 0
    batches: int = 0
    events: int = 0
    signals: int = 0

    @property
    def wrong(self) -> dict[str, int]:
        """Return every kind of which there is any."""
        told = {"examples", "sessions", "batches", "events", "signals"}
        return {
            each.name: value for each in fields(self) if each.name not in told and (value := getattr(self, each.name))
        }

    @property
    def is_clean(self) -> bool:
        return not self.wrong

    def say(self, kind: str, count: int, what: str) -> None:
        """Count something that is wrong."""
        if count:
            setattr(self, kind, getattr(self, kind) + count)
            if len(self.examples) < EXAMPLES:
                self.examples.append(f"{kind} {count}: {what}")

    def __str__(self) -> str:
        return f"{self.wrong or 'nothing wrong'} in {self.sessions} sessions; {'; '.join(self.examples)}"


async def verify(redis: Redis, prefix: str, expected: Expected) -> Verdict:
    """Judge everything under a key prefix."""
    verdict = Verdict()
    stored = await stored_session_ids(redis, prefix)
    verdict.say(
        "sessions_unknown", len(stored - expected.sessions.keys()), f"{sorted(stored - expected.sessions.keys())[:3]}"
    )
    for session_id, sent in expected.sessions.items():
        verdict.sessions += 1
        verdict.batches += sent.batches
        found = await read_session(redis, prefix, session_id)
        if found is None:
            verdict.say("sessions_missing", 1, session_id)
            verdict.say("events_lost", sum(map(len, sent.windows.values())), session_id)
            continue
        _judge_session(verdict, session_id, sent, found, expected)
        listed = await redis.zscore(f"{prefix}:project:{{{sent.project_id}}}:time", session_id)
        verdict.say("sessions_unlisted", int(listed is None), session_id)
    return verdict


def _judge_session(
    verdict: Verdict, session_id: str, sent: ExpectedSession, found: StoredSession, expected: Expected
) -> None:
    verdict.events += len(found.events)
    verdict.signals += len(found.signals)
    verdict.say("bundles_broken", int(bool(found.broken)), f"{session_id}: {found.broken}")
    stored = found.windows
    is_capped = expected.records[session_id].get("end_reason") == "max_bytes"
    wanted = _up_to_the_cap(verdict, session_id, sent, expected) if is_capped else sent.windows
    for window_id in wanted.keys() | stored.keys():
        _judge_window(verdict, f"{session_id} {window_id}", wanted.get(window_id, []), stored.get(window_id, []))
    if verdict.is_clean:
        differ = _differences(expected_lines(expected, session_id), found.events)
        verdict.say("events_differ", differ, session_id)
    _judge_signals(verdict, session_id, expected.signals.get(session_id, {}), found.signals)
    _judge_record(verdict, session_id, sent, found, expected.records[session_id])


def _up_to_the_cap(
    verdict: Verdict, session_id: str, sent: ExpectedSession, expected: Expected
) -> dict[str, list[EventName]]:
    """Return what a session that grew too large may keep: its beginning, up to where `wince process` ends it."""
    kept: dict[str, list[EventName]] = {}
    for window_id, event in expected_lines(expected, session_id):
        kept.setdefault(window_id, []).append(name_of(event))
    for window_id, names in kept.items():
        is_beginning = sent.windows[window_id][: len(names)] == names
        verdict.say("events_differ", int(not is_beginning), f"{session_id} {window_id}: not its beginning")
    return kept


def _judge_window(verdict: Verdict, where: str, sent: list[EventName], stored: list[EventName]) -> None:
    lost, more = Counter(sent) - Counter(stored), Counter(stored) - Counter(sent)
    verdict.say("events_lost", lost.total(), where)
    verdict.say("events_duplicated", more.total(), where)
    verdict.say("events_out_of_order", _disorder(sent, stored), where)


def _disorder(sent: list[EventName], stored: list[EventName]) -> int:
    """Count stored events that come before one that was sent earlier; alike ones are taken in their order."""
    places: dict[EventName, list[int]] = {}
    for place, name in enumerate(sent):
        places.setdefault(name, []).append(place)
    wrong, highest = 0, -1
    taken: Counter[EventName] = Counter()
    for name in stored:
        alike = places.get(name, [])
        if taken[name] >= len(alike):
            continue
        place = alike[taken[name]]
        taken[name] += 1
        wrong += place < highest
        highest = max(highest, place)
    return wrong


def _differences(expected: list[tuple[str, Any]], stored: list[tuple[str, Any]]) -> int:
    differ = sum(one != other for one, other in zip(expected, stored, strict=False))
    return differ + abs(len(expected) - len(stored))


def _judge_signals(verdict: Verdict, session_id: str, expected: dict[str, Any], stored: dict[str, Any]) -> None:
    lost, unknown = expected.keys() - stored.keys(), stored.keys() - expected.keys()
    verdict.say("signals_lost", len(lost), f"{session_id}: {[expected[name] for name in lost]}")
    verdict.say("signals_unknown", len(unknown), f"{session_id}: {[stored[name] for name in unknown]}")
    differ = [(expected[name], stored[name]) for name in expected.keys() & stored.keys()]
    differ = [(one, other) for one, other in differ if one != other]
    verdict.say("signals_differ", len(differ), f"{session_id}: {differ}")


def _judge_record(
    verdict: Verdict, session_id: str, sent: ExpectedSession, found: StoredSession, expected: dict[str, Any]
) -> None:
    record = found.record
    is_capped = expected.get("end_reason") == "max_bytes"
    counts = {} if is_capped else {"batches": sent.batches, "events": sum(map(len, sent.windows.values()))}
    wrong = {name for name, count in counts.items() if record["totals"][name] != count}
    wrong |= {name for name in ("totals", "tags", "pages", "window_ids") if record[name] != expected[name]}
    wrong |= set() if math.isclose(record["score"], expected["score"], abs_tol=0.1) else {"score"}
    verdict.say("counts_wrong", len(wrong), f"{session_id}: {sorted(wrong)}")
    if is_capped or not sent.ended or not expected.get("reopened"):
        wanted = "max_bytes" if is_capped else "explicit" if sent.ended else "idle"
        ended = record["status"] == "ended" and record.get("end_reason") == wanted
        verdict.say("ends_wrong", int(not ended), f"{session_id}: {record['status']} {record.get('end_reason')}")
    # A hole that a late batch filled is gone; nothing in these loads is missing for good but what is over the cap.
    wrong_holes = [hole for hole in found.holes if not is_capped or hole["reason"] != "max_bytes"]
    is_wrong = bool(wrong_holes) or (is_capped and not found.holes)
    verdict.say("holes_wrong", int(is_wrong), f"{session_id}: {found.holes}")
