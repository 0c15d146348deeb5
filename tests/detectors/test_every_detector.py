"""What holds for all detectors, whatever the tape."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detectors.interactions import (
    AuxClick,
    CanvasChange,
    Click,
    ElementFocus,
    Failure,
    Input,
    Interaction,
    KeyDown,
    Media,
    MouseMove,
    Navigation,
    PageExit,
    PageShown,
    Press,
    Release,
    RequestEnd,
    Scroll,
    Selection,
    StyleChange,
    Visibility,
    WindowFocus,
    WindowOpen,
)
from detectors.machine import Machine
from detectors.protocol import Finding
from detectors.registry import RULES
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
    EMAIL,
    FIELD,
    GRIEVANCES,
    HOME,
    ITEM,
    LIST,
    NAME,
    ONLY,
    OTHER,
    PAGE,
    SEND,
    STATIC,
    Player,
    at_later_time,
    change,
    click,
    clicks,
    failure,
    in_order,
    mutation,
    verdict,
)

TARGETS = st.sampled_from([BUTTON, OTHER, STATIC, FIELD, EMAIL, SEND, HOME, None])
MAKERS: list[Callable[[int], Interaction]] = [
    lambda t: Input(t, PAGE, FIELD),
    lambda t: Input(t, PAGE, EMAIL),
    lambda t: Input(t, PAGE, NAME),
    lambda t: Input(t, PAGE, EMAIL, by_visitor=False),
    lambda t: ElementFocus(t, PAGE, EMAIL),
    lambda t: ElementFocus(t, PAGE, NAME),
    lambda t: KeyDown(t, PAGE, EMAIL),
    lambda t: PageShown(t, LIST),
    lambda t: PageShown(t, ITEM),
    lambda t: Navigation(t, LIST, "pop"),
    lambda t: Navigation(t, ITEM, "push"),
    lambda t: MouseMove(t, PAGE, ((t - 40, 300, 100), (t - 20, 400, 100), (t, 300, 100))),
    lambda t: RequestEnd(t, PAGE, t - 4_000, "https://shop.example/api", "", 200),
    lambda t: mutation(t, change("attribute", 401, 405, 400, 3, name="class")),
    lambda t: mutation(t, change("add", 499, 405, 400, 3, name="p", text=True)),
    lambda t: mutation(t, change("remove", 400, 3, name="form")),
    lambda t: Scroll(t, PAGE, DOCUMENT, 0, 900),
    lambda t: Scroll(t, PAGE, DOCUMENT, 0, 100),
    lambda t: Scroll(t, PAGE, STATIC, 0, 100),
    lambda t: Selection(t, PAGE, None, collapsed=False),
    lambda t: Selection(t, PAGE, None, collapsed=True),
    lambda t: Navigation(t, PAGE, "load"),
    lambda t: Navigation(t, PAGE, "push"),
    lambda t: RequestEnd(t, PAGE, t - 120, "https://shop.example/api", "", 200),
    lambda t: RequestEnd(t, PAGE, t - 120, "https://shop.example/api", "", 500, failed=True),
    lambda t: ElementFocus(t, PAGE, FIELD),
    lambda t: CanvasChange(t, PAGE, STATIC),
    lambda t: Media(t, PAGE, STATIC),
    lambda t: StyleChange(t, PAGE),
    lambda t: WindowOpen(t, PAGE),
    lambda t: WindowFocus(t, PAGE, gained=False),
    lambda t: Visibility(t, PAGE, hidden=True),
    lambda t: PageExit(t, PAGE),
    lambda t: AuxClick(t, PAGE, BUTTON),
    mutation,
    lambda t: mutation(t, change("add", 765, 330, 329, 3, name="span")),
    lambda t: mutation(t, change("remove", 765, 330, 329, 3, name="span")),
    lambda t: mutation(t, change("attribute", 330, 329, 3, name="class")),
    lambda t: mutation(t, change("text", 25, 24, 3)),
    failure,
    lambda t: failure(t, "console_error"),
    lambda t: failure(t, "unhandled_rejection", "quota exceeded", "save@https://shop.example/app.js:1:2"),
]
PACES = st.sampled_from([0, 0, 1, 20, 100, 250, 300, 999, 1_000, 1_001, 2_999, 3_000, 3_001, 60_000])


@st.composite
def tapes(draw: st.DrawFn) -> list[Interaction]:
    """Draw bursts of clicks with all kinds of things in between, at times that favour the edges."""
    t = 1_000_000
    tape: list[Interaction] = []
    for _ in range(draw(st.integers(1, 12))):
        t += draw(PACES)
        if draw(st.booleans()):
            target = draw(TARGETS)
            for _ in range(draw(st.integers(1, 7))):
                t += draw(PACES)
                hold = draw(st.sampled_from([0, 60]))
                t = max(t, tape[-1].t + hold if tape else t)
                tape += click(t, target, x=draw(st.sampled_from([100, 150, 151])), hold=hold)
                if draw(st.booleans()):
                    tape.append(draw(st.sampled_from(MAKERS))(t))
        else:
            tape.append(draw(st.sampled_from(MAKERS))(t))
    return tape


@st.composite
def cut_tapes(draw: st.DrawFn) -> tuple[list[Interaction], list[int]]:
    tape = draw(tapes())
    return tape, draw(st.lists(st.integers(0, len(tape)), max_size=5))


@pytest.mark.parametrize("name", RULES)
class TestEveryDetector:
    @given(tape=tapes())
    @hypothesis_settings(max_examples=80)
    def test_looking_at_the_clock_in_between_changes_nothing(self, name: str, tape: list[Interaction]) -> None:
        looking_at_the_clock_changes_nothing(ONLY[name], tape)

    @given(cut=cut_tapes())
    @hypothesis_settings(max_examples=80)
    def test_resuming_from_a_snapshot_is_invisible(self, name: str, cut: tuple[list[Interaction], list[int]]) -> None:
        resuming_is_invisible(ONLY[name], *cut)

    @given(tape=tapes())
    @hypothesis_settings(max_examples=40)
    def test_it_says_the_same_alone_and_in_company(self, name: str, tape: list[Interaction]) -> None:
        assert [finding for finding in verdict(tape) if finding.detector == name] == verdict(tape, ONLY[name])

    @given(tape=tapes())
    @hypothesis_settings(max_examples=40)
    def test_ending_twice_says_nothing_new_and_nothing_waits(self, name: str, tape: list[Interaction]) -> None:
        the_end_comes_once(ONLY[name], tape)

    @given(tape=tapes())
    @hypothesis_settings(max_examples=40)
    def test_findings_are_well_formed(self, name: str, tape: list[Interaction]) -> None:
        for finding in verdict(tape, ONLY[name]):
            assert finding.detector == name
            assert finding.rule == RULES[name]
            assert tape[0].t - 120 <= finding.t <= finding.end_t <= tape[-1].t
            assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding

    @given(tape=tapes())
    @hypothesis_settings(max_examples=40)
    def test_the_same_incident_is_told_once(self, name: str, tape: list[Interaction]) -> None:
        findings = verdict(tape, ONLY[name])
        keys = [(f.t, f.end_t, f.key, f.target.node_id if f.target else None) for f in findings]
        assert len(set(keys)) == len(keys)

    def test_a_calm_visit_raises_nothing(self, name: str) -> None:
        visit = in_order(
            [Navigation(1_000, PAGE, "load"), mutation(1_200)],
            click(5_000),
            [mutation(5_001)],
            click(9_000, FIELD),
            [Input(9_000 + 150 * key, PAGE, FIELD) for key in range(1, 30)],
            click(20_000, STATIC),
            [Scroll(24_000, PAGE, DOCUMENT, 0, 50)],
            click(30_000, OTHER),
            [Navigation(30_400, PAGE, "load")],
        )
        assert verdict(visit, ONLY[name]) == []

    def test_nothing_is_waiting_before_the_first_interaction(self, name: str) -> None:
        player = Player(ONLY[name])
        assert all(detector.deadline is None for detector in player.detectors)
        assert player.finish().findings == []

    @pytest.mark.parametrize("state", FOREIGN_STATES)
    def test_a_foreign_state_is_refused_and_harms_nothing(self, name: str, state: bytes) -> None:
        a_foreign_state_is_refused(ONLY[name], state)

    def test_a_flood_does_not_grow_the_state(self, name: str) -> None:
        player = Player(ONLY[name])
        for number in range(3_000):
            t = 1_000_000 + number
            spot = BUTTON if number % 7 else OTHER
            player.play(click(t, spot, hold=0))
            player.play([mutation(t, change("add", 10_000 + number, 330, 3, name="i"))])
            player.play([mutation(t, change("attribute", 10_000 + number, 330, 3, name=f"data-{number}"))])
            player.play([failure(t, "error", f"boom {number}", f"f{number}@https://shop.example/a.js:1:1")])
        for number in range(3_000):
            player.play([mutation(9_000_000 + number, change("text", number, 3))])
        for detector in player.detectors:
            assert len(detector.snapshot()) < 60_000

    def test_a_flood_is_told_in_few_words(self, name: str) -> None:
        tape = clicks(range(1_000_000, 1_060_000, 50), hold=0)
        assert len(verdict(tape, ONLY[name])) <= 1

    def test_the_opt_out_is_honoured(self, name: str) -> None:
        hidden = replace(BUTTON, attributes={**BUTTON.attributes, "data-wince-ignore": ""})
        below = replace(BUTTON, node_id=331, parent=hidden)
        for target in (hidden, below):
            tape = clicks([1_000, 1_200, 1_400, 1_600], target)
            if name == "error_click":
                tape.append(failure(1_601))
            if name != "js_error":  # an error alone has no element
                assert verdict(tape, ONLY[name]) == []


@st.composite
def grievances(draw: st.DrawFn) -> list[Interaction]:
    """Draw tapes on which detectors report, one after the other or all at once, with other things between."""
    tape: list[Interaction] = []
    for name in draw(st.lists(st.sampled_from(sorted(GRIEVANCES)), min_size=1, max_size=4)):
        shift = (tape[-1].t - 11_000 if tape else 1_000_000) + draw(PACES)
        tape += [at_later_time(interaction, shift) for interaction in GRIEVANCES[name]]
        if draw(st.booleans()):
            tape.append(draw(st.sampled_from(MAKERS))(tape[-1].t))
    return tape


@pytest.mark.parametrize("name", RULES)
class TestGrievances:
    def test_each_detector_reports_its_own_once(self, name: str) -> None:
        assert [finding.detector for finding in verdict(GRIEVANCES[name], ONLY[name])] == [name]

    @given(tape=grievances(), places=st.lists(st.integers(0, 80), max_size=6))
    @hypothesis_settings(max_examples=60)
    def test_cutting_and_resuming_is_invisible(self, name: str, tape: list[Interaction], places: list[int]) -> None:
        player = Player(ONLY[name])
        for position, interaction in enumerate(tape):
            if position in places:
                player.resume()
                player.advance(interaction.t)
            player.play([interaction])
        player.advance(tape[-1].t + 100_000)
        assert player.finish().findings == verdict(tape, ONLY[name], lived_on_ms=100_000)

    @given(tape=grievances())
    @hypothesis_settings(max_examples=40)
    def test_findings_are_told_once_and_well_formed(self, name: str, tape: list[Interaction]) -> None:
        findings = verdict(tape, ONLY[name])
        keys = [(f.t, f.end_t, f.key, f.target.node_id if f.target else None) for f in findings]
        assert len(set(keys)) == len(keys)
        for finding in findings:
            assert (finding.detector, finding.rule) == (name, RULES[name])
            assert tape[0].t - 120 <= finding.t <= finding.end_t <= tape[-1].t
            assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding


@pytest.mark.parametrize("kind", [Press, Release, Click])
def test_targets_that_the_recording_does_not_know_are_survived(kind: type) -> None:
    tape = [kind(t, PAGE, None) for t in range(1_000, 2_000, 100)]
    assert verdict(tape) == []


def test_errors_without_any_text_are_errors() -> None:
    assert len(verdict([Failure(1_000, PAGE, "error", "Error", "", ())])) == 1


@pytest.mark.parametrize(
    ("delay", "message"), [(1, ""), (1, "Warning: validateDOMNesting"), (400, "compare failed with status")]
)
def test_warnings_and_late_texts_on_the_console_are_no_errors(delay: int, message: str) -> None:
    text = Failure(1_000 + delay, PAGE, "console_error", "", message, ("warn@https://shop.example/app.js:1:1",))
    assert [finding.detector for finding in verdict([*click(1_000), text])] == ["dead_click"]


class Bell:
    """Hears of deadlines."""

    def __init__(self) -> None:
        self.deadline = 1 << 62


def test_whoever_wants_to_be_told_of_deadlines_hears_of_each_that_comes_nearer() -> None:
    """Whatever a detector decides to wait for, and whoever told it: nobody looks for it."""
    for tape in GRIEVANCES.values():
        player = Player()
        for interaction in tape:
            player.advance(interaction.t)
            bell = Bell()
            before = {}
            for detector in player.detectors:
                assert isinstance(detector, Machine)
                detector.alarm, before[detector.name] = bell, detector.deadline
            player.play([interaction])
            deadlines = [(before[detector.name], detector.deadline) for detector in player.detectors]
            assert bell.deadline <= min(
                (t for was, t in deadlines if t is not None and t != was), default=bell.deadline
            )
