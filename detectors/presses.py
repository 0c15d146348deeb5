"""What is known about a press, and what a change of the page looks like beside it: parts of `detectors.reactions`."""

from dataclasses import dataclass, field
from typing import Final

from detectors.background import Background, Place
from detectors.elements import Element
from detectors.interactions import Change, MouseMove, Mutation
from detectors.interactive import closest_interactive
from detectors.machine import NEVER
from detectors.stored import annotate
from detectors.trails import Trails

MAX_TOGGLES: Final = 16
"""Attributes of one press watched for being changed back; one more than that is no ripple."""

CLICK_MARKS: Final = frozenset(
    {
        "ant-click-animating-without-extra-node", "ant-click-animating", "aria-describedby", "data-active",
        "data-focus", "data-focused", "data-focus-visible", "data-focus-visible-added", "data-focus-within",
        "data-headlessui-focus-visible", "data-hover", "data-hovered", "data-press", "data-pressed", "data-touched",
        "name", "tabindex",
    }
)  # fmt: skip
"""Attributes by which libraries note clicks, presses, focus, hover, the tooltip shown, and where the tab key leads.

Names of fields show nothing either; React takes them away and gives them back whenever it renders a field.
"""

LOOKS: Final = frozenset({"class", "style"})
"""Attributes that may only change how something looks."""

MOVE_SLACK_MS: Final = 80
"""Recorders note the moving pointer every 50 ms: a change so near to a noted move came with it."""


@dataclass(slots=True)
class Suspect:
    """A change of `place` at `t` (epoch ms) of which it is open whether it is an answer.

    `near` is the part of the page around it. Hovering it is if the pointer `moved` at most `lead_ms` before (never, if
    that is `None`), and it `left` soon. `node_id` is the node that came, if one did.
    """

    place: Place
    near: Place
    t: int
    lead_ms: int | None = None
    node_id: int | str | None = None
    moved: bool = False
    left: bool = False


annotate(Suspect, place=Place, near=Place, lead_ms=int | None, node_id=int | str | None)


@dataclass(init=False, slots=True)
class PressRecord:
    """What is known about a press at `t` (epoch ms) on the control `region`.

    `answered` is a real reaction; `moved` a scroll of the page or a selection, which prove life but no answer.
    `toggles` are attributes within the region that were changed an odd number of times; `marks` are looks of the region
    that changed before the click and not back since. `rendered` means that nothing happened but that the control was
    replaced by another of its kind: an answer, unless the next click finds the same one in the same `place`. `suspects`
    are changes that are answers unless they turn out to be something else. `previewed` says that texts of the control
    or beside it changed just before, when the pointer came: such a press may only keep what is shown. `wrapper` is what
    is around a pressed checkbox or the like, which can hold no effects itself. `failed_t` is the end of the last failed
    request of the press (epoch ms), `refused` that the page answered to it right then.
    """

    t: int
    region: int | str | None
    clicked: bool
    answered: bool
    moved: bool
    toggles: list[str]
    place: str
    rendered: bool
    marks: list[str]
    suspects: list[Suspect]
    previewed: bool
    wrapper: int | str | None
    failed_t: int
    refused: bool

    def __init__(self, t: int, region: int | str | None) -> None:
        self.t = t
        self.region = region
        self.clicked = self.answered = self.moved = self.rendered = self.previewed = self.refused = False
        self.toggles = []
        self.place = ""
        self.marks = []
        self.suspects = []
        self.wrapper = None
        self.failed_t = NEVER


annotate(
    PressRecord,
    region=int | str | None,
    toggles=list[str],
    marks=list[str],
    suspects=list[Suspect],
    wrapper=int | str | None,
)


@dataclass(slots=True)
class ReactionsState:
    """`first` is the number of the oldest press kept; `ripples` map added nodes to the number of their press.

    `inner` maps nodes that were added to such a node later to it.

    `acted_t` is the latest press or click, `typed_t` the latest input (epoch ms). `focused_field` is the text field
    that has the focus, and its parent. `stirred` tells when texts of a part of the page last changed at a moment when
    no handler did it (epoch ms). `born` tells of nodes that came lately when that was (epoch ms), and how long after a
    press or click (ms).
    """

    first: int = 0
    acted_t: int = NEVER
    typed_t: int = NEVER
    focused_field: tuple[int | str, ...] = ()
    presses: list[PressRecord] = field(default_factory=list)
    ripples: dict[int | str, int] = field(default_factory=dict)
    inner: dict[int | str, int | str] = field(default_factory=dict)
    background: Background = field(default_factory=Background)
    trails: Trails = field(default_factory=Trails)
    born: dict[int | str, tuple[int, int]] = field(default_factory=dict)
    stirred: dict[Place, int] = field(default_factory=dict)

    @property
    def current(self) -> int:
        """The number of the latest press; presses count up from 0."""
        return self.first + len(self.presses) - 1

    def forget_page(self) -> None:
        """Forget what is known by nodes and places of a page that is gone."""
        if self.ripples:
            self.ripples.clear()
        if self.inner:
            self.inner.clear()
        if self.background.places:
            self.background.places.clear()
        if self.trails.places:
            self.trails.places.clear()
        if self.born:
            self.born.clear()
        if self.stirred:
            self.stirred.clear()


annotate(
    ReactionsState,
    focused_field=tuple[int | str, ...],
    presses=list[PressRecord],
    ripples=dict[int | str, int],
    inner=dict[int | str, int | str],
    born=dict[int | str, tuple[int, int]],
    stirred=dict[Place, int],
)


def renders_anew(mutation: Mutation, region: int | str | None) -> bool:
    """Tell whether a mutation does nothing but put controls of the same kinds in the place of others, `region` too."""
    changes = mutation.changes
    for change in changes:
        if change.node_id == region and change.kind == "remove":
            break
    else:
        return False
    if mutation.total != len(changes):
        return False
    added = {change.node_id for change in changes if change.kind == "add"}
    gone = sorted((str(c.scope[1:2]), c.name) for c in changes if c.kind == "remove")
    came = sorted((str(c.scope[1:2]), c.name) for c in changes if c.kind == "add" and added.isdisjoint(c.scope[1:2]))
    return gone == came and all(change.kind in {"add", "remove"} for change in changes)


def moved_at(move: MouseMove, t: int, lead_ms: int) -> bool:
    """Tell whether the pointer moved at about `t` (epoch ms), or at most `lead_ms` before."""
    return any(-MOVE_SLACK_MS - lead_ms <= at - t <= MOVE_SLACK_MS for at, _, _ in move.positions)


def named_place(name: str, element: Element | None) -> Place:
    """Name what an element does as a place of the page."""
    return (name,) if element is None else (name, element.node_id)


def control_of(element: Element) -> Element:
    """Give the control that a press on `element` is on."""
    return closest_interactive(element) or element


def wrapper_of(control: Element) -> int | str | None:
    """Give what is around a control that is an `input`: ripples of a checkbox play there."""
    return control.parent.node_id if control.tag == "input" and control.parent is not None else None


def toggle_name(change: Change) -> str:
    """Name the attribute that changed."""
    return f"{change.node_id} {change.name}"


def toggle(toggles: list[str], name: str) -> bool:
    """Note that a value changed there or back; tell whether there was room for it."""
    if name in toggles:
        toggles.remove(name)
    elif len(toggles) < MAX_TOGGLES:
        toggles.append(name)
    else:
        return False
    return True
