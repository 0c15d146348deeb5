"""Recorded sessions that are shipped with the engine, for the demo, the benchmark and first steps."""

from pathlib import Path
from typing import Final

SAMPLES_FOLDER: Final = Path(__file__).parent
"""Where the recordings are: one session a file, JSON lines of batch envelopes compressed with zstd."""
