"""What a file of cohorts may say."""

from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct, field

from engine.settings._types import Duration
from engine.settings._units import DAY_MS, MINUTE_MS

MAX_BATCH: Final = 50
"""Users of one webhook: what tools that take contacts in bulk accept."""

NAME_PATTERN: Final = r"\A[a-z0-9][a-z0-9_-]{0,63}\Z"

Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2_000, extra={"expected": "a text that is not empty"})]

_WHERE: Final = r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\x00-\x1f]{1,500}"
_EXPECTED_WHERE: Final = {"expected": 'where it is, "env:VARIABLE" or "file:/path", never the secret itself'}

Where: TypeAlias = Annotated[str, Meta(pattern=rf"\A({_WHERE})\Z", extra=_EXPECTED_WHERE)]
WhereOrNone: TypeAlias = Annotated[str, Meta(pattern=rf"\A({_WHERE})?\Z", extra=_EXPECTED_WHERE)]


class Cohort(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cohort: whom it is about, and where it is told; either `url` or `out` is given."""

    project: Annotated[Word, Meta(description="Id of the project.")]
    condition: Annotated[
        str,
        Meta(
            max_length=8_000,
            description="What a session has to be like: filters of the list of sessions, as its address has them, "
            "such as `tag=rage_click&min_score=40`; all of them together.",
            extra={"expected": "filters such as tag=rage_click&min_score=40"},
        ),
    ]
    window_ms: Annotated[
        Duration,
        Meta(description="A user is a member while such a session of theirs began less than this ago."),
    ] = field(default=7 * DAY_MS, name="window")
    url: Annotated[
        str, Meta(max_length=2_000, description="Webhook that is told, or where its URL is: `env:NAME` or `file:PATH`.")
    ] = ""
    secrets: Annotated[
        tuple[Where, ...],
        Meta(
            description="Where the secrets are that webhooks are signed with: `env:NAME` or `file:PATH`; two while one "
            "is being replaced, the new one first.",
        ),
    ] = ()
    authorization: Annotated[
        WhereOrNone, Meta(description="Where the value of the header `Authorization` is, if the receiver wants one.")
    ] = ""
    allow_hosts: Annotated[
        tuple[Word, ...],
        Meta(description="Private addresses, networks or names of hosts that the webhook may reach all the same."),
    ] = ()
    batches_per_minute: Annotated[int, Meta(ge=1, le=6_000, description="Webhooks sent in a minute at most.")] = 60
    batch_users: Annotated[int, Meta(ge=1, le=MAX_BATCH, description="Users in one webhook at most.")] = MAX_BATCH
    patience_ms: Annotated[
        Duration, Meta(description="A run whose receiver took nothing for so long ends; the next one goes on.")
    ] = field(default=10 * MINUTE_MS, name="patience")
    out: Annotated[str, Meta(description="File that JSON lines are appended to; `-` is standard output.")] = ""
    max_members: Annotated[int, Meta(ge=1, le=10_000_000, description="Further users are left out, and counted.")] = (
        1_000_000
    )


class CohortsFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of cohorts, each under its name."""

    cohorts: dict[str, Cohort] = {}
