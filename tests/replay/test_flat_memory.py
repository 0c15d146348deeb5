"""Streaming large bundles to several clients at once takes no more memory than streaming small ones."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks/delivery.py"

MEGABYTES = 24
ALLOWED_MB = 40
"""What four streams may hold by design: a read and what is made of it each. Holding bundles would take 96 and more."""


def test_memory_does_not_grow_with_the_bundle() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "memory", "--mb", str(MEGABYTES)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)["memory"]
    for encoding in ("identity", "zstd", "gzip"):
        assert measured[encoding]["grown_mb"] < ALLOWED_MB
        assert measured[encoding]["sent_mb_each"] == measured[encoding]["sent_mb_each_least"]
    assert measured["identity"]["sent_mb_each"] > MEGABYTES
