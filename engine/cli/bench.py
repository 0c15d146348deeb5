"""`wince bench`: how fast the core is on this machine, as ratios to limits measured beside it."""

import argparse
import sys
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from engine.bench.limits import measure_limits
from engine.bench.load import Load, file_load, sample_load, without_large_events
from engine.bench.memory import measure_memory
from engine.bench.stages import masking_rate, measure_stages
from engine.bench.timing import Rate
from engine.bench.whole import TURNS, measure_core, measure_detectors, without_known_pages
from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.compiled import is_compiled
from engine.errors import Poison
from engine.settings import Settings

TARGET_MB_PER_S: Final = 40.0
TARGET_MASKING: Final = 2.0
"""Masking takes at most so many times what orjson takes to decode and encode the same bytes."""
TARGET_EVENTS_PER_S: Final = 80_000.0
TARGET_DETECTORS_US: Final = 3.0
TARGET_IDLE_SESSION_BYTES: Final = 8_192
DEFAULT_MB: Final = 200


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "bench",
        help="measure the speed and memory of the core",
        description="Measure the whole core (decode, order, mask, mirror, detect, compress; no Redis) in one process, "
        "per stage and as a whole, beside what the same bytes cost at least.",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="batches to use; by default shipped samples, repeated"
    )
    parser.add_argument("--mb", type=float, default=DEFAULT_MB, help=f"use at most this many MB of JSON ({DEFAULT_MB})")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Measure and print; exit status 2 if the file can't be used."""
    settings = load_chosen_settings(args)
    try:
        load = _load(args.file, int(args.mb * 1e6), settings)
    except (OSError, Poison) as error:
        print(f"wince: {args.file}: {error}", file=sys.stderr)
        return 2
    if not load.events:
        print("wince: no events to measure", file=sys.stderr)
        return 2
    loads = [load, without_large_events(load)]
    with Console(stderr=True, quiet=args.json).status("measuring"):
        measured = [_measure(each, settings) for each in loads]
        sessions, idle_bytes = measure_memory(load, settings)
    if args.json:
        _print_json(loads, measured, idle_bytes)
    else:
        _print_tables(loads, measured, f"Idle open session: {idle_bytes:,.0f} bytes, mean of {sessions}")
    return 0


def _load(file: Path | None, max_bytes: int, settings: Settings) -> Load:
    return sample_load(max_bytes) if file is None else file_load(file, max_bytes, settings.limits)


Measured = dict[str, dict[str, Rate]]


def _measure(load: Load, settings: Settings) -> Measured:
    core, bare = measure_detectors(load, settings)
    return {
        "limits": measure_limits(load),
        "core": {
            "core": core,
            "core, every page new": measure_core(load, without_known_pages(settings)),
            "core, no detectors": bare,
        },
        "stages": _least([measure_stages(load, settings) for _ in range(TURNS)]),
    }


def _least(turns: list[dict[str, Rate]]) -> dict[str, Rate]:
    return {name: min((turn[name] for turn in turns), key=lambda rate: rate.seconds) for name in turns[0]}


def _print_tables(loads: list[Load], measured: list[Measured], memory: str) -> None:
    console = Console()
    for load, parts in zip(loads, measured, strict=True):
        console.print(_table(load, parts))
    console.print("Detectors are compiled" if is_compiled() else "Detectors are not compiled")
    whole, small = (parts["core"]["core"] for parts in measured)
    console.print(f"Whole core: {whole.mb_per_s:.1f} MB/s (target {TARGET_MB_PER_S:g})")
    console.print(f"Without large events: {small.events_per_s:,.0f} events/s (target {TARGET_EVENTS_PER_S:,.0f})")
    own = [parts["stages"]["detect"].us_per_event for parts in measured]
    console.print(
        f"Detectors: {own[0]:.1f} us/event, {own[1]:.1f} without large events (target {TARGET_DETECTORS_US:g}); "
        f"with all they need {_detectors_us(measured[0]):.1f} and {_detectors_us(measured[1]):.1f}"
    )
    alone, whole_way = _masking(measured[0])
    console.print(
        f"Masking: {alone:.2f} times orjson both ways (target {TARGET_MASKING:g}); {whole_way:.2f} with codecs"
    )
    console.print(f"{memory} (target {TARGET_IDLE_SESSION_BYTES:,})")


def _detectors_us(parts: Measured) -> float:
    """Tell what detectors add to an event: being told of it, what they push out of caches, and signals included."""
    rates = parts["core"]
    return rates["core"].us_per_event - rates["core, no detectors"].us_per_event


def _masking(parts: Measured) -> tuple[float, float]:
    """Compare masking, and masking with the decoding and encoding it needs, with orjson both ways."""
    stages, limit = parts["stages"], parts["limits"]["orjson_both_ways"].seconds
    return stages["mask and mirror"].seconds / limit, masking_rate(stages).seconds / limit


def _rows(parts: Measured) -> list[tuple[str, str, Rate]]:
    return [(group, name, rate) for group, rates in parts.items() for name, rate in rates.items()]


def _table(load: Load, parts: Measured) -> Table:
    title = f"{load.name}: {load.size_bytes / 1e6:.1f} MB, {load.events:,} events, {len(load.batches):,} batches"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("MB/s", "events/s", "us/event", *parts["limits"]):
        table.add_column(name.replace("_", " "), justify="right")
    for group, name, rate in _rows(parts):
        label = name.replace("_", " ") if group != "stages" else f"  {name}"
        ratios = [f"{rate.seconds / limit.seconds:.2f} x" for limit in parts["limits"].values()]
        table.add_row(label, f"{rate.mb_per_s:.1f}", f"{rate.events_per_s:,.0f}", f"{rate.us_per_event:.2f}", *ratios)
    return table


def _print_json(loads: list[Load], measured: list[Measured], idle_bytes: float) -> None:
    result = [
        {
            "load": load.name,
            "size_bytes": load.size_bytes,
            "events": load.events,
            "rates": {
                name: {"mb_per_s": rate.mb_per_s, "events_per_s": rate.events_per_s, "us_per_event": rate.us_per_event}
                for _, name, rate in _rows(parts)
            },
            "detectors_us_per_event": _detectors_us(parts),
            "masking_to_orjson": _masking(parts)[0],
            "masking_with_codecs_to_orjson": _masking(parts)[1],
            "core_to_limit": {
                name: parts["core"]["core"].seconds / limit.seconds for name, limit in parts["limits"].items()
            },
        }
        for load, parts in zip(loads, measured, strict=True)
    ]
    whole = {"loads": result, "idle_session_bytes": idle_bytes, "compiled": is_compiled()}
    print(msgspec.json.encode(whole).decode())
