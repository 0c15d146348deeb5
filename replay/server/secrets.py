"""Secrets we hand out: 256 random bits, of which only a SHA-256 hash is kept.

A plain hash is enough for what is random: nobody can try 2**256 of them, so there is nothing a slow hash would save.
"""

import hashlib
import hmac
import secrets
from typing import Final

SECRET_BYTES: Final = 32
ID_BYTES: Final = 8


def new_secret() -> str:
    """Make a secret: 43 characters that need no escaping in addresses, headers and cookies."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_id() -> str:
    """Make an id for what has a secret: 16 hexadecimal digits, which may be shown."""
    return secrets.token_hex(ID_BYTES)


def digest(secret: str) -> str:
    """Return what is kept of a secret: 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_same(secret: str, kept: str) -> bool:
    """Say whether a secret is the one of which this is kept, in a time that does not depend on how much is right."""
    return hmac.compare_digest(digest(secret), kept)
