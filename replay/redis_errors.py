"""What redis-py raises, in our four kinds. Texts of errors may quote arguments, so only their codes are handed on."""

import re
import ssl
from typing import Final

from redis.exceptions import ClusterError, RedisClusterException, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from replay.errors import Broken, Saturated, StoreError, Unavailable

FAILURES: Final = (RedisError, RedisClusterException, OSError)
"""All that redis-py lets out when something fails."""

_UNREACHABLE: Final = (RedisConnectionError, RedisTimeoutError, ClusterError, RedisClusterException, OSError)

_PASSING: Final = (
    "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS", "MISCONF",
    "NOAUTH", "WRONGPASS", "NOPERM",
)  # fmt: skip
"""Refusals that a failover, a restart or an operator ends; nothing was done."""

_CODE: Final = re.compile(rf"(?:^|: -)({'|'.join(('OOM', *_PASSING))})\b")
"""Where the code of a refusal stands: in front, or where servers before 7.0 quote it in an error of the script."""

_UNAUTHENTICATED: Final = "Protocol error: unauthenticated"
"""The refusal of a call that is too long for one who has not logged in."""

_MAY_NOT: Final = "The user executing the script can't run this command"


def translate(error: Exception) -> StoreError:
    """Say which of the four kinds an error of redis-py is."""
    text = str(error)
    code = getattr(error, "status_code", None)
    found = _CODE.search(text)
    if found is not None:
        code = found[1]
    elif text.startswith(_UNAUTHENTICATED):
        code = "NOAUTH"
    if code == "OOM":
        return Saturated("Redis is out of memory")
    if code in _PASSING:
        return Unavailable(f"Redis refuses for now: {code}")
    if isinstance(error, _UNREACHABLE):
        return Unavailable(f"Redis cannot be reached: {_reason(error)}")
    if text.startswith(_MAY_NOT):
        return Broken("the user in Redis may not run a command that scripts need (docs/redis.md lists them)")
    return Broken(f"Redis rejected a command: {type(error).__name__}")


def _reason(error: Exception) -> str:
    """Name an error, or the error of TLS that led to it: only that one tells what to mend."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return f"TLS, {cause.reason}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
