"""What belongs to one incident, what is another, and when one is over."""

from hypothesis import given
from hypothesis import strategies as st

from engine.alerts.incidents import most_telling
from engine.alerts.state import Tracked
from schemas.alerts import AlertKey


@given(st.lists(st.floats(-500.0, 500.0), min_size=1, max_size=8))
def test_one_is_the_most_telling_also_where_none_holds_too_many(excesses: list[float]) -> None:
    keys = [Tracked(AlertKey("rage_click", "page", str(place))) for place in range(len(excesses))]
    telling = most_telling(zip(keys, excesses, strict=True))
    assert excesses[keys.index(telling)] == max(excesses)
