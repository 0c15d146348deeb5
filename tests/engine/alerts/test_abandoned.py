"""A cart that was left: by pages and by custom events, whatever comes twice, late, or after a restart."""

import random
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.alerts import abandoned
from engine.alerts.abandoned import vain_rules
from engine.alerts.app.lanes import read_item
from engine.alerts.app.process import note_vain_rules
from engine.alerts.backtest import Unreadable, read_items
from engine.alerts.core import AlertCore, Item
from engine.alerts.parts import REST, Parts, read_parts
from engine.alerts.rules import AlertLimits, Rule, RulesFile
from engine.alerts.rules_file import parse_rules
from engine.operate.health import Health
from engine.settings import ActivitySettings, ProjectSettings, Settings, SettingsError
from schemas.activity import Activity
from schemas.alerts import Alert
from tests.engine.alerts.site import START_MS
from tests.engine.alerts.stored import Stored

MINUTE_MS = 60_000
PAGE = "https://shop.example/cart"
THANKS = "https://shop.example/thanks"
CART = Rule(name="cart", kind="abandoned", event="add_to_cart", goal_event="purchase", window_ms=30 * MINUTE_MS)
BY_PAGE = Rule(name="cart", kind="abandoned", page=PAGE, goal_page=THANKS, window_ms=30 * MINUTE_MS)
MIXED = Rule(name="cart", kind="abandoned", event="add_to_cart", goal_page=THANKS, window_ms=30 * MINUTE_MS)
STEPS = {"begin": "add_to_cart", "goal": "purchase", "other": "search"}


def happened(name: str, minute: float, session_id: str = "s", project_id: str = "shop") -> Activity:
    t = START_MS + int(minute * MINUTE_MS)
    id_ = f"{session_id}-{name}-{t}"
    return Activity(id_, "custom_event", project_id, session_id, t, "w", PAGE, attributes={"release": "1"}, name=name)


def shown(page: str, minute: float, session_id: str = "s") -> Activity:
    t = START_MS + int(minute * MINUTE_MS)
    return Activity(f"{session_id}-{page}-{t}", "page_start", "shop", session_id, t, "w", page)


def step(rule: Rule, kind: str, minute: float, session_id: str = "s") -> Activity:
    """Make the activity that begins or ends what a rule is about, or neither."""
    page, event = (rule.page, rule.event) if kind == "begin" else (rule.goal_page, rule.goal_event)
    if kind == "other":
        return happened("search", minute, session_id)
    return shown(page, minute, session_id) if page else happened(event, minute, session_id)


def core_of(*rules: Rule) -> AlertCore:
    return AlertCore(rules or (CART,), AlertLimits())


def feed(core: AlertCore, items: Iterable[Item]) -> None:
    """Feed items as they come; some happened before others that came sooner."""
    for item in items:
        core.feed(item, max(item.t, core.state(item.project_id).now))


def passed(core: AlertCore, first: int, last: int) -> list[Alert]:
    for minute in range(first, last + 1):
        core.tick(START_MS + minute * MINUTE_MS)
    return core.take()


class Restarting:
    """A core that is another now and then, which goes on from what a store has."""

    def __init__(self, rule: Rule) -> None:
        self.core = core_of(rule)
        self._rule = rule
        self._stored = Stored()
        self._parts = Parts(self.core.state("shop"))

    def restart(self) -> None:
        self._stored.save(self._parts)
        self.core = core_of(self._rule)
        self.core.adopt("shop", read_parts(self._stored.parts))
        self._parts = Parts(self.core.state("shop"))


