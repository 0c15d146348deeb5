"""The Markdown documents of the repository, taken apart: fenced blocks, code spans, links, headings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]

_FENCE: Final = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_DOCUMENTS: Final = ("*.md", "docs/**/*.md", "engine/**/*.md", "replay/**/*.md", "schemas/**/*.md", "tests/**/*.md")


class Block(NamedTuple):
    """A fenced block: its language, the word after it that says how it is tested, its text, and where it stands."""

    language: str
    mark: str
    text: str
    place: str


def documents() -> list[Path]:
    """Return every document of ours; what is vendored, or a tool fetched, has links of its own."""
    found = {path for pattern in _DOCUMENTS for path in ROOT.glob(pattern)}
    return sorted(path for path in found if not {"vendor", "node_modules"} & set(path.parts))


def name(path: Path) -> str:
    """Return a document's name, for messages."""
    return str(path.relative_to(ROOT))


def blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a document."""
    text = path.read_text("utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, _, mark = match[1].partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(language, mark, match[2], f"{name(path)}:{line}"))
    return found


def all_blocks(language: str, mark: str | None = None) -> list[Block]:
    """Return the blocks of all documents in one language, and with one mark if it is given."""
    found = [block for path in documents() for block in blocks(path) if block.language == language]
    return [block for block in found if mark is None or block.mark == mark]


def spans(path: Path) -> list[str]:
    """Return the code spans of a document outside its blocks."""
    return _SPAN.findall(_FENCE.sub("", path.read_text("utf-8")))


def links(path: Path) -> list[str]:
    """Return the targets of a document's links and pictures."""
    return _LINK.findall(_FENCE.sub("", path.read_text("utf-8")))


def anchors(path: Path) -> set[str]:
    """Return the anchors that a document's headings get, as code hosts make them."""
    headings = _HEADING.findall(_FENCE.sub("", path.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(block: Block) -> Iterator[str]:
    """Yield the command lines of a console block."""
    for line in block.text.splitlines():
        if line.startswith("$ "):
            yield line.removeprefix("$ ")
