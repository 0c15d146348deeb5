"""Case files: what happened on a page, and which signals a vendor's own code makes of it."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from schemas.interaction_events import AttributeText

MAX_FILE_BYTES: Final = 64 << 20
SCHEMA_VERSION: Final = 1

KINDS: Final = frozenset(
    {
        "click", "auxclick", "dblclick", "touchstart", "touchend", "mousemove", "keydown", "scroll", "input",
        "selection", "mutation", "navigation", "request_start", "request_end", "window_open", "visibility",
        "window_blur", "window_focus", "error", "unhandled_rejection", "console_error", "page_exit",
    }
)  # fmt: skip
POINTED: Final = frozenset({"click", "auxclick", "dblclick", "touchstart", "touchend"})
"""Kinds that need a target."""

Value = str | int | float | bool | None | list[object] | dict[str, object]
"""What an event or an expected signal may have: any JSON."""

ROOTS: Final = ("html", "body")
"""Elements that are always there."""


class CaseError(ValueError):
    """A case file cannot be used; the message says which, where and why."""


class CaseNode(msgspec.Struct, frozen=True):
    """An element: `parent` is another node's key; `label` is what a recorder calls a click on it."""

    tag: str
    attrs: dict[str, AttributeText] = {}
    text: str | None = None
    parent: str | None = "body"
    cursor: str | None = None
    label: str | None = None


class Case(msgspec.Struct, frozen=True):
    """One case; times are ms from its start. `nodes` are by key, which is the element's id as well.

    `fidelity` says what the expectation is true to: `definition` for a vendor's rule as it is meant, anything else
    for what its code does, faults included.
    """

    id: str
    vendor: str
    detectors: list[str]
    events: list[dict[str, Value]]
    end_t: float
    expected: list[dict[str, Value]]
    nodes: dict[str, CaseNode] = {}
    options: dict[str, object] | None = {}
    title: str = ""
    why: str = ""
    fidelity: str = "definition"
    tier: str | int | None = None

    @property
    def group(self) -> str:
        """What totals are counted by, besides the vendor."""
        return self.fidelity if self.tier is None else str(self.tier)


class CaseFile(msgspec.Struct, frozen=True):
    """A file of cases."""

    schema_version: int
    cases: list[Case]


_decode: Final = msgspec.json.Decoder(CaseFile).decode


def read_cases(path: Path) -> list[Case]:
    """Read and check a case file. Raises CaseError if it cannot be read or one of its cases makes no sense."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CaseError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MiB")
        read = _decode(path.read_bytes())
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise CaseError(f"{path}: {error}") from error
    if read.schema_version != SCHEMA_VERSION:
        raise CaseError(f"{path}: schema_version is {read.schema_version}, expected {SCHEMA_VERSION}")
    seen: set[str] = set()
    for case in read.cases:
        try:
            _check(case, seen)
        except CaseError as error:
            raise CaseError(f"{path}: case {case.id!r}: {error}") from None
        seen.add(case.id)
    return read.cases


def _check(case: Case, seen: Collection[str]) -> None:
    if case.id in seen:
        raise CaseError("another case has this id")
    _check_nodes(case.nodes)
    known = case.nodes.keys() | set(ROOTS)
    before = 0.0
    for place, event in enumerate(case.events):
        t = _check_event(place, event, known)
        if t < before:
            raise CaseError(f"event {place} at {t:g} comes after one at {before:g}")
        before = t
    if case.end_t < before:
        raise CaseError(f"end_t is {case.end_t:g}, before the last event at {before:g}")
    for place, signal in enumerate(case.expected):
        if signal.get("detector") not in case.detectors:
            raise CaseError(
                f"expected signal {place}: detector {signal.get('detector')!r} is not among the checked ones"
            )
        if not _is_time(signal.get("t")):
            raise CaseError(f"expected signal {place}: t is {signal.get('t')!r}, expected a number")


def _check_nodes(nodes: Mapping[str, CaseNode]) -> None:
    for key in nodes:
        above, steps = key, 0
        while above in nodes and above not in ROOTS:
            above, steps = nodes[above].parent or "body", steps + 1
            if steps > len(nodes):
                raise CaseError(f"node {key!r} lies in itself")
        if above not in ROOTS:
            raise CaseError(f"node {key!r} lies in {above!r}, which is no node")


def _check_event(place: int, event: Mapping[str, Value], known: set[str]) -> float:
    kind, target, t = event.get("kind"), event.get("target"), event.get("t")
    if kind not in KINDS:
        raise CaseError(f"event {place}: kind {kind!r}, expected one of {', '.join(sorted(KINDS))}")
    if not isinstance(t, int | float) or isinstance(t, bool) or t < 0:
        raise CaseError(f"event {place}: t is {t!r}, expected ms from the start")
    if target is None and kind in POINTED:
        raise CaseError(f"event {place}: a {kind} needs a target")
    if target is not None and target not in known:
        raise CaseError(f"event {place}: target {target!r} is no node")
    return t


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
