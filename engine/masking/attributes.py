"""Which rule judges which attribute: one table per level and kind of element, so that a look-up is all it takes."""

from collections.abc import Callable
from enum import IntEnum, auto
from typing import Final

from engine.masking.decisions import Decisions
from engine.masking.flags import (
    BLOCKED,
    CUSTOM,
    EDITABLE,
    FIELD,
    FIELD_TEXT,
    FLOOR,
    MASKED,
    SENSITIVE,
    UNKNOWN,
    UNMASKED,
)
from engine.masking.identifiers import passes_attribute_name
from engine.masking.levels import Level
from engine.masking.rulebook import Rulebook
from engine.masking.values import has_secret

MAX_NAMES: Final = 2_000


class Kind(IntEnum):
    """What an element is to the tables."""

    PLAIN = auto()
    CUSTOM = auto()
    FIELD = auto()
    SENSITIVE_FIELD = auto()
    UNKNOWN = auto()
    BLOCKED = auto()


_OUTSIDE_FIELDS: Final = frozenset({Kind.PLAIN, Kind.CUSTOM})


class Table(dict[str, Decisions]):
    """Attribute name (in any case) to rule. Names without a rule of their own get one by what they look like."""

    __slots__ = ("_other", "_rules")

    def __init__(self, rules: dict[str, Decisions], other: Callable[[str], Decisions]) -> None:
        super().__init__(rules)
        self._rules = rules
        self._other = other

    def __missing__(self, name: str) -> Decisions:
        # HTML folds ASCII letters only: a Kelvin sign is no k, and no attribute's name either.
        # What a detector finds in the name as it was sent, it would not find in lower case.
        shows = name.isascii() and (passes_attribute_name(name) or not has_secret(name))
        lowered = name.lower() if shows else ""
        rule = self._rules.get(lowered)
        if rule is None:
            rule = self._other(lowered)
        if len(self) < MAX_NAMES:
            self[name] = rule
        return rule


_MEASURES: Final = (
    "width height colspan rowspan tabindex rows cols size maxlength minlength span start border cellpadding "
    "cellspacing "
    "frameborder aria-level aria-colcount aria-rowcount aria-colindex aria-rowindex aria-setsize aria-posinset "
    "rr_width rr_height rr_scrollleft rr_scrolltop rr_mediacurrenttime rr_mediaplaybackrate rr_mediavolume"
).split()
_GEOMETRY: Final = (
    "d points viewbox x y x1 x2 y1 y2 cx cy r rx ry fx fy fr dx dy dur offset pathlength refx refy markerwidth "
    "markerheight "
    "stroke-width stroke-dasharray stroke-dashoffset stroke-miterlimit stroke-opacity fill-opacity opacity "
    "stop-opacity "
    "flood-opacity stddeviation k1 k2 k3 k4 basefrequency numoctaves rotate textlength"
).split()
_TRANSFORMS: Final = "transform gradienttransform patterntransform".split()
_PAINTS: Final = (
    "fill stroke color stop-color flood-color lighting-color bgcolor clip-path mask filter marker-start marker-mid "
    "marker-end rr_background_color gradientunits patternunits clippathunits maskunits orient overflow display "
    "visibility text-anchor dominant-baseline alignment-baseline vector-effect shape-rendering font-size font-weight "
    "paint-order mix-blend-mode"
).split()
_BOOLEANS: Final = (
    "disabled readonly required multiple open controls loop muted rr_mediamuted rr_medialoop data-rr-is-password async "
    "defer novalidate nomodule autofocus allowfullscreen reversed inert playsinline itemscope default ismap"
).split()
_NAMES: Final = "class part".split()
_SINGLE_NAMES: Final = (
    "id name list form slot is popovertarget commandfor property aria-activedescendant aria-errormessage exportparts"
).split()
_REFERENCES: Final = (
    "for headers aria-labelledby aria-controls aria-describedby aria-owns aria-details aria-flowto itemref itemprop"
).split()
_LABELS: Final = "placeholder title alt label summary abbr download datetime aria-placeholder help helptext".split()
_GLOBAL_LABELS: Final = frozenset({"title"})
"""What means the same on a custom element as anywhere."""
_LINKS: Final = "href action formaction cite ping xlink:href rr_src longdesc codebase profile".split()
_MEDIA: Final = "src poster background data manifest lowsrc dynsrc".split()
_SRCSETS: Final = "srcset imagesrcset".split()
_STATES: Final = "checked selected".split()
_DROPPED: Final = "srcdoc sandbox nonce integrity rr_dataurl archive classid".split()


