"""Runs of cohorts over sessions in a real Redis."""

import asyncio

import pytest

from engine.cohorts.jobs import Job, look_only, run_once
from engine.cohorts.opening import BusyError, owned
from engine.cohorts.running import reconcile
from engine.cohorts.state import NotOwnerError
from engine.delivery.posting import Posted
from engine.settings import PrivacySettings, Settings
from replay.exclusions import user_digest
from tests.cohorts.world import DAY, Notebook, World
from tests.replay.samples import T0

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_run_tells_who_came_and_the_next_one_only_what_changed(world: World) -> None:
    await world.visit("a", "ada")
    await world.visit("b", "bob")
    await world.visit("calm", "eve", tags={})
    await world.visit("nobody", None)
    receiver = Notebook()
    report = await world.run(receiver)
    assert sorted(receiver.told()) == [("enter", "ada"), ("enter", "bob")]
    assert (report.sessions, report.anonymous, report.members, report.enters) == (3, 1, 2, 2)
    assert report.is_done
    await world.visit("c", "cyd")
    await world.visit("a2", "ada")
    assert (await world.run(receiver)).enters == 1
    assert receiver.told()[2:] == [("enter", "cyd")]
    assert (await world.run(receiver)).batches == 0


async def test_a_member_leaves_when_the_window_has_passed_since_the_last_such_session(world: World) -> None:
    receiver = Notebook()
    await world.visit("a", "ada")
    await world.visit("b", "bob")
    await world.run(receiver)
    world.now_ms += 6 * DAY
    await world.visit("b2", "bob")
    world.now_ms += DAY - 1
    assert (await world.run(receiver)).exits == 0
    world.now_ms += 1
    assert (await world.run(receiver)).exits == 1
    assert receiver.told()[2:] == [("exit", "ada")]
    assert receiver.members == {"bob"}


async def test_any_filters_of_the_list_make_a_condition(world: World) -> None:
    await world.visit("a", "ada", score=80.0, attributes={"device": "phone"})
    await world.visit("b", "bob", score=80.0, attributes={"device": "desktop"})
    await world.visit("c", "cyd", score=10.0, attributes={"device": "phone"})
    receiver = Notebook()
    await world.run(receiver, world.declared("min_score=50&device=phone&page=https://shop.test/cart"))
    assert receiver.members == {"ada"}


async def test_a_user_who_was_deleted_before_anything_was_sent_is_never_told_of(world: World) -> None:
    await world.visit("a", "ada")
    await world.visit("b", "bob")
    parts = world.parts()
    async with owned(parts, 60_000, 0):
        await reconcile(parts.keeping, parts.matching, world.clock_ms)
        await world.delete("a")
    receiver = Notebook()
    await world.run(receiver)
    assert receiver.told() == [("enter", "bob")]
    assert await world.traces_of("ada") == []


async def test_a_user_who_is_deleted_while_a_batch_is_being_put_together_is_not_in_it(world: World) -> None:
    await world.visit("a", "ada")
    await world.visit("b", "bob")
    parts = world.parts()
    async with owned(parts, 60_000, 0):
        await reconcile(parts.keeping, parts.matching, world.clock_ms)
        await world.delete("b")
        batch = await parts.keeping.next_batch(50, 0)
    assert batch is not None
    assert [event.user_id for event in batch.events] == ["ada"]
    assert await world.traces_of("bob") == []


async def test_a_user_who_was_told_of_and_is_deleted_leaves_with_nothing_else_said(
    world: World,
) -> None:
    await world.visit("a", "ada")
    receiver = Notebook()
    await world.run(receiver)
    await world.delete("a")
    assert (await world.run(receiver)).exits == 1
    gone = receiver.taken[-1]
    assert (gone.event, gone.user_id, gone.matched_at) == ("exit", "ada", None)
    assert await world.traces_of("ada") == []
    assert (await world.run(receiver)).batches == 0


