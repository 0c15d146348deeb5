"""What a control shows as its label: the texts below it, as masked."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from engine.rebuild.nodes import PARENTS, TEXT_TAG, label_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detectors.elements import Element
    from engine.rebuild.page import Page

LABEL_MAX_NODES: Final = 32
"""A label is read from at most this many nodes of an element's subtree."""


def shown_label(page: Page, element: Element) -> str:
    """Join the (masked) texts an interactive element's subtree shows, cut to `LABEL_MAX_CHARACTERS`."""
    texts, looked_at = [], 0
    waiting: list[int] = [element.node_id]  # type: ignore[list-item]  # mirrored nodes have integer ids
    while waiting and looked_at < LABEL_MAX_NODES:
        looked_at += 1
        node = page.element(waiting.pop())
        if node is None:
            continue
        if node.tag == TEXT_TAG and node.text:
            texts.append(node.text)
        waiting += _first_children(page, node.node_id)[::-1]  # type: ignore[arg-type]
    return label_text(" ".join(" ".join(texts).split()))


def _first_children(page: Page, node_id: int) -> list[int]:
    """Return as many of a node's children as a label can need: a node may have very many, and be clicked often."""
    changed = page.children.get(node_id)
    if changed is None:
        node = page.nodes.get(node_id)
        nodes = node.child_nodes if isinstance(node, PARENTS) else []
        children: Iterable[int] = (child.id for child in nodes)
    else:
        children = changed
    here = (child for child in children if page.parents.get(child) == node_id)
    return list(islice(here, LABEL_MAX_NODES))
