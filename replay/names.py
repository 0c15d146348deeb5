"""Names made of ids that strangers choose: safe in a Redis hash tag, a key, a file name and a log line."""

import hashlib
import re
from typing import Final

MAX_NAME_LENGTH: Final = 128
"""Characters a name may have; file systems allow 255 bytes, and a name gets a suffix or two."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_WRITTEN: Final = [chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in range(256)]


def encode_name(identifier: str) -> str:
    """Turn an id into a name of 1 to 128 characters out of `A-Z a-z 0-9 _ - . %`, a different one for each id.

    An id of letters, digits, `_`, `-` and `.` (not in front) that fits is its own name. Of any other, each UTF-8 byte
    but letters, digits, `_` and `-` becomes `%XX`; where that grows too long (or the id is empty), the name is `%%`
    and the SHA-256 of the bytes in hexadecimal. The three forms cannot be mistaken for one another.
    """
    if _PLAIN.fullmatch(identifier):
        return identifier
    data = identifier.encode("utf-8", "surrogatepass")
    name = "".join([_WRITTEN[byte] for byte in data[: MAX_NAME_LENGTH + 1]])
    return name if 0 < len(name) <= MAX_NAME_LENGTH else "%%" + hashlib.sha256(data).hexdigest()
