import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alerts.change import RATIOS, Evidence, worse_share
from engine.alerts.history import HALF_LIFE_HOURS, LAG_HOURS, MINUTE_MS, Lagged, Minutes
from engine.alerts.rules_file import default_rules, parse_rules
from engine.settings import SettingsError


class TestLagged:
    def test_the_last_hours_are_not_settled(self) -> None:
        history = Lagged()
        for hour in range(LAG_HOURS + 1):
            history.add(hour, 10)
        history.settle(LAG_HOURS)
        assert history.settled == 0
        history.settle(LAG_HOURS + 1)
        assert history.settled == pytest.approx(10)

    def test_half_is_left_after_half_a_life(self) -> None:
        history = Lagged()
        history.add(0, 100)
        history.settle(LAG_HOURS + 1)
        history.settle(LAG_HOURS + 1 + int(HALF_LIFE_HOURS))
        assert history.settled == pytest.approx(50)

    @given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 9)), max_size=50))
    def test_nothing_is_counted_twice(self, counts: list[tuple[int, int]]) -> None:
        history = Lagged()
        for hour, number in sorted(counts):
            history.add(hour, number)
        total = history.running + sum(history.waiting) + history.settled
        assert total <= sum(number for _, number in counts) + 1e-9
        assert len(history.waiting) <= LAG_HOURS


class TestMinutes:
    @given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=60), st.integers(1, 100))
    def test_it_counts_what_is_in_the_window(self, times: list[int], minutes: int) -> None:
        counts = Minutes()
        times = sorted(times)
        for t in times:
            counts.add(t, 100 * MINUTE_MS)
        since = times[-1] - minutes * MINUTE_MS
        assert counts.since(since) == sum(1 for t in times if t // MINUTE_MS >= since // MINUTE_MS)
        assert len(counts.minutes) <= 101


class TestEvidence:
    @given(st.floats(0.002, 0.6), st.lists(st.one_of(st.just(-1), st.integers(0, 50)), max_size=60))
    def test_it_is_never_below_zero_and_grows_with_complaints(self, share: float, steps: list[int]) -> None:
        evidence = Evidence()
        for step in steps:
            before = evidence.highest
            if step < 0:
                evidence.concerned(share, 1, 1)
                assert evidence.highest > before
            else:
                evidence.unconcerned(share, step)
                assert evidence.highest <= before
            assert min(*evidence.sums, evidence.against) >= 0

    def test_a_rare_complaint_is_sure_after_four_sessions(self) -> None:
        evidence = Evidence()
        for number in range(4):
            evidence.concerned(0.002, number, number)
        assert evidence.highest >= 12
        assert evidence.highest == pytest.approx(4 * math.log(worse_share(0.002, RATIOS[-1]) / 0.002))


class TestRulesFile:
    def test_the_shipped_rules_are_right(self) -> None:
        assert [rule.name for rule in default_rules().rules] == ["spike", "new_error", "regression", "absence"]

    def test_all_that_is_wrong_is_told_at_once(self) -> None:
        text = """
        [[rules]]
        name = "a b"
        kind = "spikes"
        window = "ten minutes"
        colour = "red"
        [bounds]
        max_keys = 1
        """
        with pytest.raises(SettingsError) as caught:
            parse_rules(text, "rules.toml")
        told = str(caught.value)
        assert all(key in told for key in ("name", "kind", "window", "colour", "max_keys", "rules.toml"))

    @pytest.mark.parametrize(
        ("rules", "key"),
        [
            ('name = "a"\nkind = "share"\nthreshold = 2', "threshold"),
            ('name = "a"\nkind = "sessions"', "threshold"),
            ('name = "a"\nkind = "new_error"', "dimensions"),
            ('name = "a"\nkind = "abandoned"\npage = "/cart"', "goal_page"),
            ('name = "a"\nkind = "signals"\nthreshold = 5\nwindow = "7h"', "window"),
            ('name = "a"\nkind = "spike"\n[[rules]]\nname = "a"\nkind = "absence"', "name"),
        ],
    )
    def test_rules_that_make_no_sense(self, rules: str, key: str) -> None:
        with pytest.raises(SettingsError, match=key):
            parse_rules(f"[[rules]]\n{rules}", "rules.toml")

    @pytest.mark.parametrize("text", ["[[rules]", "rules = 3", 'rules = ["x"]'])
    def test_files_that_are_none(self, text: str) -> None:
        with pytest.raises(SettingsError):
            parse_rules(text, "rules.toml")
