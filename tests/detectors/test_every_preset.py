"""What holds for the detectors of all vendors' presets, whatever the tape."""

from dataclasses import replace
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detectors.interactions import (
    AuxClick,
    Click,
    DoubleClick,
    Input,
    Interaction,
    MouseMove,
    Navigation,
    RequestEnd,
    RequestStart,
    Scroll,
    TouchEnd,
    TouchStart,
)
from detectors.presets.amplitude_options import AmplitudeSettings, ErrorClicks, ThrashedCursor
from detectors.protocol import Finding
from detectors.settings import DetectorSettings, PresetName
from tests.detectors.promises import (
    FOREIGN_STATES,
    a_foreign_state_is_refused,
    looking_at_the_clock_changes_nothing,
    resuming_is_invisible,
    the_end_comes_once,
)
from tests.detectors.tape import (
    BUTTON,
    DOCUMENT,
    FIELD,
    OTHER,
    PAGE,
    STATIC,
    Player,
    change,
    click,
    clicks,
    failure,
    in_order,
    mutation,
    verdict,
)
from tests.detectors.test_every_detector import tapes

PRESETS: tuple[PresetName, ...] = tuple(name for name in get_args(PresetName) if name != "wince")
EVERYTHING = AmplitudeSettings(error_clicks=ErrorClicks(enabled=True), thrashed_cursor=ThrashedCursor(enabled=True))
VENDORS_OWN = {
    "amplitude": {"rage_click", "dead_click", "error_click", "thrashed_cursor"},
    "datadog": {"rage_click", "dead_click", "error_click", "js_error"},
    "posthog": {"rage_click", "dead_click", "dead_swipe", "js_error"},
    "sentry": {"slow_click", "multi_click", "dead_click", "rage_click", "js_error"},
    "highlight": {"rage_click", "js_error"},
    "openreplay": {"rage_click", "dead_click", "thrashed_cursor", "js_error"},
    "mixpanel": {"rage_click", "dead_click"},
    "newrelic": {"rage_click", "dead_click", "error_click"},
    "splunk": {"rage_click", "dead_click", "error_click", "thrashed_cursor"},
}


def only(name: PresetName) -> DetectorSettings:
    return DetectorSettings(preset=name, amplitude=EVERYTHING)


def shake(t: int, moves: int = 40) -> list[Interaction]:
    return [MouseMove(t + 40 * i, PAGE, ((t + 40 * i, 300.0 + 60 * (i % 2), 200.0),)) for i in range(moves)]


