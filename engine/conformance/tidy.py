"""What a case says beside the format, settled so that it can be run all the same; each time a note says how."""

from collections.abc import Mapping

import msgspec

from engine.conformance.cases import KINDS, POINTED, ROOTS, Case, Value


def tidied(case: Case) -> tuple[Case, list[str]]:
    """Give the case as it is run, and in words what was changed: nothing, where a case keeps to the format.

    Events of kinds that nobody here knows are left out, targets that are no nodes are taken off where a kind does not
    need one, events are put in order, the end is not before the last of them, and signals of detectors that are not
    checked are not expected.
    """
    events, notes = _known_events(case)
    moments = [_moment(event) for event in events]
    if moments != sorted(moments):
        events = sorted(events, key=_moment)
        notes.append("events were put in the order of their times")
    last = max(moments, default=0)
    if case.end_t < last:
        notes.append(f"end_t is {case.end_t:g}, before the last event at {last:g}, which ended the stream")
    expected = [signal for signal in case.expected if signal.get("detector") in case.detectors]
    if len(expected) < len(case.expected):
        notes.append("expected signals of detectors that are not checked were not looked for")
    changes = {"events": events, "end_t": max(case.end_t, last), "expected": expected}
    return (msgspec.structs.replace(case, **changes) if notes else case), notes


def _known_events(case: Case) -> tuple[list[dict[str, Value]], list[str]]:
    known, events, notes = case.nodes.keys() | set(ROOTS), [], []
    for place, event in enumerate(case.events):
        kind, target = event.get("kind"), event.get("target")
        if kind not in KINDS:
            notes.append(f"event {place}: kind {kind!r} is not known and was left out")
        elif target is not None and kind not in POINTED and target not in known:
            notes.append(f"event {place}: target {target!r} is no node and was left out")
            events.append({name: value for name, value in event.items() if name != "target"})
        else:
            events.append(event)
    return events, notes


def _moment(event: Mapping[str, Value]) -> float:
    t = event["t"]
    return t if isinstance(t, int | float) else 0.0
