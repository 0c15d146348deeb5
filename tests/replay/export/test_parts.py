"""The parts of an export: what is chosen, what is cut, how scripts are put together, how moments are written."""

import json

import pytest

from replay.errors import Poison
from replay.export import film_job
from replay.export import plan as plans
from replay.export.clip import clip_event
from replay.export.errors import NothingToShow, NotInstalled, TooLarge
from replay.export.film_job import MAX_FRAMES, FilmJob, FilmOptions, frames_of
from replay.export.plan import plan_export
from replay.export.scripts import inline_module, player_script, player_style, script_hash
from replay.export.times import day_and_time, parse_moment
from schemas.bundle_index import BlockEntry, BundleIndex
from tests.replay.samples import T0, record


def block(window: str, first: int, last: int, *, keyframe: bool = True, raw_length: int = 10) -> BlockEntry:
    return BlockEntry(window, 0, 0, 1, raw_length, 1, T0 + first, T0 + last, keyframe=keyframe)


def index(*blocks: BlockEntry) -> BundleIndex:
    return BundleIndex("a", 1, list(blocks), [], 0)


def names(
    *blocks: BlockEntry, from_t: int | None = None, to_t: int | None = None, window: str | None = None
) -> list[str]:
    plan = plan_export(record(), index(*blocks), from_t, to_t, window)
    return [f"{each.window_id}: {each.name}" for each in plan.windows]


def test_all_windows_with_a_page_to_start_from_are_exported_in_the_order_of_their_opening() -> None:
    blocks = [block("w2", 0, 5), block("w1", 3, 9), block("w3", 0, 9, keyframe=False)]
    assert names(*blocks) == ["w1: Tab 1", "w2: Tab 2"]
    assert names(*blocks, from_t=T0 + 6, to_t=T0 + 9) == ["w1: Tab 1"]
    assert names(*blocks, to_t=T0 + 2) == ["w2: Tab 2"]
    assert names(*blocks, window="w2") == ["w2: Tab 2"]


def test_without_bounds_it_is_the_whole_session() -> None:
    plan = plan_export(record(), index(block("w1", 0, 9)), None, None, None)
    assert (plan.from_t, plan.to_t) == (T0, T0 + 1_000)


def test_where_nothing_can_be_shown_that_is_said() -> None:
    for found in (None, index(), index(block("w1", 0, 9, keyframe=False))):
        with pytest.raises(NothingToShow):
            plan_export(record(), found, None, None, None)
    with pytest.raises(NothingToShow):
        plan_export(record(), index(block("w1", 0, 9)), None, None, "w7")
    with pytest.raises(Poison, match="ends after it begins"):
        plan_export(record(), index(block("w1", 0, 9)), 5, 4, None)


@pytest.mark.parametrize(("extra", "fits"), [(-1, True), (0, True), (1, False)])
def test_so_much_may_be_exported(extra: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setattr(plans, "MAX_EVENT_BYTES", 20)
    blocks = index(block("w1", 0, 9), block("w2", 0, 9, raw_length=10 + extra))
    if fits:
        assert len(plan_export(record(), blocks, None, None, None).windows) == 2
    else:
        with pytest.raises(TooLarge, match="choose a shorter one"):
            plan_export(record(), blocks, None, None, None)


def test_an_event_of_the_range_stays_as_it_is() -> None:
    event = b'{ "type":3,"timestamp":%d,"data":{"source":1,"positions":[]} }' % (T0 + 5)
    assert clip_event(event, T0 + 5, T0 + 5) is event
    assert clip_event(event, T0, T0 + 4) is None


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        ({"type": 2, "data": {"node": {}}}, True),
        ({"type": 4, "data": {"href": "x"}}, True),
        ({"type": 3, "data": {"source": 0, "adds": []}}, True),
        ({"type": 3, "data": {"source": 5, "text": "***"}}, True),
        ({"type": 3, "data": {"source": 1, "positions": []}}, False),
        ({"type": 3, "data": {"source": 2, "type": 2}}, False),
        ({"type": 3, "data": 7}, False),
        ({"type": 5, "data": {"tag": "js_error"}}, False),
        ({"type": 0, "data": {}}, False),
        ({"kind": "click", "t": T0}, False),
    ],
)
def test_of_what_was_before_only_what_shows_then_stays_and_counts_as_of_then(
    event: dict[str, object],
    kept: bool,  # noqa: FBT001
) -> None:
    clipped = clip_event(json.dumps({**event, "timestamp": T0}).encode(), T0 + 50, T0 + 99)
    assert (json.loads(clipped) if clipped else None) == ({**event, "timestamp": T0 + 50} if kept else None)


def test_what_is_no_event_is_left_out() -> None:
    for line in (b"", b"[]", b"{", b'{"type":"4","timestamp":1}', b'{"kind":"click","t":5}'):
        assert clip_event(line, 0, 2**53) is None


def test_a_module_becomes_a_constant_for_each_name_it_exports() -> None:
    listed = inline_module("const a = 1, b = 2;\nexport { a as first, b };\n")
    assert listed.startswith("const { first, b } = (() => {")
    assert listed.endswith("return { first: a, b: b };\n})();\n")
    assert "export" not in inline_module("export class Cleaner {}\n\nexport const x = 1;\n")


@pytest.mark.parametrize("module", ['import x from "y";\nexport const a = 1;', "const a = 1;", "export default 1;"])
def test_a_module_of_another_kind_is_refused(module: str) -> None:
    with pytest.raises(ValueError, match="module"):
        inline_module(module)


def test_the_script_and_the_style_cannot_end_their_elements() -> None:
    for text, tag in ((player_script(), "script"), (player_style(), "style")):
        assert f"</{tag}" not in text.lower()
        assert "<!--" not in text
        assert len(text) > 2_000
    assert script_hash("") == "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_moments_are_read_and_written() -> None:
    assert [parse_moment(text, 1_000) for text in ("1795295291000", "+12.5", "+0", "+1.234")] == [
        1_795_295_291_000,
        13_500,
        1_000,
        2_234,
    ]
    for wrong in ("", "12.5", "+1.2345", "-4", "+", "\u0661", "1e3"):
        with pytest.raises(Poison):
            parse_moment(wrong, 0)
    assert day_and_time(T0) == "2026-11-21 21:08:11 UTC"
    assert day_and_time(2**53) == f"{2**53} ms"


def test_frames_are_spread_over_the_length() -> None:
    job = FilmJob("", "", "", FilmOptions(fps=4, speed=2.0), 3_000)
    assert job.moments() == [0, 500, 1_000, 1_500, 2_000, 2_500]
    assert FilmJob("", "", "", FilmOptions(), 0).moments() == [0]
    assert frames_of(1_000 * MAX_FRAMES, FilmOptions(fps=1)) == MAX_FRAMES
    with pytest.raises(TooLarge, match="shorter range"):
        frames_of(1_000 * MAX_FRAMES + 1, FilmOptions(fps=1))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_job, "_PACKAGES", ("imageio_ffmpeg", "nowhere_to_be_found"))
    with pytest.raises(NotInstalled, match='pip install "wince'):
        film_job.find_browser()
