"""The opt-out, for every preset and plugin alike: no signal on what a site marked with `data-wince-ignore`.

It is kept at the one door that all findings go through, and so is what the project's rules for elements switch off.
Whatever was pressed or clicked inside a marked element is remembered, up to that element; a finding about one of those
nodes is dropped. Detectors may look for the mark
themselves, so that ignored clicks don't count in a run that began elsewhere; they need not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.elements import OPTS_OUT, Element
from detectors.interactions import AuxClick, Click, DoubleClick, Press, Release, TouchStart
from detectors.interactive import MAX_ANCESTORS, is_ignored
from detectors.machine import Machine, Report
from detectors.machines.gestures import path_of
from detectors.pointer_interactions import Pointer
from detectors.protocol import Finding
from detectors.stored import annotate
from detectors.tuning import Tuning

ALL: Final = "all"

_ALL: Final[list[str]] = []

MAX_MUTED: Final = 256
"""Nodes remembered, those touched last; findings come within seconds of the touch."""


@dataclass(slots=True)
class OptOutState:
    """Nodes inside marked elements that were touched, the last one at the end, with the signals that are off there.

    An empty list means all of them.
    """

    muted: dict[int | str, list[str]] = field(default_factory=dict)


annotate(OptOutState, muted=dict[int | str, list[str]])


class OptOut(Machine[OptOutState]):
    """Knows what is opted out, and lets no finding about it pass. It must see each interaction first."""

    name = "opt_out"

    def __init__(self, tuning: Tuning | None = None) -> None:
        super().__init__(OptOutState())
        self._tuning = tuning
        self._pressed: Element | None = None

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Everything that touches an element; typing begins with a touch."""
        return dict.fromkeys((Press, Release, Click, AuxClick, DoubleClick, TouchStart), self._on_touch)

    def guard(self, report: Report) -> Report:
        """Give a `report` that drops findings about what is opted out."""

        def told(finding: Finding) -> None:
            off = None if finding.target is None else self._state.muted.get(finding.target.node_id)
            if off is None or (off and finding.detector not in off):
                report(finding)

        return told

    def _on_touch(self, touch: Pointer) -> None:
        target = touch.target
        if target is None or (target is self._pressed and not isinstance(touch, Press)):
            return  # the same gesture goes on
        self._pressed = target
        muted = self._state.muted
        inside: dict[int | str, list[str]] | None = None
        if self._tuning:
            inside = self._switched_off(target)
        elif is_ignored(target):
            inside = dict.fromkeys(_inside(target), _ALL)
        if not inside:
            # Ids start again with each page: this one is somebody else's now.
            if muted:
                muted.pop(target.node_id, None)
            return
        for node_id, off in inside.items():
            muted.pop(node_id, None)
            muted[node_id] = off
        while len(muted) > MAX_MUTED:
            del muted[next(iter(muted))]

    def _switched_off(self, target: Element) -> dict[int | str, list[str]]:
        """List the nodes from `target` up that are marked or that rules match, each with the signals that are off."""
        found: dict[int | str, list[str]] = {}
        for matched, off in self._tuning.switched_off(target) if self._tuning else ():
            for node in path_of(target):
                before = found.get(node.node_id)
                found[node.node_id] = _ALL if before == _ALL or ALL in off else sorted({*(before or ()), *off})
                if node is matched:
                    break
        return found | dict.fromkeys(_inside(target), _ALL)


def _inside(element: Element) -> list[int | str]:
    """List the nodes from `element` to the marked one above it, which may be itself; none if there is no mark."""
    if not is_ignored(element):
        return []
    nodes: list[int | str] = []
    node: Element | None = element
    for _ in range(MAX_ANCESTORS):
        if node is None:
            return []
        nodes.append(node.node_id)
        if node.glance() & OPTS_OUT:
            return nodes
        node = node.parent
    return []
