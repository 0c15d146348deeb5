"""A signal: one detected incident with its evidence."""

from collections.abc import Sequence

import msgspec

EvidenceValue = str | int | float | bool | None | Sequence[int | float | str]
"""A number, a word, or a list of either; one list type, because a decoder cannot choose between several."""


class Target(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The element a signal is about, as the masked tree shows it.

    `node_id` is rrweb's node id, or the element id of an interaction event. `selector` is a short CSS path of
    masked names; `text` is the masked label, absent where there is none.
    """

    node_id: int | str
    selector: str
    tag: str
    text: str | None = None


class Signal(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One incident.

    `id` is a hash of project, session, window, detector, rule, first and last member: the same incident always has the
    same id. `t` and `end_t` are the epoch milliseconds of the first and last member, `page` is the masked URL it
    began on, `rule` names the rule and version that fired, `evidence` holds the numbers it fired on,
    `attributes` what the window ran on as far as was known by then (`release`, `device`, `country`, `browser`, `os`).
    """

    id: str
    detector: str
    session_id: str
    window_id: str
    project_id: str
    t: int
    end_t: int
    page: str
    target: Target | None
    rule: str
    evidence: dict[str, EvidenceValue]
    count: int | None = None
    attributes: dict[str, str] = {}
