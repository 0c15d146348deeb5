"""How much of real pages is kept: the shares of visible words and of elements that masked recordings still have.

`python -m tests.privacy.utility [FOLDER]` measures recordings as `wince process` reads them, those that come with Wince
if no folder is named; the numbers are in `docs/privacy.md`.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from engine.input.files import read_batches
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
        settings = Settings(privacy=PrivacySettings(level=level))
        lines = [message.value for message in read_batches([str(file)], settings.limits, print)]
        attack = Attack(settings).send(*lines).finish()
        batches = [msgspec.json.decode(line) for line in lines]
        # Resends are published once.
        for batch in {(each["session_id"], each["window_id"], each["seq"]): each for each in batches}.values():
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


def recordings(folder: Path) -> list[Path]:
    """Return the files of recordings in a folder and the folders in it."""
    return sorted(file for file in folder.rglob("*") if file.name.endswith((".jsonl", ".jsonl.zst", ".json.zst")))


def report(folder: Path) -> None:
    """Print one line a level."""
    files = recordings(folder)
    for level in LEVELS:
        shares = measure(level, files)
        sys.stdout.write(
            f"{level:13} words {shares.words:.1f} %  elements {shares.elements:.1f} %  events {shares.events:.1f} %\n"
        )


def main() -> None:
    """Measure the folder that is named, or the samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES, help="recordings (those shipped)")
    report(parser.parse_args().folder)


if __name__ == "__main__":
    main()
