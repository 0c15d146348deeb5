"""Recorded sessions that are shipped with the engine, for the demo, the benchmark and first steps."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def sample_files() -> list[Traversable]:
    """List the recordings, one session each: JSON lines of batch envelopes, compressed with zstd."""
    folder = files("engine.samples")
    return sorted((item for item in folder.iterdir() if item.name.endswith(".jsonl.zst")), key=lambda item: item.name)
