"""What payloads tell: errors by their class, console texts that are none."""

import pytest

from detectors import interactions as told
from engine.masking.errors import error_type_of
from tests.engine.rebuild.recorder import Replayed, element, incremental, meta, snapshot


@pytest.mark.parametrize(
    ("text", "error_type"),
    [
        ("TypeError: x is not a function", "TypeError"),
        ("Uncaught (in promise) Error: boom", "Error"),
        ("Error: boom\n    at f (a.js:1:2)", "Error"),
        ("Error", "Error"),
        ("Error loading page", ""),
        ("compare failed with status 500", ""),
        ("SecurityException: no", "SecurityException"),
        ("", ""),
    ],
)
def test_the_class_of_an_error_is_read_off_its_text(text: str, error_type: str) -> None:
    assert error_type_of(text) == error_type


def test_a_warning_of_a_framework_is_known_as_one_when_it_is_masked() -> None:
    payload = {"level": "error", "trace": [], "payload": ['"Warning: Received `true` for a non-boolean attribute."']}
    told_of = {"type": 6, "timestamp": 2_000, "data": {"plugin": "rrweb/console@1", "payload": payload}}
    (failure,) = Replayed(meta(), snapshot(), told_of).told_of(told.Failure)
    assert failure.message.startswith("Warning: ")


@pytest.mark.parametrize("by_visitor", [True, False, None])
def test_a_field_was_changed_by_whom_the_recorder_says(*, by_visitor: bool | None) -> None:
    said = {} if by_visitor is None else {"userTriggered": by_visitor}
    page = snapshot(element(10, "input", type="text"))
    (changed,) = Replayed(meta(), page, incremental(5, id=10, text="a", isChecked=False, **said)).told_of(told.Input)
    assert (changed.target.node_id, changed.by_visitor) == (10, by_visitor)


def test_a_navigation_leads_nowhere_if_the_page_says_that_it_was_there_already() -> None:
    def navigation(**payload: str) -> dict[str, object]:
        return {"type": 5, "timestamp": 2_000, "data": {"tag": "navigation", "payload": payload}}

    stays, goes = navigation(kind="push", **{"from": "/a", "to": "/a"}), navigation(**{"from": "/a", "to": "/a#b"})
    replayed = Replayed(meta(), snapshot(), stays, goes, navigation(to="/a#b"))
    assert [told_.leads_nowhere for told_ in replayed.told_of(told.Navigation)] == [True, False, False]


def test_a_text_on_the_console_is_no_error_and_an_error_object_is_one() -> None:
    def console(argument: str) -> dict[str, object]:
        payload = {"level": "error", "trace": [], "payload": [argument]}
        return {"type": 6, "timestamp": 2_000, "data": {"plugin": "rrweb/console@1", "payload": payload}}

    replayed = Replayed(meta(), snapshot(), console('"it failed"'), console('"TypeError: it failed"'))
    assert [failure.error_type for failure in replayed.told_of(told.Failure)] == ["", "TypeError"]