async def test_who_loses_one_session_of_two_stays(world: World) -> None:
    receiver = Notebook()
    await world.visit("a", "ada", ago=DAY)
    await world.visit("a2", "ada")
    await world.run(receiver)
    await world.delete("a2")
    assert (await world.run(receiver)).exits == 0
    world.now_ms += 6 * DAY
    assert (await world.run(receiver)).exits == 1


async def test_excluded_users_are_not_told_of_and_leave(world: World) -> None:
    receiver = Notebook()
    await world.visit("a", "ada")
    await world.visit("b", "bob", anonymous_id="anon-b")
    await world.visit("c", "cyd")
    world.exclusions.replace([user_digest("shop", "anon-b")])
    await world.run(receiver)
    assert receiver.members == {"ada", "cyd"}
    world.settings = Settings(privacy=PrivacySettings(exclude_users=("cyd",)))
    await world.run(receiver)
    assert receiver.members == {"ada"}
    assert receiver.told()[-1] == ("exit", "cyd")


async def test_users_of_other_projects_are_none_of_ours(world: World) -> None:
    await world.visit("a", "ada", project_id="other")
    receiver = Notebook()
    assert (await world.run(receiver)).sessions == 0
    assert receiver.batches == []


async def test_there_is_room_for_so_many_and_that_is_said(world: World) -> None:
    await world.visits(["u1", "u2", "u3"])
    receiver = Notebook()
    report = await world.run(receiver, world.declared(max_members=2))
    assert (len(receiver.members), report.members, report.left_out, report.is_done) == (2, 2, 1, False)
    assert (await world.run(receiver, world.declared(max_members=3))).is_done
    assert len(receiver.members) == 3


async def test_more_users_than_a_page_and_a_batch_hold_are_told_of_once_each(world: World) -> None:
    users = [f"u{number}" for number in range(1_203)]
    await world.visits(users)
    receiver = Notebook()
    report = await world.run(receiver)
    assert [len(batch.events) for batch in receiver.batches] == [50] * 24 + [3]
    assert sorted(user for _, user in receiver.told()) == sorted(users)
    assert len({event.id for event in receiver.taken}) == report.enters == len(users)


async def test_a_dry_run_says_what_a_run_does_and_changes_nothing(world: World) -> None:
    receiver = Notebook()
    await world.visits(["u1", "u2", "u3"])
    await world.run(receiver)
    await world.delete("s-u1")
    await world.visits(["u4", "u5"])
    await world.visit("nobody", None)
    before = {key: await world.redis.dump(key) for key in await world.redis.keys()}
    job = Job(world.parts(), receiver, world.clock_ms, 60_000)
    shown = await look_only(job)
    assert (shown.users, shown.enters, shown.exits, shown.tally.anonymous) == (4, 2, 1, 1)
    assert {key: await world.redis.dump(key) for key in await world.redis.keys()} == before
    report = await world.run(receiver)
    assert (report.enters, report.exits) == (shown.enters, shown.exits)


async def test_a_second_run_at_the_same_time_gives_up_and_changes_nothing(world: World) -> None:
    await world.visit("a", "ada")
    first, receiver = world.parts(), Notebook()
    async with owned(first, 60_000, 0):
        with pytest.raises(BusyError, match="another process"):
            async with owned(world.parts(), 60_000, 0):
                raise AssertionError
    assert (await world.run(receiver)).enters == 1


async def test_a_second_run_takes_over_when_the_first_is_done(world: World) -> None:
    await world.visits([f"u{number}" for number in range(200)])
    first, second = Notebook(), Notebook()
    reports = await asyncio.gather(world.run(first), world.run(second))
    assert {user for _, user in first.told() + second.told()} == {f"u{number}" for number in range(200)}
    assert sum(report.enters for report in reports) == 200


