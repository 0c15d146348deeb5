"""Pages that were masked before: the same snapshot, byte by byte, is neither parsed nor masked again.

Visitors of one release who are not signed in often load the same page. A hit costs one hash of the snapshot's bytes.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

import msgspec

from engine.masking.policy import Policy
from engine.rebuild.field_memory import FieldMemory
from engine.rebuild.page import Page
from schemas.rrweb_nodes import Node

MIN_SNAPSHOT_BYTES: Final = 1 << 10
"""Smaller ones are masked as quickly as they are looked up."""


class KnownPage(NamedTuple):
    """A masked page: its document as JSON, and the mirror as it is right after the snapshot. Never changed."""

    document: msgspec.Raw
    nodes: dict[int, Node]
    parents: dict[int, int]
    own: dict[int, int]
    bits: dict[int, int]
    memory: FieldMemory
    pointers: dict[str, None]

    @property
    def root(self) -> Node:
        """The document."""
        return next(iter(self.nodes.values()))

    def show(self, page: Page) -> None:
        """Give a page this mirror, to be changed at will: its nodes are shared and never changed in place."""
        page.nodes = self.nodes.copy()
        page.parents = self.parents.copy()
        page.own = self.own.copy()
        page.bits = self.bits.copy()
        page.memory = self.memory.copy()
        page.pointers = self.pointers.copy()


class PageCache:
    """Known pages by privacy policy, level and snapshot; the least recently used are forgotten first.

    `max_bytes` bounds the snapshots (JSON before masking) remembered; with their masked form and mirror they take about
    six times that. 0 remembers nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._pages: OrderedDict[tuple[Policy, str, bytes], KnownPage] = OrderedDict()
        self.hits = 0

    def get(self, page: Page, snapshot: bytes) -> KnownPage | None:
        """Return what is known of a snapshot under a page's policy and level."""
        key = (page.policy, page.masker.level, snapshot)
        known = self._pages.get(key)
        if known is not None:
            self.hits += 1
            self._pages.move_to_end(key)
        return known

    def put(self, page: Page, snapshot: bytes, document: bytes) -> None:
        """Remember a page right after its snapshot was masked; `document` is the masked document as JSON."""
        size = len(snapshot)
        if not MIN_SNAPSHOT_BYTES <= size <= self._max_bytes // 4:
            return
        key = (page.policy, page.masker.level, snapshot)
        if key not in self._pages:
            self._size_bytes += size
        self._pages[key] = KnownPage(
            msgspec.Raw(document),
            page.nodes.copy(),
            page.parents.copy(),
            page.own.copy(),
            page.bits.copy(),
            page.memory.copy(),
            page.pointers.copy(),
        )
        while self._size_bytes > self._max_bytes:
            (_, _, forgotten), _ = self._pages.popitem(last=False)
            self._size_bytes -= len(forgotten)
