"""The names of keys of alerts are those of the documentation, all of them and no others."""

import re
from pathlib import Path

from engine.alerts.names import AlertNames
from replay.redis_keys import KeyNames

DOCS = Path(__file__).parents[3] / "docs"


def documented() -> set[str]:
    rows = re.findall(r"^\| (`wince:.*?) \|", (DOCS / "redis.md").read_text("utf-8"), re.MULTILINE)
    names = [name for row in rows if "alerts" in row for name in re.findall(r"`([^`]+)`", row)]
    return {name.replace("...", "wince:{alerts:P}") for name in names}


def test_every_key_is_documented_and_every_documented_key_is_one() -> None:
    names = AlertNames("wince")
    of_all = {names.projects, names.disabled, names.left_out, names.pace("ROUTE:MINUTE")}
    of_project = {*names.project("P"), names.claim("P", "TOKEN")}
    mark = KeyNames("wince").mark("alerts/x").replace("x}", "…}")
    assert documented() == of_all | of_project | {mark}
