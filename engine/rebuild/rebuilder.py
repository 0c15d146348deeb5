"""Turns the events of one window into masked events and interactions, in stream order."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import UnsetType

from detectors import interactions as told
from engine.input.events import DecodedEvents
from engine.input.snapshots import UnopenedSnapshot
from engine.reasons import Reason
from engine.rebuild.context import Context
from engine.rebuild.incremental import MASKERS, IncrementalRebuilder
from engine.rebuild.interaction_events import InteractionRebuilder
from engine.rebuild.page import Page
from engine.rebuild.payloads import CUSTOM, PLUGIN, Teller, tell_payload
from engine.rebuild.tree import Sticky, TreeMasker, tag_name
from schemas.interaction_events import InteractionEvent
from schemas.rrweb_events import (
    Annotation,
    Asset,
    AssetData,
    AssetFailure,
    Custom,
    CustomData,
    DomContentLoaded,
    FullSnapshot,
    IncrementalSnapshot,
    Load,
    Meta,
    Offset,
    Plugin,
    PluginData,
    RrwebEvent,
)
from schemas.rrweb_nodes import ElementNode, Node

Event = RrwebEvent | UnopenedSnapshot | InteractionEvent
"""What a batch holds, decoded."""

CONTINUITY_SAMPLE: Final = 64
CONTINUITY_NODES: Final = 64 * CONTINUITY_SAMPLE
"""Nodes looked at for elements, of which a strange snapshot may have none."""
CONTINUITY_SHARE: Final = 0.8
"""A snapshot continues its page if at least this share of its first elements kept id and tag."""


class Rebuilder:
    """Masks one window's events and tells its interactions; all its state is the context and `loading`.

    `loading` is true from a page's first sign of life until its full snapshot: the old page's nodes mean nothing for
    the snapshot that follows.
    """

    __slots__ = ("_incremental", "_interactions", "context", "loading")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.loading = False
        self._incremental = IncrementalRebuilder(context)
        self._interactions: InteractionRebuilder | None = None

    def feed(self, event: Event, t: int) -> Event | None:
        """Return the masked event, `None` if it may not be published. `t` is the window's time (epoch ms).

        The event was decoded for this call and is not used afterwards in its original form.
        """
        self.context.t = t
        if type(event) is IncrementalSnapshot:
            data = event.data
            masked = MASKERS[type(data)](self._incremental, data)
            if masked is None:
                return None
            event.data = masked
            return event
        handler = _HANDLERS.get(type(event))
        return handler(self, event) if handler is not None else self._interaction(event)  # type: ignore[arg-type]  # all rrweb events have their handler

    def _interaction(self, event: InteractionEvent) -> Event | None:
        if self._interactions is None:
            self._interactions = InteractionRebuilder(self.context)
        return self._interactions.feed(event)

    def _dom_content_loaded(self, event: DomContentLoaded) -> Event:
        if not self.loading:
            self._leave_page()
        self.context.page.loaded = False
        return event

    def _load(self, event: Load) -> Event:
        """A page is loaded once: the second time it is another."""
        if self.context.page.loaded and not self.loading:
            self._leave_page()
        self.context.page.loaded = True
        return event

    def _leave_page(self) -> None:
        context = self.context
        self.loading = True
        if context.page.known:
            context.emit(told.PageExit(context.t, context.page.url))
        # Until its snapshot comes, the new page's nodes must not be judged by what had their ids before.
        context.page.doubt()
        context.emit(told.Navigation(context.t, context.page.url, "load"))

    def _meta(self, event: Meta) -> Event:
        context = self.context
        before = context.page.url
        context.page.enter(event.data.href)
        event.data.href = context.page.url
        loaded = not self.loading and before not in ("", context.page.url)
        if loaded:
            context.emit(told.Navigation(context.t, context.page.url, "load"))
        if loaded or self.loading or not before:
            context.emit(told.PageShown(context.t, context.page.url))
        return event

    def _unopened_snapshot(self, event: UnopenedSnapshot) -> Event | None:
        """Take a snapshot from the known pages, or open it: the same bytes give the same page, looked up or made."""
        context = self.context
        known_pages = context.tools.known_pages
        snapshot, page = bytes(event.data.node), self._next_page(event.data.initial_offset)
        known = known_pages.get(page, snapshot) if page.is_shareable else None
        if known is not None and not self._sticky(known.root):
            known.show(page)
            event.data.node = known.document
            self._enter(page)
            return event
        decoded = context.tools.decoder.open_snapshot(event)
        opened = self._opened(decoded)
        if opened is None:
            return None
        sticky = self._sticky(opened.data.node)
        unlike = sticky or decoded.repaired
        if self._build(page, opened, sticky) and not unlike and page.is_shareable:
            # What is known brings no notes with it: there must be none.
            known_pages.put(page, snapshot, msgspec.json.encode(opened.data.node))
        self._enter(page)
        return opened

    def _opened(self, decoded: DecodedEvents) -> FullSnapshot | None:
        context = self.context
        for reason, count in decoded.repaired.items():
            for _ in range(count):
                context.note(reason)
        for opened in decoded.events:
            if isinstance(opened, FullSnapshot):
                return opened
        context.drop_reason = next(iter(decoded.dropped), Reason.INVALID_EVENT)
        context.page.doubt()
        return None

    def _full_snapshot(self, event: FullSnapshot) -> Event:
        page = self._next_page(event.data.initial_offset)
        self._build(page, event, self._sticky(event.data.node))
        self._enter(page)
        return event

    def _next_page(self, offset: Offset | UnsetType) -> Page:
        old = self.context.page
        page = Page(self.context.policy)
        page.follow(old)
        page.known = True
        if offset:
            page.scroll_x, page.scroll_y = float(offset.left), float(offset.top)
        return page

    def _sticky(self, document: Node) -> Sticky:
        """Return what sticks to the nodes of the page at hand, if a snapshot shows that page again."""
        old = self.context.page
        if not old.known or self.loading or not continues_page(old, document):
            return {}
        return {**old.aside, **old.sticky()}

    def _build(self, page: Page, event: FullSnapshot, sticky: Sticky) -> bool:
        """Mask a snapshot and mirror it; return whether nothing of it had to be left out."""
        left_out: list[Reason] = []
        if sticky:
            page.aside = self.context.page.aside
            page.forgotten_id = self.context.page.forgotten_id
            page.memory = self.context.page.memory
        tools = self.context.tools
        TreeMasker(page, sticky, left_out.append, tools.max_depth, tools.max_nodes).add_document(event.data.node)
        for reason in left_out:
            self.context.note(reason)
        return not left_out

    def _enter(self, page: Page) -> None:
        self.context.page = page
        self.loading = False

    def _custom(self, event: Custom) -> Event | None:
        data, context = event.data, self.context
        masked = self._payload(context.page.masker.custom, CUSTOM, data.tag, data.payload)
        if data.tag in context.policy.custom_events:
            context.emit(told.CustomEvent(context.t, context.page.url, data.tag))
        if masked is None:
            context.drop_reason = Reason.CUSTOM_DROPPED
            return None
        event.data = CustomData(data.tag, masked)
        return event

    def _plugin(self, event: Plugin) -> Event | None:
        data = event.data
        masked = self._payload(self.context.page.masker.plugin, PLUGIN, data.plugin, data.payload)
        if masked is None:
            self.context.drop_reason = Reason.PLUGIN_DROPPED
            return None
        event.data = PluginData(data.plugin, masked)
        return event

    def _payload(
        self, mask: Callable[[str, bytes], bytes | None], tellers: Mapping[str, Teller], name: str, payload: msgspec.Raw
    ) -> msgspec.Raw | None:
        """Mask a payload and tell what it says, also if nothing of it may be shown."""
        text = bytes(payload)
        masked = mask(name, text)
        tell_payload(self.context, tellers, name, text)
        return None if masked is None else msgspec.Raw(masked)

    def _asset(self, event: Asset) -> Event | None:
        """Style sheets and failures are masked; an asset's bytes can't be: counted, never published."""
        data, masker = event.data, self.context.page.masker
        if isinstance(data.failed, AssetFailure):
            failure = AssetFailure(masker.free_text(data.failed.message), data.failed.status)
            event.data = AssetData(masker.url(data.url), failed=failure)
            return event
        masked = masker.asset(bytes(data.payload))
        if masked is None:
            self.context.drop_reason = Reason.ASSET_DROPPED
            return None
        event.data = AssetData(masker.url(data.url), msgspec.Raw(masked))
        return event

    def _annotation(self, event: Annotation) -> Event | None:
        data = event.data
        if data.type not in ("caption", "timelineMarker"):
            self.context.drop_reason = Reason.INVALID_EVENT
            return None
        if isinstance(data.text, str):
            data.text = self.context.page.masker.free_text(data.text)
        return event


def continues_page(page: Page, node: Node) -> bool:
    """Tell whether a snapshot shows the mirrored page again: a checkout keeps ids, a new page starts over."""
    waiting, seen, same = deque([node]), 0, 0
    for _ in range(CONTINUITY_NODES):
        if not waiting or seen >= CONTINUITY_SAMPLE:
            break
        current = waiting.popleft()
        if isinstance(current, ElementNode):
            seen += 1
            same += current.id in page.parents and page.tag(current.id) == tag_name(current.tag_name)
        waiting += getattr(current, "child_nodes", ())[:CONTINUITY_SAMPLE]
    return seen > 0 and same >= CONTINUITY_SHARE * seen


# ruff: disable[SLF001]
_HANDLERS: Final[Mapping[type, Callable[[Rebuilder, Any], Event | None]]] = {
    UnopenedSnapshot: Rebuilder._unopened_snapshot,
    FullSnapshot: Rebuilder._full_snapshot,
    Meta: Rebuilder._meta,
    Custom: Rebuilder._custom,
    Plugin: Rebuilder._plugin,
    DomContentLoaded: Rebuilder._dom_content_loaded,
    Load: Rebuilder._load,
    Asset: Rebuilder._asset,
    Annotation: Rebuilder._annotation,
}
# ruff: enable[SLF001]
