"""The default rule set: our own detectors, put together."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from detectors import (
    dead_click,
    error_click,
    form_abandonment,
    form_error_loop,
    idle,
    js_error,
    network_error,
    quick_back,
    rage_click,
    rapid_reload,
    scroll_thrash,
    slow_response,
    thrashed_cursor,
)
from detectors.aim import Aims
from detectors.forms import Forms
from detectors.hands import Hands
from detectors.machine import Report
from detectors.protocol import Detector
from detectors.reactions import Reactions
from detectors.settings import DetectorSettings
from detectors.tuning import Tuning

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rage_click": rage_click.RULE,
        "dead_click": dead_click.RULE,
        "error_click": error_click.RULE,
        "js_error": js_error.RULE,
        "network_error": network_error.RULE,
        "slow_response": slow_response.RULE,
        "thrashed_cursor": thrashed_cursor.RULE,
        "quick_back": quick_back.RULE,
        "form_abandonment": form_abandonment.RULE,
        "form_error_loop": form_error_loop.RULE,
        "rapid_reload": rapid_reload.RULE,
        "scroll_thrash": scroll_thrash.RULE,
        "idle": idle.RULE,
    }
)
"""Every detector of the default that reports, with the rule and version in force."""


def default_detectors(settings: DetectorSettings, report: Report) -> list[Detector]:
    """Make the default's detectors for one window, watchers before those that ask them."""
    aims, hands = Aims(), Hands()
    return [
        *_of_answers(settings, aims, hands, report),
        *_of_failures(settings, aims, hands, report),
        *_of_forms(settings, hands, report),
        *_of_ways(settings, aims, hands, report),
    ]


def _of_answers(settings: DetectorSettings, aims: Aims, hands: Hands, report: Report) -> list[Detector]:
    rage, dead, slow = settings.rage_click, settings.dead_click, settings.slow_response
    if not (rage.enabled or dead.enabled or slow.enabled):
        return []
    tuning = Tuning(settings.rules)
    memory_ms = max(rage.quiet_ms, rage.unanswered_window_ms, rage.window_ms, dead.wait_ms, tuning.longest_wait_ms)
    reactions = Reactions(memory_ms, aims)
    made: list[Detector] = [reactions]
    if rage.enabled:
        made.append(rage_click.RageClick(rage, tuning, reactions, aims, report))
    if dead.enabled:
        made.append(dead_click.DeadClick(dead, tuning, reactions, aims, report))
    if slow.enabled:
        made.append(slow_response.SlowResponse(slow, reactions, aims, hands, report))
    return made


def _of_failures(settings: DetectorSettings, aims: Aims, hands: Hands, report: Report) -> list[Detector]:
    made: list[Detector] = []
    if settings.error_click.enabled:
        made.append(error_click.ErrorClick(settings.error_click, aims, hands, report))
    if settings.js_error.enabled:
        made.append(js_error.JsError(settings.js_error, aims, report))
    if settings.network_error.enabled:
        made.append(network_error.NetworkError(settings.network_error, aims, report))
    return made


def _of_forms(settings: DetectorSettings, hands: Hands, report: Report) -> list[Detector]:
    left, loop = settings.form_abandonment, settings.form_error_loop
    if not (left.enabled or loop.enabled):
        return []
    forms = Forms(hands)
    made: list[Detector] = [forms]
    if left.enabled:
        abandonment = form_abandonment.FormAbandonment(left, report)
        forms.listen(abandonment)
        made.append(abandonment)
    if loop.enabled:
        error_loop = form_error_loop.FormErrorLoop(loop, report)
        forms.listen(error_loop)
        made.append(error_loop)
    return made


def _of_ways(settings: DetectorSettings, aims: Aims, hands: Hands, report: Report) -> list[Detector]:
    made: list[tuple[bool, Callable[[], Detector]]] = [
        (settings.quick_back.enabled, lambda: quick_back.QuickBack(settings.quick_back, hands, report)),
        (settings.rapid_reload.enabled, lambda: rapid_reload.RapidReload(settings.rapid_reload, hands, report)),
        (settings.scroll_thrash.enabled, lambda: scroll_thrash.ScrollThrash(settings.scroll_thrash, report)),
        (settings.thrashed_cursor.enabled, lambda: thrashed_cursor.ThrashedCursor(settings.thrashed_cursor, report)),
        (_wants_hands(settings), lambda: hands),
        (settings.idle.enabled, lambda: idle.Idle(settings.idle, aims, hands, report)),
    ]
    return [make() for enabled, make in made if enabled]


def _wants_hands(settings: DetectorSettings) -> bool:
    asking = (
        settings.slow_response,
        settings.error_click,
        settings.form_abandonment,
        settings.form_error_loop,
        settings.quick_back,
        settings.rapid_reload,
        settings.idle,
    )
    return any(each.enabled for each in asking)
