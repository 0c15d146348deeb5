"""Rule u: what is left of a URL.

Kept: scheme (http, https), host and port without user, the path but for segments that look like tokens or have spaces
in them, the names of the query. Gone: every query value, the fragment, all but the scheme of other schemes. What does
not parse is dropped.
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from engine.masking.decisions import MASK
from engine.masking.identifiers import passes_name
from engine.masking.values import has_secret, normalise

MAX_URL_CHARACTERS: Final = 16_000
MAX_QUERY_NAMES: Final = 100
MAX_REMEMBERED_CHARACTERS: Final = 500

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_OTHER_SCHEMES: Final = frozenset(
    "about android-app app blob capacitor chrome chrome-extension content cordova data file ftp geo intent ionic "
    "itms-apps javascript mailto market moz-extension ms-appx safari-web-extension skype sms tel view-source "
    "webcal webpack webpack-internal whatsapp ws wss".split()
)
_EDGES: Final = "".join(map(chr, range(0x21)))
_HOST: Final = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_TOKEN_SEGMENT: Final = re.compile(r"eyJ|@|%40|\d{7}|[0-9A-Fa-f]{16}|\w{20}|[;=&\s]|\w\+\w")
_HEX_NAME: Final = re.compile(r"[0-9A-Fa-f]{16}")
_DIGITS_IN_PATH: Final = re.compile(r"\d(?:[/ .-]{0,3}\d){12}")
_PAIR: Final = re.compile(r"[&;]")
_MAX_ENCODINGS: Final = 3
_PATH_SAFE: Final = "!$*+,-.:_~()"

_CANDIDATE: Final = re.compile(r"[\s,]*([^\s,](?:\S*[^\s,])?)((?:\s+[^\s,]+)*)\s*(?:,|$)")
_DESCRIPTOR: Final = re.compile(r"\s+(?:\d{1,6}[wh]|\d{1,3}(?:\.\d{1,4})?x)")

_COLON_FIRST: Final = re.compile(r"[^/?#:]*:")
_LOCAL: Final = re.compile(r"#[^\s]{1,80}")


def mask_url(value: str) -> str:
    """Apply the rule; `""` means that nothing is left."""
    if len(value) > MAX_URL_CHARACTERS:
        return ""
    return _mask_known(value) if len(value) <= MAX_REMEMBERED_CHARACTERS else _mask(value)


def _mask(value: str) -> str:
    url = value.strip(_EDGES).replace("\\", "/")
    scheme = url_scheme(url)
    if scheme in {"http", "https"}:
        return _mask_parts(scheme, url[len(scheme) + 1 :])
    if scheme:
        return f"{scheme}:" if scheme in _OTHER_SCHEMES else ""
    # A relative address has no colon in its first segment (RFC 3986, section 4.2): this is none, and no scheme either.
    return "" if _COLON_FIRST.match(url) else _mask_parts("", url)


_mask_known = lru_cache(maxsize=4_000)(_mask)
"""The pages, scripts and endpoints of a site are few, and named in nearly every event that names a URL."""


def mask_origin(value: str) -> str:
    """Keep scheme and host only; other schemes keep the scheme, relative URLs nothing."""
    masked = mask_url(value)
    if "://" not in masked:
        return masked if url_scheme(masked) else ""
    scheme, _, rest = masked.partition("://")
    return f"{scheme}://{re.split('[/?]', rest, maxsplit=1)[0]}/"


def mask_reference(value: str) -> str:
    """Apply the rule, but keep `#name`: within SVG it names an element of the same document, as `id` does."""
    return value if is_local_reference(value) else mask_url(value)


def mask_srcset(value: str) -> str:
    """Apply the rule to each candidate of a `srcset`; candidates of which nothing is left are dropped."""
    if len(value) > MAX_URL_CHARACTERS:
        return ""
    masked = []
    for match in _CANDIDATE.finditer(value):
        url = mask_url(match[1])
        if url and (url_scheme(url) in {"", "http", "https"}):
            descriptor = match[2] if _DESCRIPTOR.fullmatch(match[2]) else ""
            masked.append(url.replace(",", "%2C") + descriptor)
    return ", ".join(masked)


def url_scheme(url: str) -> str:
    """Return the scheme in lower case, `""` for a relative URL."""
    match = _SCHEME.match(url.lstrip(_EDGES))
    return match[0].lower() if match else ""


def is_local_reference(value: str) -> bool:
    """Tell whether a URL is `#name` with a name that passes rule i."""
    return _LOCAL.fullmatch(value) is not None and passes_name(value[1:])


def _mask_parts(scheme: str, rest: str) -> str:
    try:
        parts = urlsplit(rest)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    if scheme and not host:
        return ""
    if (host and not _HOST.fullmatch(host)) or parts.scheme:
        return ""
    origin = f"{scheme}:" if scheme else ""
    origin += f"//{host.lower()}" if host else ""
    return origin + _mask_path(parts.path) + _mask_query(parts.query)


def _mask_path(path: str) -> str:
    segments = path.split("/")
    # A number spread over segments would pass each segment's own test.
    spread = _DIGITS_IN_PATH.search(path) is not None
    return "/".join([_mask_segment(segment, spread=spread) for segment in segments])


def _mask_segment(segment: str, *, spread: bool) -> str:
    if not segment:
        return ""
    plain = decode_percent(segment)
    if plain is None or _TOKEN_SEGMENT.search(plain) or has_secret(plain):
        return MASK
    if spread and any(character.isdigit() for character in plain):
        return MASK
    return quote(plain, safe=_PATH_SAFE, errors="replace")


def decode_percent(text: str) -> str | None:
    """Undo up to three layers of percent encoding and normalise; `None` if there are more layers."""
    for _ in range(_MAX_ENCODINGS):
        decoded = unquote(text)
        if decoded == text:
            return normalise(text)
        text = decoded
    return None if unquote(text) != text else normalise(text)


def _mask_query(query: str) -> str:
    masked = []
    for pair in _PAIR.split(query, MAX_QUERY_NAMES)[:MAX_QUERY_NAMES]:
        name, equals, value = pair.partition("=")
        if not equals:
            # A lone word may be the value itself (`?k3J9xQ`), so it is treated as one.
            masked += [MASK] if name else []
            continue
        plain = decode_percent(name)
        if plain and passes_name(plain) and not _HEX_NAME.search(plain):
            masked.append(f"{plain}={MASK if value else ''}")
    return f"?{'&'.join(masked)}" if masked else ""
