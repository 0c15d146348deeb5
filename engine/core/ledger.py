"""What a session has come to so far: everything its record shows, and room under its caps."""

from typing import Final

import msgspec

from detectors.interactions import Click, Failure, Input, Interaction
from detectors.js_error import NAME as JS_ERROR
from detectors.protocol import Finding
from detectors.score import score
from engine.core.attributes import Attributes
from engine.masking.policy import Policy
from engine.reasons import Reason
from schemas.session_record import EndReason, PageVisit, SessionRecord, Totals

FINGERPRINTS_MAX: Final = 50
"""A record counts the first this many different script errors."""

PAGES_MAX: Final = 200
"""A record lists the first this many page visits."""


class Ledger(msgspec.Struct, gc=False):
    """Sums and lists of one session; times are epoch ms of events, -1 before the first."""

    project_id: str
    session_id: str
    started_at: int = -1
    last_event_at: int = -1
    user_id: str | None = None
    anonymous_id: str | None = None
    batches: int = 0
    events: int = 0
    bytes: int = 0
    clicks: int = 0
    inputs: int = 0
    errors: int = 0
    signals: int = 0
    reopened: int = 0
    end_reason: EndReason | None = None
    pages: list[PageVisit] = []
    tags: dict[str, int] = {}
    dropped: dict[str, int] = {}
    repaired: dict[str, int] = {}
    attributes: dict[str, str] = {}
    fingerprints: dict[str, int] = {}

    def saw(self, interaction: Interaction) -> None:
        """Take note of a click, an input or an error."""
        if isinstance(interaction, Click):
            self.clicks += 1
        elif isinstance(interaction, Input):
            self.inputs += 1
        elif isinstance(interaction, Failure):
            self.errors += 1

    def visit(self, window_id: str, url: str, t: int) -> None:
        """Take note of a page."""
        if url and len(self.pages) < PAGES_MAX:
            self.pages.append(PageVisit(url, window_id, t))

    def identify(self, user_id: str | None, anonymous_id: str | None) -> None:
        """Merge who a batch says the visitor is: a sign-in names the whole session, a sign-out takes nothing back."""
        self.user_id = user_id or self.user_id
        self.anonymous_id = anonymous_id or self.anonymous_id

    def drop(self, reason: Reason, count: int = 1) -> None:
        """Count what is not published; a whole batch may have held nothing."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def repair(self, reason: Reason, count: int = 1) -> None:
        """Count a change inside what is published."""
        self.repaired[reason] = self.repaired.get(reason, 0) + count

    def tag(self, finding: Finding) -> None:
        """Count a signal that makes tags and score, and a script error by its fingerprint."""
        detector, known = finding.detector, self.fingerprints
        self.tags[detector] = self.tags.get(detector, 0) + 1
        fingerprint = str(finding.evidence.get("fingerprint")) if detector == JS_ERROR else ""
        if fingerprint and (fingerprint in known or len(known) < FINGERPRINTS_MAX):
            known[fingerprint] = known.get(fingerprint, 0) + 1

    def resume(self, record: SessionRecord) -> None:
        """Go on from what a record says."""
        totals = record.totals
        if totals.events:
            self.started_at, self.last_event_at = record.started_at, record.last_event_at
        self.user_id, self.anonymous_id = record.user_id, record.anonymous_id
        self.batches, self.events, self.bytes = totals.batches, totals.events, totals.bytes
        self.clicks, self.inputs, self.errors = totals.clicks, totals.inputs, totals.errors
        self.tags, self.pages = dict(record.tags), list(record.pages)
        self.signals = max(self.signals, sum(record.tags.values()))
        self.dropped, self.repaired = dict(record.dropped), dict(record.repaired)
        self.attributes, self.fingerprints = dict(record.attributes), dict(record.errors)
        self.reopened, self.end_reason = record.reopened, record.end_reason

    def record(
        self, window_ids: list[str], attributes: Attributes, policy: Policy, *, latest_ms: int, is_open: bool
    ) -> SessionRecord:
        """Make the record as it is now; no time in it is later than `latest_ms`."""
        points, parts = score(self.tags)
        return SessionRecord(
            session_id=self.session_id,
            project_id=self.project_id,
            started_at=min(max(self.started_at, 0), latest_ms),
            last_event_at=min(max(self.last_event_at, 0), latest_ms),
            status="open" if is_open else "ended",
            window_ids=window_ids,
            pages=sorted(self.pages, key=lambda visit: (visit.t, visit.window_id)),
            totals=Totals(self.batches, self.events, self.bytes, self.clicks, self.inputs, self.errors),
            tags=dict(sorted(self.tags.items())),
            score=points,
            score_parts=parts,
            privacy_level=policy.level,
            policy_version=policy.version,
            user_id=self.user_id,
            anonymous_id=self.anonymous_id,
            end_reason=None if is_open else self.end_reason,
            reopened=self.reopened,
            dropped=dict(sorted(self.dropped.items())),
            repaired=dict(sorted(self.repaired.items())),
            attributes=dict(sorted(attributes.items())),
            errors=dict(sorted(self.fingerprints.items())),
        )
