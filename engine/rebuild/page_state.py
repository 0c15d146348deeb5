"""A page's mirror as data: decisions and masked facts in columns, small enough to keep for every idle session."""

from collections.abc import Mapping

import msgspec

from detectors.elements import Element
from engine.masking.echo import EchoState
from engine.masking.flags import INTERACTIVE
from engine.masking.levels import Level
from engine.masking.policy import Policy
from engine.rebuild.field_memory import FieldMemory
from engine.rebuild.nodes import NO_PARENT, TEXT_TAG, detection_attributes, label_text, tag_of
from engine.rebuild.page import Page
from engine.rebuild.told_elements import ToldElements
from schemas.rrweb_nodes import ElementNode, TextNode


class PageState(msgspec.Struct, frozen=True, array_like=True):
    """The mirror, one row a node in document order of arrival: no original text, attribute or URL is in it.

    `ids` are differences to the row before, `parents` row numbers back from the own row (0: none), `tags` indices of
    `tag_names`. `attributes` and `texts` name the rows that have some; attribute texts stand once, in `words`.
    `aside` has id, index of the tag's name and flags of nodes that are gone.
    """

    url: str
    level: str
    known: bool
    scroll_x: float
    scroll_y: float
    tag_names: list[str]
    ids: list[int]
    parents: list[int]
    tags: list[int]
    flags: list[int]
    attributes: list[tuple[int, list[int]]]
    words: list[str]
    texts: list[tuple[int, str]]
    bits: dict[int, int]
    reviews: int = 0
    aside: list[tuple[int, int, int]] = []
    doubtful: bool = False
    forgotten_id: int = 0
    memory: FieldMemory = msgspec.field(default_factory=FieldMemory)
    structure: list[tuple[int, list[int], list[str], list[int]]] = []
    echo: EchoState = msgspec.field(default_factory=EchoState)
    loaded: bool = False
    told: ToldElements = msgspec.field(default_factory=ToldElements)
    looked: int = 0
    pointers: list[str] = []


class _Words:
    """Numbers texts in the order they first come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, word: str) -> int:
        return self.numbers.setdefault(word, len(self.numbers))


class _Columns:
    """The rows of a page, one a node, column by column."""

    __slots__ = ("attributes", "ids", "parents", "tags", "texts")

    def __init__(self, page: Page, flags: Mapping[int, int], tags: _Words, words: _Words) -> None:
        self.ids: list[int] = []
        self.parents: list[int] = []
        self.tags: list[int] = []
        self.attributes: list[tuple[int, list[int]]] = []
        self.texts: list[tuple[int, str]] = []
        rows: dict[int, int] = {}
        before = 0
        for row, (node_id, parent_id) in enumerate(page.parents.items()):
            rows[node_id] = row
            self.ids.append(node_id - before)
            before = node_id
            self.parents.append(row - rows[parent_id] if parent_id else 0)
            tag, kept, text = _facts(page, node_id)
            self.tags.append(tags.number(tag))
            if kept:
                self.attributes.append((row, [words.number(word) for pair in kept.items() for word in pair]))
            if text and flags[node_id] & INTERACTIVE:
                self.texts.append((row, text))


def page_state(page: Page) -> PageState:
    """Describe a page; `restore_page` makes an equal one of it (equal to everything later events can tell)."""
    tags, words, flags = _Words(), _Words(), page.all_flags()
    columns = _Columns(page, flags, tags, words)
    aside = [(node_id, tags.number(tag), sticking) for node_id, (tag, sticking) in page.aside.items()]
    return PageState(
        page.url,
        page.masker.level,
        page.known,
        page.scroll_x,
        page.scroll_y,
        list(tags.numbers),
        columns.ids,
        columns.parents,
        columns.tags,
        list(flags.values()),
        columns.attributes,
        list(words.numbers),
        columns.texts,
        dict(page.bits),
        page.reviews,
        aside,
        page.doubtful,
        page.forgotten_id,
        page.memory.copy(),
        [] if page.structure is None else page.structure.state(),
        EchoState() if page.echo is None else page.echo.state,
        page.loaded,
        page.told.copy(),
        0 if page.structure is None else page.structure.looked,
        list(page.pointers),
    )


def _facts(page: Page, node_id: int) -> tuple[str, dict[str, str], str]:
    """Return a node's tag, what detectors may read of its attributes, and its text for labels."""
    element = page.elements.get(node_id)
    if element is not None:
        text = element.text if element.tag == TEXT_TAG else ""
        return element.tag, detection_attributes(element.attributes) if element.attributes else {}, text
    node = page.nodes[node_id]
    if isinstance(node, ElementNode):
        return node.tag_name, detection_attributes(node.attributes) if node.attributes else {}, ""
    return tag_of(node), {}, label_text(node.text_content) if isinstance(node, TextNode) else ""


def restore_page(state: PageState, policy: Policy) -> Page:
    """Make the page that `state` describes."""
    page = Page(policy)
    page.url, page.known, page.scroll_x, page.scroll_y = state.url, state.known, state.scroll_x, state.scroll_y
    if page.echo is not None:
        page.echo.state = state.echo
    page.masker = page.masker_of(Level(state.level))
    page.bits = dict(state.bits)
    page.reviews = state.reviews
    page.doubtful, page.loaded = state.doubtful, state.loaded
    page.forgotten_id = state.forgotten_id
    page.memory = state.memory.copy()
    page.told = state.told.copy()
    page.pointers = dict.fromkeys(state.pointers)
    if page.structure is not None:
        page.structure.restore(state.structure)
        page.structure.looked = state.looked
    page.aside = {node_id: (state.tag_names[tag], sticking) for node_id, tag, sticking in state.aside}
    rows: list[Element] = []
    node_id = 0
    for row, (step, back, tag, flags) in enumerate(zip(state.ids, state.parents, state.tags, state.flags, strict=True)):
        node_id += step
        parent = rows[row - back] if back else None
        element = Element(node_id, state.tag_names[tag], {}, parent, "", flags)
        rows.append(element)
        page.elements[node_id] = element
        page.parents[node_id] = NO_PARENT if parent is None else parent.node_id  # type: ignore[assignment]
        if parent is not None:
            page.children.setdefault(parent.node_id, {})[node_id] = None  # type: ignore[arg-type]  # integer ids
    for row, numbers in state.attributes:
        pairs = [state.words[number] for number in numbers]
        rows[row].attributes = dict(zip(pairs[::2], pairs[1::2], strict=True))
    for row, text in state.texts:
        rows[row].text = text
    return page
