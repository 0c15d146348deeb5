"""Style sheet events, masked rule by rule. A rule's place counts: what is scrubbed away leaves an empty rule."""

from typing import Final

from msgspec import UNSET

from engine.masking.masker import Masker
from schemas.rrweb_sources import (
    AdoptedStyleSheetData,
    FontData,
    RuleAddition,
    StyleDeclarationData,
    StyleSheetRuleData,
)

EMPTY_RULE: Final = "rr-masked {}"
"""Stands for a rule of which nothing may be shown: the indices of later rule events stay true."""

PREPARING: Final = (".", "@")
"""How rules begin that components bring for classes of their own, before any element has these."""


def _mask_rules(masker: Masker, rules: list[RuleAddition]) -> None:
    for rule in rules:
        rule.rule = masker.style_rule(rule.rule) or EMPTY_RULE


def mask_sheet_rule(masker: Masker, data: StyleSheetRuleData) -> StyleSheetRuleData:
    """Mask inserted rules and replaced sheets."""
    if data.adds:
        _mask_rules(masker, data.adds)
    if isinstance(data.replace, str):
        data.replace = masker.css(data.replace)
    if isinstance(data.replace_sync, str):
        data.replace_sync = masker.css(data.replace_sync)
    return data


def only_prepares(data: StyleSheetRuleData) -> bool:
    """Tell whether nothing but rules for classes and at-rules were added, as components do when first shown."""
    if not data.adds or data.removes or data.replace or data.replace_sync:
        return False
    return all(addition.rule.startswith(PREPARING) for addition in data.adds)


def mask_style_declaration(masker: Masker, data: StyleDeclarationData) -> StyleDeclarationData | None:
    """Mask a declaration that was set or removed; `None` if nothing of it may be shown."""
    declaration, removal = data.set, data.remove
    if declaration:
        value = masker.style_property(declaration.property, declaration.value or "")
        if value is None:
            return None
        declaration.value = None if declaration.value is None else value
        declaration.priority = "important" if declaration.priority == "important" else UNSET
    if removal and masker.style_property(removal.property, "") is None:
        data.remove = UNSET
    return data if data.set or data.remove else None


def mask_adopted_sheet(masker: Masker, data: AdoptedStyleSheetData) -> AdoptedStyleSheetData:
    """Mask the rules of constructed style sheets."""
    for style in data.styles or ():
        _mask_rules(masker, style.rules)
    return data


def mask_font(masker: Masker, data: FontData) -> FontData | None:
    """Mask a font's source; `None` if it may not be shown."""
    source = None if data.buffer else masker.font_source(data.font_source)
    if source is None:
        return None
    data.font_source = source
    data.family = masker.font_family(data.family)
    data.descriptors = UNSET
    return data
