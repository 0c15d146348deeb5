"""The outbox, in a real Redis and in a cluster: what is put in goes out once, in order, or is told as failed."""

import asyncio
import hashlib

import msgspec
import pytest

from engine.alerts.delivery.outbox import (
    ENQUEUE,
    FAILED_KEPT_MS,
    MAX_FAILED,
    Disabled,
    Entry,
    Held,
    Outbox,
    enqueue_arguments,
)
from engine.alerts.names import AlertNames
from engine.alerts.routing import SENT_KEPT_MS, Message, messages
from replay.redis_client import Call, RedisClient, Script
from tests.engine.alerts.delivery.alerts import ALERT, OVER, T0, alert, rules
from tests.engine.alerts.delivery.putting import put

FILE = rules('[[rules]]\nname = "spike"\nkind = "spike"\n[[routes]]\nname = "a"\nkind = "slack"\nurl = "env:A"\n')
LEASE = 60_000
NAMES = AlertNames("wince")


@pytest.fixture
def outbox(any_client: RedisClient) -> Outbox:
    return Outbox(any_client, NAMES)


def firing(alert_id: str = "a1", due_ms: int = T0) -> Message:
    (message,) = messages(alert(alert_id), FILE, T0)
    return msgspec.structs.replace(message, due_ms=due_ms)


def resolved(alert_id: str = "a1") -> Message:
    (message,) = messages(alert(alert_id, resolved_at=OVER.resolved_at), FILE, T0)
    return message


async def claimed(outbox: Outbox, now_ms: int = T0, most: int = 100) -> list[Held]:
    return (await outbox.claim("shop", now_ms, LEASE, most)).held


async def states(outbox: Outbox, now_ms: int = T0) -> list[str]:
    return [held.entry.message.state for held in await claimed(outbox, now_ms)]


async def test_a_message_is_put_in_once_and_given_out_once(any_client: RedisClient, outbox: Outbox) -> None:
    assert await put(any_client, "shop", [firing(), firing("a2")], T0) == 2
    assert await put(any_client, "shop", [firing(), firing("a2")], T0 + 1) == 0
    assert await outbox.projects() == ["shop"]
    assert [held.entry.message for held in await claimed(outbox)] == sorted(
        [firing(), firing("a2")], key=lambda message: message.id
    )
    assert await claimed(outbox) == []


async def test_what_was_sent_is_not_taken_again(any_client: RedisClient, outbox: Outbox) -> None:
    await put(any_client, "shop", [firing()], T0)
    ((entry, _),) = await claimed(outbox)
    await outbox.sent(entry, T0)
    await outbox.sent(entry, T0)
    assert await put(any_client, "shop", [firing()], T0) == 0
    assert await outbox.waiting(["shop"]) == (0, 0)
    assert await claimed(outbox, T0 + LEASE) == []


async def test_who_holds_a_message_for_too_long_loses_it(any_client: RedisClient, outbox: Outbox) -> None:
    await put(any_client, "shop", [firing()], T0)
    (first,) = await claimed(outbox)
    assert await claimed(outbox, T0 + LEASE - 1) == []
    (second,) = await claimed(outbox, T0 + LEASE)
    assert not await outbox.postpone(first, first.entry, T0 + 10 * LEASE)
    assert not await outbox.fail(first, first.entry, T0)
    assert await outbox.postpone(second, second.entry, T0 + LEASE)
    await outbox.sent(first.entry, T0)
    assert not await outbox.fail(second, second.entry, T0)
    assert await outbox.waiting(["shop"]) == (0, 0)


async def test_many_senders_at_once_get_each_message_once(any_client: RedisClient, outbox: Outbox) -> None:
    wanted = [firing(f"a{number}") for number in range(100)]
    for _ in range(3):
        await put(any_client, "shop", wanted, T0)
    taken = [held for some in await asyncio.gather(*(claimed(outbox, most=7) for _ in range(30))) for held in some]
    assert sorted(held.entry.message.id for held in taken) == sorted(message.id for message in wanted)


async def test_a_call_whose_reply_got_lost_gives_the_same_again(any_client: RedisClient, outbox: Outbox) -> None:
    calls: list[Call] = []

    class Repeating(Outbox):
        async def _run(self, call: Call) -> object:
            calls.append(call)
            await super()._run(call)
            return await super()._run(call)

    await put(any_client, "shop", [firing(f"a{number}") for number in range(5)], T0)
    first = (await Repeating(any_client, NAMES).claim("shop", T0, LEASE, 3)).held
    assert len(calls) == 1
    assert len(first) == 3
    rest = await claimed(outbox)
    assert len({held.entry.message.id for held in [*first, *rest]}) == 5


