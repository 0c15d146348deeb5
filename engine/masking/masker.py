"""The masker: what the engine asks about values, bound to one level and one session's key."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.masking.attributes import GROUPED_TAGS, FlagTables, Tables, effective_level
from engine.masking.css import is_priority, scrub_font_source, scrub_property
from engine.masking.css_tokens import is_plain_text
from engine.masking.decisions import MASK, Decision, Decisions
from engine.masking.errors import frames
from engine.masking.events import EventRules, network_requests
from engine.masking.flags import (
    BLOCKED,
    DROPPED_TEXT,
    EDITABLE,
    FIELD_TEXT,
    FLOOR,
    MASKED,
    SENSITIVE,
    STYLE_TEXT,
    UNKNOWN,
    UNMASKED,
)
from engine.masking.identifiers import MASKED_NAME, decide_name, name_token
from engine.masking.levels import Level
from engine.masking.payloads import (
    OWN_TAGS,
    PRODUCT_TAGS,
    ConsoleCall,
    CssAsset,
    NetworkRequests,
    decode_payload,
)
from engine.masking.text import mask_constant, mask_text
from engine.masking.values import without_secrets
from schemas.rrweb_nodes import AttributeValue
from schemas.rrweb_sources import StyleDifference, StyleValue

_BITS: Final = FlagTables.BITS
_TEXT_BITS: Final = (
    BLOCKED | MASKED | UNMASKED | FLOOR | SENSITIVE | FIELD_TEXT | EDITABLE | DROPPED_TEXT | STYLE_TEXT | UNKNOWN
)
_JUDGED_TAGS: Final = frozenset({"meta", "link"})
_PLAIN_META: Final = frozenset({"viewport", "theme-color", "color-scheme"})
_VIEWPORT: Final = re.compile(
    r"\s*(?:(?:width|height|initial-scale|minimum-scale|maximum-scale|user-scalable|viewport-fit|interactive-widget|"
    r"shrink-to-fit)\s*=\s*(?:device-width|device-height|yes|no|auto|contain|cover|resizes-visual|resizes-content|"
    r"\d{1,5}(?:\.\d{1,10})?)\s*[,;]?\s*)*"
)
_MAX_TOKENS: Final = 1_000
_LABEL_CHARACTERS: Final = 200


class Masker:
    """The rules of one level. Everything returned may be stored and shown.

    `key` makes the tokens of names that may not be kept (`None`: the constant `masked`); derive one per session, so
    that names cannot be followed from session to session. `tables` are shared between maskers, see `Policy`. `stamp`
    names the level and the `version` of the policy. `custom_events` are names of custom events that are kept.
    """

    def __init__(
        self,
        level: Level,
        key: bytes | None = None,
        tables: Tables | None = None,
        version: str = "",
        custom_events: frozenset[str] = frozenset(),
    ) -> None:
        self.level = level
        self.stamp = f"{level}@{version}"
        self._strict = level is Level.CONSERVATIVE
        self._key = key
        self._tokens: dict[str, str] = {}
        shared = tables or Tables()
        self._book = shared.book
        self._plain = shared.of(level)
        self._of_tag = {tag: shared.of(level, tag) for tag in GROUPED_TAGS}
        self._events = EventRules(level)
        self._custom_events = custom_events

    # Elements

    def attributes(self, tag: str, flags: int, attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
        """Rebuild an element's attributes; those that may not be shown are absent. `tag` is lower case."""
        if not attributes:
            return {}
        table = self._of_tag.get(tag, self._plain)[flags & _BITS]
        kept: dict[str, AttributeValue] = {}
        for name, value in attributes.items():
            decision = table[name][value] if value.__class__ is str else self._scalar(table[name], value)
            if decision.__class__ is str:
                kept[name] = decision
            elif decision is not None:
                kept[name] = self._resolved(decision)
        return self._judged(tag, flags, attributes, kept) if tag in _JUDGED_TAGS else kept

    def attribute_changes(
        self, tag: str, flags: int, attributes: Mapping[str, AttributeValue | StyleDifference]
    ) -> dict[str, AttributeValue | StyleDifference]:
        """Rebuild changed attributes: `None` removes one, a mapping is a difference of `style`."""
        table = self._of_tag.get(tag, self._plain)[flags & _BITS]
        plain: dict[str, AttributeValue] = {}
        kept: dict[str, AttributeValue | StyleDifference] = {}
        for name, value in attributes.items():
            rule = table[name]
            if isinstance(value, dict):
                if name.lower() == "style" and rule in (self._book.style, self._book.strict_style):
                    kept[name] = self._style_difference(value, strict=rule is self._book.strict_style)
            elif value is not None:
                plain[name] = value
            elif rule is not self._book.dropped:
                kept[name] = None
        return kept | self.attributes(tag, flags, plain)

    def text(self, value: str, flags: int) -> str:
        """Mask a text node's content; `flags` are its parent's effective flags."""
        if flags & _TEXT_BITS == 0 and not self._strict:
            # Most texts of a page: kept as they are, or nearly so where a secret was.
            decision = self._book.label[value]
            return decision if decision.__class__ is str else self._shown(decision)
        if flags & (BLOCKED | DROPPED_TEXT):
            return ""
        level = effective_level(self.level, flags)
        if flags & STYLE_TEXT:
            return self.css(value, strict=level is Level.CONSERVATIVE)
        if flags & (FIELD_TEXT | EDITABLE):
            if value.isspace():
                return value
            kept = level is Level.LIGHT and not flags & SENSITIVE
            return without_secrets(value) if kept else mask_constant(value)
        return mask_text(value) if level is Level.CONSERVATIVE else self._kept(value)

    def input_text(self, value: str, flags: int) -> str:
        """Mask a form field's value as input events carry it."""
        if flags & BLOCKED:
            return ""
        kept = effective_level(self.level, flags) is Level.LIGHT and not flags & SENSITIVE
        return without_secrets(value) if kept else mask_constant(value)

    def is_checked(self, value: bool, flags: int) -> bool:  # noqa: FBT001
        """Mask the state of a radio button or checkbox."""
        shown = effective_level(self.level, flags) is Level.LIGHT and not flags & SENSITIVE
        return value if shown else False

    def title(self, value: str) -> str:
        """Mask a page's title."""
        return self.text(value, 0)

    def text_label(self, value: str) -> str:
        """Mask a text of the page that names an element (labels of interaction events); at most 200 characters."""
        return self.text(value[:_LABEL_CHARACTERS], 0)

    def free_text(self, value: str) -> str:
        """Mask a text that no page shows, such as an annotation's: kept at the light level if no detector fires."""
        return without_secrets(value) if self.level is Level.LIGHT else mask_constant(value)

    # Addresses, names, CSS

    def url(self, value: str) -> str:
        """Apply rule u; `""` if nothing may be shown."""
        return self._shown(self._book.urls[value])

    def identifier(self, value: str) -> str:
        """Apply rule i to one name."""
        return self._shown(decide_name(value))

    def css(self, text: str, *, strict: bool = False) -> str:
        """Apply rule c to a style sheet or a list of declarations; `strict` as at the conservative level."""
        sheets = self._book.strict_sheets if strict or self._strict else self._book.sheets
        return self._shown(sheets[text], css=True)

    def style_rule(self, rule: str) -> str:
        """Apply rule c to one rule of a style sheet."""
        return self.css(rule)

    def style_property(self, name: str, value: str, *, strict: bool = False) -> str | None:
        """Apply rule c to one declaration; `None` if it may not be shown; `strict` as at the conservative level."""
        decision = scrub_property(name, value, strict=strict or self._strict)
        return None if decision is None else self._shown(decision, css=True)

    def font_family(self, name: str) -> str:
        """Mask the name of a font loaded by script; well-known fonts keep theirs."""
        return self._shown(self._book.font_families[name], css=True)

    def font_source(self, value: str) -> str | None:
        """Apply rule c to the source of a font: CSS `url(...)` or a JSON array of bytes; `None` drops the event."""
        decision = scrub_font_source(value)
        return None if decision is None else self._shown(decision, css=True) or None

    def asset(self, payload: bytes) -> bytes | None:
        """Rebuild an asset's payload (JSON): style sheets by rule c; bytes of images and media are dropped (`None`)."""
        asset = decode_payload(payload, CssAsset)
        if asset is None:
            return None
        return msgspec.json.encode(CssAsset(rr_type="CssText", css_texts=[self.css(text) for text in asset.css_texts]))

    # Events

    def custom(self, tag: str, payload: bytes) -> bytes | None:
        """Rebuild a custom event's payload (JSON); `None` drops the event.

        Of tags that the operator named it is empty; other unknown ones are dropped.
        """
        kind = OWN_TAGS.get(tag)
        if kind is None and self.level is not Level.CONSERVATIVE:
            kind = PRODUCT_TAGS.get(tag)
        if kind is None:
            return b"{}" if tag in self._custom_events else None
        decoded = decode_payload(payload, kind)
        return None if decoded is None else msgspec.json.encode(self._events.rebuild(decoded))

    def plugin(self, name: str, payload: bytes) -> bytes | None:
        """Rebuild a plugin event's payload (JSON); `None` drops the event. Unknown plugins are dropped."""
        match name:
            case "rrweb/console@1":
                call = decode_payload(payload, ConsoleCall)
                return None if call is None else msgspec.json.encode(self._events.console(call))
            case "rrweb/network@1":
                requests = decode_payload(payload, NetworkRequests)
                return None if requests is None else msgspec.json.encode(network_requests(requests))
            case _:
                return None

    def log(self, level: str, trace: list[str], payload: list[str]) -> tuple[str, list[str], list[str]]:
        """Mask console output of the legacy incremental source 11: level, trace, arguments."""
        call = self._events.console(ConsoleCall(level=level, trace=trace, payload=payload))
        return call.level, call.trace, call.payload

    def error_message(self, message: str) -> str:
        """Reduce an error's message to its class, known words and a fingerprint (light: what no detector finds)."""
        return self._events.message(message)

    def stack_frames(self, stack: str) -> tuple[str, ...]:
        """Write a stack's frames as `function@url:line:column`, innermost first, at most 50."""
        return frames(stack)

    # How decisions become values

    def _kept(self, text: str) -> str:
        return self._shown(self._book.label[text])

    def _scalar(self, rule: Decisions, value: object) -> Decision | int | float | bool:
        return rule.scalar(value) if isinstance(value, (bool, int, float)) else None

    def _resolved(self, decision: object) -> AttributeValue:
        return decision if isinstance(decision, (bool, int, float)) else self._shown(decision)

    def _shown(self, decision: object, *, css: bool = False) -> str:
        if isinstance(decision, str):
            return decision
        if decision is None:
            return ""
        # Without a key all names look alike; a sheet's must then differ from the page's, or all would match.
        resolve = decision.resolve  # type: ignore[attr-defined]
        return str(resolve(self._token if self._key is not None else _style_name if css else _constant_name))

    def _token(self, name: str) -> str:
        token = self._tokens.get(name)
        if token is None:
            if len(self._tokens) >= _MAX_TOKENS:
                self._tokens.clear()
            token = self._tokens[name] = name_token(self._key or b"", name)
        return token

    def _style_difference(self, difference: Mapping[str, object], *, strict: bool) -> StyleDifference:
        kept: dict[str, StyleValue] = {}
        for name, value in difference.items():
            if value is False:
                if scrub_property(name, "", strict=strict) is not None:
                    kept[name] = False
                continue
            parts = value if isinstance(value, (list, tuple)) else [value]
            text = self.style_property(name, parts[0], strict=strict) if parts and isinstance(parts[0], str) else None
            if text is not None:
                priority = parts[1:2] == ["important"] and is_priority("important")
                kept[name] = [text, "important"] if priority else text
        return kept

    def _judged(
        self,
        tag: str,
        flags: int,
        attributes: Mapping[str, AttributeValue],
        kept: dict[str, AttributeValue],
    ) -> dict[str, AttributeValue]:
        """Add what depends on two attributes: the content of plain meta elements, the address of style sheets."""
        if flags & (BLOCKED | UNKNOWN):
            return kept
        texts = {name.lower(): value for name, value in attributes.items() if isinstance(value, str)}
        if tag == "link":
            if "stylesheet" in texts.get("rel", "").lower().split() and "href" in texts:
                href = self.url(texts["href"])
                return kept | {"href": href} if href else kept
            return kept
        name = texts.get("name", "").strip().lower()
        content = texts.get("content", "")
        if name in _PLAIN_META and (_VIEWPORT.fullmatch(content) if name == "viewport" else is_plain_text(content)):
            return kept | {"content": content}
        return kept


def _constant_name(_name: str) -> str:
    return MASKED_NAME


def _style_name(_name: str) -> str:
    return f"{MASKED_NAME}-style"


__all__ = ["MASK", "Masker"]
