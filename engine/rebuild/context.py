"""What the parts of one window's rebuild share: its page, its time, and where interactions and counts go."""

from collections.abc import Callable
from typing import Final

import msgspec

from detectors.interactions import Interaction
from engine.input.events import EventDecoder
from engine.masking.policy import Policy
from engine.reasons import Reason
from engine.rebuild.page import Page
from engine.rebuild.page_cache import PageCache

PRESS_MAX_AGE_MS: Final = 10_000
"""A click whose press is older than this had none that was recorded."""


class RebuildTools(msgspec.Struct, frozen=True):
    """What all windows share.

    The mirror of a page may get `max_depth` levels of elements deep and hold `max_nodes` nodes. `decoder` opens
    snapshots, `known_pages` has those that were opened before.
    """

    max_depth: int
    max_nodes: int
    decoder: EventDecoder
    known_pages: PageCache


class Gesture(msgspec.Struct, gc=False):
    """The last press and release of a window (epoch ms, -1 for none): a click is told with them."""

    press_t: int = -1
    release_t: int = -1
    touch: bool = False


class Context:
    """One window's rebuild: `t` is the window's time, `wanted` the interaction classes somebody listens to.

    `drop_reason` says why an event of which nothing is published isn't; `note` counts changes inside published ones.
    """

    __slots__ = ("drop_reason", "emit", "gesture", "note", "page", "policy", "t", "tools", "wanted")

    def __init__(
        self,
        policy: Policy,
        tools: RebuildTools,
        emit: Callable[[Interaction], None],
        wanted: frozenset[type],
        note: Callable[[Reason], None],
    ) -> None:
        self.policy = policy
        self.tools = tools
        self.emit = emit
        self.wanted = wanted
        self.note = note
        self.page = Page(policy)
        self.gesture = Gesture()
        self.t = 0
        self.drop_reason = Reason.NOTHING_LEFT

    def take_drop_reason(self) -> Reason:
        """Return why the event at hand is not published, and start anew."""
        reason, self.drop_reason = self.drop_reason, Reason.NOTHING_LEFT
        return reason

    def forget_page(self) -> None:
        """Know nothing of the page any more: everything is masked as unknown until its next full snapshot.

        And at the strictest level until its next address, which may be what could not be masked.
        """
        page = Page(self.policy)
        page.url, page.echo, page.loaded = self.page.url, self.page.echo, self.page.loaded
        page.masker = page.masker_of(self.policy.strictest)
        self.page = page
        self.drop_reason = Reason.NOTHING_LEFT
