"""Senders with a real Redis and real receivers, on a clock that is moved."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.alerts.delivery.attempt import Attempter
from engine.alerts.delivery.endpoints import open_routes
from engine.alerts.delivery.links import MomentLinks, Shown, ViewerSettings
from engine.alerts.delivery.sender import LEASE_MS, TOO_MANY_FOR_MS, Sender
from engine.alerts.routes import Route
from engine.alerts.routing import messages
from schemas.alert_messages import AlertLink, AlertMessage
from schemas.alerts import Alert
from tests.engine.alerts.delivery.alerts import ALERT, OVER, alert, rules
from tests.engine.alerts.delivery.delivering import RULE, SECRET, Delivery, told, webhook
from tests.engine.alerts.delivery.putting import put
from tests.engine.delivery.receivers import Answer, raw, receiving, saying
from tests.servers.redis_server import FoundRedis


class InTurn:
    """Gives one answer after another, then the last again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await answer(reader, writer)


async def test_an_alert_is_told_and_that_it_is_over(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT, OVER)
        await delivery.passed(delivery.sender())
        assert told(receiver) == ["firing a1", "resolved a1"]
        message = msgspec.json.decode(receiver.bodies[0], type=AlertMessage)
        assert [link.url for link in message.data.links] == [
            f"https://replay.example/s/{moment.session_id}?t={moment.t}" for moment in ALERT.moments
        ]
        assert delivery.noted.words == {"arrived": 2}


