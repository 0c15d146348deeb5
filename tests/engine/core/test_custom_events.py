"""Events of the site's own: those that the operator named are told, once, by their name and nothing else."""

from typing import Any

import msgspec
import pytest

from engine.core.activity import CUSTOM_EVENTS_MAX, ActivityState
from engine.core.core import Core
from engine.core.effects import SessionEffects
from engine.core.shared import Shared
from engine.reasons import Reason
from engine.settings import ActivitySettings, PrivacySettings, ProjectSettings, Settings
from replay.blocks import decode_block
from schemas.activity import Activity
from tests.engine.core.batches import MINUTE_MS, T0, Driver, batch, event
from tests.engine.core.harness import Collected

NAMED = ActivitySettings(custom_events=("add_to_cart", "Order Completed"))
SECRET = "sku-4711-hunter2"
PAGE = {"type": 4, "timestamp": T0, "data": {"href": "https://shop.example/cart", "width": 9, "height": 9}}


def said(name: str, t: int = T0, payload: object = None) -> dict[str, Any]:
    """Make the event that rrweb's `record.addCustomEvent(name, payload)` makes."""
    return {"type": 5, "timestamp": t, "data": {"tag": name, "payload": payload}}


def plain(name: str, t: int = T0, **more: object) -> dict[str, Any]:
    return {"kind": "custom", "t": t, "name": name, **more}


def activities(driver: Driver) -> list[Activity]:
    return [activity for effect in driver.effects for activity in effect.activities]


def told(driver: Driver) -> list[tuple[str | None, int]]:
    return [(activity.name, activity.t - T0) for activity in activities(driver) if activity.kind == "custom_event"]


def lines(driver: Driver) -> list[bytes]:
    drafts = [block for effect in driver.effects for block in effect.blocks]
    return [line for each in drafts for line in decode_block(each.data, each.raw_length).splitlines()]


@pytest.mark.parametrize("make", [said, plain])
class TestBothWays:
    def test_only_what_was_named_is_told_and_kept(self, make: Any) -> None:
        driver = Driver(Settings(activity=NAMED))
        driver.feed(batch(0, make("add_to_cart", T0 + 1), make("viewed_wish", T0 + 2), make("Order Completed", T0 + 3)))
        assert told(driver) == [("add_to_cart", 1), ("Order Completed", 3)]
        assert len(lines(driver)) == 2
        assert driver.last.record.dropped == {Reason.CUSTOM_DROPPED: 1}

    def test_nothing_is_told_where_nothing_was_named(self, make: Any) -> None:
        driver = Driver().feed(batch(0, make("add_to_cart"), make("purchase")))
        assert told(driver) == []
        assert driver.last.record.dropped == {Reason.CUSTOM_DROPPED: 2}

    @pytest.mark.parametrize("level", ["conservative", "medium", "light"])
    def test_names_are_kept_at_every_level_and_nothing_else(self, make: Any, level: Any) -> None:
        driver = Driver(Settings(activity=NAMED, privacy=PrivacySettings(level=level)))
        hidden = {"payload": {"sku": SECRET, "mail": "jane@mail.example"}}
        driver.feed(batch(0, PAGE, make("add_to_cart", T0 + 1, **hidden)))
        (line,) = [line for line in lines(driver) if b"add_to_cart" in line]
        shown = msgspec.json.decode(line)
        assert shown.get("data", {"payload": {}})["payload"] == {}
        everything = b"".join(lines(driver)) + msgspec.json.encode(activities(driver))
        everything += b"".join(effect.state() for effect in driver.effects[-1:])
        assert SECRET.encode() not in everything
        assert b"jane" not in everything

    def test_it_comes_after_its_session_and_visit(self, make: Any) -> None:
        driver = Driver(Settings(activity=NAMED)).feed(batch(0, make("add_to_cart")))
        assert [activity.kind for activity in activities(driver)] == ["session_start", "custom_event"]
        driver.feed(batch(1, PAGE, make("add_to_cart", T0 + 5), attributes={"country": "NO"}))
        start, happened = activities(driver)[-2:]
        assert (start.kind, happened.kind, happened.window_id) == ("page_start", "custom_event", "w1")
        assert start.page == happened.page == "https://shop.example/cart"
        assert happened.attributes["country"] == "NO"

    def test_it_opens_a_session_again(self, make: Any) -> None:
        driver = Driver(Settings(activity=NAMED)).feed(batch(0, PAGE)).tick(T0 + 31 * MINUTE_MS)
        later = T0 + 40 * MINUTE_MS
        driver.feed(batch(1, make("add_to_cart", later)), later)
        kinds = [activity.kind for activity in activities(driver)]
        assert kinds[-4:] == ["session_end", "session_start", "page_start", "custom_event"]

    def test_a_hostile_session_is_told_of_so_often(self, make: Any) -> None:
        driver = Driver(Settings(activity=NAMED))
        for seq in range(4):
            driver.feed(batch(seq, *(make("add_to_cart", T0 + seq * 1_000 + number) for number in range(50))))
        driver.feed(batch(4, make("Order Completed", T0 + 9_000)))
        assert len(told(driver)) == CUSTOM_EVENTS_MAX + 1
        assert told(driver)[-1] == ("Order Completed", 9_000)
        assert driver.last.record.repaired == {Reason.TOO_MANY_CUSTOM_EVENTS: 200 - CUSTOM_EVENTS_MAX}

    def test_late_batches_tell_nothing(self, make: Any) -> None:
        driver = Driver(Settings(activity=NAMED)).feed(batch(0)).feed(batch(2)).tick(T0 + 20 * MINUTE_MS)
        driver.feed(batch(1, make("add_to_cart", T0 + 9)), T0 + 20 * MINUTE_MS)
        assert told(driver) == []

    def test_without_consent_nothing_is_told(self, make: Any) -> None:
        driver = Driver(Settings(activity=NAMED)).feed(batch(0, make("add_to_cart"), consent=False))
        assert activities(driver) == []

    def test_excluded_users_tell_nothing(self, make: Any) -> None:
        settings = Settings(activity=NAMED, privacy=PrivacySettings(exclude_users=("u1",)))
        driver = Driver(settings).feed(batch(0)).feed(batch(1, make("add_to_cart"), user_id="u1"))
        assert told(driver) == []
        assert driver.last.withdrawn

    def test_projects_name_their_own(self, make: Any) -> None:
        settings = Settings(projects={"bank": ProjectSettings(activity=NAMED)})
        driver = Driver(settings).feed(batch(0, make("add_to_cart")))
        driver.feed(batch(0, make("add_to_cart"), project_id="bank", session_id="other"))
        assert [each.project_id for each in activities(driver) if each.kind == "custom_event"] == ["bank"]


