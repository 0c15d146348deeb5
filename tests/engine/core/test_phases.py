"""A session's life is a table; these are the ways through it."""

import pytest

from engine.core.phases import TRANSITIONS, Phase, Sign, advance
from engine.errors import Broken


def test_data_after_the_end_opens_a_session_again() -> None:
    assert advance(advance(Phase.OPEN, Sign.IDLED), Sign.ACTIVITY) is Phase.OPEN


def test_after_its_grace_a_session_is_closed_for_ever() -> None:
    assert advance(Phase.ENDED, Sign.EXPIRED) is Phase.CLOSED
    assert not TRANSITIONS[Phase.CLOSED]


def test_a_capped_session_takes_nothing_more() -> None:
    assert advance(Phase.CAPPED, Sign.ACTIVITY) is Phase.CAPPED


@pytest.mark.parametrize("sign", list(Sign))
def test_a_missing_cell_is_our_own_bug(sign: Sign) -> None:
    with pytest.raises(Broken):
        advance(Phase.CLOSED, sign)


def test_every_phase_has_its_row() -> None:
    assert set(TRANSITIONS) == set(Phase)
