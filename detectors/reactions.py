"""Which presses the page answered: the knowledge that rage and dead clicks share.

A press is answered by what really changes after it and before the next press. Not an answer: what the page does on
its own (see `detectors.background`), errors, failed or pending requests, console output, and ripples, that is: an
effect within the pressed element that is undone soon. A ripple is either elements without text that are added and
then removed again (though not by the next press's handler: that is a toggle), or an attribute that is changed there
and back before the next press. Until it is undone it might stay and be the answer, so a press is judged late, when
whoever asks has waited long enough.

Stream order decides: an answer may carry the very millisecond of its click, but it comes after its press.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.aim import Aims
from detectors.background import Background, Place
from detectors.elements import Element
from detectors.interactions import (
    CanvasChange,
    Change,
    Click,
    ElementFocus,
    Input,
    Media,
    Mutation,
    Navigation,
    PageExit,
    Press,
    RequestEnd,
    Scroll,
    Selection,
    StyleChange,
    Visibility,
    WindowFocus,
    WindowOpen,
)
from detectors.interactive import closest_interactive, is_text_field
from detectors.machine import NEVER, Machine

MAX_PRESSES: Final = 256
"""Presses remembered; asked about an older one, we say "answered": no finding without proof."""

KEPT_WAITS: Final = 10
"""Presses older than so many of the longest waits are forgotten as well; only very long bursts reach back further."""

LONGEST_WAIT_MS: Final = 10_000
"""Content that comes so long after a press is not looked at as a late answer."""

MAX_RIPPLES: Final = 64
"""Added elements watched for being removed again; one more than that is no ripple."""

HANDLED_MS: Final = 10
"""What comes so soon after a press or click is the work of its handler, not of a timer that ends a ripple."""

MAX_TOGGLES: Final = 16
"""Attributes of one press watched for being changed back; one more than that is no ripple."""

CLICK_MARKS: Final = frozenset({"ant-click-animating-without-extra-node", "ant-click-animating"})
"""Attributes that libraries set on each click."""


class PressRecord(msgspec.Struct, gc=False, array_like=True):
    """What is known about a press at `t` (epoch ms) on the control `region`.

    `answered` is a real reaction; `moved` a scroll of the page or a selection, which prove life but no answer.
    `toggles` are attributes within the region that were changed an odd number of times.
    """

    t: int
    region: int | str | None
    clicked: bool = False
    answered: bool = False
    moved: bool = False
    toggles: list[str] = msgspec.field(default_factory=list)


class ReactionsState(msgspec.Struct, gc=False):
    """`first` is the number of the oldest press kept; `ripples` map added nodes to the number of their press."""

    first: int = 0
    acted_t: int = NEVER
    presses: list[PressRecord] = msgspec.field(default_factory=list)
    ripples: dict[int | str, int] = msgspec.field(default_factory=dict)
    background: Background = msgspec.field(default_factory=Background)


class Reactions(Machine[ReactionsState]):
    """Watches presses and what follows; it reports nothing itself but is asked by the detectors after it.

    It must get every interaction before the detectors that were made with it, and its state belongs to theirs.
    `attention_ms` is the longest time that any of them waits: what comes later answers no press.
    """

    name = "reactions"

    def __init__(self, attention_ms: int, aims: Aims) -> None:
        super().__init__(ReactionsState())
        self._aims = aims
        self._attention_ms = attention_ms
        self._late_content: Mutation | None = None
        self.memory_ms = KEPT_WAITS * attention_ms
        """Presses as old as this may be forgotten."""

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map interactions to what they may tell."""
        certain = (Input, WindowOpen, Visibility, WindowFocus, PageExit)
        return dict.fromkeys(certain, self._on_certain) | {
            Press: self._on_press,
            Click: self._on_click,
            Mutation: self._on_mutation,
            StyleChange: self._on_style,
            CanvasChange: self._on_canvas,
            Media: self._on_media,
            Scroll: self._on_scroll,
            Selection: self._on_selection,
            ElementFocus: self._on_focus,
            Navigation: self._on_navigation,
            RequestEnd: self._on_request_end,
        }

    @property
    def current(self) -> int:
        """The number of the latest press; presses count up from 0."""
        return self._state.first + len(self._state.presses) - 1

    def press_t(self, number: int) -> int:
        """Give the time (epoch ms) of press `number`, which must be among the last `MAX_PRESSES`."""
        return self._state.presses[number - self._state.first].t

    def answered(self, number: int) -> bool:
        """Tell whether press `number` was answered before the next press, as far as is known by now."""
        return number < self._state.first or self._is_answered(number)

    def alive_since(self, number: int) -> bool:
        """Tell whether anything answered since press `number`; here scrolls and selections count as well."""
        state = self._state
        if number < state.first:
            return True
        return any(
            state.presses[later - state.first].moved or self._is_answered(later)
            for later in range(number, self.current + 1)
        )

    def is_late_answer(self, mutation: Mutation) -> bool:
        """Tell whether content came with `mutation`, the latest there was, in a place that never moves on its own."""
        return mutation is self._late_content

    def _is_answered(self, number: int) -> bool:
        record = self._state.presses[number - self._state.first]
        return record.answered or bool(record.toggles) or number in self._state.ripples.values()

    def _on_press(self, press: Press) -> None:
        self._begin(press.t, None if press.target is None else _region(press.target))
        self._state.acted_t = press.t

    def _on_click(self, click: Click) -> None:
        state = self._state
        record = state.presses[-1] if state.presses else None
        aim = self._aims.of(click)
        region = None if aim is None else aim.control.node_id
        if record is None or record.clicked or (record.t != click.press_t and click.press_t == click.t):
            told_before = record is not None and record.t == click.press_t
            record = self._begin(click.t if told_before else min(click.press_t, click.t), region)
        elif region is not None:
            record.region = region
        record.clicked = True
        state.acted_t = click.t

    def _begin(self, t: int, region: int | str | None) -> PressRecord:
        record = PressRecord(t, region)
        presses = self._state.presses
        presses.append(record)
        if len(presses) > MAX_PRESSES or presses[0].t < t - self.memory_ms:
            self._forget(t)
        return record

    def _forget(self, t: int) -> None:
        state, presses = self._state, self._state.presses
        while len(presses) > MAX_PRESSES or presses[0].t < t - self.memory_ms:
            del presses[0]
            state.first += 1
        state.ripples = {node: number for node, number in state.ripples.items() if number >= state.first}

    def _on_mutation(self, mutation: Mutation) -> None:
        state = self._state
        if mutation.t - state.acted_t >= self._attention_ms:
            if mutation.t - state.acted_t < LONGEST_WAIT_MS and self._brings_content(mutation):
                self._late_content = mutation
            state.background.learn(mutation.changes, mutation.t, state.acted_t)
        elif state.ripples or not state.presses[-1].answered:
            self._judge(mutation, state.presses[-1])

    def _brings_content(self, mutation: Mutation) -> bool:
        is_known = self._state.background.is_known
        return any(change.has_text and change.kind != "remove" and not is_known(change) for change in mutation.changes)

    def _judge(self, mutation: Mutation, record: PressRecord) -> None:
        state = self._state
        unexplained = False
        for change in mutation.changes:
            if change.kind == "remove" and change.node_id in state.ripples:
                self._undo(change.node_id, mutation.t)
            elif not record.answered:
                own = record.region is not None and record.region in change.scope
                if change.name in CLICK_MARKS or state.background.explains(change, mutation.t, state.acted_t, own=own):
                    continue
                unexplained = True
                record.answered = not own or not self._may_be_ripple(change, record)
        if unexplained and mutation.total > len(mutation.changes):
            record.answered = True  # what was not sent in full cannot be a ripple

    def _undo(self, node_id: int | str, t: int) -> None:
        """Let a ripple end, unless the next press ends it: then both presses had their answer."""
        state = self._state
        number = state.ripples.pop(node_id)
        if number != self.current and t - state.acted_t <= HANDLED_MS:
            state.presses[number - state.first].answered = state.presses[-1].answered = True

    def _may_be_ripple(self, change: Change, record: PressRecord) -> bool:
        if change.kind == "attribute":
            return _toggle(record.toggles, f"{change.node_id} {change.name}")
        if change.kind != "add" or change.has_text or change.name == "#text":
            return False
        ripples = self._state.ripples
        if len(change.scope) > 1 and change.scope[1] in ripples:
            return True  # it comes and goes with its parent
        if len(ripples) >= MAX_RIPPLES:
            return False
        ripples[change.node_id] = self.current
        return True

    def _on_certain(self, interaction: Input | WindowOpen | Visibility | WindowFocus | PageExit) -> None:
        state = self._state
        if interaction.t - state.acted_t < self._attention_ms:
            state.presses[-1].answered = True

    def _on_style(self, change: StyleChange) -> None:
        self._on_activity(("style",), change.t)

    def _on_canvas(self, change: CanvasChange) -> None:
        self._on_activity(_named_place("canvas", change.target), change.t)

    def _on_media(self, media: Media) -> None:
        self._on_activity(_named_place("media", media.target), media.t)

    def _on_activity(self, place: Place, t: int) -> None:
        state = self._state
        if t - state.acted_t >= self._attention_ms:
            state.background.learn_place(place, t, state.acted_t)
        elif not state.presses[-1].answered and not state.background.explains_place(place, t, state.acted_t):
            state.presses[-1].answered = True

    def _on_scroll(self, scroll: Scroll) -> None:
        if scrolls_page(scroll):
            self._move(scroll.t)
        elif scroll.target is not None:
            self._on_activity(_named_place("scroll", scroll.target), scroll.t)

    def _on_selection(self, selection: Selection) -> None:
        if not selection.collapsed:
            self._move(selection.t)

    def _move(self, t: int) -> None:
        state = self._state
        if t - state.acted_t < self._attention_ms:
            state.presses[-1].moved = True

    def _on_focus(self, focus: ElementFocus) -> None:
        state = self._state
        if not focus.gained or focus.target is None or focus.t - state.acted_t >= self._attention_ms:
            return
        record = state.presses[-1]
        if focus.target.node_id != record.region and (focus.target.tag == "input" or is_text_field(focus.target)):
            record.answered = True

    def _on_navigation(self, navigation: Navigation) -> None:
        state = self._state
        if navigation.t - state.acted_t < self._attention_ms:
            state.presses[-1].answered = True
        if navigation.nav == "load":  # node ids start again, and the old page's presses explain nothing here
            state.acted_t = NEVER
            state.ripples.clear()
            state.background.places.clear()

    def _on_request_end(self, request: RequestEnd) -> None:
        if request.failed:
            return
        state = self._state
        place = ("request", request.url.partition("?")[0])
        if request.start_t - state.acted_t >= self._attention_ms:
            state.background.learn_place(place, request.start_t, state.acted_t)
            return
        for record in reversed(state.presses):
            if record.t <= request.start_t:
                if not record.answered and not state.background.explains_place(place, request.start_t, record.t):
                    record.answered = True
                return


def scrolls_page(scroll: Scroll) -> bool:
    """Tell whether the page itself moved, and not a part of it."""
    return scroll.target is None or scroll.target.tag in {"#document", "html", "body"}


def _named_place(name: str, element: Element | None) -> Place:
    return (name,) if element is None else (name, element.node_id)


def _region(element: Element) -> int | str:
    return (closest_interactive(element) or element).node_id


def _toggle(toggles: list[str], name: str) -> bool:
    if name in toggles:
        toggles.remove(name)
    elif len(toggles) < MAX_TOGGLES:
        toggles.append(name)
    else:
        return False
    return True
