"""Looks for secrets in bytes, in every spelling in which they might have been written."""

import base64
from collections.abc import Iterable
from urllib.parse import quote

MIN_BASE64: int = 8
"""So many characters in the middle of an encoded secret are the same whatever stands around it."""


def spellings(secret: str) -> list[bytes]:
    """Return how a secret may be written: all forms in lower case, but base64, which has no case to lose."""
    raw = secret.encode()
    folded = [
        raw,
        raw[::-1],
        raw.hex().encode(),
        "".join(f"%{byte:02x}" for byte in raw).encode(),
        quote(secret).encode(),
        "".join(f"\\u{ord(character):04x}" for character in secret).encode(),
        "".join(f"&#{ord(character)};" for character in secret).encode(),
        "".join(f"&#x{ord(character):x};" for character in secret).encode(),
        "\\0".join(secret).encode(),
        secret.encode("utf-16-le"),
        secret.encode("utf-16-be"),
    ]
    return list(dict.fromkeys(form.lower() for form in folded))


def encoded(secret: str) -> list[bytes]:
    """Return what is in the base64 of any text around the secret: one form for each of its three alignments."""
    forms = []
    for lead in range(3):
        written = base64.b64encode(b"\0" * lead + secret.encode())
        # The first characters depend on what stands before, the last ones on what follows.
        forms.append(written[4 if lead else 0 : -4])
    return [form for form in forms if len(form) >= MIN_BASE64]


def found(secrets: Iterable[str], written: Iterable[bytes]) -> list[tuple[str, bytes]]:
    """Return the secrets that are in what was written, each with what stands around it."""
    whole = b"\n".join(written)
    folded = whole.lower()
    leaks = []
    for secret in secrets:
        places = [folded.find(form) for form in spellings(secret)] + [whole.find(form) for form in encoded(secret)]
        place = max(places)
        if place >= 0:
            leaks.append((secret, whole[max(place - 120, 0) : place + 80]))
    return leaks


def missing(survivors: Iterable[str], written: Iterable[bytes]) -> list[str]:
    """Return the survivors that are not in what was written."""
    whole = b"\n".join(written)
    return [survivor for survivor in survivors if survivor.encode() not in whole]
