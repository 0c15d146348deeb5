"""A summary says what happened: told from the evidence, and from nothing else."""

import random
import re
from collections.abc import Iterator
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from replay.summary import summarize
from replay.summary.actions import Actions
from replay.summary.types import Sentence, Summary
from replay.summary.words import duration, path_of
from schemas.bundle_index import BundleIndex, Hole
from schemas.session_record import ScorePart, SessionRecord
from schemas.signals import Signal
from tests.replay.summary.evidence import T0, index, record, sessions, signal, visit

RAGE = ScorePart("rage_click", 1, 10.3)


def texts(summary: Summary) -> list[str]:
    return [sentence.text for sentence in summary.sentences]


def test_a_visit_with_rage_reads_as_it_was() -> None:
    signals = [
        signal("rage_click", 4_000, 8_000, count=7),
        signal("dead_click", 4_000, 4_080),
        signal("js_error", 20_000, 20_000, count=1, target=None),
    ]
    summary = summarize(record([visit(10)], 32_000, score_parts=[RAGE]), None, signals)
    assert texts(summary) == [
        "Landed on /cart (31 s).",
        "Clicked the button “Apply” 7 times in 4 s without any answer.",
        "Ran into the error “TypeError: x is undefined”.",
        "Left after 32 s, 12 s after the last friction.",
    ]
    assert summary.headline == (
        "Clicked the button “Apply” 7 times in 4 s on /cart without any answer; the session went on for 24 s."
    )
    assert summary.outcome == "ended_on_friction"
    assert [(point.rank, point.detector, point.weight) for point in summary.friction_points] == [
        (1, "rage_click", 10.3),
        (2, "js_error", 0.0),
    ]
    assert summary.sentences[1].signal_ids == ["dead_click-w1-4000", "rage_click-w1-4000"]


def test_signals_of_one_click_are_one_sentence() -> None:
    signals = [
        signal("error_click", 100, 160, count=1),
        signal("js_error", 160, 170, count=1, target=None),
        signal("network_error", 100, 1_000, count=1),
    ]
    summary = summarize(record([visit(0)]), None, signals)
    assert texts(summary)[1] == (
        "Clicked the button “Apply”, and got the error “TypeError: x is undefined” and the request to /api/order "
        "failed with status 500."
    )
    assert len(summary.friction_points) == 1
    assert summary.friction_points[0].detector == "network_error"


def test_repeats_are_one_sentence_until_something_else_happens() -> None:
    dead = [signal("dead_click", t) for t in (1_000, 6_000, 12_000)]
    assert texts(summarize(record([visit(0)]), None, dead))[1] == (
        "Clicked the button “Apply” 3 times in 11 s, and nothing happened for 3 s."
    )
    parted = texts(summarize(record([visit(0), visit(4_000, "/b"), visit(5_000)]), None, dead))
    assert parted[1].startswith("Clicked the button “Apply”, and")
    assert parted[3].startswith("Clicked the button “Apply” 2 times in 6 s, and")


def test_pages_in_a_row_are_one_sentence_with_what_was_done_there() -> None:
    pages = [visit(0, "/"), visit(2_500, "/a?x=1"), visit(4_000, "/a?x=2"), visit(9_000, "/b"), visit(9_050, "/c")]
    actions = Actions({"w1": [T0 + 2_600, T0 + 8_999, T0 + 9_000, T0 + 20_000]}, {"w1": [(T0 + 3_000, "4")]})
    went = "then went on to /a (2 times, 6.5 s, 2 clicks, 1 field changed), /b (1 click) and /c (10 s, 1 click)."
    assert texts(summarize(record(pages, 20_000), None, [], actions)) == [
        f"Landed on / (2.5 s), {went}",
        "Left after 20 s.",
    ]


def test_many_pages_are_counted_and_the_last_is_named() -> None:
    pages = [visit(t, f"/{t}") for t in range(8)]
    assert texts(summarize(record(pages, 8), None, []))[0] == ("Landed on /0, then went on to /1, 5 more pages and /7.")


def test_tabs_are_told_apart() -> None:
    pages = [visit(0, "/"), visit(3_000, "/product", "w0")]
    summary = summarize(record(pages), None, [signal("rage_click", 9_000, window="w0", count=4)])
    assert texts(summary)[1:3] == [
        "In tab 2, landed on /product.",
        "In tab 2, clicked the button “Apply” 4 times on /cart without any answer.",
    ]


