"""A sender on a real Redis, with a clock one can set, and what it told."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook

from engine.alerts.delivery.attempt import Attempter
from engine.alerts.delivery.endpoints import open_routes
from engine.alerts.delivery.links import MomentLinks, ViewerSettings
from engine.alerts.delivery.outbox import Outbox
from engine.alerts.delivery.sender import Sender, wall_clock_ms
from engine.alerts.routes import RouteKind
from engine.alerts.routing import messages
from engine.alerts.rules import RulesFile
from engine.delivery.posting import Outcome, Poster
from replay.errors import StoreError
from replay.redis_client import RedisClient
from schemas.alert_messages import AlertMessage
from schemas.alerts import Alert
from tests.engine.alerts.delivery.putting import put
from tests.engine.delivery.receivers import Receiver

SECRET = "whsec_" + "b28" * 12
RULE = '[[rules]]\nname = "spike"\nkind = "spike"\n'


@dataclass
class Noted:
    """Counts what an observer is told."""

    posts: Counter[Outcome] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    seen: tuple[int, int, int] = (0, 0, 0)

    def posted(self, kind: RouteKind, outcome: Outcome, seconds: float) -> None:
        assert kind
        assert seconds >= 0
        self.posts[outcome] += 1

    def arrived(self, seconds: float) -> None:
        assert seconds >= 0
        self.words["arrived"] += 1

    def failed(self) -> None:
        self.words["failed"] += 1

    def left_out(self) -> None:
        self.words["left_out"] += 1

    def unreadable(self, messages: int) -> None:
        self.words["unreadable"] += messages

    def looked(self, waiting: int, failed: int, disabled: int) -> None:
        self.seen = (waiting, failed, disabled)

    def unavailable(self, error: StoreError) -> None:
        assert str(error)
        self.words["unavailable"] += 1


class Clock:
    """The wall clock, moved on by hand."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return wall_clock_ms() + self.ahead_ms


@dataclass
class Delivery:
    """Everything from an alert to its receivers; each sender is a process of its own."""

    client: RedisClient
    clock: Clock
    poster: Poster
    outbox: Outbox
    noted: Noted = field(default_factory=Noted)
    file: RulesFile = field(default_factory=RulesFile)
    chance: Callable[[], float] = lambda: 0.5

    def sender(self, file: RulesFile | None = None) -> Sender:
        links = MomentLinks(self.client, "wince", ViewerSettings("https://replay.example", 1, 1), self.clock)
        attempter = Attempter(self.poster, links, self.clock)
        sender = Sender(self.outbox, attempter, self.noted, clock_ms=self.clock, chance=self.chance)
        sender.use(open_routes(file or self.file, {"SECRET": SECRET}, "rules.toml"))
        return sender

    async def put(self, *alerts: Alert) -> None:
        for each in alerts:
            await put(self.client, each.project_id, messages(each, self.file, self.clock()), self.clock())

    async def passed(self, sender: Sender, after_ms: int = 0) -> None:
        """Let time pass, and the sender look as often as it takes to send all that is due then."""
        self.clock.ahead_ms += after_ms
        for _ in range(10):
            sender.wake("shop")
            await sender.send_due()
            await sender.settled()

    async def failed(self) -> list[str]:
        return [entry.note for entry, _ in await self.outbox.failed("shop")]


def webhook(receiver: Receiver, name: str = "hook", more: str = "") -> str:
    return (
        f'[[routes]]\nname = "{name}"\nkind = "webhook"\nurl = "http://127.0.0.1:{receiver.port}/"\n'
        f'secrets = ["env:SECRET"]\nallow_hosts = ["127.0.0.1"]\nlinks = "viewer"\n{more}\n'
    )


def told(receiver: Receiver) -> list[str]:
    """Verify all that a receiver got; say what it was told."""
    for place, body in enumerate(receiver.bodies):
        # Not by `verify`, which looks at the clock.
        t = datetime.fromtimestamp(int(receiver.header("webhook-timestamp", place)), UTC)
        signed = Webhook(SECRET).sign(receiver.header("webhook-id", place), t, body.decode())
        assert receiver.header("webhook-signature", place) == signed
    read = [msgspec.json.decode(body, type=AlertMessage) for body in receiver.bodies]
    return [f"{message.type.partition('.')[2]} {message.data.alert.id}" for message in read]
