"""Senders on a Redis that goes away or holds what is not theirs, and how they run and end."""

import asyncio
from collections.abc import Sequence

import pytest

from engine.alerts.delivery.outbox import Outbox
from engine.alerts.delivery.sender import LEASE_MS
from engine.alerts.names import AlertNames
from engine.alerts.routing import messages
from replay.errors import Broken, Unavailable
from replay.redis_client import Call
from tests.engine.alerts.delivery.alerts import ALERT, OVER, alert, rules
from tests.engine.alerts.delivery.delivering import RULE, Delivery, told, webhook
from tests.engine.delivery.receivers import receiving, saying


async def test_what_a_later_version_wrote_is_left_to_it(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT, alert("a2"))
        keys = AlertNames("wince").project("shop")
        (message,) = messages(ALERT, delivery.file, 0)
        await delivery.client.run(Call("HSET", (keys.messages,), (message.id, b'{"version":2}')))
        await delivery.passed(delivery.sender())
        assert told(receiver) == ["firing a2"]
        assert delivery.noted.words["unreadable"] == 1
        assert await delivery.outbox.waiting(["shop"]) == (1, 0)


class Away(Outbox):
    """An outbox whose Redis goes away now and then, after it did what it was asked, or before."""

    def __init__(self, outbox: Outbox, plan: Sequence[str]) -> None:
        super().__init__(outbox._client, outbox._names)
        self.plan = list(plan)

    async def _run(self, call: object) -> object:
        fate = self.plan.pop(0) if self.plan else ""
        if fate == "before":
            raise Unavailable("away")
        reply = await super()._run(call)  # type: ignore[arg-type]  # a call, as the parent says
        if fate == "after":
            raise Unavailable("away")
        return reply


@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize("place", range(7))
async def test_a_redis_that_is_away_loses_and_doubles_nothing(delivery: Delivery, fate: str, place: int) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT, OVER)
        delivery.outbox = Away(delivery.outbox, [""] * place + [fate])
        sender = delivery.sender()
        for _ in range(4):
            sender.wake("shop")
            try:
                await sender.send_due()
            except Unavailable:
                delivery.noted.words["unavailable"] += 1
            await sender.settled()
            await sender.settled()
        for _ in range(3):
            await delivery.passed(sender, LEASE_MS)
        assert told(receiver) == ["firing a1", "resolved a1"]
        assert delivery.noted.words["unavailable"] == 1


async def test_it_runs_until_it_is_cancelled_and_then_ends_what_is_under_way(delivery: Delivery) -> None:
    let_go = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await let_go.wait()
        await saying("200 OK")(reader, writer)

    async with receiving(answer) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        sender = delivery.sender()
        running = asyncio.create_task(sender.run())
        await delivery.put(ALERT)
        sender.wake("shop")
        await receiver.arrived.get()
        running.cancel()
        let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await delivery.outbox.waiting(["shop"]) == (0, 0)
        assert delivery.noted.words["arrived"] == 1


async def test_it_finds_what_others_put_in_and_did_not_send(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT)
        running = asyncio.create_task(delivery.sender().run())
        await asyncio.wait_for(receiver.arrived.get(), 30)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert delivery.noted.seen == (1, 0, 0)


async def test_it_stops_where_something_else_is_in_its_place(delivery: Delivery) -> None:
    await delivery.client.run(Call("SADD", (AlertNames("wince").projects,), ("shop",)))
    await delivery.client.run(Call("SET", (AlertNames("wince").project("shop").due,), ("no sorted set",)))
    with pytest.raises(Broken):
        await asyncio.wait_for(delivery.sender().run(), 30)