def test_rules_of_others_do_not_say_that_nothing_answered() -> None:
    vendors = signal("rage_click", 0, 2_000, count=3, rule="datadog/rage_click@1")
    assert texts(summarize(record([visit(0)]), None, [vendors]))[1] == "Clicked the button “Apply” 3 times in 2 s."


def test_every_kind_of_signal_has_words() -> None:
    def told(name: str, **more: object) -> str:
        one = msgspec.structs.replace(signal(name, 1_000, 3_000, count=5, target=None), **more)
        return texts(summarize(record([visit(0)]), None, [one]))[1]

    assert told("form_error_loop") == "Sent a form 5 times in 2 s and was refused each time."
    assert told("form_abandonment") == "Filled in 9 fields of a form, was refused 2 times and left it undone."
    assert told("rapid_reload") == "Loaded the page again 5 times in 2 s."
    assert told("quick_back") == "Opened a page and came back at once 5 times in 2 s."
    assert told("thrashed_cursor") == "Shook the pointer for 2 s (5 turns)."
    assert told("scroll_thrash") == "Scrolled up and down for 2 s (5 turns)."
    assert told("idle") == "Did nothing for 41 s."
    assert told("right_clicks") == "Gave a sign of right clicks 5 times in 2 s."
    slow = texts(summarize(record([visit(0)]), None, [signal("slow_response", 0, 4_200)]))[1]
    assert slow == "Clicked the button “Apply”, and waited 4.2 s for an answer."


def test_holes_and_cuts_are_told() -> None:
    holes = [Hole("w1", "gap", T0 + 500, 3, 4), Hole("w1", "gap", T0 + 900, 7, 7), Hole("w1", "max_bytes", T0 + 800)]
    summary = summarize(record([visit(0)], end_reason="max_bytes"), index(holes, w1=900), [])
    assert texts(summary)[1:] == [
        "2 parts of the recording are missing here: it never arrived.",
        "Part of the recording is missing here: the session had reached its limit of bytes.",
        "The session was cut off after 1 min: it had reached its limit of bytes.",
    ]


def test_what_is_not_over_is_open_and_what_is_calm_is_calm() -> None:
    assert summarize(record([visit(0)], status="open", end_reason=None), None, []).outcome == "open"
    calm = summarize(record([visit(0)]), None, [signal("idle", 0, 41_436, target=None)])
    assert (calm.outcome, calm.friction_points) == ("calm", [])
    assert calm.headline == "Looked at /cart for 1 min with 3 clicks: no friction."
    later = summarize(record([visit(0)], 31_000), None, [signal("dead_click", 900, 999)])
    assert later.outcome == "went_on"


def test_thousands_of_signals_are_a_short_account() -> None:
    signals = [
        signal("dead_click", t * 10_000, window=f"w{t % 64}", page=f"https://shop.test/{'z' * 200}{t}", name=f"s{t}")
        for t in range(5_000)
    ]
    pages = [visit(t * 9_000, "/p" + "q" * 300 + str(t), f"w{t % 64}") for t in range(5_000)]
    summary = summarize(record(pages, 50_000_000), None, signals)
    assert len(summary.sentences) == 24 + 12 + 3
    assert len(msgspec.json.encode(summary)) < 40_000
    assert "Not told one by one: 4976 more signals (4976 of dead click)." in texts(summary)
    assert len(summary.friction_points) == 20


def test_what_strangers_wrote_cannot_control_a_terminal() -> None:
    hostile = signal("right_clicks\x1b]0;x\x07\u202e", 0, page="https://shop.test/\u202egpj\x9b31m")
    told = summarize(record([visit(0, "/\u2066\x1b[2J\n")]), None, [hostile])
    for text in [told.headline, *texts(told), *(point.text for point in told.friction_points)]:
        assert text.isprintable()


@given(sessions(), st.randoms(use_true_random=False))
def test_the_order_of_the_evidence_does_not_matter(
    session: tuple[SessionRecord, BundleIndex | None, list[Signal], Actions | None], shuffler: random.Random
) -> None:
    made, found, signals, actions = session
    before = summarize(made, found, signals, actions)
    pages, mixed = list(made.pages), list(signals)
    shuffler.shuffle(pages)
    shuffler.shuffle(mixed)
    if found is not None:
        blocks, holes = list(found.blocks), list(found.holes)
        shuffler.shuffle(blocks)
        shuffler.shuffle(holes)
        found = msgspec.structs.replace(found, blocks=blocks, holes=holes)
    assert summarize(msgspec.structs.replace(made, pages=pages), found, mixed, actions) == before


