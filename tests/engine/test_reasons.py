"""Reasons are an interface for operators: complete, documented, and safe to show."""

import pickle
import re
from pathlib import Path

import msgspec
import pytest

from engine.errors import Broken, Poison, Saturated, Unavailable, WinceError
from engine.reasons import Kind, Reason, reasons_document

DOCUMENT = Path(__file__).parents[2] / "docs" / "reasons.md"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_explains_itself_in_one_sentence(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", reason.value)
    assert reason.name == reason.value.upper()
    assert isinstance(reason.kind, Kind)
    assert re.fullmatch(r"[A-Z][^\n|]+\.", reason.explanation)


def test_words_are_unique() -> None:
    assert len({reason.value for reason in Reason}) == len(Reason.__members__)
    assert len({reason.explanation for reason in Reason}) == len(Reason)


def test_every_kind_is_in_use() -> None:
    assert {reason.kind for reason in Reason} == set(Kind)


def test_reasons_travel_as_their_word() -> None:
    assert msgspec.json.encode({Reason.TOO_DEEP: 1}) == b'{"too_deep":1}'
    assert msgspec.json.decode(b'{"too_deep":1}', type=dict[Reason, int]) == {Reason.TOO_DEEP: 1}
    assert Reason("not_json") is Reason.NOT_JSON
    assert f"{Reason.NOT_JSON}" == "not_json"
    assert pickle.loads(pickle.dumps(Reason.NOT_JSON)) is Reason.NOT_JSON  # noqa: S301  # our own bytes


def test_the_documentation_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text() == reasons_document(), "run: python -m engine.reasons > docs/reasons.md"


def test_the_documentation_names_every_reason_once() -> None:
    document = reasons_document()
    for reason in Reason:
        assert document.count(f"| `{reason}` |") == 1


def test_a_poison_says_why_and_nothing_else() -> None:
    poison = Poison(Reason.INVALID_ENVELOPE)
    assert str(poison) == "invalid_envelope"
    assert poison.reason is Reason.INVALID_ENVELOPE
    copy = pickle.loads(pickle.dumps(poison))  # noqa: S301  # our own bytes
    assert copy.reason is Reason.INVALID_ENVELOPE


def test_each_kind_of_failure_is_told_from_the_others() -> None:
    kinds = (Saturated, Poison, Unavailable, Broken)
    for kind in kinds:
        assert issubclass(kind, WinceError)
        assert not any(issubclass(kind, other) for other in kinds if other is not kind)
