"""Clicks and changed fields are read off both kinds of events, and nothing else is."""

import pytest

from replay.store import BundleLine
from replay.summary import actions as module
from replay.summary.actions import Actions, ActionsReader


def read(*events: bytes) -> Actions | None:
    reader = ActionsReader()
    reader.read(BundleLine("w1", event) for event in events)
    return reader.actions()


def test_clicks_and_changes_of_both_kinds_of_events_are_counted() -> None:
    found = read(
        b'{"type":3,"data":{"source":2,"type":2,"id":7,"x":1,"y":2},"timestamp":30}',
        b'{"type":3,"data":{"source":2,"type":1,"id":7},"timestamp":29}',
        b'{"type":3,"data":{"source":5,"text":"***","isChecked":false,"id":4},"timestamp":40}',
        b'{"type":3,"data":{"source":5,"text":"***","isChecked":false,"id":4},"timestamp":50.5}',
        b'{"type":3,"data":{"source":7,"type":2,"id":4},"timestamp":50}',
        b'{"kind":"click","t":20,"target":{"id":"pay","tag":"button"},"x":1}',
        b'{"kind":"input","t":45,"target":{"id":"mail","tag":"input"}}',
        b'{"type":2,"data":{"node":{"id":1}},"timestamp":1}',
        b'{"type":5,"data":{"tag":"x","payload":{"source":5}},"timestamp":1}',
        b"[] no event",
        b'{"type":3,"data":7,"timestamp":1}',
    )
    assert found == Actions({"w1": [20, 30]}, {"w1": [(40, "4"), (45, "mail"), (50, "4")]})
    assert (
        found.clicks_between("w1", 20, 30),
        found.clicks_between("w1", 0, 99),
        found.clicks_between("w2", 0, 9),
    ) == (
        1,
        2,
        0,
    )
    assert (found.fields_between("w1", 40, 51), found.fields_between("w1", 41, 50)) == (2, 1)


def test_too_much_to_remember_is_told_without_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ACTIONS", 2)
    click = b'{"kind":"click","t":20,"target":{"id":"pay","tag":"button"}}'
    assert read(click, click) is not None
    assert read(click, click, click) is None