class TestOrder:
    async def test_what_is_over_waits_until_it_was_told(self, any_client: RedisClient, outbox: Outbox) -> None:
        await put(any_client, "shop", [firing()], T0)
        await put(any_client, "shop", [resolved()], T0)
        ((entry, _),) = await claimed(outbox)
        assert entry.message.state == "firing"
        assert await claimed(outbox, T0 + LEASE - 1) == []
        await outbox.sent(entry, T0)
        assert await states(outbox) == ["resolved"]

    async def test_what_is_over_goes_at_once_after_that(self, any_client: RedisClient, outbox: Outbox) -> None:
        await put(any_client, "shop", [firing()], T0)
        ((entry, _),) = await claimed(outbox)
        await outbox.sent(entry, T0)
        await put(any_client, "shop", [resolved()], T0)
        assert await states(outbox) == ["resolved"]

    async def test_what_was_never_to_be_told_is_not_over(self, any_client: RedisClient, outbox: Outbox) -> None:
        assert await put(any_client, "shop", [resolved()], T0) == 0
        assert await outbox.waiting(["shop"]) == (0, 0)

    async def test_of_what_fired_long_ago_it_is_not_known(self, any_client: RedisClient) -> None:
        (late,) = messages(OVER, FILE, T0 + SENT_KEPT_MS)
        assert await put(any_client, "shop", [late], T0 + SENT_KEPT_MS) == 1

    async def test_what_is_over_within_its_silence_is_never_told(self, any_client: RedisClient, outbox: Outbox) -> None:
        await put(any_client, "shop", [firing(due_ms=T0 + 1_000)], T0)
        assert await put(any_client, "shop", [resolved()], T0 + 999) == 0
        assert await claimed(outbox, T0 + 10_000) == []
        assert await put(any_client, "shop", [firing(), resolved()], T0 + 2_000) == 0

    async def test_what_outlasts_its_silence_is(self, any_client: RedisClient, outbox: Outbox) -> None:
        await put(any_client, "shop", [firing(due_ms=T0 + 1_000)], T0)
        assert await claimed(outbox, T0 + 999) == []
        assert await put(any_client, "shop", [resolved()], T0 + 1_000) == 1
        assert await states(outbox, T0 + 1_000) == ["firing"]

    async def test_what_is_tried_again_is_not_taken_for_silenced(self, any_client: RedisClient, outbox: Outbox) -> None:
        await put(any_client, "shop", [firing()], T0)
        (held,) = await claimed(outbox)
        await outbox.postpone(held, held.entry, T0 + 3_600_000)
        assert await put(any_client, "shop", [resolved()], T0) == 1
        assert await states(outbox, T0 + 3_600_000) == ["firing"]

    async def test_what_fails_takes_with_it_that_it_is_over(self, any_client: RedisClient, outbox: Outbox) -> None:
        await put(any_client, "shop", [firing(), resolved()], T0)
        (held,) = await claimed(outbox)
        assert await outbox.fail(held, held.entry, T0)
        assert await put(any_client, "shop", [firing(), resolved()], T0) == 0
        assert await outbox.waiting(["shop"]) == (0, 2)

    async def test_that_it_is_over_comes_later(self, any_client: RedisClient, outbox: Outbox) -> None:
        await put(any_client, "shop", [firing()], T0)
        (held,) = await claimed(outbox)
        await outbox.fail(held, held.entry, T0)
        await put(any_client, "shop", [resolved()], T0)
        assert await outbox.waiting(["shop"]) == (0, 2)


