"""What a rule may say: what is watched, when an alert fires, and how grave it is."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct, field

from engine.alerts.history import HOUR_MS, MINUTE_MS
from engine.alerts.routes import Route, Silence
from engine.settings._types import Duration, DurationOrZero
from schemas.alerts import Dimension, Severity

Name: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z0-9][a-z0-9_-]{0,63}\Z",
        extra={"expected": "a name of up to 64 of the characters a-z 0-9 _ -"},
    ),
]
Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]
EventName: TypeAlias = Annotated[
    str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{0,64}\Z", extra={"expected": "the name of an event, of up to 64 characters"})
]
RuleKind: TypeAlias = Literal[
    "spike", "share", "sessions", "signals", "new_error", "regression", "absence", "score", "abandoned"
]
DetectorName: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_]{0,63}\Z", extra={"expected": "a detector"})]

LONGEST_WINDOW_MS = 6 * HOUR_MS
THRESHOLDS: Final[frozenset[RuleKind]] = frozenset({"share", "sessions", "signals"})
"""Kinds of rules that say themselves how much is too much."""


_LEAST: Final = (
    "Distinct sessions concerned, at least; a spike of what is wider than a page, element or error needs four."
)


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule of the rules file."""

    name: Annotated[Name, Meta(description="How alerts name the rule; no two rules have the same name.")]
    kind: Annotated[
        RuleKind,
        Meta(
            description="`spike`: a key leaves its own normal range. `share`, `sessions`, `signals`: more than "
            "`threshold` in `window`: of the sessions of the key (0 to 1), distinct sessions, signals. `new_error`: an "
            "error nobody had before. `regression`: an error that was marked as resolved is back. `absence`: the "
            "project's visitors stay away. `score`: one session's score reaches `threshold`. `abandoned`: one session "
            "was last on `page`, or had its last `event`, a `window` ago, and reached no `goal_page` or `goal_event`."
        ),
    ]
    detectors: Annotated[tuple[DetectorName, ...], Meta(description="What is counted; empty: all but `idle`.")] = ()
    dimensions: Annotated[tuple[Dimension, ...], Meta(description="By what it is counted.")] = ("project",)
    projects: Annotated[tuple[Word, ...], Meta(description="Ids of the projects it is for; empty: all.")] = ()
    threshold: Annotated[float, Meta(ge=0, le=1_000_000, description="See `kind`.")] = 0.0
    window_ms: Annotated[Duration, Meta(description="The span that is looked at, at most 6 hours.")] = field(
        default=10 * MINUTE_MS, name="window"
    )
    for_ms: Annotated[DurationOrZero, Meta(description="How long it has to be so before the alert fires.")] = field(
        default=0, name="for"
    )
    cooldown_ms: Annotated[
        DurationOrZero,
        Meta(description="If it is so again within this time after its end, the old alert goes on silently."),
    ] = field(default=4 * HOUR_MS, name="cooldown")
    warm_up_ms: Annotated[
        DurationOrZero, Meta(description="How long a project has to be known before what is normal can be told.")
    ] = field(default=24 * HOUR_MS, name="warm_up")
    min_sessions: Annotated[int, Meta(ge=1, le=1_000_000, description=_LEAST)] = 5
    evidence: Annotated[
        float,
        Meta(
            ge=3,
            le=100,
            description="How sure a spike or an absence has to be: natural logarithm of how much likelier an incident "
            "makes what was seen (12: 160,000 to 1). A spike needs more, or less, with more or fewer than 2,000 "
            "sessions a day.",
        ),
    ] = 12.0
    page: Annotated[str, Meta(max_length=500, description="Where `abandoned` begins: a folded page.")] = ""
    goal_page: Annotated[str, Meta(max_length=500, description="What `abandoned` waits for: a folded page.")] = ""
    event: Annotated[EventName, Meta(description="Where `abandoned` begins: a custom event, in place of `page`.")] = ""
    goal_event: Annotated[
        EventName, Meta(description="What `abandoned` waits for: a custom event, in place of `goal_page`.")
    ] = ""
    severity: Annotated[Severity, Meta(description="How grave it is.")] = "warning"
    routes: Annotated[
        tuple[Name, ...], Meta(description="Routes its alerts go on, of those that take them; empty: all of those.")
    ] = ()

    def counts(self, detector: str) -> bool:
        """Whether signals of a detector are counted."""
        return detector in self.detectors if self.detectors else detector != "idle"

    def is_for(self, project_id: str) -> bool:
        """Whether the rule is for a project."""
        return not self.projects or project_id in self.projects


class AlertLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of what is kept of a project."""

    max_keys: Annotated[
        int, Meta(ge=10, le=1_000_000, description="Values of a dimension told apart; others are `(other)`.")
    ] = 2_000
    max_sessions: Annotated[int, Meta(ge=100, le=10_000_000, description="Sessions remembered at a time.")] = 200_000
    session_memory_ms: Annotated[Duration, Meta(description="After so long without a word a session counts anew.")] = (
        field(default=3 * HOUR_MS, name="session_memory")
    )
    lateness_ms: Annotated[
        DurationOrZero, Meta(description="What is older than this, by the project's newest event, is not counted.")
    ] = field(default=HOUR_MS, name="lateness")
    max_ahead_ms: Annotated[
        Duration,
        Meta(
            description="What is told to be further ahead than this is the word of a wrong clock; at least 5 minutes."
        ),
    ] = field(default=10 * MINUTE_MS, name="max_ahead")


class RulesFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rules file: rules in their order, bounds, and where alerts are sent. Without routes they are only listed."""

    rules: tuple[Rule, ...] = ()
    bounds: AlertLimits = AlertLimits()
    routes: tuple[Route, ...] = ()
    silences: tuple[Silence, ...] = ()


def longest_window_ms(rules: tuple[Rule, ...]) -> int:
    """Return the longest window of some rules (ms)."""
    return max([rule.window_ms for rule in rules], default=HOUR_MS)
