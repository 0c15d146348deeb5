"""Ids of people: kept as sent, unless they look like personal data and the project wants those hashed."""

import hashlib
import hmac
import re
from typing import Final

from engine.masking.values import has_secret

_UUID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:|-]{1,128}")
_HASH_BYTES: Final = 12


def looks_personal(user_id: str) -> bool:
    """Tell whether an id may say who somebody is: a mail address, a number of seven or more digits, a name."""
    if _UUID.fullmatch(user_id) or not user_id:
        return False
    return _PLAIN.fullmatch(user_id) is None or has_secret(user_id)


def identity_token(key: bytes, user_id: str) -> str:
    """Return what stands for an id: the same for the same key and id, whatever its case and the space around it."""
    plain = user_id.strip().casefold().encode("utf-8", "surrogatepass")
    return f"hashed-{hmac.digest(key, plain, hashlib.sha256)[:_HASH_BYTES].hex()}"