async def test_several_senders_tell_it_once(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(*[alert(f"a{number}") for number in range(20)])
        senders = [delivery.sender() for _ in range(4)]
        for _ in range(40):
            await asyncio.gather(*(delivery.passed(sender) for sender in senders))
            if len(receiver.bodies) >= 20:
                break
            delivery.clock.ahead_ms += 2_000
        assert sorted(told(receiver)) == sorted(f"firing a{number}" for number in range(20))


async def test_who_dies_between_post_and_note_has_it_told_again_with_the_same_id(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT)
        dead = await delivery.outbox.claim("shop", delivery.clock(), LEASE_MS, 10)
        links = MomentLinks(delivery.client, "wince", ViewerSettings("", 1, 1), delivery.clock)
        endpoint = open_routes(delivery.file, {"SECRET": SECRET}, "")["hook"]
        await Attempter(delivery.poster, links, delivery.clock).send(endpoint, dead.held[0].entry)
        other = delivery.sender()
        await delivery.passed(other, LEASE_MS - 1_000)
        assert len(receiver.bodies) == 1
        delivery.clock.ahead_ms = 0
        await delivery.passed(other, LEASE_MS + 1_000)
        assert receiver.header("webhook-id", 0) == receiver.header("webhook-id", 1)
        await delivery.passed(other, LEASE_MS)
        assert len(receiver.bodies) == 2


class SlowLinks(MomentLinks):
    """Makes links while another sender takes over what is held for too long."""

    def __init__(self, delivery: Delivery, other: Sender) -> None:
        super().__init__(delivery.client, "wince", ViewerSettings("", 1, 1), delivery.clock)
        self._delivery, self._other = delivery, other

    async def make(self, alert: Alert, route: Route, made: list[AlertLink] | None, *, may_share: bool) -> Shown:
        """Let a lease run out."""
        await self._delivery.passed(self._other, 2 * LEASE_MS)
        return await super().make(alert, route, made, may_share=may_share)


async def test_what_was_held_for_too_long_is_left_to_who_holds_it_now(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT)
        attempter = Attempter(delivery.poster, SlowLinks(delivery, delivery.sender()), delivery.clock)
        slow = Sender(delivery.outbox, attempter, delivery.noted, clock_ms=delivery.clock, chance=delivery.chance)
        slow.use(open_routes(delivery.file, {"SECRET": SECRET}, "rules.toml"))
        await delivery.passed(slow)
        assert told(receiver) == ["firing a1"]


async def test_a_killed_sender_is_replaced(
    delivery: Delivery, redis_server: FoundRedis, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    killed: list[subprocess.Popen[bytes]] = []

    async def kill_who_asks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not killed:
            process.kill()
            killed.append(process)
        await saying("200 OK")(reader, writer)

    async with receiving(kill_who_asks) as receiver:
        text = RULE + webhook(receiver)
        delivery.file = rules(text)
        (tmp_path / "rules.toml").write_text(text)
        await delivery.put(ALERT, OVER)
        command = [sys.executable, "-m", "tests.engine.alerts.delivery.sender_process"]
        arguments = [redis_server.url, str(tmp_path / "rules.toml"), SECRET]
        process = subprocess.Popen([*command, *arguments], cwd=request.config.rootpath)  # noqa: ASYNC220 - beside us
        await asyncio.wait_for(receiver.arrived.get(), 60)
        await asyncio.to_thread(process.wait)
        assert process.returncode == -signal.SIGKILL
        await delivery.passed(delivery.sender(), LEASE_MS)
        assert told(receiver) == ["firing a1", "firing a1", "resolved a1"]
        assert receiver.header("webhook-id", 0) == receiver.header("webhook-id", 1)


async def test_a_slow_receiver_is_waited_for_and_told_once(delivery: Delivery) -> None:
    let_go = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await let_go.wait()
        await saying("200 OK")(reader, writer)

    async with receiving(answer) as receiver:
        delivery.file = rules(RULE + webhook(receiver, more='timeout = "1m"'))
        await delivery.put(ALERT)
        slow, other = delivery.sender(), delivery.sender()
        slow.wake("shop")
        await slow.send_due()
        await receiver.arrived.get()
        await delivery.passed(other, 65_000)
        let_go.set()
        await slow.settled()
        await delivery.passed(other, LEASE_MS)
        assert told(receiver) == ["firing a1"]


async def test_trouble_is_waited_out_longer_and_longer(delivery: Delivery) -> None:
    answer = InTurn(saying("500 Oh"), raw(), saying("404 None"), saying("200 OK"))
    async with receiving(answer) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT, OVER)
        sender = delivery.sender()
        seen = []
        for wait_ms in (0, 4_000, 2_000, 13_000, 3_000, 43_000, 5_000):
            await delivery.passed(sender, wait_ms)
            seen.append(len(receiver.bodies))
        assert seen == [1, 1, 2, 2, 3, 3, 5]
        assert len({receiver.header("webhook-id", place) for place in range(4)}) == 1
        assert told(receiver)[-2:] == ["firing a1", "resolved a1"]


async def test_what_never_arrives_is_among_the_failed_and_can_be_sent_again(delivery: Delivery) -> None:
    answer = InTurn(saying("500 Oh", body=b"no disk"))
    async with receiving(answer) as receiver:
        delivery.file = rules(RULE + webhook(receiver, more='give_up_after = "2h"'))
        await delivery.put(ALERT, OVER)
        sender = delivery.sender()
        for _ in range(20):
            await delivery.passed(sender, 600_000)
        assert 4 <= len(receiver.bodies) <= 9
        assert sorted(await delivery.failed()) == ["", "answered 500: no disk"]
        assert delivery.noted.words["failed"] == 1
        answer.answers[:] = [saying("200 OK")]
        for entry, _ in reversed(await delivery.outbox.failed("shop")):
            await delivery.outbox.resend(entry, delivery.clock())
        for entry, _ in await delivery.outbox.failed("shop"):
            await delivery.outbox.resend(entry, delivery.clock())
        await delivery.passed(sender, 3_600_000)
        assert told(receiver)[-2:] == ["firing a1", "resolved a1"]
        assert await delivery.failed() == []


async def test_a_busy_receiver_is_left_alone_for_as_long_as_it_says(delivery: Delivery) -> None:
    answer = InTurn(saying("429 Slow", "Retry-After: 600"), saying("200 OK"))
    async with receiving(answer) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT)
        sender = delivery.sender()
        await delivery.passed(sender)
        await delivery.put(alert("a2"))
        await delivery.passed(sender, 590_000)
        assert len(receiver.bodies) == 1
        await delivery.passed(sender, 12_000)
        await delivery.passed(sender, 2_000)
        assert sorted(told(receiver)[1:]) == ["firing a1", "firing a2"]


async def test_who_answers_410_is_told_nothing_until_enabled_or_moved(delivery: Delivery) -> None:
    answer = InTurn(saying("410 Gone"), saying("200 OK"))
    async with receiving(answer) as receiver, receiving(saying("200 OK")) as moved:
        delivery.file = rules(RULE + webhook(receiver))
        sender = delivery.sender()
        await delivery.put(ALERT)
        await delivery.passed(sender)
        await delivery.put(alert("a2"))
        await delivery.passed(sender, 10_000)
        await delivery.passed(delivery.sender(), 10_000)
        assert len(receiver.bodies) == 1
        assert sorted(await delivery.failed()) == [
            "answered 410", "the route is disabled: its receiver answered 410",
        ]  # fmt: skip
        assert (await delivery.outbox.disabled())["hook"].note == "answered 410"
        await delivery.put(alert("a3"))
        await delivery.passed(delivery.sender(rules(RULE + webhook(moved))), 10_000)
        assert delivery.noted.seen[2] == 0
        assert told(moved) == ["firing a3"]
        assert await delivery.outbox.disabled() == {}
        await delivery.put(alert("a4"))
        await delivery.passed(sender, 10_000)
        assert told(receiver)[1:] == ["firing a4"]


