"""Users about whom nothing is stored, known by digests of their ids."""

from collections.abc import Collection
from hashlib import blake2b
from typing import Final

ANY_PROJECT: Final = ""
"""Stands for all projects; no project has this id."""


def user_digest(project_id: str, user_id: str) -> str:
    """Return by what a user of a project (or of `ANY_PROJECT`) is known here: 32 hex digits."""
    text = f"{project_id}\0{user_id}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).hexdigest()


class Exclusions:
    """The users that are excluded as far as this process knows; `replace` whenever there is news."""

    __slots__ = ("_digests",)

    def __init__(self) -> None:
        self._digests: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self._digests)

    def replace(self, digests: Collection[str]) -> None:
        """Take these instead of those before."""
        self._digests = frozenset(digests)

    def has(self, project_id: str, user_id: str | None) -> bool:
        """Say whether a user is excluded."""
        if not self._digests or not user_id:
            return False
        return any(user_digest(each, user_id) in self._digests for each in (project_id, ANY_PROJECT))