_COUNTED: Final = frozenset("li progress meter".split())
_REFERRING: Final = frozenset(
    "use textpath mpath lineargradient radialgradient pattern filter animate animatetransform animatemotion set".split()
)
_PICTURES: Final = frozenset("image feimage".split())
_VALUED: Final = frozenset({"data"})
GROUPED_TAGS: Final = _COUNTED | _REFERRING | _PICTURES | _VALUED
"""Tags (lower case) with rules of their own."""

_ATTRIBUTE_FLAGS: Final = (
    BLOCKED | MASKED | UNMASKED | FLOOR | SENSITIVE | FIELD | FIELD_TEXT | EDITABLE | UNKNOWN | CUSTOM
)


class Tables:
    """All tables over one rulebook, made when first asked for."""

    def __init__(self, book: Rulebook | None = None) -> None:
        self.book = book or Rulebook()
        self._tables: dict[tuple[Level, Kind, str], Table] = {}
        self._by_flags: dict[tuple[Level, str], FlagTables] = {}

    def of(self, level: Level, tag: str = "") -> "FlagTables":
        """Return the tables of a level, by flags; `tag` is one of `GROUPED_TAGS` or empty."""
        return self._by_flags.setdefault((level, tag), FlagTables(self, level, tag))

    def table(self, level: Level, kind: Kind, tag: str) -> Table:
        """Return one table."""
        key = (level, kind, tag)
        if key not in self._tables:
            self._tables[key] = build_table(self.book, level, kind, tag)
        return self._tables[key]


class FlagTables(dict[int, Table]):
    """Flags (only the bits in `FlagTables.BITS`) to the table that judges an element with these flags."""

    BITS: Final = _ATTRIBUTE_FLAGS
    __slots__ = ("_level", "_tables", "_tag")

    def __init__(self, tables: Tables, level: Level, tag: str) -> None:
        super().__init__()
        self._tables = tables
        self._level = level
        self._tag = tag

    def __missing__(self, flags: int) -> Table:
        table = self[flags] = self._tables.table(effective_level(self._level, flags), kind_of(flags), self._tag)
        return table


def effective_level(level: Level, flags: int) -> Level:
    """Return the level that holds for a node: mask beats unmask, and nothing lifts the floor."""
    if flags & (MASKED | FLOOR | UNKNOWN | BLOCKED):
        return Level.CONSERVATIVE
    return Level.LIGHT if flags & UNMASKED else level


def kind_of(flags: int) -> Kind:
    """Return what an element with these flags is to the tables."""
    if flags & BLOCKED:
        return Kind.BLOCKED
    if flags & UNKNOWN:
        return Kind.UNKNOWN
    if not flags & (FIELD | FIELD_TEXT | EDITABLE):
        return Kind.CUSTOM if flags & CUSTOM else Kind.PLAIN
    return Kind.SENSITIVE_FIELD if flags & (SENSITIVE | FLOOR) else Kind.FIELD


