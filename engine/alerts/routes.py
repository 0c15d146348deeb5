"""What a rules file may say of delivery: routes alerts are sent on, and silences in which they are not."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct, field

from engine.settings._types import Count, Duration
from engine.settings._units import DAY_MS, SECOND_MS
from schemas.alerts import Alert, Dimension, Severity

RouteKind: TypeAlias = Literal["webhook", "slack", "alertmanager", "alertmanager_api"]
LinkKind: TypeAlias = Literal["share", "viewer", "none"]

RouteName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z0-9][a-z0-9_-]{0,63}\Z",
        extra={"expected": "a name of up to 64 of the characters a-z 0-9 _ -"},
    ),
]
Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]
Secret: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A(env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\x00-\x1f]{1,500})\Z",
        extra={"expected": 'where it is: "env:VARIABLE" or "file:/path"'},
    ),
]
SecretOrNone: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A(env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\x00-\x1f]{1,500})?\Z",
        extra={"expected": 'where it is: "env:VARIABLE" or "file:/path"'},
    ),
]

MAX_ROUTES: Final = 100
MAX_SECRETS: Final = 4
MAX_SILENCES: Final = 1_000
LONGEST_TIMEOUT_MS: Final = 60 * SECOND_MS
LONGEST_ATTEMPTS_MS: Final = 5 * DAY_MS


class Route(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One route of the rules file: where alerts go, and which."""

    name: Annotated[RouteName, Meta(description="How rules, metrics and commands name it.")]
    kind: Annotated[
        RouteKind,
        Meta(
            description="`webhook`: JSON, signed by Standard Webhooks. `slack`: an incoming webhook of Slack. "
            "`alertmanager`: what Alertmanager posts to its receivers (version 4). `alertmanager_api`: what "
            "Alertmanager is told by Prometheus, at its `/api/v2/alerts`."
        ),
    ]
    url: Annotated[
        str, Meta(min_length=1, description='Where to post to, or where that is: "env:VARIABLE" or "file:/path".')
    ]
    secrets: Annotated[
        tuple[Secret, ...],
        Meta(
            description="Where the secrets are that sign messages; two while one is being replaced, the new one first."
        ),
    ] = ()
    authorization: Annotated[
        SecretOrNone, Meta(description="Where the value of the header `Authorization` is, if the receiver wants one.")
    ] = ""
    allow_hosts: Annotated[
        tuple[Word, ...],
        Meta(description="Names, addresses or networks that may be spoken to although they are not public."),
    ] = ()
    severities: Annotated[tuple[Severity, ...], Meta(description="Only alerts that are so grave; empty: all.")] = ()
    projects: Annotated[tuple[Word, ...], Meta(description="Only alerts of these projects; empty: all.")] = ()
    rules: Annotated[tuple[RouteName, ...], Meta(description="Only alerts of these rules; empty: all.")] = ()
    send_resolved: Annotated[bool, Meta(description="Whether it is told as well that an alert is over.")] = True
    links: Annotated[
        LinkKind,
        Meta(
            description="`share`: links with which anyone can watch those moments for `share_lifetime`. `viewer`: "
            "links for who can sign in. Both need `serve.public_url`."
        ),
    ] = "share"
    share_lifetime_ms: Annotated[
        Duration, Meta(description="How long links to moments are good, at most `serve.max_share_lifetime`.")
    ] = field(default=7 * DAY_MS, name="share_lifetime")
    timeout_ms: Annotated[Duration, Meta(description="How long one attempt may take, at most a minute.")] = field(
        default=10 * SECOND_MS, name="timeout"
    )
    give_up_after_ms: Annotated[
        Duration, Meta(description="How long a message is tried, at most 5 days; then it is among the failed.")
    ] = field(default=DAY_MS, name="give_up_after")
    max_per_minute: Annotated[Count, Meta(description="Messages a minute; what is more waits.")] = 60

    def takes(self, alert: Alert) -> bool:
        """Whether an alert goes here, as far as the route says."""
        return (
            (not self.severities or alert.severity in self.severities)
            and (not self.projects or alert.project_id in self.projects)
            and (not self.rules or alert.rule in self.rules)
        )


class Silence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time in which alerts are held back that fit all that is said here; what is left out fits all."""

    until: Annotated[Word, Meta(description="When it ends, such as `2026-12-24T18:00:00Z`.")]
    from_time: Annotated[str, Meta(description="When it begins; empty: it has begun.")] = field(default="", name="from")
    reason: Annotated[str, Meta(description="Why, for who reads the file.")] = ""
    projects: Annotated[tuple[Word, ...], Meta(description="Ids of projects.")] = ()
    rules: Annotated[tuple[RouteName, ...], Meta(description="Names of rules.")] = ()
    detectors: Annotated[tuple[Word, ...], Meta(description="What complains.")] = ()
    dimensions: Annotated[tuple[Dimension, ...], Meta(description="What kind of thing it is about.")] = ()
    values: Annotated[
        tuple[Word, ...], Meta(description="What it is about, as alerts say it: a folded page, a release, ...")
    ] = ()

    def fits(self, alert: Alert) -> bool:
        """Whether it is for an alert."""
        key = alert.key
        said = (
            (self.projects, alert.project_id),
            (self.rules, alert.rule),
            (self.detectors, key.detector),
            (self.dimensions, key.dimension),
            (self.values, key.value),
        )
        return all(not wanted or value in wanted for wanted, value in said)

    def holds(self, now_ms: int) -> bool:
        """Whether it is in force at `now_ms` (epoch ms)."""
        return (not self.from_time or read_time_ms(self.from_time) <= now_ms) and now_ms < self.until_ms

    @property
    def until_ms(self) -> int:
        """When it ends (epoch ms)."""
        return read_time_ms(self.until)


def read_time_ms(text: str) -> int:
    """Read a moment with its time zone (RFC 3339); return epoch ms. Raises ValueError for all else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return round(moment.timestamp() * 1_000)
