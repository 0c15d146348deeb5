"""All rules that attributes are judged by, each with its decisions so far; shared by the maskers of a policy."""

from typing import Final

from engine.masking import shapes
from engine.masking.css import scrub_css, scrub_css_strictly, scrub_font_family
from engine.masking.data_urls import is_raster
from engine.masking.decisions import MASK, Decision, Decisions, Scalar, SheetCache
from engine.masking.identifiers import decide_name, decide_names, decide_references
from engine.masking.text import mask_constant
from engine.masking.urls import is_local_reference, mask_origin, mask_reference, mask_srcset, mask_url, url_scheme
from engine.masking.values import has_secret, scrub

_LARGEST_PLAIN_NUMBER: Final = 1_000_000
_LARGEST_LABEL_NUMBER: Final = 10**12
"""Card numbers are longer."""
_NAMESPACES: Final = frozenset(
    f"http://www.w3.org/{name}"
    for name in ("1999/xhtml", "2000/svg", "1999/xlink", "1998/Math/MathML", "XML/1998/namespace", "2000/xmlns/")
)


class Rulebook:
    """The rules, by what they do to a value. The decisions hold for every session and level."""

    def __init__(self, max_css_characters: int = 32_000_000) -> None:
        self.sheets = SheetCache(scrub_css, max_css_characters)
        self.strict_sheets = SheetCache(scrub_css_strictly, max_css_characters)
        self.urls = Decisions(mask_url)
        self.font_families = Decisions(scrub_font_family)
        self.dropped = Decisions(_drop)
        self.masked = Decisions(mask_constant, _mask_scalar)
        self.label = Decisions(scrub, _keep_scalar)
        self.detected = Decisions(_detected, _detected_scalar)
        self.names = Decisions(decide_names, _mask_scalar)
        self.references = Decisions(decide_references, _mask_scalar)
        self.data = Decisions(decide_name, _mask_scalar)
        self.link = Decisions(_link, boolean_to_empty)
        self.origin = Decisions(_origin)
        self.reference = Decisions(_reference)
        self.local = Decisions(_local)
        self.media = Decisions(_media)
        self.srcset = Decisions(_srcset)
        self.namespace = Decisions(_namespace)
        self.style = Decisions(self.sheets.__getitem__)
        self.strict_style = Decisions(self.strict_sheets.__getitem__)
        self.measure = Decisions(shapes.decide_measure, shapes.measure_scalar)
        self.geometry = Decisions(shapes.decide_geometry, shapes.measure_scalar)
        self.transform = Decisions(shapes.decide_transform)
        self.paint = Decisions(shapes.decide_paint)
        self.boolean = Decisions(shapes.decide_boolean, shapes.boolean_scalar)
        self.state = Decisions(shapes.decide_boolean, shapes.boolean_scalar)
        self.language = Decisions(shapes.decide_language)
        self.charset = Decisions(shapes.decide_charset)
        self.media_query = Decisions(shapes.decide_media)
        self.words = {name: Decisions(shapes.words_of(name), _present) for name in shapes.WORD_ATTRIBUTES}


def boolean_to_empty(value: Scalar) -> str | None:
    """Keep the presence of an attribute sent as `true`, drop numbers."""
    return "" if value is True else None


def _drop(_value: str) -> None:
    return None


def _mask_scalar(_value: Scalar) -> str:
    return MASK


def _keep_scalar(value: Scalar) -> Scalar | str:
    return value if abs(value) < _LARGEST_LABEL_NUMBER else MASK


def _present(value: Scalar) -> Scalar | None:
    return value if value is True else None


def _detected(value: str) -> Decision:
    return MASK if has_secret(value) else value


def _detected_scalar(value: Scalar) -> Scalar | str:
    return value if abs(value) < _LARGEST_PLAIN_NUMBER else MASK


def _link(value: str) -> Decision:
    return _with_empty_fragment(mask_url(value), value)


def _origin(value: str) -> Decision:
    return _with_empty_fragment(mask_origin(value), value)


def _with_empty_fragment(masked: str, value: str) -> Decision:
    """Keep an empty fragment: it tells nothing but that a link, made absolute by its recorder, leads nowhere."""
    return f"{masked}#" if masked and value.endswith("#") else masked or None


def _reference(value: str) -> Decision:
    return mask_reference(value) or None


def _local(value: str) -> Decision:
    return value if is_local_reference(value) else None


def _media(value: str) -> Decision:
    """A source of an image or frame: web URLs by the rule, raster images in `data:`, nothing else."""
    scheme = url_scheme(value)
    if scheme == "data":
        return value if is_raster(value) else None
    return mask_url(value) or None if scheme in {"", "http", "https"} else None


def _srcset(value: str) -> Decision:
    return mask_srcset(value) or None


def _namespace(value: str) -> Decision:
    return value if value in _NAMESPACES else None
