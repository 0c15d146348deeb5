"""What a metric is declared with: labels and all their values, buckets of histograms."""

from enum import Enum
from typing import Final, NamedTuple

from engine.reasons import Kind, Reason

LATENCY_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 3, 10)
COMMAND_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Label(NamedTuple):
    """A label and all values it can have; `None` for topics and partitions, which the assignment bounds.

    `told` is how the documentation names the values.
    """

    name: str
    values: tuple[str, ...] | None
    told: str


def words(name: str, *values: str) -> Label:
    """Make a label with these values."""
    return Label(name, values, ", ".join(f"`{value}`" for value in values))


def reasons(*kinds: Kind) -> Label:
    """Make a label with the reasons of some kinds."""
    told = " or ".join(f'"{kind}"' for kind in kinds)
    return Label("reason", tuple(reason.value for reason in Reason if reason.kind in kinds), f"reasons under {told}")


class Meter(Enum):
    """A metric: its name, the unit of its value, what it means, its labels, and the bounds of a histogram's buckets."""

    def __init__(
        self, metric: str, unit: str, meaning: str, labels: tuple[Label, ...] = (), buckets: tuple[float, ...] = ()
    ) -> None:
        self.metric = metric
        self.unit = unit
        self.meaning = meaning
        self.labels = labels
        self.buckets = buckets
