"""Sessions that were withdrawn, however many at a time: the latest are known, in a bounded state and in little time."""

from engine.alerts.forgetting import MAX_WITHDRAWN, forget, is_withdrawn
from engine.alerts.state import ProjectState

MANY = 20 * MAX_WITHDRAWN
"""As after a large deletion: with a step for each pair of them this would take minutes."""


def test_the_latest_of_very_many_are_known() -> None:
    state = ProjectState()
    forget(state, [f"old-{number}" for number in range(MANY)], 1)
    assert len(state.withdrawn) == MAX_WITHDRAWN
    forget(state, [f"new-{number}" for number in range(MAX_WITHDRAWN - 1)], 2)
    assert len(state.withdrawn) == MAX_WITHDRAWN
    assert all(is_withdrawn(state, f"new-{number}") for number in range(MAX_WITHDRAWN - 1))
    assert list(state.withdrawn.values()).count(1) == 1
