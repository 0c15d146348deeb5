"""The names of all keys in Redis; `docs/redis.md` is their documentation."""

from typing import NamedTuple

from replay.names import encode_name


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
    shares: str


_PARTS = ("meta", "record", "index", "signals", "entries", "data:0", "data:1", "fate", "shares")


class KeyNames:
    """Names keys; all begin with `prefix`, so that installations can share a server."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.fates = f"{prefix}:fates"
        self.projects = f"{prefix}:projects"
        self.excluded = f"{prefix}:excluded"
        self.tokens = f"{prefix}:tokens"
        self.withdrawn = f"{prefix}:withdrawn"
        """What was deleted lately. As the audit log it is no part of what deletions search: it tells of them."""

    def session(self, session_id: str) -> SessionKeys:
        """Name the keys of a session."""
        slot = f"{self._prefix}:session:{{{encode_name(session_id)}}}:"
        return SessionKeys(*(slot + part for part in _PARTS))

    def deadlines(self, shard: str) -> str:
        """Name the list of deadlines of a shard."""
        return f"{self._prefix}:deadlines:{{{encode_name(shard)}}}" if shard else f"{self._prefix}:deadlines"

    def mark(self, shard: str) -> str:
        """Name the mark of a shard."""
        return f"{self._prefix}:mark:{{{encode_name(shard)}}}"

    def project(self, project_id: str, part: str) -> str:
        """Name a key of a project: `signals`, `published`, or a listing; they share a hash tag."""
        return f"{self._prefix}:project:{{{encode_name(project_id)}}}:{part}"

    def login(self, digest: str) -> str:
        """Name what a cookie stands for, by the cookie's hash."""
        return f"{self._prefix}:login:{digest}"

    def audit(self, project_id: str) -> str:
        """Name the stream of who did what in a project. It is no part of what deletions search: it tells of them."""
        return f"{self._prefix}:audit:{{{encode_name(project_id)}}}"
