"""Elements about which nothing is to be decided, whatever their attributes say: most of a page."""

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from engine.masking.elements import INDIFFERENT, own_flags
from engine.masking.flags import FIELD
from engine.masking.selectors import SelectorSet

KNOWN_TAGS: Final = frozenset(
    "html head body meta link script style title base div span p a img svg path g rect circle line polygon polyline "
    "ul ol li table thead tbody tfoot tr td th caption col colgroup h1 h2 h3 h4 h5 h6 header footer main nav section "
    "article aside form input button select option optgroup textarea label fieldset legend datalist output progress "
    "meter details summary dialog menu iframe video audio source track canvas picture figure figcaption b i u s em "
    "strong small sub sup code pre kbd samp var blockquote q cite abbr time mark ruby rt rp bdi bdo br hr wbr ins del "
    "noscript template slot object embed param map area dl dt dd address use defs symbol text tspan".split()
)
"""Element names that every player can create."""


class PlainElements(NamedTuple):
    """What makes an element plain.

    Its tag is in `flags` (which are its own then), all its attributes are in `names`, and no selector knows its class:
    `class_bits` is 0 for it.
    """

    flags: Mapping[str, int]
    names: frozenset[str]
    class_bits: Mapping[str, int]


NONE_PLAIN: Final = PlainElements({}, frozenset(), {})


@lru_cache(maxsize=256)
def plain_elements(selectors: SelectorSet) -> PlainElements:
    """Return which elements are plain under a policy's selectors."""
    flags = {tag: own_flags(tag, {}, is_custom=False) for tag in KNOWN_TAGS}
    tags = {tag: own for tag, own in flags.items() if not own & FIELD and not selectors.own_bits(tag, {})}
    names = frozenset(name for name in INDIFFERENT if name == "class" or selectors.watched(name) is None)
    class_bits = selectors.watched("class")
    return PlainElements(tags, names, defaultdict(int) if class_bits is None else class_bits)