def jerk(t: int) -> list[Interaction]:
    """A cursor that drifts, then is suddenly shaken, on OpenReplay's beat of 225 ms."""
    slow = [MouseMove(t + i, PAGE, ((t + i, float(i) / 10, 0.0),)) for i in range(0, 225, 25)]
    fast = [MouseMove(t + 225 + i, PAGE, ((t + 225 + i, 100.0 + 200 * (i // 20 % 2), 0.0),)) for i in range(0, 440, 20)]
    return [*slow, *fast]


def swipe(t: int) -> list[Interaction]:
    place = (PAGE, STATIC)
    return [TouchStart(t, *place, 200, 200, 200, 200), TouchEnd(t + 100, *place, 100, 200, 100, 200)]


@st.composite
def richer_tapes(draw: st.DrawFn) -> list[Interaction]:
    """Draw tapes with what only vendors' rules look at on top."""
    tape = draw(tapes())
    start = tape[0].t
    extra: list[Interaction] = []
    for _ in range(draw(st.integers(0, 6))):
        t = start + draw(st.sampled_from([0, 50, 100, 300, 999, 1_000, 1_234, 2_500, 3_000, 7_000]))
        extra += draw(
            st.sampled_from(
                [
                    [AuxClick(t, PAGE, BUTTON, 5, 5, 5, 5, 2, (), t, t)],
                    [DoubleClick(t, PAGE, BUTTON, 5, 5, 5, 5)],
                    [RequestStart(t, PAGE, "https://shop.example/a", "1")],
                    [RequestEnd(t, PAGE, t - 50, "https://shop.example/a", "1", 200)],
                    shake(t, 10),
                    swipe(t),
                ]
            )
        )
    return in_order(tape, extra)


def incidents(t: int) -> list[Interaction]:
    """Something that each vendor's rules find something in."""
    burst = clicks(range(t, t + 900, 100))
    failing = [*click(t + 20_000, OTHER), failure(t + 20_010)]
    answered = in_order(clicks([t + 40_000, t + 40_200]), [mutation(t + 40_010)])
    return [*burst, *failing, *answered, *swipe(t + 60_000), *shake(t + 80_000), *jerk(t + 90_000)]


@pytest.mark.parametrize("name", PRESETS)
class TestEveryPreset:
    @given(tape=richer_tapes())
    @hypothesis_settings(max_examples=60)
    def test_looking_at_the_clock_in_between_changes_nothing(self, name: PresetName, tape: list[Interaction]) -> None:
        looking_at_the_clock_changes_nothing(only(name), tape)

    @given(tape=richer_tapes(), places=st.lists(st.integers(0, 60), max_size=5))
    @hypothesis_settings(max_examples=60)
    def test_resuming_from_a_snapshot_is_invisible(
        self, name: PresetName, tape: list[Interaction], places: list[int]
    ) -> None:
        resuming_is_invisible(only(name), tape, places)

    @given(tape=richer_tapes())
    @hypothesis_settings(max_examples=30)
    def test_it_says_the_same_alone_and_in_company(self, name: PresetName, tape: list[Interaction]) -> None:
        company = DetectorSettings(presets=get_args(PresetName), amplitude=EVERYTHING)
        own = [finding for finding in verdict(tape, company) if finding.rule.startswith(f"{name}/")]
        assert own == verdict(tape, only(name))

    @given(tape=richer_tapes())
    @hypothesis_settings(max_examples=30)
    def test_ending_twice_says_nothing_new_and_nothing_waits(self, name: PresetName, tape: list[Interaction]) -> None:
        the_end_comes_once(only(name), tape)

    @given(tape=richer_tapes())
    @hypothesis_settings(max_examples=30)
    def test_findings_are_well_formed_and_never_change(self, name: PresetName, tape: list[Interaction]) -> None:
        told: list[bytes] = []
        player = Player(only(name))
        report = player.findings.append
        player.findings = findings = _Recorder(told)
        assert report is not findings.append
        player.detectors = player._made()
        player.play(tape).advance(tape[-1].t + 10_000)
        player.finish()
        for finding, encoded in zip(findings, told, strict=True):
            assert finding.rule == f"{name}/{finding.detector}@1"
            assert finding.detector in VENDORS_OWN[name]
            assert tape[0].t - 120 <= finding.t <= finding.end_t <= tape[-1].t + 10_000
            assert msgspec.json.decode(encoded, type=Finding) == finding

    def test_a_calm_visit_raises_nothing(self, name: PresetName) -> None:
        """A visit whose clicks are answered at once, after their press and before anything else."""
        answered = [interaction for t in (5_000, 13_000, 21_000) for interaction in [*click(t), mutation(t + 1)]]
        visit = in_order(
            [Navigation(1_000, PAGE, "load"), mutation(1_200)],
            answered,
            [Input(14_000 + 150 * key, PAGE, FIELD) for key in range(1, 30)],
            [Scroll(24_000, PAGE, DOCUMENT, 0, 50)],
            [*click(30_000, OTHER), mutation(30_020), Navigation(30_400, PAGE, "load")],
        )
        assert verdict(visit, only(name)) == []

    def test_it_finds_what_is_there(self, name: PresetName) -> None:
        found = {finding.detector for finding in verdict(incidents(1_000_000), only(name), lived_on_ms=20_000)}
        assert found == VENDORS_OWN[name]

    def test_names_are_unique_so_that_states_can_be_kept_by_name(self, name: PresetName) -> None:
        names = [detector.name for detector in Player(only(name)).detectors]
        assert len(set(names)) == len(names)
        assert all(own.startswith(f"{name}/") for own in names if own != "opt_out")

    @pytest.mark.parametrize("state", FOREIGN_STATES)
    def test_a_foreign_state_is_refused_and_harms_nothing(self, name: PresetName, state: bytes) -> None:
        a_foreign_state_is_refused(only(name), state)

    def test_a_flood_does_not_grow_the_state(self, name: PresetName) -> None:
        player = Player(only(name))
        for number in range(3_000):
            t = 1_000_000 + number
            spot = BUTTON if number % 7 else replace(OTHER, node_id=10_000 + number)
            player.play(click(t, spot, hold=0))
            player.play([mutation(t, change("attribute", 10_000 + number, 330, 3, name=f"data-{number}"))])
            player.play([RequestStart(t, PAGE, f"https://shop.example/{number}", str(number))])
            player.play([Scroll(t, PAGE, DOCUMENT, 0, number), Input(t, PAGE, FIELD), *shake(t, 1)])
            player.play([failure(t, "error", f"boom {number}", f"f{number}@https://shop.example/a.js:1:1")])
        for detector in player.detectors:
            assert len(detector.snapshot()) < 40_000

    @pytest.mark.parametrize("kind", [Click, AuxClick, DoubleClick, TouchStart, TouchEnd])
    def test_targets_that_the_recording_does_not_know_are_survived(self, name: PresetName, kind: type) -> None:
        assert verdict([kind(t, PAGE, None) for t in range(1_000, 2_000, 100)], only(name)) == []


class _Recorder(list[Finding]):
    """Encodes findings as they come: later changes of what they hold would show."""

    def __init__(self, told: list[bytes]) -> None:
        super().__init__()
        self._told = told

    def append(self, finding: Finding) -> None:
        self._told.append(msgspec.json.encode(finding))
        super().append(finding)


def test_all_presets_are_held_to_this() -> None:
    assert set(PRESETS) == set(VENDORS_OWN)


@pytest.mark.parametrize("name", ["datadog", "newrelic", "splunk"])
@pytest.mark.parametrize(("start_ms", "dead"), [(50, False), (-300, True)])
def test_requests_told_when_they_end_count_from_their_start(name: PresetName, start_ms: int, *, dead: bool) -> None:
    """As rrweb's recordings tell them."""
    end = RequestEnd(1_000_090, PAGE, 1_000_000 + start_ms, "https://shop.example/a", "", 200)
    found = verdict([Navigation(900_000, PAGE, "load"), *click(1_000_000, hold=0), end], only(name))
    assert [finding.detector for finding in found] == (["dead_click"] if dead else [])
