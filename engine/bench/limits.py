"""What the same bytes cost at the very least: limits to hold the core against."""

from collections.abc import Callable

import msgspec
import orjson
import zstandard

from engine.bench.load import Load
from engine.bench.timing import Rate, Stopwatch
from engine.runtime.collecting import collector_by_plan
from schemas.envelope import Envelope


def measure_limits(load: Load) -> dict[str, Rate]:
    """Time header-only decoding, full parsing, the same with encoding again, and compression; results are dropped."""
    compress = zstandard.ZstdCompressor(level=1).compress
    header = msgspec.json.Decoder(Envelope).decode
    return {
        "header_decode": _rate(load, header),
        "full_orjson_decode": _rate(load, orjson.loads),
        "orjson_both_ways": _rate(load, _both_ways),
        "zstd_level_1": _rate(load, compress),
    }


def _both_ways(batch: bytes) -> bytes:
    return orjson.dumps(orjson.loads(batch))


def _rate(load: Load, work: Callable[[bytes], object]) -> Rate:
    watch = Stopwatch()
    with collector_by_plan(), watch.stage("all"):
        for batch in load.batches:
            work(batch)
    return Rate(watch.seconds["all"], load.events, load.size_bytes)
