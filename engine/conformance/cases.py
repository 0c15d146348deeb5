"""Case files: what happened on a page, and which signals a vendor's own code makes of it."""

import codecs
from collections.abc import Mapping
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

DEFINITION: Final = "definition"
"""The `fidelity` of cases about a vendor's rule as it is meant."""


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
    fidelity: str = DEFINITION
    tier: str | int | None = None

    @property
    def group(self) -> str:
        """What totals are counted by, besides the vendor."""
        return self.fidelity if self.tier is None else str(self.tier)


class CaseFile(msgspec.Struct, frozen=True):
    """A file of cases, each still to be read."""

    schema_version: int
    cases: list[msgspec.Raw]


class BadCase(msgspec.Struct, frozen=True):
    """A case that cannot be run, with what is known of it; it fails, and the other cases of its file are run."""

    id: str
    vendor: str
    problem: str
    group: str = ""
    title: str = ""


class _Name(msgspec.Struct, frozen=True):
    """What a case that cannot be read is told by, whatever the rest of it is."""

    id: object = ""
    vendor: object = ""
    title: object = ""
    tier: object = None
    fidelity: object = DEFINITION


_decode: Final = msgspec.json.Decoder(CaseFile).decode
_decode_case: Final = msgspec.json.Decoder(Case).decode
_decode_name: Final = msgspec.json.Decoder(_Name).decode


def read_cases(path: Path) -> list[Case | BadCase]:
    """Read a case file; cases that make no sense come out as such. Raises CaseError if it is no case file."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CaseError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MiB")
        read = _decode(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise CaseError(f"{path}: {error}") from error
    if read.schema_version != SCHEMA_VERSION:
        raise CaseError(f"{path}: schema_version is {read.schema_version}, expected {SCHEMA_VERSION}")
    return [_read_case(raw, place) for place, raw in enumerate(read.cases)]


def _read_case(raw: msgspec.Raw, place: int) -> Case | BadCase:
    try:
        case = _decode_case(raw)
        _check(case)
    except (CaseError, msgspec.DecodeError, RecursionError) as error:
        return _bad(raw, place, str(error))
    return case


def _bad(raw: msgspec.Raw, place: int, problem: str) -> BadCase:
    try:
        name = _decode_name(raw)
    except (msgspec.DecodeError, RecursionError):
        name = _Name()
    tier = name.fidelity if name.tier is None else name.tier
    return BadCase(str(name.id or f"case {place}"), str(name.vendor), problem, str(tier), str(name.title))


def _check(case: Case) -> None:
    _check_nodes(case.nodes)
    known = case.nodes.keys() | set(ROOTS)
    for place, event in enumerate(case.events):
        _check_event(place, event, known)
    for place, signal in enumerate(case.expected):
        if not isinstance(signal.get("detector"), str):
            raise CaseError(f"expected signal {place}: detector is {signal.get('detector')!r}, expected a name")
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


def _check_event(place: int, event: Mapping[str, Value], known: set[str]) -> None:
    kind, target, t = event.get("kind"), event.get("target"), event.get("t")
    if not isinstance(kind, str):
        raise CaseError(f"event {place}: kind is {kind!r}, expected one of {', '.join(sorted(KINDS))}")
    if not _is_time(t) or not isinstance(t, int | float) or t < 0:
        raise CaseError(f"event {place}: t is {t!r}, expected ms from the start")
    if kind in POINTED and target is None:
        raise CaseError(f"event {place}: a {kind} needs a target")
    if kind in POINTED and target not in known:
        raise CaseError(f"event {place}: target {target!r} is no node")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
