"""The order of a window's batches: what comes next, what waits, what came twice and what is given up."""

from engine.order.fingerprint import fingerprint
from engine.order.ranges import Gap
from engine.order.state import HeldState, OrderState
from engine.order.window_order import Expired, Held, Verdict, WindowOrder

__all__ = ["Expired", "Gap", "Held", "HeldState", "OrderState", "Verdict", "WindowOrder", "fingerprint"]
