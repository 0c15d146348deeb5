"""Interaction events: masks them as rrweb events are masked, and tells the same interactions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from detectors import interactions as told
from detectors.elements import DETECTION_ATTRIBUTES, LABEL_MAX_CHARACTERS, POINTER_CURSOR, Element
from engine.masking.elements import named_flags, own_flags
from engine.masking.errors import error_type_of
from engine.masking.events import method_name
from engine.masking.flags import (
    BLOCKED,
    EDITABLE,
    FIELD,
    FIELD_TEXT,
    FLOOR,
    INHERITED,
    MASKED,
    SENSITIVE,
    UNKNOWN,
)
from engine.reasons import Reason
from engine.rebuild.context import Context
from engine.rebuild.nodes import ATTRIBUTE_MAX_CHARACTERS, DOCUMENT_TAG, PREPARED, closed_root
from engine.rebuild.payloads import FAILED_STATUS, PAYLOAD_MAX_CHARACTERS
from engine.rebuild.told_elements import ToldElements
from engine.rebuild.tree import tag_name
from schemas import interaction_events as wire
from schemas.interaction_events import AttributeText, ElementDescription, InteractionEvent
from schemas.numbers import LARGEST_INTEGER

ANCESTORS_MAX: Final = 64
"""Of an element's ancestors the nearest this many are kept."""
ATTRIBUTES_MAX: Final = 64
"""Of an element's attributes the first this many are told to detectors."""
LABEL_TAG: Final = "label"
OPT_OUT_CLASSES: Final = frozenset(
    {"ph-no-capture", "rr-block", "sentry-block", "amp-block", "highlight-block", "mp-block"}
)
"""Classes by which sites keep an element out of recordings: of a blocked element nothing else is told."""
NAVIGATIONS: Final = frozenset({"load", "push", "replace", "pop", "hash"})
MODIFIERS: Final = frozenset({"alt", "ctrl", "meta", "shift"})
MUTATIONS: Final = {"childList": "add", "attributes": "attribute", "characterData": "text"}

Handler = Callable[..., InteractionEvent | None]


