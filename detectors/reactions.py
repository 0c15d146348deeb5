"""Which presses the page answered: the knowledge that rage and dead clicks share.

A press is answered by what really changes after it and before the next press. Not an answer: what the page does on
its own (see `detectors.background`), errors, failed or pending requests, console output, and ripples, that is: an
effect within the pressed element that is undone soon. A ripple is either elements without text that are added and
then removed again (though not by the next press's handler: that is a toggle), or an attribute that is changed there
and back before the next press. Until it is undone it might stay and be the answer, so a press is judged late, when
whoever asks has waited long enough.

Nor are the marks of the pointer and of the focus: attributes named for them; classes and styles of the pressed control
that change before its click; what a field changes around it when it loses the focus; and classes and styles that change
while the pointer moves, well after the click (rows light up under it, the button it leaves goes dark).

An answer that is not its click's handler's own work also answers clicks on the same control up to `SHARED_MS` before
it: people click faster than pages that wait for a pause before they work.

Stream order decides: an answer may carry the very millisecond of its click, but it comes after its press.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.aim import Aims
from detectors.background import Background, Place
from detectors.interactions import (
    CanvasChange,
    Change,
    Click,
    ElementFocus,
    Input,
    Media,
    MouseMove,
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
from detectors.interactive import is_text_field
from detectors.machine import NEVER, Machine
from detectors.presses import (
    CLICK_MARKS,
    LOOKS,
    PressRecord,
    moved_at,
    named_place,
    region_of,
    renders_anew,
    toggle,
    toggle_name,
)

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

HANDLER_MS: Final = 150
"""After a click, changes of looks that come later than this are not its handler's first answer."""

MAX_DOUBTS: Final = 16
"""Changes of looks that wait to be told from hovering; one more than that is an answer."""

SHARED_MS: Final = 500
"""Pages that wait for a pause in clicks (debounce) wait 100 to 400 ms."""


