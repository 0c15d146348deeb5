"""Incremental snapshots: each of rrweb's sources 0 to 16 is masked, mirrored and told as interactions."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import UNSET

from detectors import interactions as told
from detectors.elements import Element
from engine.masking.flags import BLOCKED, UNKNOWN
from engine.reasons import Reason
from engine.rebuild.context import PRESS_MAX_AGE_MS, Context
from engine.rebuild.mutations import MutationMasker
from engine.rebuild.payloads import tell_console
from engine.rebuild.styles import (
    mask_adopted_sheet,
    mask_font,
    mask_sheet_rule,
    mask_style_declaration,
    only_prepares,
)
from schemas.rrweb_sources import (
    AdoptedStyleSheetData,
    CanvasMutationData,
    CustomElementData,
    DragData,
    FontData,
    IncrementalData,
    InputData,
    LogData,
    MediaInteractionData,
    MouseInteractionData,
    MouseMoveData,
    MutationData,
    ScrollData,
    SelectionData,
    StyleDeclarationData,
    StyleSheetRuleData,
    TouchMoveData,
    ViewportResizeData,
)

MOUSE_UP, MOUSE_DOWN, CLICK, CONTEXT_MENU, DOUBLE_CLICK, FOCUS, BLUR, TOUCH_START, _, TOUCH_END, TOUCH_CANCEL = range(
    11
)
TOUCH_POINTER: Final = 2

Masked = IncrementalData | None


class IncrementalRebuilder:
    """Masks incremental data.

    `MASKERS` maps each class of data to what masks it; `None` from there means that nothing may be published.
    """

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def _mutation(self, data: MutationData) -> Masked:
        context = self._context
        tools = context.tools
        masker = MutationMasker(context.page, context.note, tools.max_depth, tools.max_nodes)
        masked = masker.apply(data)
        if masker.total:
            context.emit(told.Mutation(context.t, context.page.url, tuple(masker.changes), masker.total))
        return masked if masked.adds or masked.removes or masked.texts or masked.attributes else None

    def _positions(self, data: MouseMoveData | TouchMoveData | DragData) -> Masked:
        context = self._context
        public_id = context.page.public_id
        for position in data.positions:
            position.id = public_id(position.id)
        if told.MouseMove in context.wanted:
            t = context.t
            positions = [(t + int(p.time_offset), float(p.x), float(p.y)) for p in data.positions]
            context.emit(told.MouseMove(t, context.page.url, tuple(positions)))
        return data

    def _mouse_interaction(self, data: MouseInteractionData) -> Masked:
        kind = data.type
        if not 0 <= kind <= TOUCH_CANCEL:
            self._context.drop_reason = Reason.INVALID_EVENT
            return None
        target = self._context.page.target(data.id)
        self._tell_pointer(kind, data, target)
        data.id = self._context.page.public_id(data.id) if target is not None else -1
        return data

    def _tell_pointer(self, kind: int, data: MouseInteractionData, target: Element | None) -> None:
        context, page, gesture = self._context, self._context.page, self._context.gesture
        t, url = context.t, page.url
        if kind in (FOCUS, BLUR):
            context.emit(told.ElementFocus(t, url, target, kind == FOCUS))
            return
        x, y = float(data.x or 0), float(data.y or 0)
        place = (t, url, target, x, y, x + page.scroll_x, y + page.scroll_y)
        if kind == CLICK:
            recent = gesture.press_t >= 0 and t - gesture.press_t <= PRESS_MAX_AGE_MS
            press_t = gesture.press_t if recent else t
            release_t = gesture.release_t if recent and gesture.release_t >= press_t else t
            touch = data.pointer_type == TOUCH_POINTER or (recent and gesture.touch)
            context.emit(told.Click(*place, press_t=press_t, release_t=release_t, touch=touch))
        elif kind in (MOUSE_DOWN, TOUCH_START):
            gesture.press_t, gesture.touch = t, kind == TOUCH_START
            context.emit(told.Press(*place))
            if kind == TOUCH_START:
                context.emit(told.TouchStart(*place))
        elif kind in (MOUSE_UP, TOUCH_END):
            gesture.release_t = t
            context.emit(told.Release(*place))
            if kind == TOUCH_END:
                context.emit(told.TouchEnd(*place))
        elif kind == DOUBLE_CLICK:
            context.emit(told.DoubleClick(*place))
        elif kind == CONTEXT_MENU:
            context.emit(told.AuxClick(*place))

    def _scroll(self, data: ScrollData) -> Masked:
        context, page = self._context, self._context.page
        element = page.element(data.id)
        x, y = float(data.x), float(data.y)
        if element is not None and element.parent is None:
            page.scroll_x, page.scroll_y = x, y
        context.emit(told.Scroll(context.t, page.url, element, x, y))
        return self._below_block(element, data)

    def _below_block(self, element: Element | None, data: IncrementalData) -> Masked:
        """Drop what names a node below a blocked element: nobody who plays the recording knows that node."""
        hidden = element is not None and element.parent is not None and element.parent.flags & BLOCKED
        return None if hidden else data

    def _resize(self, data: ViewportResizeData) -> Masked:
        """Nothing in it is private."""
        return data

    def _input(self, data: InputData) -> Masked:
        context, page = self._context, self._context.page
        element = page.element(data.id)
        flags = UNKNOWN if element is None else element.flags
        by_visitor = None if data.user_triggered is UNSET else data.user_triggered
        context.emit(told.Input(context.t, page.url, None if element is None else page.target(data.id), by_visitor))
        if flags & BLOCKED:
            return None
        if flags & UNKNOWN:
            context.note(Reason.MASKED_UNKNOWN)
        shown = page.masker.input_text(data.text, flags)
        if page.policy.reads_labels and element is not None:
            page.learn(data.id, data.text, shown)
        page.heard(data.id, data.text, shown)
        data.text = shown
        if data.is_checked:
            data.is_checked = page.masker.is_checked(data.is_checked, flags)
        return data

    def _media(self, data: MediaInteractionData) -> Masked:
        context, page = self._context, self._context.page
        context.emit(told.Media(context.t, page.url, page.target(data.id)))
        return self._below_block(page.element(data.id), data)

    def _canvas(self, data: CanvasMutationData) -> Masked:
        """Pixels and drawn texts can't be masked: they are counted, told as an answer, and never published."""
        context, page = self._context, self._context.page
        context.emit(told.CanvasChange(context.t, page.url, page.target(data.id)))
        context.drop_reason = Reason.CANVAS_DROPPED
        return None

    def _log(self, data: LogData) -> Masked:
        context = self._context
        tell_console(context, data.level, data.payload, data.trace)
        level, trace, payload = context.page.masker.log(data.level, data.trace, data.payload)
        return LogData(level=level, trace=trace, payload=payload)

    def _selection(self, data: SelectionData) -> Masked:
        context, page = self._context, self._context.page
        ranges = data.ranges
        collapsed = all(r.start == r.end and r.start_offset == r.end_offset for r in ranges)
        target = page.target(ranges[0].start) if ranges else None
        context.emit(told.Selection(context.t, page.url, target, collapsed))
        data.ranges = [r for r in ranges if not (page.flags(r.start) | page.flags(r.end)) & BLOCKED]
        return data

    def _tell_style(self, *, only_prepares: bool = False) -> None:
        context = self._context
        context.emit(told.StyleChange(context.t, context.page.url, only_prepares))

    def _sheet_rule(self, data: StyleSheetRuleData) -> Masked:
        self._tell_style(only_prepares=only_prepares(data))
        page = self._context.page
        masked = mask_sheet_rule(page.masker, data)
        for sheet in (data.replace, data.replace_sync, *(addition.rule for addition in data.adds or ())):
            if isinstance(sheet, str):
                page.learn_style(sheet)
        return masked

    def _style_declaration(self, data: StyleDeclarationData) -> Masked:
        self._tell_style()
        return mask_style_declaration(self._context.page.masker, data)

    def _adopted_sheet(self, data: AdoptedStyleSheetData) -> Masked:
        self._tell_style()
        page = self._context.page
        masked = mask_adopted_sheet(page.masker, data)
        for style in data.styles or ():
            for addition in style.rules:
                page.learn_style(addition.rule)
        return masked

    def _font(self, data: FontData) -> Masked:
        return mask_font(self._context.page.masker, data)

    def _custom_element(self, data: CustomElementData) -> Masked:
        if data.define:
            data.define.name = self._context.page.masker.identifier(data.define.name)
        return data


# ruff: disable[SLF001]
MASKERS: Final[Mapping[type, Callable[[IncrementalRebuilder, Any], Masked]]] = {
    MutationData: IncrementalRebuilder._mutation,
    MouseMoveData: IncrementalRebuilder._positions,
    TouchMoveData: IncrementalRebuilder._positions,
    DragData: IncrementalRebuilder._positions,
    MouseInteractionData: IncrementalRebuilder._mouse_interaction,
    ScrollData: IncrementalRebuilder._scroll,
    ViewportResizeData: IncrementalRebuilder._resize,
    InputData: IncrementalRebuilder._input,
    MediaInteractionData: IncrementalRebuilder._media,
    StyleSheetRuleData: IncrementalRebuilder._sheet_rule,
    CanvasMutationData: IncrementalRebuilder._canvas,
    FontData: IncrementalRebuilder._font,
    LogData: IncrementalRebuilder._log,
    StyleDeclarationData: IncrementalRebuilder._style_declaration,
    SelectionData: IncrementalRebuilder._selection,
    AdoptedStyleSheetData: IncrementalRebuilder._adopted_sheet,
    CustomElementData: IncrementalRebuilder._custom_element,
}
# ruff: enable[SLF001]
