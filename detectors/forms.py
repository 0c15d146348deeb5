"""Forms under way: what was typed where, what was sent, and what became of it. Abandoned forms and error loops ask.

A *form* is the closest `form` above a field, or its dialog; without one, all fields of the page are one. It is *under
way* once something was typed into a text field of it that had the focus: what scripts fill in, nobody typed. Search
fields are no forms: leaving them is how they are used.

It is *sent* by a click on a button inside it. A sending is *refused* if within `ANSWER_MS` a request fails, a field of
the form changes its class or `aria-invalid`, or text appears within the form, unless it was accepted before; and, after
a refusal, if nothing happens at all, since frameworks that show the same message again change nothing. It is *accepted*
if a request it caused succeeds, the form is emptied or goes away, or the page changes.

It is refused, too, if the focus is thrown back at once into a field that was typed into, or that it was thrown into
before: browsers focus the first invalid field and show the reason where no recorder sees it (HTML, "interactively
validate the constraints"), and so do libraries (react-hook-form's `shouldFocusError`). A field that was not touched yet
may be the first one of the next step. Who sends one text after another finds the focus back in the field as well: there
the field is emptied, or text comes to the page elsewhere, in other places than those whose text changes anyhow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from detectors.answers import HANDLED_MS
from detectors.elements import Element
from detectors.form_elements import form_of, is_search, is_sender
from detectors.form_record import MAX_FIELDS, WHOLE_PAGE, Form, accepts, chain_of, is_near, place_of_figure, refuses
from detectors.hands import Hands
from detectors.interactions import (
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

MAX_FORMS: Final = 4
"""Forms under way at a time; for one more, the one left alone for the longest is forgotten."""

ANSWER_MS: Final = 10_000
"""A sending that nothing answered for so long is neither refused nor accepted any more."""

EMPTIED_MS: Final = 1_000
"""A field that changes so soon after its form was sent was emptied by the page: nobody types so quickly again."""

MAX_RESTLESS: Final = 16
"""Places of figures remembered; the oldest are forgotten."""

THROWN_MS: Final = 200
"""So soon after a sending it is the page that moves the focus, and it asked no server; nobody presses a key so soon."""

STIRRED_MS: Final = 500
"""A sending that was accepted shows so soon where the focus went back at once; pages that ask a server are heard of."""


@dataclass(slots=True)
class FormsState:
    """Forms by key, the one typed into last at the end; when something was pressed last, and what it was.

    `restless` are the elements whose text was replaced while a form was under way and none had just been sent.
    """

    forms: dict[int | str, Form] = field(default_factory=dict)
    press_t: int = NEVER
    pressed_way_out: bool = False
    url: str = ""
    restless: list[int | str] = field(default_factory=list)


annotate(FormsState, forms=dict[int | str, Form], restless=list[int | str])


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

    def __init__(self, hands: Hands) -> None:
        super().__init__(FormsState())
        self._hands = hands
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
        field, state, focused = field_input.target, self._state, self._hands.focused
        if field is None:
            return
        if field.node_id != focused and (focused is not None or not self._hands.is_typed(field_input)):
            return
        form = self._typing
        if field_input.by_visitor is False:
            form = self._known(field)
            if form is not None and self._is_emptied(form, field_input):
                self._end(form)
            return
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
        if self._is_emptied(form, field_input):
            self._end(form)
            return
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

    @staticmethod
    def _is_emptied(form: Form, field_input: Input) -> bool:
        if form.sent_t <= form.refused_t or field_input.by_visitor:
            return False
        return field_input.t - form.sent_t <= (STIRRED_MS if form.thrown_t >= form.sent_t else EMPTIED_MS)

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
            chain_of(root or field.parent),
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
        for form in state.forms.values():
            if form.thrown_t >= form.sent_t:
                self._refuse_silently(form)
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
        if form is not None and (root is not None or is_near(control, form)):
            self._refuse_silently(form)
            form.sent_t, form.control = click.t, describe(control)

    def _on_focus(self, focus: ElementFocus) -> None:
        field = focus.target
        if field is None or not focus.gained:
            return
        for form in self._state.forms.values():
            if 0 <= focus.t - form.sent_t <= THROWN_MS and self._state.press_t <= form.sent_t:
                self._throw(form, field, focus.t)

    def _throw(self, form: Form, field: Element, t: int) -> None:
        if field.node_id in form.fields or field.node_id == form.thrown_to:
            form.thrown_t = t
        elif field.tag == "input" or is_text_field(field):
            root = form_of(field)
            if form.key == (WHOLE_PAGE if root is None else root.node_id):
                form.thrown_to = field.node_id

    def _on_mutation(self, mutation: Mutation) -> None:
        if not self._state.forms:
            return
        for form in list(self._state.forms.values()):
            if any(change.kind == "remove" and change.node_id in form.chain for change in mutation.changes):
                self._gone(form, mutation.t)
            elif form.sent_t > form.refused_t and mutation.t - form.sent_t <= ANSWER_MS:
                refusing = [change for change in mutation.changes if refuses(change, form)]
                if refusing:
                    is_marked = any(change.kind == "attribute" for change in refusing)
                    self._refuse(form, mutation.t, is_marked=is_marked)
                elif form.thrown_t >= form.sent_t and mutation.t - form.sent_t <= STIRRED_MS:
                    self._calm(form, mutation)
        self._learn(mutation)

    def _calm(self, form: Form, mutation: Mutation) -> None:
        """Take a throw back if the page shows what was sent."""
        if any(accepts(change, form, self._state.restless) for change in mutation.changes):
            form.thrown_t = NEVER

    def _learn(self, mutation: Mutation) -> None:
        state = self._state
        if any(mutation.t - form.sent_t <= STIRRED_MS for form in state.forms.values()):
            return
        for change in mutation.changes:
            place = place_of_figure(change)
            if place is not None and place not in state.restless:
                state.restless.append(place)
                if len(state.restless) > MAX_RESTLESS:
                    del state.restless[0]

    def _on_request_end(self, request: RequestEnd) -> None:
        for form in list(self._state.forms.values()):
            if not 0 <= request.t - form.sent_t <= ANSWER_MS or request.start_t < form.sent_t - HANDLED_MS:
                continue
            if form.thrown_t >= form.sent_t and request.start_t - form.sent_t > STIRRED_MS:
                continue  # what was not valid was not sent: the page asks for something else
            if not request.failed:
                self._end(form)
            elif form.sent_t > form.refused_t:
                self._refuse(form, request.t, is_marked=True)

    def _refuse(self, form: Form, t: int, *, is_marked: bool) -> None:
        if not form.refusals:
            form.refused_since = form.sent_t
        form.refusals += 1
        form.refused_t = t
        form.is_marked = form.is_marked or is_marked
        for listener in self._listeners:
            listener.refused(form, t)

    def _refuse_silently(self, form: Form) -> None:
        """A sending that only threw the focus back was refused; after a refusal, one that nothing answered as well."""
        if form.sent_t <= form.refused_t:
            return
        if form.thrown_t >= form.sent_t:
            self._refuse(form, form.thrown_t, is_marked=True)
        elif form.refusals:
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
        state.restless.clear()
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
