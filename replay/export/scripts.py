"""Modules of the front end in one inline script, whose hash a policy can name."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from replay.viewer.static import ASSETS_FOLDER

_OWN: Final = Path(__file__).parent / "assets"

_IMPORT: Final = re.compile(r"^import\b", re.MULTILINE)
_LIST: Final = re.compile(r"export\s*\{([^{}]*)\};?\s*\Z")
_NAMED: Final = re.compile(r"^export (?=(?:class|const|function) (\w+))", re.MULTILINE)
_WORD: Final = re.compile(r"\w+")


def inline_module(text: str) -> str:
    """Make statements of a module: a constant for each name it exports, and everything else out of sight.

    Raises ValueError for a module that imports, or exports in a way that is not expected: no parser is at hand, and
    none is needed for files of our own.
    """
    if _IMPORT.search(text):
        raise ValueError("a module that imports others cannot stand alone")
    listed = _LIST.search(text)
    if listed is not None:
        pairs = [_WORD.findall(item) for item in listed.group(1).split(",")]
        names = [(pair[-1], pair[0]) for pair in pairs]
        text = text[: listed.start()]
    else:
        names = [(name, name) for name in _NAMED.findall(text)]
        text = _NAMED.sub("", text)
    if not names or "export" in _first_words(text):
        raise ValueError("a module exports its names in one list at its end, or one by one")
    given = ", ".join(f"{outside}: {inside}" for outside, inside in names)
    return f"const {{ {', '.join(name for name, _ in names)} }} = (() => {{\n{text}\nreturn {{ {given} }};\n}})();\n"


def _first_words(text: str) -> set[str]:
    return {line.split(" ", 1)[0].split("{", 1)[0] for line in text.splitlines()}


@cache
def player_script() -> str:
    """Return the script of an exported file: rrweb's replayer, what cleans events before it, and what plays them."""
    parts = [
        inline_module((ASSETS_FOLDER / "vendor" / "rrweb" / "replayer.js").read_text(encoding="utf-8")),
        inline_module((ASSETS_FOLDER / "frame" / "clean.js").read_text(encoding="utf-8")),
        (_OWN / "export.js").read_text(encoding="utf-8"),
    ]
    return _unbreakable("".join(parts), "script")


@cache
def player_style() -> str:
    """Return the style sheet of an exported file."""
    parts = [
        (ASSETS_FOLDER / "vendor" / "rrweb" / "replayer.css").read_text(encoding="utf-8"),
        (_OWN / "export.css").read_text(encoding="utf-8"),
    ]
    return _unbreakable("\n".join(parts), "style")


def _unbreakable(text: str, tag: str) -> str:
    """Return a text that can stand in an element of this tag. Raises ValueError if it would end it, or a comment."""
    lower = text.lower()
    if f"</{tag}" in lower or "<!--" in lower:
        raise ValueError(f"a {tag} of ours may not hold what ends it")
    return text


def script_hash(script: str) -> str:
    """Return the source expression by which a policy allows an inline script: `sha256-...`."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
