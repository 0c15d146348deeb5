"""JavaScript errors in groups: one finding for each group of a window, with how many errors it had."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.interactions import Failure
from detectors.machine import Machine, Report
from detectors.machines.gestures import finding

MAX_GROUPS: Final = 64
"""Groups held at a time; the one without an error for longest is reported for one more."""

MAX_TEXT: Final = 200

FOREIGN: Final = (
    "chrome-extension:", "moz-extension:", "safari-extension:", "safari-web-extension:", "/node_modules/",
    "webpack/bootstrap", "[native code]", "<anonymous>:",
)  # fmt: skip
"""Marks of frames that are not the application's own."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One line of a stack: where the code stands, and what the function is called (`""`: unnamed)."""

    function: str
    file: str
    line: str
    column: str

    @property
    def is_own(self) -> bool:
        """Whether the frame is the application's own code."""
        return not any(mark in self.file for mark in FOREIGN)


class GroupRule(msgspec.Struct, frozen=True, kw_only=True):
    """Errors that share one of the `keys` are the same; only those of `sources` are seen."""

    rule: str
    sources: frozenset[str]
    keys: Callable[[Failure, list[Frame]], tuple[str, ...]]


class Group(msgspec.Struct, gc=False):
    """A group: its first and last error (epoch ms), and what is shown of the first."""

    t: int
    end_t: int
    page: str
    error_type: str
    message: str
    keys: tuple[str, ...]
    count: int = 0


class GroupState(msgspec.Struct, gc=False):
    """Groups by the digest of their first key, the one that spoke last at the end."""

    groups: dict[str, Group] = msgspec.field(default_factory=dict)


class ErrorGroups(Machine[GroupState]):
    """Groups errors by one rule."""

    def __init__(self, rule: GroupRule, report: Report) -> None:
        super().__init__(GroupState())
        self.name = rule.rule.partition("@")[0]
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Only failures."""
        return {Failure: self._on_failure}

    def finish(self) -> None:
        """Report all groups: a group ends with the session."""
        for name in list(self._state.groups):
            self._tell(name)

    def _on_failure(self, failure: Failure) -> None:
        if failure.source not in self._rule.sources:
            return
        groups = self._state.groups
        keys = tuple(_digest(key) for key in self._rule.keys(failure, frames_of(failure)))
        name = next((name for name, group in groups.items() if not set(keys).isdisjoint(group.keys)), keys[0])
        group = groups.pop(name, None)
        if group is None:
            message, error_type = failure.message[:MAX_TEXT], failure.error_type[:MAX_TEXT]
            group = Group(failure.t, failure.t, failure.page, error_type, message, keys)
        group.end_t = failure.t
        group.count += 1
        groups[name] = group
        if len(groups) > MAX_GROUPS:
            self._tell(next(iter(groups)))

    def _tell(self, name: str) -> None:
        group = self._state.groups.pop(name)
        evidence = {"fingerprint": name, "error_type": group.error_type, "message": group.message}
        self._report(
            finding(
                self._rule.rule, group.t, None, evidence, end_t=group.end_t, count=group.count, page=group.page,
                key=name,
            )
        )  # fmt: skip


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def frames_of(failure: Failure) -> list[Frame]:
    """Take a failure's frames apart, innermost first."""
    frames = []
    for text in failure.frames:
        function, _, place = text.rpartition("@")
        place, _, column = place.rpartition(":")
        file, _, line = place.rpartition(":")
        frames.append(Frame(function, file, line, column))
    return frames
