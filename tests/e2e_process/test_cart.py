"""From recordings to an alert: carts that were left, by the site's own events, through the commands people use."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main

T = 1_795_000_000_000
MINUTE_MS = 60_000
SECRET = "4111-hunter2"
CONFIG = '[activity]\ncustom_events = ["add_to_cart", "purchase"]\n'
RULES = """
[[rules]]
name = "cart_left"
kind = "abandoned"
event = "add_to_cart"
goal_event = "purchase"
window = "30m"
"""


def recorded(session_id: str, start_minute: int, *said: tuple[str, int]) -> str:
    """Write what an rrweb recorder sends of a session; the site says things at so many minutes after its start."""
    start = T + start_minute * MINUTE_MS
    address = {"href": "https://shop.example/cart", "width": 900, "height": 900}
    events: list[dict[str, Any]] = [{"type": 4, "timestamp": start, "data": address}]
    for name, minute in said:
        data = {"tag": name, "payload": {"card": SECRET}}
        events.append({"type": 5, "timestamp": start + minute * MINUTE_MS, "data": data})
    return _envelope(session_id, events, "timestamp")


def plain(session_id: str, start_minute: int, *said: tuple[str, int]) -> str:
    """Write what an app without a DOM sends."""
    start = T + start_minute * MINUTE_MS
    events: list[dict[str, Any]] = [{"kind": "navigation", "t": start, "nav": "load", "url": "https://shop.example/"}]
    for name, minute in said:
        events.append({"kind": "custom", "t": start + minute * MINUTE_MS, "name": name, "card": SECRET})
    return _envelope(session_id, events, "t")


def _envelope(session_id: str, events: list[dict[str, Any]], time: str) -> str:
    envelope = {"v": 1, "project_id": "shop", "session_id": session_id, "window_id": "w", "seq": 0}
    return json.dumps({**envelope, "sent_at": events[-1][time], "events": events})


@pytest.mark.parametrize("make", [recorded, plain])
def test_a_cart_that_was_left_is_told_and_no_other(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batches = [
        make("bought", 0, ("add_to_cart", 1), ("purchase", 20)),
        make("left", 2, ("add_to_cart", 1), ("add_to_cart", 4), ("search", 5)),
        make("bought-in-the-end", 3, ("add_to_cart", 1), ("add_to_cart", 25), ("purchase", 40)),
        make("looked", 90, ("search", 1)),
    ]
    config, rules, batch_file = tmp_path / "wince.toml", tmp_path / "rules.toml", tmp_path / "in.jsonl"
    config.write_text(CONFIG)
    rules.write_text(RULES)
    batch_file.write_text("\n".join(batches) + "\n")
    out = tmp_path / "out"
    assert main(["process", str(batch_file), "--out", str(out), "--config", str(config), "--quiet"]) == 0
    written = [json.loads(line) for line in (out / "activity.jsonl").read_text().splitlines()]
    assert [each["t"] for each in written] == sorted(each["t"] for each in written)
    assert [each["name"] for each in written if each["kind"] == "custom_event"].count("add_to_cart") == 5
    assert "search" not in (out / "activity.jsonl").read_text()
    assert not [path for path in out.rglob("*") if path.is_file() and SECRET in path.read_text()]

    inputs = [str(out / "signals.jsonl"), str(out / "activity.jsonl")]
    assert main(["alerts", "backtest", *inputs, "--rules", str(rules)]) == 0
    (alert,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    added = T + 6 * MINUTE_MS
    assert alert["moments"] == [{"session_id": "left", "t": added, "text": "add_to_cart"}]
    assert added + 31 * MINUTE_MS <= alert["fired_at"] <= added + 32 * MINUTE_MS
    assert alert["title"] == "A visitor came to add_to_cart and not to purchase"


def test_a_withdrawn_session_is_not_in_the_file(tmp_path: Path) -> None:
    batch_file, config = tmp_path / "in.jsonl", tmp_path / "wince.toml"
    config.write_text(CONFIG)
    first, second = json.loads(recorded("s", 0, ("add_to_cart", 1))), json.loads(recorded("s", 2, ("purchase", 1)))
    batch_file.write_text("\n".join(json.dumps(each) for each in (first, {**second, "seq": 1, "consent": False})))
    out = tmp_path / "out"
    assert main(["process", str(batch_file), "--out", str(out), "--config", str(config), "--quiet"]) == 0
    assert (out / "activity.jsonl").read_bytes() == b""
