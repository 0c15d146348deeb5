"""How much of real pages is kept: the shares of visible words and of elements that masked recordings still have.

`python -m tests.privacy.utility` measures the samples that come with Wince; the numbers are in `docs/privacy.md`.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zstandard

from engine.settings import PrivacySettings, Settings
from tests.engine.attack import Attack
from tests.privacy.canaries import LEVELS, Level

SAMPLES = Path(__file__).parents[2] / "engine" / "samples"
NEVER_SEEN = frozenset({"script", "noscript", "style", "template"})
FIELDS = frozenset({"textarea", "option", "output", "datalist"})


class Shares(NamedTuple):
    """Shares in percent of what was sent: words of page text outside fields, elements, events."""

    words: float
    elements: float
    events: float


def measure(level: Level, files: Iterable[Path]) -> Shares:
    """Mask recordings and compare what is sent with what is published."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for file in files:
        text = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()
        lines = text.splitlines()
        attack = Attack(Settings(privacy=PrivacySettings(level=level))).send(*lines).finish()
        batches = [msgspec.json.decode(line) for line in lines]
        # Resends are published once.
        for batch in {(batch["window_id"], batch["seq"]): batch for batch in batches}.values():
            for event in batch["events"]:
                _count(event, before)
        for event in attack.published():
            _count(event, after)
    words = [name for name in before if name.startswith("word ")]
    kept = sum(min(before[word], after[word]) for word in words)
    return Shares(
        100 * kept / sum(before[word] for word in words),
        100 * after["elements"] / before["elements"],
        100 * after["events"] / before["events"],
    )


def _count(event: dict[str, Any], counts: Counter[str]) -> None:
    counts["events"] += 1
    data = event.get("data")
    if not isinstance(data, dict):
        return
    for node in [data.get("node"), *(addition["node"] for addition in data.get("adds") or () if "node" in addition)]:
        for tag, content in _within(node, ""):
            if tag:
                counts["elements"] += 1
            counts.update(f"word {word}" for word in content.split())


def _within(node: Any, parent: str) -> Iterator[tuple[str, str]]:
    """Yield tags of elements (and no text) and texts that are seen (and no tag)."""
    if not isinstance(node, dict):
        return
    tag = str(node.get("tagName", "")).lower()
    if tag:
        yield tag, ""
    elif node.get("type") == 3 and parent not in NEVER_SEEN | FIELDS:
        yield "", str(node.get("textContent", ""))
    for child in node.get("childNodes", ()):
        yield from _within(child, tag)


def main() -> None:
    """Print one line a level."""
    files = sorted(SAMPLES.glob("*.jsonl.zst"))
    for level in LEVELS:
        shares = measure(level, files)
        sys.stdout.write(
            f"{level:13} words {shares.words:.1f} %  elements {shares.elements:.1f} %  events {shares.events:.1f} %\n"
        )


if __name__ == "__main__":
    main()