@pytest.mark.parametrize("rule", [CART, BY_PAGE, MIXED], ids=["events", "pages", "mixed"])
class TestOneSession:
    def test_a_cart_that_is_left_is_told_once(self, rule: Rule) -> None:
        core = core_of(rule)
        feed(core, [step(rule, "begin", 0), step(rule, "other", 2)])
        assert passed(core, 1, 30) == []
        (alert,) = passed(core, 31, 200)
        assert alert.fired_at == START_MS + 31 * MINUTE_MS
        (moment,) = alert.moments
        assert (moment.session_id, moment.t, moment.page, moment.text) == ("s", START_MS, rule.page, rule.event)
        assert alert.resolved_at is None
        feed(core, [step(rule, "begin", 201)])
        assert passed(core, 201, 300) == []

    def test_a_goal_in_time_is_no_news(self, rule: Rule) -> None:
        core = core_of(rule)
        feed(core, [step(rule, "begin", 0)])
        assert passed(core, 1, 29) == []
        feed(core, [step(rule, "goal", 29.9)])
        assert passed(core, 30, 200) == []

    def test_a_goal_of_the_last_moment_may_be_on_its_way(self, rule: Rule) -> None:
        core = core_of(rule)
        feed(core, [step(rule, "begin", 0), happened("search", 30.5, "another")])
        feed(core, [step(rule, "goal", 29.9)])
        assert passed(core, 30, 200) == []

    def test_each_beginning_starts_the_time_anew(self, rule: Rule) -> None:
        core = core_of(rule)
        feed(core, [step(rule, "begin", 0), step(rule, "begin", 20)])
        assert passed(core, 21, 50) == []
        (alert,) = passed(core, 51, 51)
        assert alert.moments[0].t == START_MS + 20 * MINUTE_MS

    def test_a_cart_after_a_purchase_is_another(self, rule: Rule) -> None:
        core = core_of(rule)
        feed(core, [step(rule, "begin", 0), step(rule, "goal", 5), step(rule, "begin", 10)])
        (alert,) = passed(core, 11, 100)
        assert alert.moments[0].t == START_MS + 10 * MINUTE_MS

    def test_a_session_that_ended_long_ago_is_told_all_the_same(self, rule: Rule) -> None:
        core = core_of(rule)
        begun = step(rule, "begin", 0)
        ends = [
            Activity("pe", "page_end", "shop", "s", begun.t + 1, "w", PAGE),
            Activity("e", "session_end", "shop", "s", begun.t + 1),
        ]
        feed(core, [begun, *ends])
        assert len(passed(core, 1, 100)) == 1

    def test_a_session_that_goes_on_may_still_buy(self, rule: Rule) -> None:
        core = core_of(rule)
        feed(core, [step(rule, "begin", 0), Activity("e", "session_end", "shop", "s", START_MS + 1)])
        assert passed(core, 1, 20) == []
        again = Activity("again", "session_start", "shop", "s", START_MS + 21 * MINUTE_MS)
        feed(core, [again, step(rule, "goal", 22)])
        assert passed(core, 22, 100) == []

    def test_a_goal_alone_is_nothing(self, rule: Rule) -> None:
        core = core_of(rule)
        feed(core, [step(rule, "goal", 0)])
        assert passed(core, 1, 100) == []

    def test_a_withdrawn_session_is_forgotten(self, rule: Rule) -> None:
        core = core_of(rule)
        feed(core, [step(rule, "begin", 0), Activity("gone", "session_withdrawn", "shop", "s", START_MS + 5)])
        feed(core, [step(rule, "begin", 1)])
        assert passed(core, 2, 100) == []
        assert not any(core.state("shop").abandoning.values())


Step = tuple[str, int]
STORIES = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 29)), max_size=12)


def expected_of(story: Sequence[Step]) -> int | None:
    """Say when the last beginning was, if no goal came at or after it (minutes)."""
    begun = max((minute for kind, minute in story if kind == "begin"), default=None)
    reached = max((minute for kind, minute in story if kind == "goal"), default=-1)
    return begun if begun is not None and begun > reached else None


