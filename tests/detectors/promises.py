"""What holds for every detector, whoever's rules it follows: checked on a tape and the settings that choose it."""

from collections.abc import Collection, Sequence
from operator import attrgetter

import msgspec
import pytest

from detectors.interactions import Interaction
from detectors.settings import DetectorSettings
from tests.detectors.tape import Player, clicks, verdict

FOREIGN_STATES = [b"", b"\xc1", b"\x93\x01\x02\x03", b"\xa5hello"]


def looking_at_the_clock_changes_nothing(settings: DetectorSettings, tape: Sequence[Interaction]) -> None:
    """See that detectors may be told the time as often as one likes; each is told on its own, so its findings count."""
    player = Player(settings)
    previous = tape[0].t
    for interaction in tape:
        for t in (previous, (previous + interaction.t) // 2, interaction.t):
            for detector in player.detectors:
                detector.advance(t)
        player.play([interaction])
        previous = interaction.t
    player.advance(tape[-1].t + 10_000)
    found, expected = player.finish().findings, verdict(tape, settings)
    assert sorted(found, key=attrgetter("rule")) == sorted(expected, key=attrgetter("rule"))


def resuming_is_invisible(settings: DetectorSettings, tape: Sequence[Interaction], places: Collection[int]) -> None:
    """See that detectors go on from their snapshots, taken at these places of the tape, as if nothing had been."""
    player = Player(settings)
    for position, interaction in enumerate(tape):
        if position in places:
            deadlines = [detector.deadline for detector in player.detectors]
            player.resume()
            assert [detector.deadline for detector in player.detectors] == deadlines
        player.play([interaction])
    player.resume().advance(tape[-1].t + 10_000)
    assert player.finish().findings == verdict(tape, settings)


def the_end_comes_once(settings: DetectorSettings, tape: Sequence[Interaction]) -> None:
    """See that nothing waits after the end, and that a second end says nothing new."""
    player = Player(settings).play(tape).finish()
    before = list(player.findings)
    assert all(detector.deadline is None for detector in player.detectors)
    assert player.finish().findings == before


def a_foreign_state_is_refused(settings: DetectorSettings, state: bytes) -> None:
    """See that a state of something else harms nothing."""
    player = Player(settings).play(clicks([1_000, 1_200, 1_400, 1_600]))
    before = player.snapshots()
    for detector in player.detectors:
        with pytest.raises(msgspec.ValidationError):
            detector.restore(msgspec.Raw(state))
    assert player.snapshots() == before