async def test_who_is_told_again_is_told_at_once(delivery: Delivery) -> None:
    async with receiving(InTurn(saying("410 Gone"), saying("200 OK"))) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        sender = delivery.sender()
        await delivery.put(ALERT)
        await delivery.passed(sender)
        ((entry, _),) = await delivery.outbox.failed("shop")
        await delivery.outbox.enable("hook")
        await delivery.outbox.resend(entry, delivery.clock())
        await delivery.passed(sender)
        assert told(receiver) == ["firing a1", "firing a1"]
        assert await delivery.failed() == []


@pytest.mark.parametrize(
    "answer", [saying("302 Found", "Location: http://127.0.0.1:1/"), saying("307 Again", "Location: http://[::1]/")]
)
async def test_redirects_are_told_as_refused(delivery: Delivery, answer: Answer) -> None:
    async with receiving(answer) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT)
        await delivery.passed(delivery.sender())
        (note,) = await delivery.failed()
        assert note.endswith("redirects are not followed")


async def test_inner_addresses_are_refused(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        inside = webhook(receiver).replace('allow_hosts = ["127.0.0.1"]', 'allow_hosts = ["x"]')
        delivery.file = rules(RULE + inside.replace("http://127.0.0.1", "http://localhost"))
        await delivery.put(ALERT)
        await delivery.passed(delivery.sender())
        (note,) = await delivery.failed()
        assert "not public (loopback)" in note
        assert not receiver.heads


async def test_a_receiver_that_holds_on_delays_no_other(delivery: Delivery) -> None:
    async with receiving(raw(stay=True)) as slow, receiving(saying("200 OK")) as quick:
        delivery.file = rules(RULE + webhook(slow, "slow", 'timeout = "60s"') + webhook(quick, "quick"))
        sender = delivery.sender()
        running = asyncio.create_task(sender.run())
        await delivery.put(*[alert(f"a{number}") for number in range(30)])
        sender.wake("shop")
        for _ in range(30):
            await asyncio.wait_for(quick.arrived.get(), 30)
        assert sorted(told(quick)) == sorted(f"firing a{number}" for number in range(30))
        assert len(slow.bodies) == 2
        for post in sender._posts:
            post.cancel()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_flood_is_slowed_down_then_left_out_and_told(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver, more="max_per_minute = 2"))
        sender = delivery.sender()
        await delivery.put(*[alert(f"a{number}") for number in range(60)])
        for _ in range(20):
            await delivery.passed(sender, 60_000)
        within = 2 * (TOO_MANY_FOR_MS // 60_000 + 2)
        assert within - 6 <= len(receiver.bodies) <= within
        assert delivery.noted.words["left_out"] == 60 - len(receiver.bodies)
        assert len(await delivery.failed()) == 60 - len(receiver.bodies)
        await delivery.put(alert("later"))
        await delivery.passed(sender, 60_000)
        read = [msgspec.json.decode(body, type=AlertMessage) for body in receiver.bodies]
        assert sum(message.data.messages_left_out for message in read) == delivery.noted.words["left_out"]


async def test_a_route_that_another_process_knows_is_left_to_it(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        await delivery.put(ALERT)
        await delivery.passed(delivery.sender(rules(RULE)))
        assert await delivery.failed() == []
        await delivery.passed(delivery.sender(), 62_000)
        assert told(receiver) == ["firing a1"]
        await delivery.put(alert("a2"))
        unknowing = delivery.sender(rules(RULE))
        for _ in range(26):
            await delivery.passed(unknowing, 3_600_000)
        assert await delivery.failed() == ["there is no such route"]


async def test_silenced_alerts_are_told_when_they_outlast_it(delivery: Delivery) -> None:
    async with receiving(saying("200 OK")) as receiver:
        delivery.file = rules(RULE + webhook(receiver))
        due_ms = delivery.clock() + 600_000
        for name in ("a1", "a2"):
            (message,) = messages(alert(name), delivery.file, delivery.clock())
            held = [msgspec.structs.replace(message, due_ms=due_ms)]
            await put(delivery.client, "shop", held, delivery.clock())
        await delivery.put(alert("a2", resolved_at=OVER.resolved_at))
        sender = delivery.sender()
        await delivery.passed(sender, 590_000)
        assert receiver.bodies == []
        await delivery.passed(sender, 20_000)
        assert told(receiver) == ["firing a1"]
