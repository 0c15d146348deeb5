"""What types cannot say of an event that fits them: how deep, how long, and whether its undecoded parts are sound.

Depth is counted as JSON nests: the event is 1, its `data` 2. A node and the list of its children are two levels.
Texts are bounded outside of snapshots. Snapshots, and nodes added later, carry whole style sheets and images; so do
style sheet rules, fonts, and the attributes named in `_RESOURCE_ATTRIBUTES`, and a cut one would be a broken one: they
are bounded by the size of the batch.
"""

from collections.abc import Callable, Sequence
from typing import Final, get_args

import msgspec

from engine.input.json_text import is_deeper, is_utf8, repair_text
from engine.input.repair import is_dense
from engine.input.tally import Event, EventRefusedError, Tally
from engine.reasons import Reason
from schemas.interaction_events import ElementDescription, InteractionEvent
from schemas.rrweb_events import AnnotationData, AssetData, CustomData, FullSnapshotData, MetaData, PluginData
from schemas.rrweb_nodes import DocumentNode, ElementNode, Node
from schemas.rrweb_sources import (
    CanvasMutationData,
    CustomElementData,
    FontData,
    InputData,
    LogData,
    MutationData,
    StyleDeclarationData,
    StyleValue,
)

_DATA_DEPTH: Final = 2
_SNAPSHOT_NODE_DEPTH: Final = 3
_ADDED_NODE_DEPTH: Final = 5
_LEVELS_PER_NODE: Final = 2
_MOST_BYTES_PER_CHARACTER: Final = 4
_PARENTS: Final = frozenset({DocumentNode, ElementNode})
_RESOURCE_ATTRIBUTES: Final = frozenset({"_cssText", "rr_dataURL"})
_RESOURCE_SCHEME: Final = "data:"
_INTERACTIONS: Final = frozenset(get_args(InteractionEvent))