def build_table(book: Rulebook, level: Level, kind: Kind, tag: str = "") -> Table:
    """Make the table of a level and kind of element; `tag` is one of `GROUPED_TAGS` or empty."""
    if kind is Kind.BLOCKED:
        return Table({"rr_width": book.measure, "rr_height": book.measure}, lambda _name: book.dropped)
    rules = _structural(book, level)
    if kind is Kind.UNKNOWN:
        return Table(rules, lambda _name: book.dropped)
    rules |= _sources(book, level) | _data(book, level, kind) | _of_tag(book, level, kind, tag)
    return Table(rules, _other(book, level, kind))


def _of_tag(book: Rulebook, level: Level, kind: Kind, tag: str) -> dict[str, Decisions]:
    if tag in _COUNTED:
        return {"value": book.measure}
    if tag in _VALUED:
        return {"value": _label_rule(book, level, kind)}
    if tag in _REFERRING:
        rule = book.local if level is Level.CONSERVATIVE else book.reference
        return {"href": rule, "xlink:href": rule}
    if tag in _PICTURES:
        rule = book.dropped if level is Level.CONSERVATIVE else book.media
        return {"href": rule, "xlink:href": rule}
    return {}


def _structural(book: Rulebook, level: Level) -> dict[str, Decisions]:
    style = book.strict_style if level is Level.CONSERVATIVE else book.style
    rules: dict[str, Decisions] = dict(book.words)
    rules |= dict.fromkeys(_MEASURES, book.measure) | dict.fromkeys(_GEOMETRY, book.geometry)
    rules |= dict.fromkeys(_TRANSFORMS, book.transform) | dict.fromkeys(_PAINTS, book.paint)
    rules |= dict.fromkeys(_BOOLEANS, book.boolean) | dict.fromkeys(_NAMES, book.names)
    rules |= dict.fromkeys(_SINGLE_NAMES, book.data) | dict.fromkeys(_REFERENCES, book.references)
    rules |= {"style": style, "_csstext": style, "lang": book.language, "xml:lang": book.language}
    rules |= {"charset": book.charset, "media": book.media_query, "sizes": book.media_query}
    return rules | {"xmlns": book.namespace, "xmlns:xlink": book.namespace}


def _sources(book: Rulebook, level: Level) -> dict[str, Decisions]:
    strict = level is Level.CONSERVATIVE
    rules = dict.fromkeys(_LINKS, book.origin if strict else book.link)
    rules |= dict.fromkeys(_MEDIA, book.dropped if strict else book.media)
    return rules | dict.fromkeys(_SRCSETS, book.dropped if strict else book.srcset)


def _data(book: Rulebook, level: Level, kind: Kind) -> dict[str, Decisions]:
    sensitive = kind is Kind.SENSITIVE_FIELD
    light = level is Level.LIGHT and not sensitive
    label, data = _label_rule(book, level, kind), _data_rule(book, level, kind)
    rules = {name: data if kind is Kind.CUSTOM and name not in _GLOBAL_LABELS else label for name in _LABELS}
    rules |= dict.fromkeys(_DROPPED, book.dropped)
    rules |= dict.fromkeys(_STATES, book.state if light else book.dropped)
    return rules | {"value": book.detected if light else book.masked, "content": book.masked}


def _data_rule(book: Rulebook, level: Level, kind: Kind) -> Decisions:
    return book.masked if level is Level.CONSERVATIVE or kind not in _OUTSIDE_FIELDS else book.data


def _label_rule(book: Rulebook, level: Level, kind: Kind) -> Decisions:
    if level is Level.CONSERVATIVE or kind is Kind.SENSITIVE_FIELD:
        return book.masked
    if kind in _OUTSIDE_FIELDS:
        return book.label
    return book.masked if level is Level.MEDIUM else book.detected


def _other(book: Rulebook, level: Level, kind: Kind) -> Callable[[str], Decisions]:
    label = _label_rule(book, level, kind)
    data = _data_rule(book, level, kind)

    def choose(name: str) -> Decisions:
        if name.startswith(("on", "rr_", "xmlns:")) or not passes_attribute_name(name):
            return book.dropped
        return label if name.startswith("aria-") else data

    return choose
