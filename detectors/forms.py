"""Forms under way: what was typed where, what was sent, and what became of it. Abandoned forms and error loops ask.

A *form* is the closest `form` above a field, or its dialog; without one, all fields of the page are one. It is *under
way* once something was typed into a text field of it that had the focus: what scripts fill in, nobody typed. Search
fields are no forms: leaving them is how they are used.

It is *sent* by a click on a button inside it. A sending is *refused* if within `ANSWER_MS` a request fails, a field of
the form changes its class or `aria-invalid`, or text appears within the form, unless it was accepted before; and, after
a refusal, if nothing happens at all, since frameworks that show the same message again change nothing. It is *accepted*
if a request it caused succeeds, the form is emptied or goes away, or the page changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from mypy_extensions import mypyc_attr

from detectors.answers import HANDLED_MS
from detectors.elements import Element
from detectors.form_elements import form_of, is_search, is_sender
from detectors.interactions import (
    Change,
    Click,
    ElementFocus,
    Input,
    Mutation,
    Navigation,
    PageShown,
    Press,
    RequestEnd,
)
from detectors.interactive import closest_interactive, is_ignored, is_text_field
from detectors.machine import NEVER, Machine
from detectors.page_trips import address
from detectors.stored import annotate
from detectors.targets import describe
from schemas.signals import Target

MAX_FORMS: Final = 4
"""Forms under way at a time; for one more, the one left alone for the longest is forgotten."""

MAX_FIELDS: Final = 64
CHAIN_NODES: Final = 8
"""Nodes above a form whose removal takes it away; what is further out goes with the page."""

ANSWER_MS: Final = 10_000
"""A sending that nothing answered for so long is neither refused nor accepted any more."""

EMPTIED_MS: Final = 1_000
"""A field that changes so soon after its form was sent was emptied by the page: nobody types so quickly again."""

NEAR_NODES: Final = 3
"""Without a form around them, a message belongs to fields if it is below one of so many nodes above them."""

_INVALID_MARKS: Final = frozenset({"class", "aria-invalid", "aria-describedby"})

WHOLE_PAGE: Final = 0
"""The key of fields that have no form around them; no node has it."""


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class Form:
    """A form under way, since `t` (epoch ms). Times are `NEVER` for what has not happened since the last input.

    `chain` is the form's node and those above it. `is_marked` tells that a refusal was more than a text: a request that
    failed, or a field marked as wrong. `refusals` counts sendings that were refused in a row, the first of
    them at `refused_since`, the last at `refused_t`; `control` is what was clicked to send it.
    """

    key: int | str
    t: int
    input_t: int
    page: str
    target: Target
    fields: list[int | str]
    chain: tuple[int | str, ...]
    last_field: str = ""
    sent_t: int = NEVER
    refused_since: int = NEVER
    refused_t: int = NEVER
    refusals: int = 0
    is_marked: bool = False
    control: Target | None = None


annotate(Form, key=int | str, fields=list[int | str], chain=tuple[int | str, ...], control=Target | None)


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class FormsState:
    """Forms by key, the one typed into last at the end; when something was pressed last, and what it was."""

    forms: dict[int | str, Form] = field(default_factory=dict)
    press_t: int = NEVER
    pressed_way_out: bool = False
    focused: int | str | None = None
    url: str = ""


annotate(FormsState, forms=dict[int | str, Form], focused=int | str | None)


class FormListener(Protocol):
    """Who wants to know what becomes of forms."""

    def left(self, form: Form, t: int, how: str) -> None:
        """Take note that a form was left unsent, or after it was refused, at `t` (epoch ms): `page` or `session`."""

    def refused(self, form: Form, t: int) -> None:
        """Take note that a sending was refused at `t` (epoch ms)."""

    def done(self, form: Form) -> None:
        """Take note that a form is over, however it ended."""


class Forms(Machine[FormsState]):
    """Watches forms; it reports nothing itself but tells its listeners, which come after it."""

    name = "forms"

    def __init__(self) -> None:
        super().__init__(FormsState())
        self._listeners: list[FormListener] = []
        # Most keys go into the field of the key before: its form, which is the last of all, its id, and its
        # attributes, which are another mapping when they change.
        self._typed_into: dict[str, str] | None = None
        self._typing: Form | None = None
        self._typing_id: int | str | None = None

    def listen(self, listener: FormListener) -> None:
        """Tell a listener from now on."""
        self._listeners.append(listener)

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """What is typed, sent and answered, and how pages are left."""
        return {
            Input: self._on_input,
            ElementFocus: self._on_focus,
            Press: self._on_press,
            Click: self._on_click,
            Mutation: self._on_mutation,
            RequestEnd: self._on_request_end,
            Navigation: self._on_navigation,
            PageShown: self._on_page_shown,
        }

    def finish(self) -> None:
        """The visitor is gone: forms that are under way were left."""
        forms, self._state.forms = self._state.forms, {}
        for form in forms.values():
            self._refuse_silently(form)
            if form.sent_t == NEVER or form.refused_t >= form.sent_t:
                self._tell_left(form, form.input_t if form.sent_t == NEVER else form.refused_t, "session")
            self._tell_done(form)

    def _on_input(self, field_input: Input) -> None:
        field, state = field_input.target, self._state
        if field is None or (state.focused is not None and field.node_id != state.focused):
            return
        form = self._typing
        if (
            form is not None
            and field.node_id == self._typing_id
            and field.attributes is self._typed_into
            and form.sent_t == NEVER
            and not form.refusals
            and state.forms.get(form.key) is form
        ):
            form.input_t = field_input.t  # as nearly always: one more key
        else:
            self._type(field, field_input)

    def _type(self, field: Element, field_input: Input) -> None:
        state = self._state
        if field.attributes is not self._typed_into and not self._types_text(field):
            return
        form = self._known(field)
        if form is None:
            form = self._begin(field, field_input)
            if form is None:
                return
        if form.sent_t > form.refused_t and field_input.t - form.sent_t <= EMPTIED_MS:
            self._end(form)
            return
        if form.refusals:
            self._refuse_silently(form)
        form.input_t, form.sent_t = field_input.t, NEVER
        if field.node_id not in form.fields:
            if len(form.fields) < MAX_FIELDS:
                form.fields.append(field.node_id)
            form.last_field = describe(field).selector
        if next(reversed(state.forms)) != form.key:
            state.forms[form.key] = state.forms.pop(form.key)
        self._typing = form if field.node_id in form.fields else None
        self._typing_id = field.node_id

    def _types_text(self, field: Element) -> bool:
        is_text = field.tag != "select" and is_text_field(field)
        self._typed_into = field.attributes if is_text else None
        return is_text

    def _known(self, field: Element) -> Form | None:
        forms = self._state.forms
        if not forms:
            return None
        last = forms[next(reversed(forms))]
        if field.node_id in last.fields:
            return last
        root = form_of(field)
        return forms.get(WHOLE_PAGE if root is None else root.node_id)

    def _begin(self, field: Element, field_input: Input) -> Form | None:
        if is_search(field) or is_ignored(field):
            return None
        state = self._state
        root = form_of(field)
        key = WHOLE_PAGE if root is None else root.node_id
        form = Form(
            key,
            field_input.t,
            field_input.t,
            field_input.page,
            describe(root or field),
            [],
            _chain(root or field.parent),
        )
        state.forms[key] = form
        state.url = state.url or address(field_input.page)
        if len(state.forms) > MAX_FORMS:
            del state.forms[next(iter(state.forms))]
        return form

    def _on_press(self, press: Press) -> None:
        state = self._state
        if not state.forms:
            return
        state.press_t = press.t
        control = None if press.target is None else closest_interactive(press.target)
        # Who leaves by a link leaves; who leaves by a button went on with what they were doing.
        state.pressed_way_out = control is not None and control.tag == "a" and form_of(control) is None

    def _on_click(self, click: Click) -> None:
        state = self._state
        if not state.forms or click.target is None:
            return
        control = closest_interactive(click.target)
        if control is None or not is_sender(control):
            return
        root = form_of(control)
        form = state.forms.get(WHOLE_PAGE if root is None else root.node_id)
        if form is not None and (root is not None or _is_near(control, form)):
            self._refuse_silently(form)
            form.sent_t, form.control = click.t, describe(control)

    def _on_mutation(self, mutation: Mutation) -> None:
        if not self._state.forms:
            return
        for form in list(self._state.forms.values()):
            if any(change.kind == "remove" and change.node_id in form.chain for change in mutation.changes):
                self._gone(form, mutation.t)
            elif form.sent_t > form.refused_t and mutation.t - form.sent_t <= ANSWER_MS:
                refusing = [change for change in mutation.changes if _refuses(change, form)]
                if refusing:
                    is_marked = any(change.kind == "attribute" for change in refusing)
                    self._refuse(form, mutation.t, is_marked=is_marked)

    def _on_request_end(self, request: RequestEnd) -> None:
        for form in list(self._state.forms.values()):
            if not 0 <= request.t - form.sent_t <= ANSWER_MS or request.start_t < form.sent_t - HANDLED_MS:
                continue
            if not request.failed:
                self._end(form)
            elif form.sent_t > form.refused_t:
                self._refuse(form, request.t, is_marked=True)

    def _on_focus(self, focus: ElementFocus) -> None:
        if focus.gained and focus.target is not None:
            self._state.focused = focus.target.node_id

    def _refuse(self, form: Form, t: int, *, is_marked: bool) -> None:
        if not form.refusals:
            form.refused_since = form.sent_t
        form.refusals += 1
        form.refused_t = t
        form.is_marked = form.is_marked or is_marked
        for listener in self._listeners:
            listener.refused(form, t)

    def _refuse_silently(self, form: Form) -> None:
        """After a refusal, a sending that nothing answered was refused in the same words."""
        if form.refusals and form.sent_t > form.refused_t:
            self._refuse(form, form.sent_t, is_marked=False)

    def _gone(self, form: Form, t: int) -> None:
        """The form left the page: it was accepted, or the visitor closed it."""
        if form.sent_t == NEVER and self._state.pressed_way_out and self._state.press_t > form.input_t:
            self._tell_left(form, t, "page")
        self._end(form)

    def _end(self, form: Form) -> None:
        self._state.forms.pop(form.key, None)
        self._tell_done(form)

    def _on_page_shown(self, shown: PageShown) -> None:
        self._state.url = address(shown.page)

    def _on_navigation(self, navigation: Navigation) -> None:
        state = self._state
        if navigation.nav != "load":
            url = address(navigation.page)
            if url == state.url or not state.url:
                state.url = url
                return
            state.url = url
        for form in list(state.forms.values()):
            if self._is_left(form, navigation):
                self._tell_left(form, navigation.t, "page")
            self._end(form)

    def _is_left(self, form: Form, navigation: Navigation) -> bool:
        """Tell whether the visitor left a form undone: by a link elsewhere, or by the browser's back."""
        state = self._state
        if form.sent_t != NEVER and form.refused_t < form.sent_t:
            return False
        if navigation.nav == "pop":
            return True
        return state.pressed_way_out and state.press_t > form.input_t

    def _tell_left(self, form: Form, t: int, how: str) -> None:
        for listener in self._listeners:
            listener.left(form, t, how)

    def _tell_done(self, form: Form) -> None:
        for listener in self._listeners:
            listener.done(form)


def _chain(node: Element | None) -> tuple[int | str, ...]:
    chain: list[int | str] = []
    while node is not None and len(chain) < CHAIN_NODES and node.tag not in {"body", "html"}:
        chain.append(node.node_id)
        node = node.parent
    return tuple(chain)


def _is_near(control: Element, form: Form) -> bool:
    node: Element | None = control.parent
    for _ in range(CHAIN_NODES):
        if node is None:
            return False
        if node.node_id in form.chain:
            return True
        node = node.parent
    return False


def _refuses(change: Change, form: Form) -> bool:
    if change.kind == "attribute":
        return change.name in _INVALID_MARKS and change.node_id in form.fields
    if change.kind not in {"add", "text"} or not change.has_text:
        return False
    if form.control is not None and form.control.node_id in change.scope:
        return False  # a button that says that it is at work
    return not set(change.scope).isdisjoint(form.chain[: 1 if form.key else NEAR_NODES])
