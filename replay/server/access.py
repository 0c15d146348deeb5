"""Who asks, and what they may: every handler decides by these two functions, `require` and `load_record`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from starlette.requests import Request

from replay.server.problems import NotAllowed, NotFound, NotSignedIn
from replay.server.services import Services
from schemas.session_record import SessionRecord

ANY_PROJECT: Final = "*"
"""The project of an access to all projects. No real project can have this id in a token."""

_START_OF_TIME: Final = -(2**53)
_END_OF_TIME: Final = 2**53


class Scope(StrEnum):
    """What a token may do; none includes another."""

    READ = "read"
    SHARE = "share"
    DELETE = "delete"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a request may do, and on whose behalf.

    `who` is the id of a token or a share, `name` what people call it. `project_id` may be `ANY_PROJECT`. With a
    `session_id` it is a share's: it reaches that one session only, from `from_t` to `to_t` (epoch ms, both included).
    `expires_at` (epoch ms) is when it ends, 0 for never.
    """

    who: str
    name: str
    project_id: str
    scopes: frozenset[Scope]
    session_id: str = ""
    from_t: int = _START_OF_TIME
    to_t: int = _END_OF_TIME
    expires_at: int = 0

    @property
    def is_share(self) -> bool:
        """Whether this is a share: of one session, for people who have no token."""
        return bool(self.session_id)

    def reaches(self, project_id: str) -> bool:
        """Whether it is for this project."""
        return self.project_id in {ANY_PROJECT, project_id}

    def covers(self, t: int) -> bool:
        """Whether a moment (epoch ms) may be seen."""
        return self.from_t <= t <= self.to_t

    def clip(self, from_t: int, to_t: int) -> tuple[int, int]:
        """Narrow a range of moments (epoch ms) to what may be seen; the first is above the second if nothing may."""
        return max(from_t, self.from_t), min(to_t, self.to_t)


def access_of(request: Request) -> Access:
    """Return the access of a request. Raises NotSignedIn where it has none."""
    access: Access | None = getattr(request.state, "access", None)
    if access is None:
        raise NotSignedIn("send a token: Authorization: Bearer wince_..., or sign in at /login")
    return access


def require(request: Request, scope: Scope, project_id: str) -> Access:
    """Return the access of a request if it has the scope in the project. Raises NotSignedIn, or NotAllowed if not.

    Say `ANY_PROJECT` for what concerns all projects at once. Whether a project exists is not told to strangers: the
    answer is the same.
    """
    access = _with_scope(request, scope)
    if access.is_share or not access.reaches(project_id):
        raise NotAllowed("this token is not for this project")
    return access


async def load_record(
    request: Request, services: Services, session_id: str, scope: Scope = Scope.READ
) -> SessionRecord:
    """Read the record of a session the request may use.

    Raises NotSignedIn; NotAllowed if the access lacks the scope; NotFound for a session that is not there and, in the
    same words, for one that is out of reach; what the store raises.
    """
    access = _with_scope(request, scope)
    record = await services.store.record(session_id)
    if record is None or not access.reaches(record.project_id) or access.session_id not in {"", session_id}:
        raise NotFound("there is no such session; its explain may say why")
    request.state.record = record
    return record


def _with_scope(request: Request, scope: Scope) -> Access:
    access = access_of(request)
    if scope not in access.scopes:
        raise NotAllowed(f"this token lacks the scope {scope}")
    return access