class ReactionsState(msgspec.Struct, gc=False):
    """`first` is the number of the oldest press kept; `ripples` map added nodes to the number of their press.

    `field` is the text field that has the focus, and its parent.
    """

    first: int = 0
    acted_t: int = NEVER
    field: tuple[int | str, ...] = ()
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
            MouseMove: self._on_move,
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
        return (
            record.answered
            or record.rendered
            or bool(record.toggles or record.doubts)
            or number in self._state.ripples.values()
        )

    def _on_press(self, press: Press) -> None:
        self._begin(press.t, None if press.target is None else region_of(press.target))
        self._state.acted_t = press.t

    def _on_click(self, click: Click) -> None:
        state = self._state
        record = state.presses[-1] if state.presses else None
        aim = self._aims.of(click)
        if aim is not None:
            self._compare(aim.place())
        region = None if aim is None else aim.control.node_id
        if record is None or record.clicked or (record.t != click.press_t and click.press_t == click.t):
            told_before = record is not None and record.t == click.press_t
            record = self._begin(click.t if told_before else min(click.press_t, click.t), region)
        elif region is not None:
            record.region = region
        record.clicked, record.place = True, "" if aim is None else aim.place()
        state.acted_t = click.t

    def _compare(self, place: str) -> None:
        """Take back that a control was replaced: it is there again, with the same label, and is clicked again."""
        for record in self._state.presses[-2:]:
            if record.rendered and record.place == place:
                record.rendered = False

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
        return any(change.kind == "add" and change.has_text and not is_known(change) for change in mutation.changes)

    def _judge(self, mutation: Mutation, record: PressRecord) -> None:
        state = self._state
        if not record.answered and renders_anew(mutation, record.region):
            record.rendered = True
            return
        unexplained = False
        for change in mutation.changes:
            if change.kind == "remove" and change.node_id in state.ripples:
                self._undo(change.node_id, mutation.t)
            elif not record.answered:
                own = record.region is not None and record.region in change.scope
                if self._is_mark(change, record, own=own) or state.background.explains(
                    change, mutation.t, state.acted_t, own=own
                ):
                    continue
                unexplained = True
                if not self._may_be_undone(change, record, mutation, own=own):
                    self._answer(record, mutation.t)
        if unexplained and mutation.total > len(mutation.changes):
            self._answer(record, mutation.t)  # what was not sent in full cannot be a ripple

    def _is_mark(self, change: Change, record: PressRecord, *, own: bool) -> bool:
        """Tell whether a change only shows where the pointer or the focus is, or was until this press."""
        if change.name in CLICK_MARKS or (own and self._is_pressing(change, record)):
            return True
        if record.clicked:
            return False
        field = self._state.field
        return bool(field) and record.region != field[0] and not set(change.scope[:3]).isdisjoint(field)

    @staticmethod
    def _is_pressing(change: Change, record: PressRecord) -> bool:
        """Tell whether the pressed control looks pressed, or as before again."""
        if change.kind != "attribute" or change.name not in LOOKS:
            return False
        name = toggle_name(change)
        if record.clicked and name not in record.marks:
            return False
        return toggle(record.marks, name)

    def _may_be_undone(self, change: Change, record: PressRecord, mutation: Mutation, *, own: bool) -> bool:
        hovering = self._may_be_hovering(change, mutation.t)
        if own and not (hovering and toggle_name(change) not in record.toggles):
            return self._may_be_ripple(change, record)
        doubts = record.doubts
        if not hovering or len(doubts) >= MAX_DOUBTS:
            return False
        if not doubts or doubts[-1] != mutation.t:
            doubts.append(mutation.t)
        return True

    def _may_be_hovering(self, change: Change, t: int) -> bool:
        return change.kind == "attribute" and change.name in LOOKS and t - self._state.acted_t > HANDLER_MS

    def _answer(self, record: PressRecord, t: int) -> None:
        """Note an answer that came at `t` (epoch ms): to a press, and to quick ones on the same control before it."""
        record.answered = True
        if t - self._state.acted_t <= HANDLER_MS:
            return  # the work of this very click
        for earlier in reversed(self._state.presses[:-1]):
            if earlier.region != record.region or t - earlier.t > SHARED_MS:
                return
            earlier.answered = True

    def _on_move(self, move: MouseMove) -> None:
        """Now it is known when the pointer moved: looks that changed just then were hovering."""
        presses = self._state.presses
        if not presses or (not presses[-1].doubts and (len(presses) == 1 or not presses[-2].doubts)):
            return
        for record in presses[-2:]:
            if record.doubts:
                record.doubts = [t for t in record.doubts if not moved_at(move, t)]

    def _undo(self, node_id: int | str, t: int) -> None:
        """Let a ripple end, unless the next press ends it: then both presses had their answer."""
        state = self._state
        number = state.ripples.pop(node_id)
        if number != self.current and t - state.acted_t <= HANDLED_MS:
            state.presses[number - state.first].answered = state.presses[-1].answered = True

    def _may_be_ripple(self, change: Change, record: PressRecord) -> bool:
        if change.kind == "attribute":
            return toggle(record.toggles, toggle_name(change))
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
        self._on_activity(named_place("canvas", change.target), change.t)

    def _on_media(self, media: Media) -> None:
        self._on_activity(named_place("media", media.target), media.t)

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
            self._on_activity(named_place("scroll", scroll.target), scroll.t)

    def _on_selection(self, selection: Selection) -> None:
        if not selection.collapsed:
            self._move(selection.t)

    def _move(self, t: int) -> None:
        state = self._state
        if t - state.acted_t < self._attention_ms:
            state.presses[-1].moved = True

    def _on_focus(self, focus: ElementFocus) -> None:
        state = self._state
        self._note_field(focus)
        if not focus.gained or focus.target is None or focus.t - state.acted_t >= self._attention_ms:
            return
        record = state.presses[-1]
        if focus.target.node_id != record.region and (focus.target.tag == "input" or is_text_field(focus.target)):
            record.answered = True

    def _note_field(self, focus: ElementFocus) -> None:
        """Keep a field also when it loses the focus, until the next one has it: what it changes then comes after."""
        if focus.gained:
            target = focus.target
            is_field = target is not None and is_text_field(target)
            parent = None if target is None else target.parent
            self._state.field = tuple(node.node_id for node in (target, parent) if node is not None) if is_field else ()

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
