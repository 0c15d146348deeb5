"""Changes of the page. See `detectors.interactions`, by which others know them."""

from dataclasses import dataclass
from typing import Final

from detectors.elements import Element
from detectors.moments import At

MUTATION_MAX_CHANGES: Final = 16
"""A mutation tells at most this many of its changes."""
SCOPE_MAX_NODES: Final = 6
"""A change names its node and the nearest of its ancestors, at most this many in all."""


@dataclass(init=False, slots=True)
class Change:
    """One change of the page within a mutation.

    `kind` is `add`, `remove`, `attribute` or `text`. `node_id` is the node that came, went or changed; `scope` is that
    node and up to five ancestors, nearest first. `name` is the attribute, or an added element's tag. `has_text` says
    that an added node carries text of its own.
    """

    kind: str
    node_id: int | str
    scope: tuple[int | str, ...]
    name: str
    has_text: bool

    def __init__(
        self, kind: str, node_id: int | str, scope: tuple[int | str, ...], name: str = "", has_text: bool = False
    ) -> None:
        self.kind = kind
        self.node_id = node_id
        self.scope = scope
        self.name = name
        self.has_text = has_text


@dataclass(init=False, slots=True)
class Mutation(At):
    """The page changed. `changes` are the first `MUTATION_MAX_CHANGES`; `total` counts all.

    `target` is the changed element where interaction events describe it; rrweb's mutations change many at once.
    """

    changes: tuple[Change, ...]
    total: int
    target: Element | None

    def __init__(
        self, t: int, page: str, changes: tuple[Change, ...], total: int, target: Element | None = None
    ) -> None:
        self.t = t
        self.page = page
        self.changes = changes
        self.total = total
        self.target = target


@dataclass(init=False, slots=True)
class StyleChange(At):
    """A style sheet was changed by script (rules, declarations, adopted sheets).

    It `only_prepares` if nothing but rules for classes and at-rules were added: they show nothing by themselves, and
    what comes to use them is told as a mutation.
    """

    only_prepares: bool

    def __init__(self, t: int, page: str, only_prepares: bool = False) -> None:
        self.t = t
        self.page = page
        self.only_prepares = only_prepares


@dataclass(init=False, slots=True)
class CanvasChange(At):
    """Something was drawn on a canvas."""

    target: Element | None

    def __init__(self, t: int, page: str, target: Element | None = None) -> None:
        self.t = t
        self.page = page
        self.target = target
