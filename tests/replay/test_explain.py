"""Every id gets an answer."""

from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from replay.directory_files import read_session
from replay.directory_store import DirectoryStore
from replay.explain import (
    END_SENTENCES,
    HOLE_SENTENCES,
    NO_SENTENCE,
    UNKNOWN,
    Explanation,
    Known,
    explain,
    explain_session,
)
from replay.store import Fate, StoreSettings
from schemas.bundle_index import Hole, HoleReason
from schemas.session_record import EndReason
from tests.replay.samples import T0, block, record, write

REASONS = {"late_batch": "The batch came late.", "not_json": "The message is no JSON text."}


def said(explanation: Explanation) -> list[tuple[str, str, int]]:
    return [(statement.about, statement.reason, statement.count) for statement in explanation.statements]


def test_an_unknown_session() -> None:
    explanation = explain(Known(session_id="x"), REASONS)
    assert not explanation.stored
    assert [statement.sentence for statement in explanation.statements] == [UNKNOWN]
    assert "not stored" in explanation.text()


def test_a_session_that_was_refused() -> None:
    fates = [Fate("shop", "not_json", 3, T0), Fate("shop", "from_the_future", 1, T0)]
    explanation = explain(Known(session_id="x", fates=fates), REASONS)
    assert not explanation.stored
    assert said(explanation) == [
        ("refused for project shop", "not_json", 3),
        ("refused for project shop", "from_the_future", 1),
    ]
    assert [each.sentence for each in explanation.statements] == [REASONS["not_json"], NO_SENTENCE]


def test_everything_about_a_stored_session() -> None:
    known = Known(
        session_id="a",
        record=record(end_reason="idle", status="ended", reopened=2, dropped={"late_batch": 4}, repaired={"x": 1}),
        holes=[Hole("w1", "gap", T0, 3, 5), Hole("w1", "max_bytes", T0 + 9, events=7)],
        late_events=6,
        compacted=True,
    )
    explanation = explain(known, REASONS)
    assert explanation.stored
    assert said(explanation) == [
        ("ended", "idle", 0),
        ("reopened", "", 2),
        ("dropped", "late_batch", 4),
        ("repaired", "x", 1),
        (f"hole in window w1, batches 3 to 5, at {T0} ms", "gap", 0),
        (f"hole in window w1, at {T0 + 9} ms", "max_bytes", 7),
        ("late", "", 6),
        ("compacted", "", 0),
    ]
    assert "- dropped late_batch x 4: The batch came late." in explanation.text().splitlines()


def test_an_open_session_says_so() -> None:
    assert said(explain(Known(session_id="a", record=record()), {})) == [("open", "", 0)]


def test_every_end_and_every_hole_has_a_sentence() -> None:
    assert set(END_SENTENCES) == set(get_args(EndReason))
    assert set(HOLE_SENTENCES) == set(get_args(HoleReason))


@given(st.text(), st.text())
def test_nothing_in_the_text_can_control_a_terminal(session_id: str, project_id: str) -> None:
    fates = [Fate(project_id, session_id, 1, 0)]
    text = explain(Known(session_id=session_id, fates=fates), {}).text()
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text.split("\n")) == 2


async def test_a_store_and_its_files_say_the_same(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, StoreSettings())
    await store.apply(
        write(blocks=[block([0]), block([1], sequence=3, late=True)], holes=[Hole("w1", "gap", T0, 1, 2)])
    )
    await store.note_fate("b", "shop", "not_json", 1, T0)
    live = [await explain_session(store, name, REASONS) for name in ("a", "b", "c")]
    await store.close()
    assert [explain(read_session(tmp_path, name), REASONS) for name in ("a", "b", "c")] == live
    assert [each.stored for each in live] == [True, False, False]
