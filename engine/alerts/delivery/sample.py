"""A sample of an alert, to try a route with."""

import msgspec

from engine.alerts.delivery.endpoints import Endpoint
from engine.alerts.delivery.outbox import Entry
from engine.alerts.routing import Message, message_id
from engine.settings._units import MINUTE_MS
from schemas.alerts import Alert, AlertKey, AlertNumbers, Moment

SAMPLE_RULE = "test"


def sample_entries(endpoint: Endpoint, now_ms: int) -> list[Entry]:
    """Make the messages of an alert that fires and is over; `now_ms` (epoch ms) makes it another each time."""
    route = endpoint.route
    firing = Alert(
        id=f"test-{now_ms}",
        rule=SAMPLE_RULE,
        project_id=route.projects[0] if route.projects else SAMPLE_RULE,
        key=AlertKey("rage_click", "page", "https://shop.example/cart"),
        severity=route.severities[0] if route.severities else "info",
        title=f"This is a test of the route {route.name}: nothing is wrong",
        fired_at=now_ms - MINUTE_MS,
        numbers=AlertNumbers(12, 40, 31, 10 * MINUTE_MS, 0.3, 0.02),
        moments=[
            Moment("sample", now_ms - MINUTE_MS, "", "rage_click", "https://shop.example/cart", "clicks without answer")
        ],
    )
    over = msgspec.structs.replace(firing, resolved_at=now_ms)
    fires = Message(message_id(firing.id, route.name, "firing"), route.name, "firing", firing, now_ms)
    ends = Message(message_id(over.id, route.name, "resolved"), route.name, "resolved", over, now_ms, fires.id)
    return [Entry(fires, now_ms)] + ([Entry(ends, now_ms)] if route.send_resolved else [])
