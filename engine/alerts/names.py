"""The names of what alerting keeps in Redis; `docs/redis.md` is their documentation."""

from typing import NamedTuple

from replay.names import encode_name


class ProjectKeys(NamedTuple):
    """Keys of one project; they share a hash tag, so one script may touch them all, also in a cluster.

    `state` is what the rules know (a hash of parts), its version and position; `alerts` are open and recent alerts (a
    hash, id to JSON). Of messages: `due` says when each is to be sent next (a sorted set, epoch ms), `messages` holds
    those that wait (a hash, id to JSON), `sent` those that arrived (a sorted set, epoch ms), `failed` those that could
    not be delivered (a hash, id to JSON), and `failed_at` since when (a sorted set, epoch ms).
    """

    state: str
    alerts: str
    due: str
    messages: str
    sent: str
    failed: str
    failed_at: str


class AlertNames:
    """Names keys; all begin with `prefix`, so that installations can share a server."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.projects = f"{prefix}:alerts:projects"
        """Ids of the projects that have any of these keys (a set)."""
        self.disabled = f"{prefix}:alerts:disabled"
        """Routes whose receiver wants nothing any more: why and since when, by name (a hash)."""
        self.left_out = f"{prefix}:alerts:left_out"
        """How many messages of a route were not sent because there were too many (a hash)."""

    def claim(self, project_id: str, token: str) -> str:
        """Name what one call took out of the outbox of a project."""
        return f"{self._slot(project_id)}claim:{token}"

    def pace(self, route: str) -> str:
        """Name the count of what was sent on a route in this minute."""
        return f"{self._prefix}:alerts:pace:{route}"

    def project(self, project_id: str) -> ProjectKeys:
        """Name the keys of a project."""
        slot = self._slot(project_id)
        return ProjectKeys(*(slot + part for part in ProjectKeys._fields))

    def _slot(self, project_id: str) -> str:
        return f"{self._prefix}:{{alerts:{encode_name(project_id)}}}:"
