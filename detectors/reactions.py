"""Which presses the page answered: the knowledge that rage and dead clicks share.

A press is answered by what really changes after it and before the next press. Not an answer: what the page does on
its own (see `detectors.background`), errors, failed or pending requests, console output, and ripples, that is: an
effect within the pressed element that is undone soon. A ripple is either elements without text that are added and
then removed again (though not by the next press's handler: that is a toggle), or an attribute that is changed there
and back before the next press. Until it is undone it might stay and be the answer, so a press is judged late, when
whoever asks has waited long enough.

Nor are the marks of the pointer and of the focus: attributes named for them; classes and styles of the pressed control
that change before its click; what a field changes around it when it loses the focus; and what comes by hovering. How
changes of the page are told apart is in `detectors.answers`.

An answer that is not its click's handler's own work also answers clicks on the same control up to `SHARED_MS` before
it: people click faster than pages that wait for a pause before they work.

Stream order decides: an answer may carry the very millisecond of its click, but it comes after its press.
"""

from collections.abc import Callable, Mapping
from typing import Final

from detectors.aim import Aims
from detectors.answers import is_answer, is_previewed, judge, leave_open, note, note_move
from detectors.background import Place, place_of_change
from detectors.blame import is_broken
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
from detectors.measuring import is_measuring
from detectors.moments import At
from detectors.presses import PressRecord, ReactionsState, Suspect, control_of, named_place, wrapper_of
from detectors.trails import SYNC_MS

MAX_PRESSES: Final = 256
"""Presses remembered; asked about an older one, we say "answered": no finding without proof."""

KEPT_WAITS: Final = 10
"""Presses older than so many of the longest waits are forgotten as well; only very long bursts reach back further."""

LONGEST_WAIT_MS: Final = 10_000
"""Content that comes so long after a press is not looked at as a late answer."""


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
        certain = (WindowOpen, Visibility, WindowFocus, PageExit)
        return dict.fromkeys(certain, self._on_certain) | {
            Press: self._on_press,
            Click: self._on_click,
            Input: self._on_input,
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
        return self._state.current

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
        since = state.presses[number - state.first :]
        for record in since:
            if (
                record.answered
                or record.moved
                or record.rendered
                or record.toggles
                or record.previewed
                or record.refused
            ):
                return True
        if state.ripples and max(state.ripples.values()) >= number:
            return True
        return any(is_answer(state, suspect, record.t) for record in since for suspect in record.suspects)

    def is_late_answer(self, mutation: Mutation) -> bool:
        """Tell whether content came with `mutation`, the latest there was, in a place that never moves on its own."""
        return mutation is self._late_content

    def _is_answered(self, number: int) -> bool:
        record = self._state.presses[number - self._state.first]
        return (
            record.answered
            or record.rendered
            or bool(record.toggles)
            or number in self._state.ripples.values()
            or any(is_answer(self._state, suspect, record.t) for suspect in record.suspects)
        )

    def _on_press(self, press: Press) -> None:
        control = None if press.target is None else control_of(press.target)
        record = self._begin(press.t, None if control is None else control.node_id)
        record.wrapper = None if control is None else wrapper_of(control)
        record.previewed = control is not None and is_previewed(self._state, control, press.t)
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
        state.inner = {node: shell for node, shell in state.inner.items() if shell in state.ripples}

    def _on_mutation(self, mutation: Mutation) -> None:
        state = self._state
        if mutation.t - state.acted_t >= self._attention_ms:
            if mutation.t - state.acted_t < LONGEST_WAIT_MS and self._brings_content(mutation):
                self._late_content = mutation
            state.background.learn(mutation.changes, mutation.t, state.acted_t)
            note(state, mutation)
        else:
            note(state, mutation)
            if state.ripples or not state.presses[-1].answered:
                judge(state, mutation, state.presses[-1])

    def _brings_content(self, mutation: Mutation) -> bool:
        state = self._state
        came: dict[int | str, Change] = {}
        for change in mutation.changes:
            if change.kind == "add":
                top = came.get(change.scope[1]) if len(change.scope) > 1 else None
                came[change.node_id] = top or change
                if not change.has_text:
                    continue
                place = place_of_change(came[change.node_id])
                if not (place in state.background.places or state.trails.moved_on_its_own(place, mutation.t)):
                    return True
        return False

    def _on_move(self, move: MouseMove) -> None:
        """Now it is known when the pointer moved: looks that changed just then were hovering."""
        presses = self._state.presses
        if presses and (presses[-1].suspects or (len(presses) > 1 and presses[-2].suspects)):
            for record in presses[-2:]:
                note_move(record, move)

    def _on_input(self, interaction: At) -> None:
        self._state.typed_t = interaction.t
        self._on_certain(interaction)

    def _on_certain(self, interaction: At) -> None:
        state = self._state
        if interaction.t - state.acted_t < self._attention_ms:
            state.presses[-1].answered = True

    def _on_style(self, change: StyleChange) -> None:
        if not change.only_prepares:
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
        # A field is kept also when it loses the focus, until the next one has it: what it changes then comes after.
        if not focus.gained:
            return
        state, target = self._state, focus.target
        if target is None:
            state.focused_field = ()
            return
        is_field, parent = is_text_field(target), target.parent
        state.focused_field = (
            () if not is_field else (target.node_id,) if parent is None else (target.node_id, parent.node_id)
        )
        if focus.t - state.acted_t < self._attention_ms and (is_field or target.tag == "input"):
            record = state.presses[-1]
            if target.node_id != record.region:
                record.answered = True

    def _on_navigation(self, navigation: Navigation) -> None:
        state = self._state
        if navigation.t - state.acted_t < self._attention_ms and not navigation.leads_nowhere:
            state.presses[-1].answered = True
        if navigation.nav == "load":  # node ids start again, and the old page's presses explain nothing here
            state.acted_t = NEVER
            state.forget_page()

    def _on_request_end(self, request: RequestEnd) -> None:
        state = self._state
        if is_measuring(request.url):
            return
        if request.failed:
            record = state.presses[-1] if state.presses else None
            if record is not None and record.t <= request.start_t and is_broken(request.status):
                record.failed_t = request.t
            return
        place = ("request", request.url.partition("?")[0])
        if request.start_t - state.acted_t >= self._attention_ms:
            state.background.learn_place(place, request.start_t, state.acted_t)
            state.trails.note(place, request.start_t, state.acted_t)
            return
        for record in reversed(state.presses):
            if record.t <= request.start_t:
                self._answer_by_request(record, place, request.start_t)
                return

    def _answer_by_request(self, record: PressRecord, place: Place, start_t: int) -> None:
        state = self._state
        state.trails.note(place, start_t, record.t)
        if record.answered or state.background.explains_place(place, start_t, record.t):
            return
        known = state.trails.has_run(place) or start_t - record.t > SYNC_MS
        if not known or not leave_open(state, record, Suspect(place, (), start_t)):
            record.answered = True


def scrolls_page(scroll: Scroll) -> bool:
    """Tell whether the page itself moved, and not a part of it."""
    return scroll.target is None or scroll.target.tag in {"#document", "html", "body"}