class InteractionRebuilder:
    """Masks interaction events and tells what they say; its state is the context's."""

    __slots__ = ("_context", "_handlers")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._handlers: Mapping[type, Handler] = {
            wire.ClickEvent: self._click,
            wire.AuxClickEvent: self._aux_click,
            wire.DoubleClickEvent: self._double_click,
            wire.TouchStartEvent: self._touch(told.Press, told.TouchStart),
            wire.TouchEndEvent: self._touch(told.Release, told.TouchEnd),
            wire.MouseMoveEvent: self._mouse_move,
            wire.KeyDownEvent: self._key_down,
            wire.ScrollEvent: self._scroll,
            wire.InputEvent: self._input,
            wire.SelectionEvent: self._selection,
            wire.MutationEvent: self._mutation,
            wire.NavigationEvent: self._navigation,
            wire.RequestStartEvent: self._request_start,
            wire.RequestEndEvent: self._request_end,
            wire.WindowOpenEvent: self._plain(told.WindowOpen),
            wire.VisibilityEvent: self._visibility,
            wire.WindowBlurEvent: self._plain(lambda t, page: told.WindowFocus(t, page, gained=False)),
            wire.WindowFocusEvent: self._plain(lambda t, page: told.WindowFocus(t, page, gained=True)),
            wire.ErrorEvent: self._failure("error"),
            wire.UnhandledRejectionEvent: self._failure("unhandled_rejection"),
            wire.ConsoleErrorEvent: self._failure("console_error"),
            wire.PageExitEvent: self._plain(told.PageExit),
            wire.CustomEvent: self._custom,
        }

    def feed(self, event: InteractionEvent) -> InteractionEvent | None:
        """Return the masked event, `None` if it may not be published.

        The event was decoded for this call and is changed in place.
        """
        page = self._context.page
        if event.page is not None:
            page.enter(event.page)
            event.page = page.url
        return self._handlers[type(event)](event)

    def _emit(self, interaction: told.Interaction) -> None:
        self._context.emit(interaction)

    def _element(self, description: ElementDescription) -> tuple[ElementDescription, Element]:
        """Mask an element with its ancestors, outermost first; return what may be shown and what detectors see."""
        chain = _chain(description)
        element: Element | None = None
        masked: list[ElementDescription] = []
        judged = self._judged(chain)
        controls = [control for control in (description.control,) if control is not None and control.text]
        inner = [*chain, *controls]
        hidden = [*judged, *(judged[-1] & INHERITED | self._judged(_chain(control))[-1] for control in controls)]
        inherited = 0
        for place, (link, flags) in enumerate(zip(chain, judged, strict=True)):
            encloses = shows_hidden(link.text, link.label, inner[place + 1 :], hidden[place + 1 :])
            shown, element = self._link(link, tag_name(link.tag), flags, element, encloses=encloses)
            if not inherited & BLOCKED:
                masked.append(shown)
            inherited = flags & INHERITED
        assert element is not None  # noqa: S101  # the chain holds at least the description itself
        own = masked[-1]
        if description.control is not None and not element.flags & (BLOCKED | MASKED):
            description.control.control = None
            own.control, element.control = self._element(description.control)
        if element.flags & (BLOCKED | MASKED):
            element = closed_root(element)
        own.ancestors = masked[-2::-1]
        return own, element

    def _judged(self, chain: Sequence[ElementDescription]) -> list[int]:
        """Decide about each element of a chain, outermost first."""
        selectors, told_elements = self._context.policy.selectors, self._context.page.told
        inherited, bits = 0, [0]
        judged: list[int] = []
        for link in chain:
            tag = tag_name(link.tag)
            flags = own_flags(tag, link.attributes, is_custom=False) | inherited
            bits.insert(0, selectors.own_bits(tag, link.attributes))
            if any(bits) or selectors.placed:
                flags |= selectors.decide_blindly(bits)
            flags = told_elements.stick(link.id, tag, flags)
            judged.append(flags)
            inherited = flags & INHERITED
            if tag == LABEL_TAG and named_flags(link.text or ""):
                inherited |= SENSITIVE
        return judged

    def _link(
        self, link: ElementDescription, tag: str, flags: int, parent: Element | None, *, encloses: bool
    ) -> tuple[ElementDescription, Element]:
        """Mask one element of a chain: what may be shown of it, and what detectors see.

        One that `encloses` something hidden repeats it in its own text.
        """
        masker = self._context.page.masker
        attributes = masker.attributes(tag, flags, link.attributes)
        # What a field shows is what was typed into it.
        shown_flags = flags | FIELD_TEXT if flags & FIELD else flags | MASKED if encloses else flags
        text = None if link.text is None else masker.text(link.text, shown_flags)
        label = None if link.label is None else masker.text(link.label, shown_flags)
        cursor = POINTER_CURSOR if link.cursor == POINTER_CURSOR and not flags & BLOCKED else None
        name = masker.identifier(link.id) if isinstance(link.id, str) else _within_numbers(link.id)
        shown = (text or "").strip()[:LABEL_MAX_CHARACTERS]
        told_attributes = _told_attributes(link.attributes, attributes, flags)
        element = Element(name, tag, told_attributes, parent, shown, flags | PREPARED, cursor or "")
        # Whoever judges the stored event again has to know what was there, if not its value.
        present = {name: value for name, value in told_attributes.items() if name in DETECTION_ATTRIBUTES}
        return ElementDescription(name, tag, {**present, **attributes}, text, [], label, cursor), element

    def _target(self, event: wire.TargetedEvent) -> Element | None:
        if event.target is None:
            return None
        event.target, element = self._element(event.target)
        return element

    def _place(
        self, event: wire.PointerEvent
    ) -> tuple[int, str, Element, float, float, float, float, int, tuple[str, ...]]:
        context, page = self._context, self._context.page
        event.target, element = self._element(event.target)
        event.modifiers = [name for name in event.modifiers if name in MODIFIERS]
        x, y = float(event.x), float(event.y)
        page_x = x + page.scroll_x if event.page_x is None else float(event.page_x)
        page_y = y + page.scroll_y if event.page_y is None else float(event.page_y)
        button = getattr(event, "button", 0)
        return context.t, page.url, element, x, y, page_x, page_y, button, tuple(event.modifiers)

    def _click(self, event: wire.ClickEvent) -> InteractionEvent:
        """Tell a whole gesture, now that it is complete: `press_t` and `release_t` say when its parts were."""
        place = self._place(event)
        press_t, release_t = self._gesture_times(event)
        self._emit(told.Press(*place))
        self._emit(told.Release(*place))
        if event.button:
            self._emit(told.AuxClick(*place, press_t, release_t, event.is_primary))
        else:
            label = event.target.label or ""
            self._emit(told.Click(*place, press_t, release_t, is_primary=event.is_primary, label=label))
        return event

    def _aux_click(self, event: wire.AuxClickEvent) -> InteractionEvent:
        self._emit(told.AuxClick(*self._place(event), *self._gesture_times(event), event.is_primary))
        return event

    def _gesture_times(self, event: wire.ClickEvent | wire.AuxClickEvent) -> tuple[int, int]:
        """Give when the press and the release of a gesture were, by the window's clock."""
        t = self._context.t
        press_t = t if event.down_t is None else t - max(0, int(event.t - event.down_t))
        release_t = t if event.up_t is None else t - max(0, int(event.t - event.up_t))
        return press_t, release_t

    def _double_click(self, event: wire.DoubleClickEvent) -> InteractionEvent:
        self._emit(told.DoubleClick(*self._place(event)))
        return event

    def _touch(
        self, tell: type[told.Press | told.Release], tell_touch: type[told.TouchStart | told.TouchEnd]
    ) -> Handler:
        def handle(event: wire.TouchStartEvent | wire.TouchEndEvent) -> InteractionEvent:
            place = self._place(event)
            self._emit(tell(*place))
            self._emit(tell_touch(*place, touches=event.touches))
            return event

        return handle

    def _plain(self, make: Callable[[int, str], told.Interaction]) -> Handler:
        def handle(event: InteractionEvent) -> InteractionEvent:
            self._emit(make(self._context.t, self._context.page.url))
            return event

        return handle

    def _mouse_move(self, event: wire.MouseMoveEvent) -> InteractionEvent:
        if event.target is not None:
            event.target, _ = self._element(event.target)
        t = self._context.t
        self._emit(told.MouseMove(t, self._context.page.url, ((t, float(event.x), float(event.y)),)))
        return event

    def _key_down(self, event: wire.KeyDownEvent) -> InteractionEvent:
        event.modifiers = [name for name in event.modifiers if name in MODIFIERS]
        target = self._target(event)
        self._emit(told.KeyDown(self._context.t, self._context.page.url, target, tuple(event.modifiers)))
        return event

    def _scroll(self, event: wire.ScrollEvent) -> InteractionEvent:
        page = self._context.page
        x, y = float(event.x), float(event.y)
        target = self._target(event)
        if target is None:
            page.scroll_x, page.scroll_y = x, y
            target = Element(DOCUMENT_TAG, DOCUMENT_TAG, {}, None)
        self._emit(told.Scroll(self._context.t, page.url, target, x, y))
        return event

    def _input(self, event: wire.InputEvent) -> InteractionEvent:
        self._emit(told.Input(self._context.t, self._context.page.url, self._target(event)))
        return event

    def _selection(self, event: wire.SelectionEvent) -> InteractionEvent:
        target = self._target(event)
        self._emit(told.Selection(self._context.t, self._context.page.url, target, event.collapsed))
        return event

    def _mutation(self, event: wire.MutationEvent) -> InteractionEvent:
        context, t, url = self._context, self._context.t, self._context.page.url
        target = self._target(event)
        name = "" if event.attr is None else context.page.masker.identifier(event.attr)
        event.attr = name or None
        kind = MUTATIONS.get(event.mutation_type)
        if kind is not None:
            scope = _scope(target)
            change = told.Change(kind, scope[0], scope, name, has_text=kind == "text")
            self._emit(told.Mutation(t, url, (change,), 1, target))
        elif event.mutation_type == "stylesheet":
            self._emit(told.StyleChange(t, url))
        elif event.mutation_type == "canvas":
            self._emit(told.CanvasChange(t, url, target))
        else:
            self._emit(told.Media(t, url, target))
        return event

    def _navigation(self, event: wire.NavigationEvent) -> InteractionEvent:
        page = self._context.page
        event.nav = event.nav if event.nav in NAVIGATIONS else "load"
        if event.url is not None:
            page.enter(event.url)
            event.url = page.url
        if event.nav == "load":
            page.scroll_x = page.scroll_y = 0.0
            page.told = ToldElements()
        self._emit(told.Navigation(self._context.t, page.url, event.nav))
        if event.nav == "load":
            self._emit(told.PageShown(self._context.t, page.url))
        return event

    def _request_parts(self, event: wire.RequestStartEvent | wire.RequestEndEvent) -> tuple[str, str]:
        masker = self._context.page.masker
        event.url = None if event.url is None else masker.url(event.url)
        event.method = None if event.method is None else method_name(event.method)
        if isinstance(event.request_id, str):
            event.request_id = masker.identifier(event.request_id)
        return event.url or "", "" if event.request_id is None else str(event.request_id)

    def _request_start(self, event: wire.RequestStartEvent) -> InteractionEvent:
        url, request_id = self._request_parts(event)
        self._emit(told.RequestStart(self._context.t, self._context.page.url, url, request_id))
        return event

    def _request_end(self, event: wire.RequestEndEvent) -> InteractionEvent:
        url, request_id = self._request_parts(event)
        t, status = self._context.t, event.status or 0
        start_t = t - max(0, int(event.duration_ms or 0))
        failed = event.failed or status >= FAILED_STATUS
        self._emit(told.RequestEnd(t, self._context.page.url, start_t, url, request_id, status, failed))
        return event

    def _visibility(self, event: wire.VisibilityEvent) -> InteractionEvent:
        self._emit(told.Visibility(self._context.t, self._context.page.url, event.state == "hidden"))
        return event

    def _custom(self, event: wire.CustomEvent) -> InteractionEvent | None:
        context = self._context
        if event.name not in context.policy.custom_events:
            context.drop_reason = Reason.CUSTOM_DROPPED
            return None
        self._emit(told.CustomEvent(context.t, context.page.url, event.name))
        return event

    def _failure(self, source: str) -> Handler:
        def handle(event: wire.ErrorEvent | wire.UnhandledRejectionEvent | wire.ConsoleErrorEvent) -> InteractionEvent:
            masker = self._context.page.masker
            message = event.message[:PAYLOAD_MAX_CHARACTERS]
            frames = masker.stack_frames((event.stack or "")[:PAYLOAD_MAX_CHARACTERS])
            event.message = masker.error_message(message)
            event.error_type = None if event.error_type is None else masker.identifier(event.error_type)
            event.stack = "\n".join(frames) or None
            event.source = None if event.source is None else masker.url(event.source)
            named = event.error_type or error_type_of(message)
            error_type = named or ("" if source == "console_error" else "Error")
            self._emit(told.Failure(self._context.t, self._context.page.url, source, error_type, event.message, frames))
            return event

        return handle


