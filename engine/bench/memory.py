"""What an open session costs while nothing happens in it."""

import gc
import tracemalloc
from itertools import islice
from typing import Final

from engine.bench.load import Load
from engine.bench.whole import run_core, without_known_pages
from engine.core.core import Core
from engine.settings import Settings

BATCHES: Final = 3_000


def measure_memory(load: Load, settings: Settings) -> tuple[int, float]:
    """Return how many open sessions were held and how many bytes each took, all of them idle.

    What all sessions share (known pages, decisions about values) is left out.
    """
    settings = without_known_pages(settings)
    part = Load(load.name, list(islice(load.batches, BATCHES)), 0, 0)
    run_core(Core(settings), part, after_poll=lambda: None)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    core = Core(settings)
    run_core(core, part, after_poll=lambda: None)
    core.cool()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return core.open_sessions, (after - before) / max(core.open_sessions, 1)
