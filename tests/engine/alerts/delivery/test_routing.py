"""Which messages an alert makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alerts.routing import KNOWN_MS, MAX_HELD_MS, message_id, messages
from engine.alerts.rules import RulesFile
from schemas.alerts import Alert, AlertKey, Moment
from tests.engine.alerts.delivery.alerts import ALERT, OVER, T0, alert, rules

HOUR = 3_600_000
ROUTE = '[[routes]]\nname = "{}"\nkind = "slack"\nurl = "env:A"\n'
RULE = '[[rules]]\nname = "spike"\nkind = "spike"\n'


def _file(*parts: str) -> RulesFile:
    return rules(RULE + "".join(parts))


def _routes(alert: Alert, file: RulesFile) -> list[str]:
    return [message.route for message in messages(alert, file, T0)]


def test_without_routes_nobody_is_told() -> None:
    assert messages(ALERT, _file(), T0) == []


@pytest.mark.parametrize(
    ("says", "is_told"),
    [
        ("", True),
        ('severities = ["critical", "info"]\n', True),
        ('severities = ["info"]\n', False),
        ('projects = ["shop"]\n', True),
        ('projects = ["other"]\n', False),
        ('rules = ["spike"]\n', True),
        ('projects = ["shop"]\nseverities = ["info"]\n', False),
    ],
)
def test_a_route_says_what_it_takes(says: str, *, is_told: bool) -> None:
    assert _routes(ALERT, _file(ROUTE.format("a") + says)) == (["a"] if is_told else [])


def test_a_rule_says_on_which_routes_it_is_told() -> None:
    file = rules(RULE + 'routes = ["b", "c"]\n' + "".join(ROUTE.format(name) for name in "ab") + ROUTE.format("c"))
    assert _routes(ALERT, file) == ["b", "c"]
    assert _routes(alert(rule="gone"), file) == ["a", "b", "c"]


def test_who_was_told_is_told_that_it_is_over_by_other_rules_too() -> None:
    file = _file(ROUTE.format("a"), ROUTE.format("b") + 'severities = ["info"]\n')
    assert [message.route for message in messages(OVER, file, T0 + HOUR)] == ["a", "b"]
    assert [message.route for message in messages(OVER, file, T0 + KNOWN_MS)] == ["a"]


def test_ids_are_of_alert_route_and_state() -> None:
    file = _file(ROUTE.format("a"), ROUTE.format("b"))
    ids = [message.id for each in (ALERT, OVER, alert("a2")) for message in messages(each, file, T0)]
    assert len(set(ids)) == 6
    assert ids == [message.id for each in (ALERT, OVER, alert("a2")) for message in messages(each, file, T0 + HOUR)]
    assert not any("." in each for each in ids)


@given(st.text(), st.text())
def test_ids_are_of_any_text(one: str, other: str) -> None:
    assert message_id(one, other, "firing") != message_id(other + "x", one, "firing")


def test_what_is_over_waits_for_what_fires() -> None:
    file = _file(ROUTE.format("a"))
    (firing,), (resolved,) = messages(ALERT, file, T0), messages(OVER, file, T0)
    assert (firing.state, firing.after, firing.due_ms) == ("firing", "", T0)
    assert (resolved.state, resolved.after, resolved.due_ms) == ("resolved", firing.id, T0)
    assert messages(OVER, _file(ROUTE.format("a") + "send_resolved = false\n"), T0) == []


class TestSilences:
    def held(self, *silences: str, of: Alert = ALERT) -> int | None:
        file = _file(ROUTE.format("a"), *(f"[[silences]]\n{silence}\n" for silence in silences))
        made = messages(of, file, T0)
        return made[0].due_ms - T0 if made else None

    def moment(self, after_ms: int) -> str:
        from datetime import UTC, datetime  # noqa: PLC0415

        return f'"{datetime.fromtimestamp((T0 + after_ms) / 1_000, UTC).isoformat()}"'

    def test_what_fires_is_held_until_the_end(self) -> None:
        assert self.held(f"until = {self.moment(HOUR)}") == HOUR
        assert self.held(f"until = {self.moment(0)}") == 0
        assert self.held(f"from = {self.moment(1_000)}\nuntil = {self.moment(HOUR)}") == 0
        assert self.held(f"from = {self.moment(0)}\nuntil = {self.moment(HOUR)}") == HOUR

    def test_what_is_over_is_told(self) -> None:
        assert self.held(f"until = {self.moment(HOUR)}", of=OVER) == 0

    def test_one_silence_may_follow_another(self) -> None:
        first, second = f"until = {self.moment(HOUR)}", f"from = {self.moment(HOUR)}\nuntil = {self.moment(2 * HOUR)}"
        assert self.held(second, first) == 2 * HOUR

    @pytest.mark.parametrize(
        ("says", "is_held"),
        [
            ('projects = ["shop"]', True), ('projects = ["x"]', False), ('rules = ["spike"]', True),
            ('detectors = ["rage_click"]', True), ('detectors = ["dead_click"]', False),
            ('dimensions = ["page"]', True), ('dimensions = ["release"]', False),
            ('values = ["https://shop.example/cart"]', True), ('values = ["https://shop.example"]', False),
            ('projects = ["shop"]\nvalues = ["x"]', False),
        ],
    )  # fmt: skip
    def test_all_that_is_said_has_to_fit(self, says: str, *, is_held: bool) -> None:
        assert self.held(f"until = {self.moment(HOUR)}\n{says}") == (HOUR if is_held else 0)

    def test_what_is_held_for_too_long_is_no_news(self) -> None:
        assert self.held(f"until = {self.moment(MAX_HELD_MS)}") == MAX_HELD_MS
        assert self.held(f"until = {self.moment(MAX_HELD_MS + 1_000)}") is None


def test_messages_are_bounded() -> None:
    huge = alert(
        title="x" * 10_000, key=AlertKey("rage_click", "page", "y" * 10_000),
        grouped=[AlertKey("rage_click", "page", "z" * 10_000)] * 500,
        moments=[Moment("s", T0, "w", "d", "p" * 10_000, "t" * 10_000)] * 50,
    )  # fmt: skip
    (message,) = messages(huge, _file(ROUTE.format("a")), T0)
    kept = message.alert
    assert (len(kept.title), len(kept.key.value), len(kept.grouped), len(kept.moments)) == (300, 500, 20, 3)
    assert (len(kept.grouped[0].value), len(kept.moments[0].page), len(kept.moments[0].text)) == (500, 500, 500)
