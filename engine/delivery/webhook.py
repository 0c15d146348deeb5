"""Signatures of messages.

By https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, the Standard Webhooks
specification.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64


def read_secret(text: str) -> bytes:
    """Read a secret: `whsec_` and 24 to 64 bytes in Base64. Raises ValueError, without the secret, for all else."""
    encoded = text.strip().removeprefix(PREFIX)
    try:
        secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not MIN_SECRET_BYTES <= len(secret) <= MAX_SECRET_BYTES:
        raise ValueError("no secret of whsec_ and 24 to 64 bytes in Base64")
    return secret


def sign(secrets: Sequence[bytes], message_id: str, t_s: int, body: bytes) -> dict[str, str]:
    """Return the headers of a message: its id, the time of this attempt (epoch s), and a signature by each secret.

    While a secret is being replaced both sign, the new one first, so that receivers with either can verify.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), t_s, body)
    signatures = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(t_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
