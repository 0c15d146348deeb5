"""The declarations: every setting with its type, default, bounds and meaning. All else is derived from them.

A field whose key names no unit takes a duration or a size as people write it; the field itself always holds
milliseconds or bytes and says so in its name.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from detectors.settings import DetectorSettings
from engine.settings._alerts_section import AlertsSettings
from engine.settings._kafka_section import KafkaSettings
from engine.settings._serve_section import ServeSettings
from engine.settings._summary_section import SummarySettings
from engine.settings._types import Count, Duration, DurationOrZero, Size, SizeOrZero
from engine.settings._units import DAY_MS, HOUR_MS, KIB, MIB, MINUTE_MS
from engine.settings._worker_section import WorkerSettings

PrivacyLevel: TypeAlias = Literal["conservative", "medium", "light"]

Selector: TypeAlias = Annotated[str, Meta(min_length=1, extra={"expected": "a CSS selector", "selector": True})]
CustomEventName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"\A(?! )[^\x00-\x1f\x7f]{1,64}(?<! )\Z",
        extra={"expected": "the name of an event, of up to 64 characters, without blanks around it"},
    ),
]
UserId: TypeAlias = Annotated[str, Meta(min_length=1, extra={"expected": "a user id"})]


class PrivacyRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another privacy level for some pages."""

    url: Annotated[
        str,
        Meta(
            pattern=r"\A[^?#]+\Z",
            description="Pages the rule is for: origin and path, where `*` stands for any text, such as `https://shop.example/help/*`.",
            extra={"expected": "origin and path with `*` for any text, without query (?) and fragment (#)"},
        ),
    ]
    level: Annotated[PrivacyLevel, Meta(description="Privacy level of those pages.")]


class PrivacySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is masked before anything is stored."""

    level: Annotated[
        PrivacyLevel,
        Meta(
            description="How much is masked where nothing below says otherwise: `conservative` all text and fields, "
            "`medium` all form fields, `light` sensitive form fields. No level shows passwords and card numbers."
        ),
    ] = "medium"
    mask: Annotated[
        tuple[Selector, ...], Meta(description="CSS selectors of elements that are masked with all they contain.")
    ] = ()
    unmask: Annotated[
        tuple[Selector, ...],
        Meta(description="CSS selectors of elements that are kept at any level; `mask` and `block` are stronger."),
    ] = ()
    block: Annotated[
        tuple[Selector, ...],
        Meta(description="CSS selectors of elements that are replaced by an empty box."),
    ] = ()
    identifier_secret: Annotated[
        str,
        Meta(
            pattern=r"\A(.{16,})?\Z",
            description="Secret that turns names which may not be shown (classes, ids) into tokens of their own, so "
            "that pages keep their looks; without it all of them become `masked`.",
            extra={"expected": "at least 16 characters, or nothing"},
        ),
    ] = ""
    hash_identifiers: Annotated[
        bool,
        Meta(
            description="Whether user ids that look like personal data (mail addresses, phone numbers, names) are "
            "stored as keyed hashes only; needs `identifier_secret`."
        ),
    ] = False
    echo: Annotated[
        bool,
        Meta(
            description="Whether what was typed into masked fields (six characters or more) is masked where the page "
            "shows it again; keyed hashes of it are kept while the session lives; needs `identifier_secret`."
        ),
    ] = False
    exclude_users: Annotated[
        tuple[UserId, ...],
        Meta(description="Ids of users about whom nothing is stored or published."),
    ] = ()
    rules: Annotated[
        tuple[PrivacyRule, ...],
        Meta(description="Levels of some pages; the first rule that matches decides."),
    ] = ()


class SessionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a session ends."""

    idle_timeout_ms: Annotated[Duration, Meta(description="A session ends after this time without events.")] = field(
        default=30 * MINUTE_MS, name="idle_timeout"
    )
    max_duration_ms: Annotated[
        Duration, Meta(description="A session ends when it has lasted this long, however busy it is.")
    ] = field(default=24 * HOUR_MS, name="max_duration")
    grace_ms: Annotated[
        DurationOrZero,
        Meta(description="Data that comes this long after the end of its session re-opens it; later is too late."),
    ] = field(default=24 * HOUR_MS, name="grace")
    max_bytes: Annotated[
        Size,
        Meta(description="Most bytes of events that are kept of a session; the rest is a hole."),
    ] = 50 * MIB

    @property
    def longest_silence_ms(self) -> int:
        """How long a window of a session that still takes data can have been silent."""
        return max(self.max_duration_ms, self.idle_timeout_ms + self.grace_ms)


class ActivitySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told of sessions to who reads activities."""

    custom_events: Annotated[
        tuple[CustomEventName, ...],
        Meta(
            description="Names of the site's own events, such as `add_to_cart`, that are told as activities and kept "
            "in recordings, without what else they say: at most 50. Other events of the site's own are dropped."
        ),
    ] = ()


class OrderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long missing batches are waited for."""

    gap_wait_ms: Annotated[
        Duration, Meta(description="A missing batch is waited for this long, then recorded as a hole.")
    ] = field(default=15 * MINUTE_MS, name="gap_wait")
    max_held_batches: Annotated[Count, Meta(description="Most batches that are held back behind a missing one.")] = 256
    max_held_bytes: Annotated[Size, Meta(description="Most bytes that are held back in all windows of a session.")] = (
        32 * MIB
    )
    max_total_held_bytes: Annotated[
        Size,
        Meta(description="Most bytes that are held back in all sessions of a process; beyond, the oldest wait ends."),
    ] = 256 * MIB
    max_gap_batches: Annotated[
        Count, Meta(description="A jump in the batch numbers of more than this is not waited for.")
    ] = 1_000


class LimitSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is refused because it is too large."""

    max_message_bytes: Annotated[Size, Meta(description="Largest message as it arrives, compressed.")] = 10 * MIB
    max_batch_bytes: Annotated[Size, Meta(description="Largest message after decompression.")] = 16 * MIB
    max_batch_events: Annotated[Count, Meta(description="Most events in one batch.")] = 10_000
    max_depth: Annotated[int, Meta(ge=8, le=500, description="Deepest nesting of JSON values in a message.")] = 200
    max_text_bytes: Annotated[Size, Meta(description="Longest text value outside full snapshots.")] = 64 * KIB
    max_nodes_per_page: Annotated[Count, Meta(description="Most nodes of one page that are followed.")] = 100_000
    max_known_pages_bytes: Annotated[
        SizeOrZero,
        Meta(
            description="Full snapshots remembered, so that the same page is not masked again for every visitor; "
            "they take about six times their size in memory."
        ),
    ] = 32 * MIB
    max_windows_per_session: Annotated[Count, Meta(description="Most windows (tabs) of one session.")] = 64
    max_signals_per_session: Annotated[Count, Meta(description="Most signals that are kept of one session.")] = 1_000


class KeepSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long sessions are kept."""

    retention_ms: Annotated[
        Duration,
        Meta(
            description="A session is deleted when nothing was written to it for this long. What is in force when a "
            "session is first written holds for it, whatever is set later; so do the next two."
        ),
    ] = field(default=30 * DAY_MS, name="retention")
    retention_by_tag_ms: Annotated[
        dict[str, Duration],
        Meta(description='Times of sessions with certain tags, such as `{ rage_click = "90d" }`: the longest holds.'),
    ] = field(default={}, name="retention_by_tag")
    max_retention_ms: Annotated[
        Duration, Meta(description="No session is kept longer than this after its last write, whatever its tags.")
    ] = field(default=3_650 * DAY_MS, name="max_retention")


class StoreSettings(KeepSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where sessions and bundles are kept, and for how long."""

    redis_url: Annotated[
        str,
        Meta(
            pattern=r"\A(rediss?(\+cluster)?|unix)://\S+\Z",
            description="Redis server. A password in it is never printed.",
            extra={"expected": 'a URL such as "redis://127.0.0.1:6379/0", "rediss://..." or "unix://..."'},
        ),
    ] = "redis://127.0.0.1:6379/0"
    redis_username: Annotated[
        str, Meta(description="User of Redis' access control lists, where it is not in `store.redis_url`.")
    ] = ""
    redis_password: Annotated[
        str, Meta(description="Password, where it is not in `store.redis_url`. It is never printed.")
    ] = ""
    redis_tls_ca_file: Annotated[
        str, Meta(description="PEM file of authorities that Redis' certificate may be from, besides the system's.")
    ] = ""
    redis_tls_cert_file: Annotated[
        str, Meta(description="PEM file of the certificate this client shows, if Redis asks for one.")
    ] = ""
    redis_tls_key_file: Annotated[
        str, Meta(description="PEM file of that certificate's key, where it is not in the same file.")
    ] = ""
    key_prefix: Annotated[
        str,
        Meta(
            pattern=r"\A[A-Za-z0-9_.-]{1,32}\Z",
            description="Start of the name of every key in Redis, so that two installations can share one server.",
            extra={"expected": "1 to 32 of the characters A-Z, a-z, 0-9, _ . -"},
        ),
    ] = "wince"
    compact_block_bytes: Annotated[
        Size, Meta(description="When a session has ended, its small blocks are joined into blocks of about this size.")
    ] = MIB


class ProjectSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that a project can have its own of."""

    privacy: PrivacySettings = PrivacySettings()
    detectors: DetectorSettings = DetectorSettings()
    session: SessionSettings = SessionSettings()
    activity: ActivitySettings = ActivitySettings()
    store: KeepSettings = KeepSettings()


class Settings(ProjectSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of one process; its own project settings hold for projects that have no others."""

    order: OrderSettings = OrderSettings()
    limits: LimitSettings = LimitSettings()
    store: StoreSettings = StoreSettings()
    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()
    serve: ServeSettings = ServeSettings()
    summary: SummarySettings = SummarySettings()
    alerts: AlertsSettings = AlertsSettings()
    projects: Annotated[
        dict[str, ProjectSettings],
        Meta(
            description="What single projects have of their own: `[projects.ID.privacy]`, `[projects.ID.detectors]`, "
            "`[projects.ID.session]` and `[projects.ID.activity]` take the keys of the sections of those names, which "
            "hold for all else; "
            "`[projects.ID.store]` those of retention."
        ),
    ] = {}

    def for_project(self, project_id: str) -> ProjectSettings:
        """Return the settings in force for a project: its own where it has any, else the common ones.

        One dictionary look-up, since every batch asks: overrides were merged when the settings were loaded.
        """
        return self.projects.get(project_id, self)