@pytest.mark.parametrize("payload", [None, 7, "text", [1], {"a": {"b": [1]}}])
def test_whatever_a_recorder_sends_along_is_left_out(payload: object) -> None:
    driver = Driver(Settings(activity=NAMED)).feed(batch(0, said("add_to_cart", payload=payload)))
    assert told(driver) == [("add_to_cart", 0)]
    assert [msgspec.json.decode(line)["data"] for line in lines(driver)] == [{"tag": "add_to_cart", "payload": {}}]


def test_a_name_of_ours_keeps_its_meaning_and_is_told() -> None:
    settings = Settings(activity=ActivitySettings(custom_events=("navigation",)))
    payload = {"kind": "push", "to": "https://shop.example/thanks"}
    driver = Driver(settings).feed(batch(0, PAGE, said("navigation", T0 + 5, payload)))
    assert [activity.page for activity in activities(driver)[-2:]] == ["https://shop.example/thanks"] * 2
    assert told(driver) == [("navigation", 5)]


def test_names_make_another_policy_and_none_the_same() -> None:
    def stamp(settings: Settings) -> str:
        return Shared(settings).projects.of("shop").policy.version

    assert stamp(Settings()) != stamp(Settings(activity=NAMED))
    assert stamp(Settings(activity=NAMED)) == stamp(
        Settings(activity=ActivitySettings(custom_events=("Order Completed", "add_to_cart")))
    )


def test_what_was_told_is_counted_across_restarts() -> None:
    settings, collected = Settings(activity=NAMED), Collected()
    for seq in range(4):
        core = Core(settings)
        value = batch(seq, *(said("add_to_cart", T0 + seq * 1_000 + number) for number in range(40)))
        opened = core.open(value, None, "test", seq)
        assert opened is not None
        collected.shelf.hand_over(core, opened)
        core.feed(opened, seq, T0)
        effects: list[SessionEffects] = core.take()
        collected.add(effects)
    names = [activity.name for activity in collected.activities.values() if activity.kind == "custom_event"]
    assert len(names) == collected.activity_writes - 1 == CUSTOM_EVENTS_MAX


def test_a_state_of_before_has_told_of_none() -> None:
    before = msgspec.msgpack.encode((3, T0, 7, False))
    assert msgspec.msgpack.decode(before, type=ActivityState) == ActivityState(3, T0, 7)


def test_the_same_moment_in_two_windows_is_two_events() -> None:
    driver = Driver(Settings(activity=NAMED))
    for window in ("w1", "w2"):
        driver.feed(batch(0, event(), said("add_to_cart", T0 + 5), window_id=window))
    ids = {activity.id for activity in activities(driver) if activity.kind == "custom_event"}
    assert len(ids) == 2
