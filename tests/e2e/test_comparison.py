"""The rules of the comparison that need no browser."""

import json

import msgspec
import pytest

from tests.e2e.browser import Element, Look, Message, Run, Sheet
from tests.e2e.comparison import compare, elsewhere
from tests.e2e.recordings import plan

UNKNOWN = "[replayer] Node with id '{}' not found.  {{}}"


def run(*messages: Message, looks: tuple[Look, ...] = ()) -> Run:
    return Run("seeking", list(messages), list(looks))


def warning(text: str, event: int | None = None) -> Message:
    return Message("warning", text, event)


def look(*elements: Element, text: int = 0, sheets: tuple[Sheet, ...] = (), at: float = 1) -> Look:
    return Look(at, list(elements), list(sheets), text)


def box(node_id: int, *, x: int = 0, width: int = 10) -> Element:
    return Element(node_id, "p", 1, bare=False, x=x, y=0, width=width, height=10)


def test_messages_are_counted_not_only_named() -> None:
    once, thrice = run(warning("a")), run(warning("a", 1), warning("a", 2), warning("a", 3))

    [found] = compare([once], [thrice])

    assert (found.kind, found.text, found.count, found.event) == ("message", "warning: a", 2, 1)
    assert compare([thrice], [once]) == []


def test_a_warning_does_not_pass_as_an_error() -> None:
    assert compare([run(warning("a"))], [run(Message("error", "a"))])


def test_the_place_in_a_style_sheet_does_not_matter_but_the_complaint_does() -> None:
    sheet = "Failed to adapt css for replay CssSyntaxError: <css input>:{}: Unknown word {}"

    assert compare([run(warning(sheet.format("1:255", "w")))], [run(warning(sheet.format("1:241", "w")))]) == []
    assert compare([run(warning(sheet.format("1:255", "w")))], [run(warning(sheet.format("1:255", "x")))])


def test_an_unknown_target_may_have_another_number_but_there_may_be_no_more_of_them() -> None:
    before = run(Message("debug", UNKNOWN.format(1348)), Message("debug", UNKNOWN.format(7)))
    after = run(Message("debug", UNKNOWN.format(-1)), Message("debug", UNKNOWN.format(5)))

    assert compare([before], [after]) == []
    assert [found.count for found in compare([run()], [after])] == [2]


def test_an_unknown_target_of_a_change_may_not_be_renamed() -> None:
    assert compare([run(warning(UNKNOWN.format(5)))], [run(warning(UNKNOWN.format(-1)))])


@pytest.mark.parametrize("after", [look(box(1)), look()])
def test_a_page_without_its_text_is_blank(after: Look) -> None:
    found = compare([run(looks=(look(box(1), text=5),))], [run(looks=(after,))])

    assert "blank" in {each.kind for each in found}


def test_a_page_that_is_not_there_is_blank() -> None:
    assert [each.kind for each in compare([run(looks=(look(box(1)),))], [run()])] == ["blank"]
    assert compare([run(looks=(look(),))], [run()]) == []


def test_looks_at_the_same_time_are_compared_in_order() -> None:
    first, second = look(box(1)), look(box(1), box(2))

    assert compare([run(looks=(first, second))], [run(looks=(first, second))]) == []
    assert compare([run(looks=(first, second))], [run(looks=(second, first))])


def test_sheets_of_one_owner_are_added_up() -> None:
    both = look(sheets=(Sheet(4, 1, 1), Sheet(4, 2, 3)))
    one = look(sheets=(Sheet(4, 3, 4),))

    assert compare([run(looks=(both,))], [run(looks=(one,))]) == []


def test_boxes_elsewhere_are_counted_beyond_two_pixels() -> None:
    before = run(looks=(look(box(1), box(2), box(3), box(4)),))
    after = run(looks=(look(box(1, x=2), box(2, x=3), box(3, width=13), box(5)),))

    assert elsewhere([before], [after]) == (2, 3)
    assert elsewhere([run()], [run()]) == (0, 0)


def timed(*events: tuple[int, int]) -> list[msgspec.Raw]:
    return [msgspec.Raw(json.dumps({"type": kind, "timestamp": at}).encode()) for kind, at in events]


def test_stops_lie_before_each_page_but_the_first_and_behind_the_end() -> None:
    chosen = plan(timed((4, 100), (2, 101), (3, 150), (4, 200), (2, 201), (3, 250), (4, 300), (2, 301), (3, 350)))

    assert [stop.at for stop in chosen.playing] == [199.5, 299.5, 350.5]
    seeking = [stop.at for stop in chosen.seeking]
    assert {199.5, 299.5, 350.5} <= set(seeking)
    assert seeking[:-2] == sorted(seeking[:-2])
    assert seeking[-2] < seeking[-1] == 350.5


def test_the_end_is_always_looked_at_and_a_long_visit_only_at_a_few_places() -> None:
    chosen = plan(timed(*[(kind, page * 100 + at) for page in range(40) for at, kind in enumerate((4, 2, 3))]))

    assert len(chosen.playing) == 40
    assert chosen.seeking[-1].look
    assert chosen.playing[-1].look
    assert sum(stop.look for stop in chosen.playing) <= 5
