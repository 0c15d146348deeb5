"""One form under way, and what changes of the page say of it. `detectors.forms` watches forms."""

from dataclasses import dataclass
from typing import Final

from detectors.elements import Element
from detectors.interactions import Change
from detectors.machine import NEVER
from detectors.stored import annotate
from schemas.signals import Target

MAX_FIELDS: Final = 64

CHAIN_NODES: Final = 8
"""Nodes above a form whose removal takes it away; what is further out goes with the page."""

NEAR_NODES: Final = 3
"""Without a form around them, a message belongs to fields if it is below one of so many nodes above them."""

_INVALID_MARKS: Final = frozenset({"class", "aria-invalid", "aria-describedby"})

WHOLE_PAGE: Final = 0
"""The key of fields that have no form around them; no node has it."""


@dataclass(slots=True)
class Form:
    """A form under way, since `t` (epoch ms). Times are `NEVER` for what has not happened since the last input.

    `chain` is the form's node and those above it. `is_marked` tells that a refusal was more than a text: a request that
    failed, or a field marked as wrong. `refusals` counts sendings that were refused in a row, the first of
    them at `refused_since`, the last at `refused_t`; `control` is what was clicked to send it. `thrown_to` is a field
    that got the focus by that though nobody had typed into it, `thrown_t` when one got it in a way that is a refusal
    unless the page shows otherwise.
    """

    key: int | str
    t: int
    input_t: int
    page: str
    target: Target
    fields: list[int | str]
    chain: tuple[int | str, ...]
    last_field: str = ""
    sent_t: int = NEVER
    refused_since: int = NEVER
    refused_t: int = NEVER
    refusals: int = 0
    is_marked: bool = False
    control: Target | None = None
    thrown_to: int | str | None = None
    thrown_t: int = NEVER


annotate(
    Form,
    key=int | str,
    fields=list[int | str],
    chain=tuple[int | str, ...],
    control=Target | None,
    thrown_to=int | str | None,
)


def chain_of(node: Element | None) -> tuple[int | str, ...]:
    """Give the ids of a form's node and of those above it, nearest first, at most `CHAIN_NODES`."""
    chain: list[int | str] = []
    while node is not None and len(chain) < CHAIN_NODES and node.tag not in {"body", "html"}:
        chain.append(node.node_id)
        node = node.parent
    return tuple(chain)


def is_near(control: Element, form: Form) -> bool:
    """Tell whether a control has an ancestor in common with fields that have no form around them."""
    node: Element | None = control.parent
    for _ in range(CHAIN_NODES):
        if node is None:
            return False
        if node.node_id in form.chain:
            return True
        node = node.parent
    return False


def refuses(change: Change, form: Form) -> bool:
    """Tell whether the page marks a field of the form as wrong, or says something in it."""
    if change.kind == "attribute":
        return change.name in _INVALID_MARKS and change.node_id in form.fields
    if change.kind not in {"add", "text"} or not change.has_text:
        return False
    if form.control is not None and form.control.node_id in change.scope:
        return False  # a button that says that it is at work
    return not set(change.scope).isdisjoint(form.chain[: 1 if form.key else NEAR_NODES])


def accepts(change: Change, form: Form, restless: list[int | str]) -> bool:
    """Tell whether the page shows elsewhere what was sent; `restless` are the places of figures that change anyway."""
    if form.control is not None and form.control.node_id in change.scope:
        return False
    place = place_of_figure(change)
    return change.kind == "add" and change.has_text if place is None else place not in restless


def place_of_figure(change: Change) -> int | str | None:
    """Give the element whose text was replaced by this change; `None` for changes of another kind."""
    if change.kind == "text" or (change.kind == "add" and change.name == "#text"):
        return change.scope[1] if len(change.scope) > 1 else change.node_id
    return None
