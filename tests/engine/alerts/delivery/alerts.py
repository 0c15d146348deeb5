"""Alerts for tests."""

import msgspec

from engine.alerts.rules import RulesFile
from engine.alerts.rules_file import parse_rules
from schemas.alerts import Alert, AlertKey, AlertNumbers, Moment

T0 = 1_795_000_000_000

ALERT = Alert(
    id="a1",
    rule="spike",
    project_id="shop",
    key=AlertKey("rage_click", "page", "https://shop.example/cart"),
    severity="critical",
    title="Rage clicks on https://shop.example/cart",
    fired_at=T0,
    numbers=AlertNumbers(12, 40, 31, 600_000, 0.3, 0.02),
    moments=[
        Moment("s1", T0 - 5_000, "w1", "rage_click", "https://shop.example/cart", "button Buy"),
        Moment("s2", T0 - 4_000, "w1", "rage_click", "https://shop.example/cart", "button Buy"),
        Moment("s3", T0 - 3_000, "w1", "rage_click", "https://shop.example/cart"),
    ],
    grouped=[AlertKey("rage_click", "release", "2.1")],
)
OVER = msgspec.structs.replace(ALERT, resolved_at=T0 + 600_000)


def alert(alert_id: str = "a1", **changes: object) -> Alert:
    return msgspec.structs.replace(ALERT, id=alert_id, **changes)


def rules(text: str) -> RulesFile:
    return parse_rules(text, "rules.toml")