class TestFailed:
    async def failed(self, any_client: RedisClient, outbox: Outbox, *wanted: Message) -> list[Entry]:
        await put(any_client, "shop", wanted, T0)
        for held in await claimed(outbox):
            await outbox.fail(held, msgspec.structs.replace(held.entry, attempts=3, note="answered 500"), T0 + 5)
        return [entry for entry, _ in await outbox.failed("shop")]

    async def test_they_are_listed_with_what_happened(self, any_client: RedisClient, outbox: Outbox) -> None:
        await self.failed(any_client, outbox, firing())
        ((entry, at_ms),) = await outbox.failed("shop")
        assert (entry.message, entry.attempts, entry.note, at_ms) == (firing(), 3, "answered 500", T0 + 5)
        assert await outbox.failed("other") == []

    async def test_they_can_be_sent_again_as_new_and_in_order(self, any_client: RedisClient, outbox: Outbox) -> None:
        both = {entry.message.state: entry for entry in await self.failed(any_client, outbox, firing(), resolved())}
        assert not await outbox.resend(both["resolved"], T0)
        assert await outbox.resend(both["firing"], T0)
        assert not await outbox.resend(both["firing"], T0)
        assert await outbox.resend(both["resolved"], T0)
        ((entry, _),) = await claimed(outbox)
        assert (entry.message.state, entry.attempts, entry.note) == ("firing", 0, "")
        await outbox.sent(entry, T0)
        assert await states(outbox) == ["resolved"]
        assert await outbox.failed("shop") == []

    async def test_there_is_a_limit_to_them(self, any_client: RedisClient, outbox: Outbox) -> None:
        many = [firing(f"a{number}") for number in range(MAX_FAILED + 5)]
        await put(any_client, "shop", many, T0)
        for at_ms, held in enumerate(await claimed(outbox, most=10_000)):
            await outbox.fail(held, held.entry, T0 + at_ms)
        kept = await outbox.failed("shop")
        assert len(kept) == MAX_FAILED
        assert min(at_ms for _, at_ms in kept) == T0 + 5

    async def test_they_are_forgotten_also_if_nothing_fails_any_more(
        self, any_client: RedisClient, outbox: Outbox
    ) -> None:
        await put(any_client, "shop", [firing("a1"), firing("a2")], T0)
        for at_ms, held in enumerate(await claimed(outbox)):
            await outbox.fail(held, held.entry, T0 + at_ms)
        await outbox.tidy(["shop", "other"], T0 + FAILED_KEPT_MS)
        assert [at_ms for _, at_ms in await outbox.failed("shop")] == [T0 + 1]

    async def test_what_is_too_much_for_the_outbox_is_among_them(self, any_client: RedisClient, outbox: Outbox) -> None:
        keys = NAMES.project("shop")
        arguments = enqueue_arguments([firing("a1"), firing("a2"), firing("a3")], T0)
        arguments[1] = 2
        script = ENQUEUE + (
            "return enqueue({due = KEYS[1], messages = KEYS[2], sent = KEYS[3], failed = KEYS[4], failed_at = KEYS[5]},"
            " ARGV, 3)"
        )
        named = (keys.due, keys.messages, keys.sent, keys.failed, keys.failed_at)
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        assert await any_client.run(Call(Script(script, digest), named, ("of", "others", *arguments))) == 3
        assert await outbox.waiting(["shop"]) == (2, 1)


async def test_the_outbox_says_when_the_next_one_is_due(any_client: RedisClient, outbox: Outbox) -> None:
    await put(any_client, "shop", [firing("a1", T0 + 500), firing("a2", T0 + 900)], T0)
    assert await outbox.next_due(["other", "shop"]) == {"shop": T0 + 500}
    assert (await outbox.claim("shop", T0, LEASE, 5)).next_due_ms == T0 + 500
    assert (await outbox.claim("shop", T0 + 500, LEASE, 5)).next_due_ms == T0 + 900
    assert (await outbox.claim("other", T0, LEASE, 5)).next_due_ms is None


async def test_routes_are_disabled_until_somebody_enables_them(outbox: Outbox) -> None:
    disabled = Disabled(T0, "abc", "answered 410")
    await outbox.disable("a", disabled)
    assert await outbox.disabled() == {"a": disabled}
    assert await outbox.enable("a")
    assert not await outbox.enable("a")
    assert await outbox.disabled() == {}


async def test_all_who_send_share_the_pace_of_a_route(outbox: Outbox) -> None:
    sent = [await outbox.may_send("a", 3, T0) for _ in range(5)]
    assert sent == [True, True, True, False, False]
    assert await outbox.may_send("b", 3, T0)
    assert await outbox.may_send("a", 3, T0 + 60_000)


async def test_what_was_left_out_is_counted_until_it_is_told(outbox: Outbox) -> None:
    assert await outbox.take_left_out("a") == 0
    await outbox.count_left_out("a", 3)
    await outbox.count_left_out("a", 2)
    assert await outbox.take_left_out("a") == 5
    assert await outbox.take_left_out("a") == 0


async def test_projects_may_have_any_name(any_client: RedisClient, outbox: Outbox) -> None:
    odd = "sh{o}p\r\n é"
    (message,) = messages(msgspec.structs.replace(ALERT, project_id=odd), FILE, T0)
    await put(any_client, odd, [message], T0)
    assert await outbox.projects() == [odd]
    (held,) = (await outbox.claim(odd, T0, LEASE, 5)).held
    await outbox.sent(held.entry, T0)
    assert await outbox.next_due([odd]) == {}


async def test_deleted_sessions_are_forgotten_in_what_waits_and_failed(any_client: RedisClient, outbox: Outbox) -> None:
    await put(any_client, "shop", [firing("a1"), firing("a2")], T0)
    held = await claimed(outbox)
    await outbox.fail(held[0], held[0].entry, T0)
    assert await outbox.forget("shop", ["s1", "s3"]) == 2
    assert await outbox.forget("shop", ["s1", "s3"]) == 0
    ((failed, _),) = await outbox.failed("shop")
    (waiting,) = await claimed(outbox, T0 + LEASE)
    for entry in (failed, waiting.entry):
        assert [moment.session_id for moment in entry.message.alert.moments] == ["s2"]
