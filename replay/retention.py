"""How long a session is kept: a project's rule, which a session takes with it from its first write on."""

from collections.abc import Mapping
from typing import Final

import msgspec

from replay.names import encode_name

DAY_MS: Final = 86_400_000


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, in milliseconds after a session's last write.

    Sessions are kept `base_ms`, those with a tag of `by_tag_ms` as long as the longest of their tags says if that is
    longer, and none longer than `max_ms`.
    """

    base_ms: int = 30 * DAY_MS
    by_tag_ms: Mapping[str, int] = {}
    max_ms: int = 3_650 * DAY_MS

    @property
    def shortest_ms(self) -> int:
        """How long a session without tags is kept."""
        return min(self.base_ms, self.max_ms)

    @property
    def longest_ms(self) -> int:
        """How long a session is kept at most."""
        return min(max(self.base_ms, *self.by_tag_ms.values(), 0), self.max_ms)

    def text(self) -> str:
        """Write it as it is stored with each session: `BASE MAX TAG=MS TAG=MS`, tags as names."""
        tags = "".join(f" {encode_name(tag)}={kept_ms}" for tag, kept_ms in sorted(self.by_tag_ms.items()))
        return f"{self.base_ms} {self.max_ms}{tags}"
