"""An incident in words."""

from collections.abc import Callable, Mapping
from typing import Final

from replay.summary.incidents import Incident
from replay.summary.words import counted, duration, error_words, integer, listed, path_of, printable, thing, times
from schemas.signals import Signal, Target

_OWN_RULES: Final = "wince/"
"""Rules of other presets do not ask whether a page answered, so that of their clicks it can't be said."""

_CLICKS: Final = frozenset({"rage_click", "dead_click", "error_click", "network_error", "slow_response"})
"""Signals that are told as clicks on their target."""

_ONE_CLICK_EACH: Final = ("dead_click", "network_error", "slow_response")
"""Signals that prove one click; the count of `error_click` is of clicks, that of a failed request is of requests."""


def clause(incident: Incident, where: str = "") -> str:
    """Tell an incident, without a subject, capital and full stop: `clicked the button “Pay” 7 times in 4 s`.

    `where` is put where it belongs, with a blank in front, such as ` on /cart`.
    """
    if incident.detector in _CLICKS and incident.target is not None:
        return _clicks(incident, incident.target, where)
    return _WRITERS.get(incident.detector, _other)(incident) + where


def _clicks(incident: Incident, target: Target, where: str) -> str:
    """Tell of clicks on a control, and all that came of them."""
    text = f"clicked {thing(target)}{_how_often(incident)}{where}"
    if _is_own(incident, "rage_click"):
        text += " without any answer"
    consequences = [*_nothing(incident), *_errors(incident), *_failures(incident), *_waits(incident)]
    return f"{text}, and {listed(consequences)}" if consequences else text


def _how_often(incident: Incident) -> str:
    signals = incident.by_detector.get("rage_click", [])
    if not signals:
        dead, failed, slow = (len(incident.by_detector.get(name, ())) for name in _ONE_CLICK_EACH)
        return times(max(incident.total("error_click"), dead, failed, slow), _span(incident))
    span_ms = max(signal.end_t for signal in signals) - min(signal.t for signal in signals)
    if all(signal.count is None for signal in signals):
        return " again and again"
    return times(incident.total("rage_click"), span_ms)


def _is_own(incident: Incident, detector: str) -> bool:
    return any(signal.rule.startswith(_OWN_RULES) for signal in incident.by_detector.get(detector, ()))


def _nothing(incident: Incident) -> list[str]:
    if "rage_click" in incident.by_detector or "dead_click" not in incident.by_detector:
        return []
    waited = _shortest(incident.by_detector["dead_click"], "wait_ms")
    return [f"nothing happened for {duration(waited)}" if waited else "nothing happened"]


def _errors(incident: Incident) -> list[str]:
    """Tell of the first two different errors; the rest are in the evidence."""
    counts: dict[object, tuple[Signal, dict[str, int]]] = {}
    for detector in ("error_click", "js_error"):
        for signal in incident.by_detector.get(detector, ()):
            by_detector = counts.setdefault(signal.evidence.get("fingerprint"), (signal, {}))[1]
            by_detector[detector] = by_detector.get(detector, 0) + max(signal.count or 1, 1)
    told = [(signal, max(by_detector.values())) for signal, by_detector in counts.values()]
    return [f"got {error_words(signal.evidence)}{times(count)}" for signal, count in told[:2]]


def _failures(incident: Incident) -> list[str]:
    failed = incident.by_detector.get("network_error", [])
    if not failed:
        return []
    url, status = failed[0].evidence.get("url"), integer(failed[0].evidence.get("status"))
    request = f"the request to {path_of(url)}" if isinstance(url, str) and url else "a request"
    how = f"failed with status {status}" if status else "got no answer"
    return [f"{request} {how}{times(incident.total('network_error'))}"]


def _waits(incident: Incident) -> list[str]:
    waited = _shortest(incident.by_detector.get("slow_response", []), "waited_ms")
    return [f"waited {duration(waited)} for an answer"] if waited else []


def _shortest(signals: list[Signal], name: str) -> int | None:
    return min((value for signal in signals if (value := integer(signal.evidence.get(name))) is not None), default=None)


def _error(incident: Incident) -> str:
    first = incident.by_detector["js_error"][0]
    return f"ran into {error_words(first.evidence)}{times(incident.total('js_error'), _span(incident))}"


def _form_loop(incident: Incident) -> str:
    count = incident.total("form_error_loop")
    return f"sent {_form(incident)}{times(count, _span(incident))} and was refused" + (
        " each time" if count > 1 else ""
    )


def _form_left(incident: Incident) -> str:
    first = incident.by_detector["form_abandonment"][0]
    fields, refusals = integer(first.evidence.get("fields")), integer(first.evidence.get("refusals"))
    filled = f"filled in {counted(fields, 'field')} of {_form(incident)}" if fields else f"filled in {_form(incident)}"
    refused = f", was refused{times(refusals)}" if refusals else ""
    return f"{filled}{refused} and left it undone{times(len(incident.signals))}"


def _form(incident: Incident) -> str:
    return thing(incident.target) if incident.target else "a form"


def _reloads(incident: Incident) -> str:
    return f"loaded the page again{times(incident.total('rapid_reload'), _span(incident))}"


def _returns(incident: Incident) -> str:
    return f"opened a page and came back at once{times(incident.total('quick_back'), _span(incident))}"


def _turns(incident: Incident) -> str:
    act = "shook the pointer" if incident.detector == "thrashed_cursor" else "scrolled up and down"
    turned = counted(incident.total(incident.detector), "turn")
    return f"{act} for {duration(_span(incident))} ({turned})" if _span(incident) > 0 else f"{act} ({turned})"


def _pause(incident: Incident) -> str:
    silences = [integer(signal.evidence.get("idle_ms")) or 0 for signal in incident.signals]
    total = f"did nothing for {duration(sum(silences))}"
    return total if len(silences) == 1 else f"{total} in {len(silences)} pauses"


def _other(incident: Incident) -> str:
    name = printable(incident.detector, 40).replace("_", " ")
    where = f" on {thing(incident.target)}" if incident.target else ""
    return f"gave a sign of {name}{where}{times(incident.total(incident.detector), _span(incident))}"


def _span(incident: Incident) -> int:
    return incident.end_t - incident.t


_WRITERS: Final[Mapping[str, Callable[[Incident], str]]] = {
    "js_error": _error,
    "form_error_loop": _form_loop,
    "form_abandonment": _form_left,
    "rapid_reload": _reloads,
    "quick_back": _returns,
    "thrashed_cursor": _turns,
    "scroll_thrash": _turns,
    "idle": _pause,
}
