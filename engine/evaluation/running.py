"""Runs recordings through the core, as any other input, and keeps what it finds."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from detectors.settings import PresetName
from engine.core.arrival import ArrivalClock
from engine.core.core import Core
from engine.evaluation.labels import LabelsError
from engine.input.files import Problem, read_batches
from engine.settings import Settings
from schemas.signals import Signal

POLL_MESSAGES: Final = 200
"""Messages fed between two looks at what was found."""

Advance = Callable[[int], None]
"""Called with the bytes read so far."""


def with_preset(settings: Settings, preset: PresetName) -> Settings:
    """Let all projects be judged by one preset, and keep all else."""
    projects = {
        name: replace(project, detectors=replace(project.detectors, preset=preset, presets=()))
        for name, project in settings.projects.items()
    }
    return replace(settings, detectors=replace(settings.detectors, preset=preset, presets=()), projects=projects)


def find_signals(
    files: Sequence[Path], settings: Settings, advance: Advance = lambda _read_bytes: None
) -> Mapping[str, list[Signal]]:
    """Give the signals of all recordings by session id, as if they had just been recorded.

    Raises LabelsError if something of them can't be read: numbers about half a corpus would be wrong.
    """
    found: dict[str, dict[str, Signal]] = defaultdict(dict)
    core, clock = Core(settings), ArrivalClock()

    def take() -> None:
        for effects in core.take():
            found[effects.session_id].update({signal.id: signal for signal in effects.signals})

    def read(read_bytes: int, _total_bytes: int | None) -> None:
        advance(read_bytes)

    for message in read_batches(files, settings.limits, _refuse, read):
        batch = core.open(message.value, message.encoding, message.source, message.position)
        if batch is None:
            raise LabelsError(f"{message.source}:{message.line}: can't be read")
        now_ms = clock.saw(batch.envelope.sent_at, batch.envelope.session_id)
        core.tick(now_ms)
        core.feed(batch, message.position, clock.arrival_of(batch.envelope.sent_at))
        if message.position % POLL_MESSAGES == 0:
            take()
    core.finish()
    take()
    return {
        session_id: sorted(signals.values(), key=lambda signal: (signal.t, signal.id))
        for session_id, signals in found.items()
    }


def _refuse(problem: Problem) -> None:
    raise LabelsError(f"{problem.source}:{problem.line}: {problem.reason.explanation}")
