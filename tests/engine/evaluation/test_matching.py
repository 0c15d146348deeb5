import pytest

from engine.evaluation.labels import Label, LabelledSession, SilentClick
from engine.evaluation.matching import EXCUSE_MS, MATCH_MS, Judged, Tally, judge
from schemas.signals import Signal, Target

T = 1_000_000


def signal(detector: str, t: int, end_t: int | None = None, window_id: str = "w", count: int | None = None) -> Signal:
    target = Target(7, "div > button#go", "button")
    end = t if end_t is None else end_t
    return Signal(
        f"{detector}{t}", detector, "s", window_id, "p", t, end, "/", target, f"wince/{detector}@1", {}, count
    )


def judged(labels: list[Label], *signals: Signal, silent: list[SilentClick] | None = None, errors: int = 0) -> Judged:
    session = LabelledSession("s", "scenario", labels, silent or [], errors, "", T - 5_000)
    return judge(session, signals, "s.jsonl")


YES = Label("rage_click", "yes", T, "w", T + 500, "#go", "broken")
NO = Label("rage_click", "no", T, "w", T + 500, "#go", "a stepper")
MAYBE = Label("rage_click", "maybe", T, "w", T + 500)


@pytest.mark.parametrize(("t", "end_t"), [(T, T + 500), (T - 900, T - MATCH_MS), (T + 500 + MATCH_MS, T + 2_000)])
def test_a_label_is_found_by_a_signal_of_its_kind_that_overlaps_it_nearly(t: int, end_t: int) -> None:
    assert judged([YES], signal("rage_click", t, end_t)).tallies == {"rage_click": Tally(found=1, right=1)}


@pytest.mark.parametrize(
    "other",
    [signal("rage_click", T, window_id="another"), signal("rage_click", T - 20_000), signal("dead_click", T - 20_000)],
)
def test_anything_else_does_not_find_it_and_is_wrong(other: Signal) -> None:
    found = judged([YES], other)
    assert found.tallies["rage_click"].missed == 1
    assert sum(tally.wrong for tally in found.tallies.values()) == 1
    missed, false = sorted(found.mistakes, key=lambda mistake: mistake.kind, reverse=True)
    assert (missed.kind, missed.t, missed.offset_ms, missed.selector, missed.why) == (
        "missed",
        T,
        5_000,
        "#go",
        "broken",
    )
    assert (false.kind, false.t, false.why) == ("false", other.t, "nothing labelled here")


def test_a_trap_makes_a_signal_wrong_also_beside_an_unanswered_click() -> None:
    found = judged([NO], signal("rage_click", T + 100), silent=[SilentClick("w", T + 100)])
    assert found.tallies == {"rage_click": Tally(wrong=1)}
    assert found.mistakes[0].why == "legitimate: a stepper"


def test_doubt_excuses_and_a_broken_button_may_be_called_by_several_names() -> None:
    assert judged([MAYBE], signal("rage_click", T)).tallies == {"rage_click": Tally(excused=1)}
    assert judged([YES], signal("dead_click", T - EXCUSE_MS)).tallies["dead_click"] == Tally(excused=1)
    assert judged([YES], signal("dead_click", T - EXCUSE_MS - 1)).tallies["dead_click"] == Tally(wrong=1)
    assert judged([NO], signal("dead_click", T)).tallies == {"dead_click": Tally(wrong=1)}


def test_an_unanswered_click_excuses_signals_about_clicks_only() -> None:
    silent = [SilentClick("w", T + 50)]
    assert judged([], signal("dead_click", T), silent=silent).tallies == {"dead_click": Tally(excused=1)}
    assert judged([], signal("idle", T), silent=silent).tallies == {"idle": Tally(wrong=1)}
    assert judged([], signal("dead_click", T), silent=[SilentClick("v", T)]).tallies == {"dead_click": Tally(wrong=1)}


def test_nothing_excuses_a_signal_in_a_calm_stretch() -> None:
    calm = Label("calm_until", "no", T + 10_000, "w")
    found = judged([calm], signal("dead_click", T), silent=[SilentClick("w", T)])
    assert found.tallies == {"dead_click": Tally(wrong=1)}
    assert found.mistakes[0].why == "in a calm stretch"


def test_names_of_labels_and_detectors_meet() -> None:
    thrash = Label("cursor_thrash", "yes", T, "w", T + 2_000)
    assert judged([thrash], signal("thrashed_cursor", T)).tallies == {"thrashed_cursor": Tally(found=1, right=1)}
    slow = Label("slow_response", "yes", T, "w", T + 100)
    assert judged([slow], signal("slow_click", T)).tallies == {"slow_response": Tally(found=1, right=1)}


@pytest.mark.parametrize(
    ("thrown", "counts", "tally"),
    [
        (3, (2, 1), Tally(found=3, right=3)),
        (3, (2,), Tally(found=2, missed=1, right=2)),
        (1, (2, 1), Tally(found=1, right=1, wrong=2)),
    ],
)
def test_script_errors_are_counted(thrown: int, counts: tuple[int, ...], tally: Tally) -> None:
    signals = [signal("js_error", T + at, count=count) for at, count in enumerate(counts)]
    found = judged([], *signals, errors=thrown)
    assert found.tallies == {"js_error": tally}
    assert len(found.mistakes) == (tally != Tally(found=3, right=3))
