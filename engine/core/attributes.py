"""What a session ran on: release, device, country, browser and system, as its sender says or its windows show.

What a sender says passes by an allow-list: known names, values of a known shape, nothing a value detector finds
(`docs/privacy.md`). The rest is left out and counted.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from engine.masking.values import has_secret
from engine.reasons import Reason

ATTRIBUTES_MAX_BYTES: Final = 4_096
"""Longer objects are left out as a whole: five short values need far less."""

REMEMBERED: Final = 1_000
"""Attributes read before, by their bytes: all batches of a session say the same, and many sessions do."""

VIEWPORT_MAX_PX: Final = 100_000
"""Larger viewports are wrong."""

PHONE_MAX_PX: Final = 500
"""The shorter side of a viewport up to which it is a phone's: Chrome makes no window of a computer narrower."""

TOUCH_PHONE_MAX_PX: Final = 600
"""The same with touch: from there on Android calls devices tablets (`sw600dp`)."""

TABLET_MAX_PX: Final = 1_366
"""The longer side of the largest tablet in use; larger screens that are touched are those of computers."""

_RELEASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+@/-]{0,99}")
_NO_SECRET: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?=[0-9]*[a-f])(?:[0-9a-f]{7,12}|[0-9a-f]{40})"  # a commit
    r"|20[1-9]\d([.-]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"  # a day
    r")(?![A-Za-z0-9])|@(?=v?\d)"
)
_VERSIONED: Final = re.compile(r"([A-Za-z][A-Za-z ._-]{0,39}?)(?: (\d{1,4})(?:\.(\d{1,2}))?(?:\.\d+){0,3})?")
_COUNTRY: Final = re.compile("[A-Za-z]{2}")

Attributes = dict[str, str]


def _release(value: str) -> str | None:
    """Take a name of a version; commits, days and `name@1.2` look like secrets to detectors, and are none here."""
    return value if _RELEASE.fullmatch(value) and not has_secret(_NO_SECRET.sub(" x ", value)) else None


def _device(value: str) -> str | None:
    return word if (word := value.lower()) in {"desktop", "tablet", "phone"} else None


def _country(value: str) -> str | None:
    """Take a code of ISO 3166-1, two letters."""
    return value.upper() if _COUNTRY.fullmatch(value) else None


def _versioned(value: str) -> str | None:
    """Take a family and a version of at most two numbers; never a whole user agent."""
    match = _VERSIONED.fullmatch(value)
    if match is None or has_secret(match[1]):
        return None
    family, major, minor = match[1], match[2], match[3]
    return " ".join(filter(None, (family.strip(), ".".join(filter(None, (major, minor))))))


_RULES: Final[Mapping[str, Callable[[str], str | None]]] = {
    "release": _release,
    "device": _device,
    "country": _country,
    "browser": _versioned,
    "os": _versioned,
}

_decode: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text: Final = msgspec.json.Decoder(str).decode

Read = tuple[Attributes, Mapping[Reason, int]]


def read_attributes(raw: bytes) -> Read:
    """Read the attributes of an envelope: a JSON object, or `null`.

    Returns what may be kept, and how much was left out for which reason. Never raises.
    """
    if raw == b"null":
        return {}, {}
    if len(raw) > ATTRIBUTES_MAX_BYTES:
        return {}, {Reason.INVALID_SESSION_ATTRIBUTE: 1}
    try:
        told = _decode(raw)
    except (ValueError, RecursionError):
        return {}, {Reason.INVALID_SESSION_ATTRIBUTE: 1}
    kept: Attributes = {}
    left_out: Counter[Reason] = Counter()
    for name, value in told.items():
        rule = _RULES.get(name)
        if rule is None:
            left_out[Reason.UNKNOWN_SESSION_ATTRIBUTE] += 1
        elif (taken := _text(value, rule)) is None:
            left_out[Reason.INVALID_SESSION_ATTRIBUTE] += 1
        else:
            kept[name] = taken
    return dict(sorted(kept.items())), left_out


def _text(value: msgspec.Raw, rule: Callable[[str], str | None]) -> str | None:
    try:
        return rule(_decode_text(value).strip())
    except ValueError:
        return None


class AttributeReader:
    """Reads attributes, those read before without looking at them again."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Read] = OrderedDict()

    def read(self, raw: msgspec.Raw) -> Read:
        """Read the attributes of an envelope; see `read_attributes`. What is returned must not be changed."""
        text = bytes(raw)
        known = self._known.get(text)
        if known is None:
            known = read_attributes(text)
            if len(text) <= ATTRIBUTES_MAX_BYTES:
                self._known[text] = known
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return known


class WindowAttributes(msgspec.Struct, array_like=True, gc=False):
    """What is known in one window: what its batches say, and the signs of a device.

    `short_px` and `long_px` are the sides of the largest viewport (CSS pixels), 0 before the first. Each window has its
    own, so that what its signals say does not depend on which window is read first.
    """

    told: Attributes = {}
    short_px: int = 0
    long_px: int = 0
    touch: bool = False

    def see_viewport(self, width: float, height: float) -> None:
        """Take note of a page's viewport (CSS pixels)."""
        if not (0 < width <= VIEWPORT_MAX_PX and 0 < height <= VIEWPORT_MAX_PX):
            return
        sides = (int(min(width, height)), int(max(width, height)))
        self.short_px, self.long_px = max(sides, (self.short_px, self.long_px))

    def current(self) -> Attributes:
        """Give all that is known now."""
        device = self._device()
        return dict(self.told) if device is None or "device" in self.told else {**self.told, "device": device}

    def _device(self) -> str | None:
        """Tell a device by its signs; the sides of a viewport that was never seen say nothing."""
        if not self.short_px:
            return None
        if self.short_px <= (TOUCH_PHONE_MAX_PX if self.touch else PHONE_MAX_PX) and self.long_px <= TABLET_MAX_PX:
            return "phone"
        return "tablet" if self.touch and self.long_px <= TABLET_MAX_PX else "desktop"


def together(known: Attributes, windows: Iterable[WindowAttributes]) -> Attributes:
    """Put together what all windows of a session know; `known` is what is known without them."""
    session = WindowAttributes(known)
    for window in windows:
        session.told = {**session.told, **window.told}
        session.touch = session.touch or window.touch
        session.see_viewport(window.short_px, window.long_px)
    return session.current()
