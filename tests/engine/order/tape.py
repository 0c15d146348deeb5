"""A window that is fed numbers."""

from engine.order import Held, OrderState, Verdict, WindowOrder
from engine.settings import OrderSettings

WAIT_MS = 900_000
SETTINGS = OrderSettings()


class Tape:
    """A window that is fed numbers; content is the number's own unless said otherwise."""

    def __init__(self, settings: OrderSettings = SETTINGS, state: OrderState | None = None) -> None:
        self.order: WindowOrder[str] = WindowOrder(settings, state)
        self.position = -1
        self.now_ms = 0

    def offer(self, seq: int, content: int | None = None, size_bytes: int = 10) -> Verdict:
        self.position += 1
        print_of = seq if content is None else content
        return self.order.offer(seq, print_of, size_bytes, self.position, self.now_ms, f"batch {seq}")

    def released(self) -> list[int]:
        return [held.seq for held in self.order.release()]


def numbers(batches: list[Held[str]]) -> list[int]:
    return [held.seq for held in batches]