class TestForEveryStory:
    @settings(deadline=None)
    @given(STORIES, st.integers(0, 2**32), st.sampled_from([CART, BY_PAGE, MIXED]))
    def test_order_repeats_and_restarts_change_nothing(self, story: list[Step], seed: int, rule: Rule) -> None:
        rng = random.Random(seed)
        items = [step(rule, kind, minute) for kind, minute in story]
        items += [item for item in items if rng.random() < 0.5]
        rng.shuffle(items)
        restarting = Restarting(rule)
        for item in items:
            feed(restarting.core, [item])
            if rng.random() < 0.3:
                restarting.restart()
        alerts = passed(restarting.core, 30, 120)
        begun = expected_of(story)
        assert [alert.moments[0].t for alert in alerts] == ([] if begun is None else [START_MS + begun * MINUTE_MS])
        assert [alert.fired_at - alert.moments[0].t for alert in alerts] == [31 * MINUTE_MS] * len(alerts)

    @settings(deadline=None, max_examples=40)
    @given(st.lists(STORIES, max_size=8), st.integers(0, 2**32))
    def test_each_session_is_told_by_itself_however_they_are_mixed(self, stories: list[list[Step]], seed: int) -> None:
        rng = random.Random(seed)
        items = [step(CART, kind, minute, f"s{n}") for n, story in enumerate(stories) for kind, minute in story]
        rng.shuffle(items)
        core = core_of()
        feed(core, items)
        found = {(alert.moments[0].session_id, alert.moments[0].t, alert.fired_at) for alert in passed(core, 30, 120)}
        begun = {f"s{n}": minute for n, story in enumerate(stories) if (minute := expected_of(story)) is not None}
        assert found == {
            (session_id, START_MS + minute * MINUTE_MS, START_MS + (minute + 31) * MINUTE_MS)
            for session_id, minute in begun.items()
        }


def test_what_is_too_late_is_not_counted() -> None:
    core = core_of()
    feed(core, [happened("search", 100, "another"), happened("add_to_cart", 0)])
    assert passed(core, 101, 300) == []


def test_a_wrong_clock_keeps_nobody_from_being_waited_for() -> None:
    core = core_of()
    feed(core, [happened("purchase", 60, "s"), happened("add_to_cart", 70, "t")])
    assert core.set_back(START_MS) == 1
    feed(core, [happened("add_to_cart", 1, "s")])
    found = sorted((alert.moments[0].session_id, alert.moments[0].t - START_MS) for alert in passed(core, 2, 100))
    assert found == [("s", MINUTE_MS), ("t", 0)]


def test_one_rule_waits_for_so_many_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abandoned, "MAX_WAITING", 3)
    core = core_of()
    feed(core, [happened("add_to_cart", 0, f"s{number}") for number in range(5)])
    feed(core, [happened("add_to_cart", 1, "s0"), happened("purchase", 2, "s1"), happened("add_to_cart", 3, "s4")])
    assert sorted(alert.moments[0].session_id for alert in passed(core, 4, 100)) == ["s0", "s2", "s4"]


def test_projects_have_rules_of_their_own() -> None:
    core = core_of(msgspec.structs.replace(CART, projects=("bank",)))
    feed(core, [happened("add_to_cart", 0), happened("add_to_cart", 0, "t", "bank")])
    assert [alert.project_id for alert in passed(core, 1, 100)] == ["bank"]


def test_a_state_of_before_is_gone_on_with() -> None:
    """Sessions had no goals then."""
    core = core_of()
    core.tick(START_MS)
    rest = Parts(core.state("shop")).changes().stored[REST.encode()]
    encode = msgspec.msgpack.encode
    visit = {"last_t": START_MS, "bases": [], "keys": [], "signal_ids": [], "counts": {}, "done": ["(started)"]}
    waiting = {b"acart s": encode((0, START_MS)), b"acart t": encode((1, START_MS))}
    state = read_parts({REST.encode(): rest, b"vs": encode((0, visit)), b"vt": encode((1, visit)), **waiting})
    state.first_t = state.now = START_MS
    core.adopt("shop", state)
    feed(core, [happened("purchase", 3, "t")])
    assert [alert.moments[0].session_id for alert in passed(core, 4, 100)] == ["s"]