def shows_hidden(
    text: str | None, label: str | None, inner: Sequence[ElementDescription], flags: Sequence[int]
) -> bool:
    """Tell whether an element's own text may repeat what is hidden of the elements in it, from outside inwards."""
    shown = f"{text or ''} {label or ''}"
    if shown == " ":
        return False
    for link, hidden in zip(inner, flags, strict=True):
        if hidden & (BLOCKED | MASKED | FLOOR | UNKNOWN):
            return True
        if hidden & (FIELD | FIELD_TEXT | EDITABLE) and link.text and link.text.strip() in shown:
            return True
    return False


def _chain(description: ElementDescription) -> list[ElementDescription]:
    """Return an element after its ancestors, outermost first."""
    return [*description.ancestors[:ANCESTORS_MAX][::-1], description]


def _within_numbers(number: int) -> int:
    """Bound an id: detectors keep it, and a state holds 64 bits."""
    return max(-LARGEST_INTEGER, min(number, LARGEST_INTEGER))


def _told_attributes(
    sent: Mapping[str, AttributeText], masked: Mapping[str, AttributeText], flags: int
) -> dict[str, str]:
    """Give what detectors read: masked values as texts; an attribute whose value is not shown is present and empty.

    Of a blocked element that is the class it was blocked by. A link to the page itself stays one.
    """
    if flags & BLOCKED:
        classes = sent.get("class")
        names = OPT_OUT_CLASSES.intersection(classes.split()) if isinstance(classes, str) else ()
        return {"class": " ".join(sorted(names))} if names else {}
    shown: dict[str, str] = {}
    for name in list(sent)[:ATTRIBUTES_MAX]:
        value = masked.get(name)
        if isinstance(value, str):
            shown[name] = value[:ATTRIBUTE_MAX_CHARACTERS]
        elif name in masked or (name.isascii() and len(name) <= LABEL_MAX_CHARACTERS):
            link = sent[name]
            shown[name] = "#" if name == "href" and isinstance(link, str) and link.startswith("#") else ""
    return shown


def _scope(element: Element | None) -> tuple[int | str, ...]:
    scope: list[int | str] = []
    while element is not None and len(scope) < told.SCOPE_MAX_NODES:
        scope.append(element.node_id)
        element = element.parent
    return tuple(scope) or (DOCUMENT_TAG,)
