"""What all interactions have: when they came, and on which page.

Interactions and records are dataclasses and no msgspec Structs, since they are compiled (`pyproject.toml` lists the
modules), and write out their `__init__`: one that is generated is not compiled, and takes five times as long.
"""

from dataclasses import dataclass


@dataclass(init=False, slots=True)
class At:
    """Something at `t` (epoch ms; it never falls within a window) on `page` (masked URL)."""

    t: int
    page: str

    def __init__(self, t: int, page: str) -> None:
        self.t = t
        self.page = page