@pytest.mark.parametrize("name", ["detector", "error_resolved", 'a "detector": b', '"kind":"error_resolved"'])
def test_an_event_may_have_any_name(name: str, tmp_path: Any) -> None:
    item = happened(name, 0)
    line = msgspec.json.encode(item)
    assert read_item(line) == item
    source, unreadable = tmp_path / "items.jsonl", Unreadable()
    source.write_bytes(line + b"\n")
    with source.open("rb") as lines:
        assert list(read_items(lines, "items", unreadable)) == [item]
    assert not unreadable.lines


class TestRulesFile:
    @pytest.mark.parametrize(
        "text",
        [
            'page = "/cart"\ngoal_event = "purchase"',
            'event = "add_to_cart"\ngoal_page = "/thanks"',
            'event = "Product Added"\ngoal_event = "Order Completed"',
        ],
    )
    def test_pages_and_events_can_be_mixed(self, text: str) -> None:
        (rule,) = parse_rules(f'[[rules]]\nname = "a"\nkind = "abandoned"\n{text}', "rules.toml").rules
        assert (bool(rule.page), bool(rule.goal_page)) == (not rule.event, not rule.goal_event)

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ('event = "a"', "goal_page"),
            ('goal_event = "a"', "page"),
            ('page = "/a"\nevent = "a"\ngoal_event = "b"', "event"),
            ('event = "a"\ngoal_event = "b"\ngoal_page = "/b"', "goal_event"),
            ('event = "a"\ngoal_event = "a"', "goal_event"),
            ('page = "/a"\ngoal_page = "/a"', "goal_page"),
            (f'event = "{"a" * 65}"\ngoal_event = "b"', "event"),
            ('event = "a\\u0000"\ngoal_event = "b"', "event"),
        ],
    )
    def test_what_makes_no_sense_is_told(self, text: str, key: str) -> None:
        with pytest.raises(SettingsError, match=rf"rules\[0\]\.{key}\b"):
            parse_rules(f'[[rules]]\nname = "a"\nkind = "abandoned"\n{text}', "rules.toml")

    @pytest.mark.parametrize("key", ["page", "goal_page", "event", "goal_event"])
    def test_other_kinds_have_none_of_it(self, key: str) -> None:
        with pytest.raises(SettingsError, match=rf"rules\[0\]\.{key}\b"):
            parse_rules(f'[[rules]]\nname = "a"\nkind = "absence"\n{key} = "x"', "rules.toml")


def test_titles_say_what_it_was() -> None:
    core = core_of(CART, msgspec.structs.replace(BY_PAGE, name="pages"), msgspec.structs.replace(MIXED, name="mixed"))
    feed(core, [happened("add_to_cart", 0), shown(PAGE, 0)])
    assert sorted(alert.title for alert in passed(core, 1, 100)) == [
        "A visitor came to add_to_cart and not on https://shop.example/thanks",
        "A visitor came to add_to_cart and not to purchase",
        "A visitor was on https://shop.example/cart and not on https://shop.example/thanks",
    ]


def test_rules_about_events_nobody_tells_are_known() -> None:
    named = ActivitySettings(custom_events=("add_to_cart", "purchase"))
    goalless = ActivitySettings(custom_events=("add_to_cart",))
    bank = msgspec.structs.replace(CART, name="bank", projects=("bank",))
    rules = (CART, bank, msgspec.structs.replace(BY_PAGE, name="pages"))
    assert vain_rules(rules, Settings()) == ["cart", "bank"]
    assert vain_rules(rules, Settings(activity=named)) == []
    assert vain_rules(rules, Settings(activity=named, projects={"bank": ProjectSettings(activity=goalless)})) == [
        "bank"
    ]
    assert vain_rules(rules, Settings(projects={"bank": ProjectSettings(activity=named)})) == []
    assert vain_rules(rules, Settings(projects={"shop": ProjectSettings(activity=named)})) == ["bank"]


def test_they_are_said_to_who_asks_for_health() -> None:
    health = Health()
    note_vain_rules(RulesFile(rules=(CART,)), Settings(), health)
    assert "activity.custom_events" in health.ready().notes["events"]
    note_vain_rules(RulesFile(rules=(BY_PAGE,)), Settings(), health)
    assert not health.ready().notes