@given(sessions())
def test_sentences_are_in_order_bounded_printable_and_tied_to_signals(
    session: tuple[SessionRecord, BundleIndex | None, list[Signal], Actions | None],
) -> None:
    made, found, signals, actions = session
    summary = summarize(made, found, signals, actions)
    ids = {each.id for each in signals}
    body = summary.sentences[:-1]
    assert all(before.t <= after.t for before, after in pairwise(body))
    assert len(summary.sentences) <= 24 + 12 + 2 + 2 + 1
    for sentence in summary.sentences:
        assert len(sentence.text) < 1_200
        assert sentence.text.isprintable()
        assert set(sentence.signal_ids) <= ids
        assert bool(sentence.signal_ids) == (sentence.kind in {"friction", "pause"})
    told = [name for sentence in body for name in sentence.signal_ids]
    assert sorted(told) == sorted(ids)
    points = summary.friction_points
    assert [point.rank for point in points] == list(range(1, len(points) + 1))
    assert all(before.weight >= after.weight for before, after in pairwise(points))


DURATION = re.compile(r"(?:\d+ h(?: \d+ min)?|\d+ min(?: \d+ s)?|\d+(?:\.\d)? s)(?![a-z])")
QUOTED = re.compile("“.*?”(?=[ ,.;]|$)|`[^`]*`")


def plain(sentence: Sentence, session: SessionRecord, signals: list[Signal]) -> str:
    """Take out what is quoted from the page: its numbers are not the account's."""
    urls = [page.url for page in session.pages] + [each.page for each in signals]
    text = QUOTED.sub("", sentence.text).replace("/api/order", "")
    for path in sorted({path_of(url) for url in urls}, key=len, reverse=True):
        text = re.sub(rf"(?<= ){re.escape(path)}(?=[ ,.])", "", text)
    return text


def spans(session: SessionRecord, found: BundleIndex | None, signals: list[Signal]) -> Iterator[int]:
    """List all differences between two times of the evidence, and all durations in it."""
    times = {session.started_at, session.last_event_at}
    times |= {page.t for page in session.pages} | {t for each in signals for t in (each.t, each.end_t)}
    times |= {block.last_t for block in (found.blocks if found else ())}
    yield from (after - before for after in times for before in times)
    yield from (3_000, 4_200)
    yield from (41_436 * pauses for pauses in range(1, len(signals) + 1))


def counts(sentence: Sentence, session: SessionRecord, signals: list[Signal], actions: Actions | None) -> set[int]:
    """Count everything a sentence might count, the slow way."""
    mine = [each for each in signals if each.id in set(sentence.signal_ids)]
    allowed = {1, 2, 3, 9, 500} | set(range(len(mine) + 1))
    for detector in {each.detector for each in mine}:
        same = [each for each in mine if each.detector == detector]
        for group in (None, "f1", "f2"):
            chosen = [each for each in same if group is None or each.evidence.get("fingerprint") == group]
            allowed.add(sum(each.count or 1 for each in chosen))
    if sentence.kind in {"page", "more", "hole"}:
        allowed |= set(range(len(session.pages) + 1)) | {2, 3, 4}
        starts = sorted({page.t for page in session.pages if page.window_id == sentence.window_id})
        ends = [*starts, session.last_event_at + 1, T0 + 100_000]
        for click_times in (actions.clicks if actions else {}).values():
            allowed |= {sum(a <= t < b for t in click_times) for a in starts for b in ends}
            allowed |= set(range(len(click_times) + 1))
    return allowed


@given(sessions())
def test_every_duration_and_every_count_is_in_the_evidence(
    session: tuple[SessionRecord, BundleIndex | None, list[Signal], Actions | None],
) -> None:
    made, found, signals, actions = session
    possible = {duration(span) for span in spans(made, found, signals)}
    for sentence in summarize(made, found, signals, actions).sentences:
        text = plain(sentence, made, signals)
        assert set(DURATION.findall(text)) <= possible, sentence.text
        numbers = {int(number) for number in re.findall(r"\d+", DURATION.sub("", text))}
        assert numbers <= counts(sentence, made, signals, actions), sentence.text
