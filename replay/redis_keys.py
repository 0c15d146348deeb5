"""The names of all keys in Redis; `docs/redis.md` is their documentation."""

from typing import Final, NamedTuple

from replay.names import encode_name

DEADLINES: Final = "wince:deadlines"
FATES: Final = "wince:fates"
PROJECTS: Final = "wince:projects"


class SessionKeys(NamedTuple):
    """Keys of one session; they share a hash tag, so one slot of a cluster holds them all."""

    meta: str
    record: str
    bundle_index: str
    signals: str
    entries: str
    data_0: str
    data_1: str
    fate: str


def session_keys(session_id: str) -> SessionKeys:
    """Name the keys of a session."""
    slot = f"wince:session:{{{encode_name(session_id)}}}:"
    return SessionKeys(
        *(slot + part for part in ("meta", "record", "index", "signals", "entries", "data:0", "data:1", "fate"))
    )


def project_key(project_id: str, part: str) -> str:
    """Name a key of a project: `signals`, `published`, or a listing; they share a hash tag."""
    return f"wince:project:{{{encode_name(project_id)}}}:{part}"