async def test_an_owner_whose_time_was_over_writes_nothing_any_more(world: World) -> None:
    await world.visit("a", "ada")
    zombie, receiver = world.parts(), Notebook()
    assert await zombie.state.claim() == 0
    await zombie.keeping.open()
    await world.lease_is_over()
    await world.run(receiver)
    await world.delete("a")
    for step in (zombie.keeping.begin_walk(), zombie.keeping.sweep(), zombie.keeping.next_batch(50, 0)):
        try:
            assert await step is None
        except NotOwnerError:
            continue
    with pytest.raises(NotOwnerError):
        await zombie.keeping.begin_walk()
    assert (await zombie.state.members(["ada"]))["ada"].told == "in"


async def test_an_export_by_webhook_goes_on_after_it_was_broken_off_and_is_forgotten_then(world: World) -> None:
    await world.visits([f"u{number}" for number in range(120)])
    broken = Notebook(Posted("accepted"), OSError("the network is gone"))
    with pytest.raises(OSError, match="network"):
        await world.run(broken, forgets=True)
    again = Notebook()
    assert (await world.run(again, forgets=True)).is_done
    assert again.batches[0].id == broken.batches[1].id
    assert broken.members | again.members == {f"u{number}" for number in range(120)}
    assert await world.redis.keys("wince:{cohorts:*") == []


async def test_the_same_window_counts_from_starts_that_are_in_the_future_as_well(world: World) -> None:
    await world.visit("a", "ada", ago=-DAY)
    receiver = Notebook()
    await world.run(receiver)
    world.now_ms += 8 * DAY - 1
    await world.run(receiver)
    assert receiver.members == {"ada"}
    world.now_ms += 1
    await world.run(receiver)
    assert receiver.members == set()


async def test_numbers_of_changes_grow_although_the_clock_is_set_back(world: World) -> None:
    receiver = Notebook()
    await world.visit("a", "ada")
    await world.run(receiver)
    world.now_ms = T0
    await world.delete("a")
    await world.run(receiver)
    first, second = receiver.taken
    assert first.sequence < second.sequence


async def test_what_a_receiver_wants_no_more_ends_a_run_and_the_next_one_goes_on(world: World) -> None:
    await world.visits([f"u{number}" for number in range(60)])
    report = await world.run(Notebook(Posted("gone", 410, note="answered 410")))
    assert (report.ending, report.waiting, report.is_done) == ("gone", 60, False)
    receiver = Notebook()
    job = Job(world.parts(), receiver, world.clock_ms, 60_000, sleep=world.sleep)
    assert (await run_once(job)).is_done
    assert len(receiver.members) == 60


async def test_a_window_that_was_made_shorter_or_longer_holds_from_the_next_run_on(world: World) -> None:
    receiver = Notebook()
    await world.visit("a", "ada", ago=5 * DAY)
    await world.run(receiver, world.declared(window_ms=14 * DAY))
    await world.run(receiver, world.declared(window_ms=7 * DAY))
    parts = world.parts()
    ada = (await parts.state.members(["ada"]))["ada"]
    assert ada.until == world.now_ms + 2 * DAY
    await world.run(receiver, world.declared(window_ms=14 * DAY))
    assert (await parts.state.members(["ada"]))["ada"].until == world.now_ms + 9 * DAY
    await world.run(receiver, world.declared(window_ms=4 * DAY))
    assert receiver.told() == [("enter", "ada"), ("exit", "ada")]


async def test_a_session_that_began_earlier_than_was_thought_makes_a_member_for_less_long(world: World) -> None:
    parts = world.parts()
    async with owned(parts, 60_000, 0):
        await world.visit("a", "ada")
        await parts.keeping.look(["a"])
        await world.change("a", started_at=world.now_ms - DAY)
        await parts.keeping.look(["a"])
        assert (await parts.state.members(["ada"]))["ada"].until == world.now_ms + 6 * DAY


async def test_few_batches_a_minute_are_no_reason_to_give_up(world: World) -> None:
    class Slow(Notebook):
        pause_ms = 60_000

    await world.visits([f"u{number}" for number in range(120)])
    receiver = Slow()
    assert (await world.run(receiver, world.declared(patience_ms=1_000))).is_done
    assert len(receiver.batches) == 3
