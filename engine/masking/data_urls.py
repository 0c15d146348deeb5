"""`data:` URLs: raster images and fonts may stay where a level allows them, documents never.

The declared type must be on the list, the data must be base64, and its first bytes must be what the type says: a
text is not let through because it calls itself an image.
"""

import re
from typing import Final

_BASE64: Final = bytes(range(48, 58)) + bytes(range(65, 91)) + bytes(range(97, 123)) + b"+/="
_HEADER: Final = re.compile(r"data:([a-z0-9.+/-]{1,60});base64,", re.IGNORECASE)

_RASTER: Final[dict[str, tuple[str, ...]]] = {
    "image/png": ("iVBORw0KGgo",),
    "image/apng": ("iVBORw0KGgo",),
    "image/jpeg": ("/9j/",),
    "image/jpg": ("/9j/",),
    "image/gif": ("R0lGODlh", "R0lGODdh"),
    "image/webp": ("UklGR",),
    "image/bmp": ("Qk",),
    "image/avif": ("AAAA",),
    "image/x-icon": ("AAABAA",),
    "image/vnd.microsoft.icon": ("AAABAA",),
}

_WOFF2: Final = ("d09GMg",)
_WOFF: Final = ("d09GRg",)
_OUTLINES: Final = ("AAEAAA", "T1RUTw", "dHJ1Z", *_WOFF, *_WOFF2)
_FONTS: Final[dict[str, tuple[str, ...]]] = {
    "font/woff2": _WOFF2,
    "application/font-woff2": _WOFF2,
    "application/x-font-woff2": _WOFF2,
    "font/woff": _WOFF,
    "application/font-woff": _WOFF,
    "application/x-font-woff": _WOFF,
    "font/ttf": _OUTLINES,
    "font/otf": _OUTLINES,
    "font/opentype": _OUTLINES,
    "font/sfnt": _OUTLINES,
    "application/x-font-ttf": _OUTLINES,
    "application/x-font-otf": _OUTLINES,
    "application/octet-stream": _OUTLINES,
}


def is_raster(url: str) -> bool:
    """Tell whether this is a raster image in base64."""
    return _matches(url, _RASTER)


def is_raster_or_font(url: str) -> bool:
    """Tell whether this is a raster image or a font in base64, as style sheets embed them."""
    return _matches(url, _RASTER) or _matches(url, _FONTS)


def _matches(url: str, types: dict[str, tuple[str, ...]]) -> bool:
    header = _HEADER.match(url)
    if header is None or not url.isascii():
        return False
    starts = types.get(header[1].lower())
    if starts is None or not url.startswith(starts, header.end()):
        return False
    return not url[header.end() :].encode().translate(None, _BASE64)