class Inspector:
    """Inspects events of one batch and changes them in place; `size_bytes` and `is_sound_utf8` are of the whole batch.

    No text can be longer than its batch, so that most batches need no look at their texts.
    """

    __slots__ = ("_check_texts", "_is_sound_utf8", "_max_depth", "_max_text_bytes", "_small_bytes", "_tally")

    def __init__(self, tally: Tally, size_bytes: int, *, is_sound_utf8: bool) -> None:
        self._tally = tally
        self._max_depth = tally.limits.max_depth
        self._max_text_bytes = tally.limits.max_text_bytes
        self._small_bytes = min(2 * (self._max_depth - _DATA_DEPTH), self._max_text_bytes)
        """What is smaller can neither be nested too deeply nor hold too long a text."""
        self._check_texts = size_bytes > self._max_text_bytes
        self._is_sound_utf8 = is_sound_utf8

    def suspects(self, events: Sequence[Event]) -> Sequence[int]:
        """Return the indices of the events that need a look: most are of kinds that fit if their types fit.

        The events are all of one kind of input.
        """
        if events and type(events[0]) in _INTERACTIONS:
            return range(len(events))
        kinds = _CHECKED_KINDS if self._check_texts else _STRUCTURED_KINDS
        return [index for index, event in enumerate(events) if type(event.data) in kinds]  # type: ignore[union-attr]  # rrweb's have some

    def admits(self, event: Event) -> bool:
        """Bring an event within the limits; return false (and count it as dropped) if that cannot be done."""
        try:
            if type(event) in _INTERACTIONS:
                self._inspect_interaction(event)
                return True
            data = event.data  # type: ignore[union-attr]  # rrweb events all have some
            check = _STRUCTURE_CHECKS.get(type(data))
            if check is not None:
                check(self, data)
            if self._check_texts:
                check = _TEXT_CHECKS.get(type(data))
                if check is not None:
                    check(self, data)
        except EventRefusedError as refused:
            self._tally.dropped[refused.reason] += 1
            return False
        return True

    def _inspect_snapshot(self, data: FullSnapshotData) -> None:
        self._prune([data.node], _SNAPSHOT_NODE_DEPTH)

    def _inspect_mutation(self, data: MutationData) -> None:
        roots = [addition.node for addition in data.adds if type(addition.node) in _PARENTS]
        if roots:
            self._prune(roots, _ADDED_NODE_DEPTH)

    def _prune(self, level: Sequence[Node], depth: int) -> None:
        """Leave out the nodes below the deepest level allowed."""
        parents = _PARENTS
        for _ in range((self._max_depth - depth - 1) // _LEVELS_PER_NODE):
            level = [child for node in level if type(node) in parents for child in node.child_nodes]  # type: ignore[union-attr]
            if not level:
                return
        for node in level:
            if isinstance(node, DocumentNode | ElementNode) and node.child_nodes:
                self._tally.repaired[Reason.NODE_TOO_DEEP] += len(node.child_nodes)
                node.child_nodes = []

    def _inspect_payload(self, data: CustomData | PluginData | AssetData) -> None:
        data.payload = self._sound(data.payload)

    def _inspect_canvas(self, data: CanvasMutationData) -> None:
        data.commands = self._sound(data.commands)
        data.args = self._sound(data.args)

    def _sound(self, raw: msgspec.Raw) -> msgspec.Raw:
        """Return an undecoded part as UTF-8 within the limits. Raises EventRefusedError if it is nested too deeply."""
        size_bytes = len(raw)
        if self._is_sound_utf8 and size_bytes < self._small_bytes:
            return raw
        text = bytes(raw)
        if not (self._is_sound_utf8 or is_utf8(text)):
            text, repaired = repair_text(text)
            self._tally.add_repairs(repaired)
            raw = msgspec.Raw(text)
        if is_deeper(text, self._max_depth - _DATA_DEPTH):
            raise EventRefusedError(Reason.EVENT_TOO_DEEP)
        return self._with_short_texts(raw, text) if size_bytes > self._max_text_bytes else raw

    def _with_short_texts(self, raw: msgspec.Raw, text: bytes) -> msgspec.Raw:
        if is_dense(text):
            raise EventRefusedError(Reason.EVENT_TOO_DENSE)
        before = self._tally.repaired.get(Reason.TEXT_TOO_LONG)
        try:
            shortened = self._cut_within(msgspec.json.decode(text))
        except ValueError:  # a number out of range
            raise EventRefusedError(Reason.INVALID_EVENT) from None
        except RecursionError:
            raise EventRefusedError(Reason.EVENT_TOO_DEEP) from None
        return (
            raw
            if self._tally.repaired.get(Reason.TEXT_TOO_LONG) == before
            else msgspec.Raw(msgspec.json.encode(shortened))
        )

    def _cut_within(self, value: object) -> object:
        if isinstance(value, str):
            return self._cut(value)
        if isinstance(value, list):
            return [self._cut_within(item) for item in value]
        if isinstance(value, dict):
            return {self._cut(key): self._cut_within(item) for key, item in value.items()}
        return value

    def _cut(self, text: str) -> str:
        """Return the text, cut to the limit between two characters if it is longer (bytes of UTF-8)."""
        limit = self._max_text_bytes
        if len(text) * _MOST_BYTES_PER_CHARACTER <= limit:
            return text
        encoded = text.encode()
        if len(encoded) <= limit:
            return text
        self._tally.repaired[Reason.TEXT_TOO_LONG] += 1
        return encoded[:limit].decode("utf-8", "ignore")

    def _cut_fields(self, struct: msgspec.Struct) -> None:
        for name in struct.__struct_fields__:
            value = getattr(struct, name)
            if type(value) is str:
                setattr(struct, name, self._cut(value))

    def _cut_mutation(self, data: MutationData) -> None:
        for change in data.texts:
            if change.value is not None:
                change.value = self._cut(change.value)
        for attributes in (change.attributes for change in data.attributes):
            for name, value in attributes.items():
                if isinstance(value, str) and not _is_resource(name, value):
                    attributes[name] = self._cut(value)
                elif isinstance(value, dict):
                    attributes[name] = {key: self._cut_style(part) for key, part in value.items()}

    def _cut_style(self, value: StyleValue) -> StyleValue:
        if isinstance(value, list):
            return [self._cut(part) for part in value]
        return self._cut(value) if isinstance(value, str) else value

    def _cut_log(self, data: LogData) -> None:
        self._cut_fields(data)
        data.trace = [self._cut(line) for line in data.trace]
        data.payload = [self._cut(line) for line in data.payload]

    def _cut_style_declaration(self, data: StyleDeclarationData) -> None:
        if isinstance(data.set, msgspec.Struct):
            self._cut_fields(data.set)
        if isinstance(data.remove, msgspec.Struct):
            self._cut_fields(data.remove)

    def _cut_font(self, data: FontData) -> None:
        data.family = self._cut(data.family)

    def _cut_custom_element(self, data: CustomElementData) -> None:
        if isinstance(data.define, msgspec.Struct):
            self._cut_fields(data.define)

    def _inspect_interaction(self, event: Event) -> None:
        target = getattr(event, "target", None)
        if target is not None:
            self._flatten(target)
        if self._check_texts:
            self._cut_fields(event)
            if target is not None:
                self._cut_element(target)
                for ancestor in target.ancestors:
                    self._cut_element(ancestor)

    def _flatten(self, target: ElementDescription) -> None:
        """Ancestors have no ancestors of their own, and are no more than a document may be deep."""
        most = self._max_depth // _LEVELS_PER_NODE
        if len(target.ancestors) > most:
            self._tally.repaired[Reason.NODE_TOO_DEEP] += len(target.ancestors) - most
            del target.ancestors[most:]
        for ancestor in target.ancestors:
            if ancestor.ancestors:
                self._tally.repaired[Reason.FIELD_DROPPED] += 1
                ancestor.ancestors = []

    def _cut_element(self, element: ElementDescription) -> None:
        self._cut_fields(element)
        for name, value in element.attributes.items():
            if isinstance(value, str):
                element.attributes[name] = self._cut(value)


def _is_resource(name: str, value: str) -> bool:
    return name in _RESOURCE_ATTRIBUTES or value.startswith(_RESOURCE_SCHEME)


# ruff: disable[SLF001]
_STRUCTURE_CHECKS: Final[dict[type, Callable[..., None]]] = {
    FullSnapshotData: Inspector._inspect_snapshot,
    MutationData: Inspector._inspect_mutation,
    CustomData: Inspector._inspect_payload,
    PluginData: Inspector._inspect_payload,
    AssetData: Inspector._inspect_payload,
    CanvasMutationData: Inspector._inspect_canvas,
}
_TEXT_CHECKS: Final[dict[type, Callable[..., None]]] = {
    MutationData: Inspector._cut_mutation,
    InputData: Inspector._cut_fields,
    LogData: Inspector._cut_log,
    FontData: Inspector._cut_font,
    StyleDeclarationData: Inspector._cut_style_declaration,
    CustomElementData: Inspector._cut_custom_element,
    MetaData: Inspector._cut_fields,
    AnnotationData: Inspector._cut_fields,
    CustomData: Inspector._cut_fields,
    PluginData: Inspector._cut_fields,
    AssetData: Inspector._cut_fields,
    CanvasMutationData: Inspector._cut_fields,
}
# ruff: enable[SLF001]
_STRUCTURED_KINDS: Final = frozenset(_STRUCTURE_CHECKS)
_CHECKED_KINDS: Final = _STRUCTURED_KINDS | frozenset(_TEXT_CHECKS)
