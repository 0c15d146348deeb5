"""What all of one alerter process shares."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.alerts.delivery.outbox import Outbox
from engine.alerts.rules import RulesFile
from engine.alerts.store import AlertStore
from engine.operate.health import Health
from engine.operate.registry import Meters
from engine.runtime.kafka.patience import Patience
from engine.runtime.kafka.tools import wall_clock_ms
from engine.settings import KafkaSettings, Settings
from replay.error_book import ErrorBook
from replay.marks import Marks
from replay.withdrawals import Withdrawals


@dataclass(slots=True, kw_only=True)
class AlertTools:
    """Made once per process. `rules` are those in force; `kafka` is how brokers are reached, in the alerters' group.

    `withdrawals` makes what tells of deletions, from the first one on. `on_stored` is told of projects that have new
    messages. `attempts` numbers writes: no two of one run are ever taken for the same.
    """

    settings: Settings
    kafka: KafkaSettings
    rules: RulesFile
    store: AlertStore
    outbox: Outbox
    marks: Marks
    errors: ErrorBook
    withdrawals: Callable[[], Withdrawals]
    patience: Patience
    meters: Meters
    health: Health
    on_stored: Callable[[str], None] = lambda _project_id: None
    clock_ms: Callable[[], int] = wall_clock_ms
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    attempts: Iterator[int] = field(default_factory=itertools.count)

    def token(self) -> str:
        """Name a write, or an owner: nobody else ever gives the same name."""
        return f"{self.run}:{next(self.attempts)}"
