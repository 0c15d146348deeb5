"""What detectors of things that happen again and again share: the incident is told once, when nothing more joins it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic

from detectors.machine import Machine, Report, StateT
from detectors.protocol import Finding
from schemas.signals import EvidenceValue


@dataclass(slots=True)
class Incident:
    """A series that fulfils its rule: first and last member (epoch ms), the page it began on, how many there were."""

    t: int
    end_t: int
    page: str
    count: int


class SeriesMachine(Machine[StateT], Generic[StateT]):
    """A machine whose deadline is the end of a series. A subclass sets `rule`, and says in `_take` what there is."""

    rule: str = ""

    def __init__(self, state: StateT, report: Report, evidence: Mapping[str, EvidenceValue]) -> None:
        super().__init__(state)
        self._report = report
        self._evidence = evidence

    def advance(self, t: int) -> None:
        """Close the series if nothing more can join it at `t` (epoch ms)."""
        if self.deadline is not None and self.deadline <= t:
            self._close()

    def finish(self) -> None:
        """Close the series: silence ends it."""
        self._close()

    def _take(self) -> Incident | None:
        """Give the series if it fulfils the rule, and begin anew."""
        raise NotImplementedError

    def _close(self) -> None:
        incident = self._take()
        self._rearm()
        if incident is not None:
            self._report(
                Finding(
                    detector=self.name,
                    t=incident.t,
                    end_t=incident.end_t,
                    page=incident.page,
                    target=None,
                    rule=self.rule,
                    evidence=dict(self._evidence),
                    count=incident.count,
                )
            )
