"""The account itself: pages, incidents, holes and the end of a session in order of time, bounded."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from replay.summary.actions import Actions
from replay.summary.ending import end_sentence, headline_of, outcome_of
from replay.summary.incidents import Incident, gather
from replay.summary.phrases import clause
from replay.summary.types import MAX_SIGNAL_IDS, FrictionPoint, Sentence, SentenceKind, Summary
from replay.summary.visits import Visit, tabs, tell, visits_of
from replay.summary.words import capital, counted, listed, path_of, printable
from schemas.bundle_index import BundleIndex, Hole
from schemas.session_record import SessionRecord
from schemas.signals import Signal

MAX_INCIDENTS: Final = 24
"""Incidents told one by one, the worst ones; the rest are counted."""

MAX_PAGE_SENTENCES: Final = 12
MAX_FRICTION_POINTS: Final = 20
MAX_KINDS_LISTED: Final = 4

_HOLES: Final[Mapping[str, str]] = {
    "gap": "it never arrived",
    "max_bytes": "the session had reached its limit of bytes",
    "max_duration": "the session had reached its longest duration",
    "undecodable": "it could not be read",
}


def summarize(
    record: SessionRecord, index: BundleIndex | None, signals: Iterable[Signal], actions: Actions | None = None
) -> Summary:
    """Tell what happened in a session, from nothing but this evidence.

    The same evidence gives the same summary, in whatever order its lists come. `actions` are what was read off the
    events; without them no clicks and fields are counted. What strangers wrote (labels, errors, addresses) is masked
    already, and comes out cut short and printable.
    """
    visits = visits_of(record, index, actions)
    incidents = gather(signals, record, _entered(record))
    worst = sorted(incidents, key=_badness)
    told = sorted(worst[:MAX_INCIDENTS], key=lambda incident: (incident.t, incident.end_t, incident.signal_ids))
    teller = _Teller(tabs(record, index))
    sentences = [
        *teller.story(visits, told),
        *_left_out(worst[MAX_INCIDENTS:]),
        *_holes(index.holes if index else ()),
    ]
    frictions = [incident for incident in worst if not incident.is_pause]
    outcome = outcome_of(record, frictions)
    return Summary(
        session_id=record.session_id,
        started_at=record.started_at,
        headline=headline_of(record, visits, frictions, outcome),
        sentences=[*sorted(sentences, key=lambda sentence: sentence.t), end_sentence(record, frictions)],
        friction_points=[_point(rank, each) for rank, each in enumerate(frictions[:MAX_FRICTION_POINTS], 1)],
        outcome=outcome,
    )


def _entered(record: SessionRecord) -> dict[str, list[int]]:
    entered: dict[str, list[int]] = {}
    for page in record.pages:
        entered.setdefault(page.window_id, []).append(page.t)
    return {window_id: sorted(times) for window_id, times in entered.items()}


def _badness(incident: Incident) -> tuple[bool, float, int, int, list[str]]:
    return (incident.is_pause, -incident.weight, incident.t, incident.end_t, incident.signal_ids)


def _point(rank: int, incident: Incident) -> FrictionPoint:
    return FrictionPoint(
        rank=rank,
        t=incident.t,
        end_t=incident.end_t,
        window_id=incident.window_id,
        page=incident.page,
        target=incident.target,
        detector=incident.detector,
        text=f"{capital(clause(incident, f' on {path_of(incident.page)}'))}.",
        weight=incident.weight,
        signal_ids=incident.signal_ids,
    )


class _Teller:
    """Tells visits and incidents in their order; knows which page each window is on."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._numbers = numbers
        self._here: dict[str, str] = {}
        self._said = 0

    def story(self, visits: Sequence[Visit], incidents: Sequence[Incident]) -> list[Sentence]:
        """Tell all of it; visits of one window with no incident between them are one sentence."""
        sentences: list[Sentence] = []
        rest = list(reversed(incidents))
        run: list[Visit] = []
        spare: list[Visit] = []
        for visit in visits:
            while rest and rest[-1].t < visit.t:
                run = self._close(run, sentences, spare)
                sentences.append(self._incident(rest.pop()))
            if run and run[-1].window_id != visit.window_id:
                run = self._close(run, sentences, spare)
            run.append(visit)
        self._close(run, sentences, spare)
        sentences += [self._incident(incident) for incident in reversed(rest)]
        return sentences + self._more(spare)

    def _close(self, run: list[Visit], sentences: list[Sentence], spare: list[Visit]) -> list[Visit]:
        if not run:
            return run
        window_id, landed = run[0].window_id, run[0].window_id not in self._here
        self._here[window_id] = run[-1].path
        if self._said < MAX_PAGE_SENTENCES:
            self._said += 1
            sentences.append(self._sentence(tell(run, landed=landed), run[0].t, window_id, [], "page"))
        else:
            spare += run
        return []

    def _more(self, spare: Sequence[Visit]) -> list[Sentence]:
        if not spare:
            return []
        text = f"Went through {counted(len(spare), 'more page')}."
        return [Sentence(text, spare[0].t, spare[0].window_id, [], "more")]

    def _incident(self, incident: Incident) -> Sentence:
        path = path_of(incident.page)
        where = "" if self._here.get(incident.window_id) == path else f" on {path}"
        kind: Literal["pause", "friction"] = "pause" if incident.is_pause else "friction"
        return self._sentence(clause(incident, where), incident.t, incident.window_id, incident.signal_ids, kind)

    def _sentence(self, text: str, t: int, window_id: str, signal_ids: list[str], kind: SentenceKind) -> Sentence:
        number = self._numbers.get(window_id)
        words = f"In tab {number}, {text}." if number else f"{capital(text)}."
        return Sentence(words, t, window_id, signal_ids, kind)


def _left_out(incidents: Sequence[Incident]) -> list[Sentence]:
    if not incidents:
        return []
    kinds = Counter({name: 0 for incident in incidents for name in incident.by_detector})
    for incident in incidents:
        kinds.update({name: len(signals) for name, signals in incident.by_detector.items()})
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{count} of {printable(name, 40).replace('_', ' ')}" for name, count in ordered[:MAX_KINDS_LISTED]]
    if others := sum(count for _, count in ordered[MAX_KINDS_LISTED:]):
        named.append(f"{others} of other kinds")
    first = min(incidents, key=lambda incident: (incident.t, incident.signal_ids))
    ids = sorted((signal.t, signal.id) for incident in incidents for signal in incident.signals)[:MAX_SIGNAL_IDS]
    text = f"Not told one by one: {counted(sum(kinds.values()), 'more signal')} ({listed(named)})."
    return [Sentence(text, first.t, "", [signal_id for _, signal_id in ids], "more")]


def _holes(holes: Iterable[Hole]) -> list[Sentence]:
    by_reason: dict[str, list[int]] = {}
    for hole in holes:
        by_reason.setdefault(hole.reason, []).append(hole.t)
    return [
        Sentence(f"{_parts(len(times))} missing here: {_HOLES[reason]}.", min(times), "", [], "hole")
        for reason, times in sorted(by_reason.items())
    ]


def _parts(count: int) -> str:
    return "Part of the recording is" if count == 1 else f"{count} parts of the recording are"
