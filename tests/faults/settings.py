"""The settings file of the workers on trial: no clock of theirs decides over the outcome."""

from collections.abc import Mapping
from pathlib import Path

from tests.faults.load import MAX_HELD_BATCHES

Tables = Mapping[str, Mapping[str, str | int]]

NEVER = "1d"
"""Longer than any trial: what ends and what is late is told by the load alone."""

JUDGING: Tables = {
    "order": {"gap_wait": NEVER, "max_held_batches": MAX_HELD_BATCHES},
    "session": {"idle_timeout": NEVER, "grace": NEVER},
}


def write_settings(path: Path, tables: Tables) -> Path:
    """Write tables as TOML, those that decide over the outcome added; gives the path."""
    text = ""
    for name, table in {**JUDGING, **tables}.items():
        text += f"[{name}]\n"
        text += "".join(
            f"{key} = {value if isinstance(value, int) else quoted(value)}\n" for key, value in table.items()
        )
    path.write_text(text)
    return path


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
