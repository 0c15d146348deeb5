"""What the documents show works as shown: examples are decoded, loaded and run, links and names lead somewhere.

The word after a fence's language says what a block is: `json envelope`, `json rrweb` and `json interaction` (one event
a line), `json signal`, `json activity`, `json dead_letter`, `json cohort` (a webhook), `toml settings`, `toml rules`,
`toml cohorts`, `console run`, `console demo`; `console api` is run by the tests of the HTTP server.
"""

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from engine.alerts.rules_file import parse_rules
from engine.cli import main
from engine.cli._commands import COMMANDS
from engine.cohorts.events import CohortEvent, Source, batch_of, webhook_body
from engine.cohorts.file import parse_cohorts
from engine.core.core import Core
from engine.masking.selectors import RECORDER_BLOCKS, RECORDER_MASKS, check_selector
from engine.operate.meters import METERS
from engine.reasons import Reason
from engine.runtime.recorded import RunReport
from engine.settings import ActivitySettings, Settings, describe, load_settings
from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope
from schemas.interaction_events import InteractionEvent
from schemas.rrweb_events import RrwebEvent
from schemas.session_record import EndReason, SessionRecord
from schemas.signals import Signal
from tests.docs.documents import ROOT, Block, all_blocks, anchors, blocks, commands, documents, links, name, spans
from tests.engine.core.harness import Collected

MARKS = {
    "json": {"envelope", "rrweb", "interaction", "signal", "activity", "dead_letter", "cohort"},
    "toml": {"settings", "rules", "cohorts", ""},
    "console": {"run", "demo", "api", ""},
}
KEYS = {row.key for row in describe()}
SECTIONS = {key.partition(".")[0] for key in KEYS if "." in key}
ENVELOPES = all_blocks("json", "envelope")
EVENTS = [
    (block.mark, line) for mark in ("rrweb", "interaction") for block in all_blocks("json", mark)
    for line in block.text.splitlines()
]  # fmt: skip
RUNS = [(block, line) for block in all_blocks("console", "run") for line in commands(block)]


@pytest.fixture(autouse=True)
def _no_variables_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [key for key in os.environ if key.startswith("WINCE_")]:
        monkeypatch.delenv(variable)


def through_the_core(envelope: str) -> tuple[Core, Collected]:
    core, collected = Core(Settings(activity=ActivitySettings(custom_events=("add_to_cart", "purchase")))), Collected()
    batch = core.open(envelope.encode(), None, "document", 0)
    assert batch is not None, core.take_dead_letters()
    core.feed(batch, 0, int(batch.envelope.sent_at))
    core.finish()
    collected.add(core.take())
    return core, collected


def place_of(block: Block) -> str:
    return block.place


def test_there_are_examples_of_everything() -> None:
    told = {json.loads(line)["kind"] for mark, line in EVENTS if mark == "interaction"}
    assert told == {kind.__struct_config__.tag for kind in get_args(InteractionEvent)}
    assert ENVELOPES
    assert len(RUNS) >= 3
    assert len(all_blocks("toml", "settings")) >= 3


@pytest.mark.parametrize("path", documents(), ids=name)
def test_every_block_says_what_it_is(path: Path) -> None:
    for block in blocks(path):
        assert block.mark in MARKS.get(block.language, {""}), block.place


@pytest.mark.parametrize("block", ENVELOPES, ids=place_of)
def test_an_envelope_is_read_and_all_of_it_is_published(block: Block) -> None:
    envelope = msgspec.json.decode(block.text, type=Envelope)
    core, _ = through_the_core(block.text)
    events = len(json.loads(bytes(envelope.events)))
    assert (core.counts.events_read, core.counts.events_published) == (events, events)
    assert not core.counts.repaired


@pytest.mark.parametrize("block", ENVELOPES, ids=place_of)
def test_an_envelope_gives_the_signals_beside_it(block: Block, request: pytest.FixtureRequest) -> None:
    document = ROOT / block.place.partition(":")[0]
    shown = [json.loads(each.text) for each in blocks(document) if each.mark == "signal"]
    assert shown, request.node.name
    _, collected = through_the_core(block.text)
    made = json.loads(msgspec.json.encode(list(collected.signals.values())))
    for signal in shown:
        assert msgspec.convert(signal, Signal).id in collected.signals
        assert signal in made


@pytest.mark.parametrize("block", ENVELOPES, ids=place_of)
def test_an_envelope_gives_the_activity_beside_it(block: Block) -> None:
    document = ROOT / block.place.partition(":")[0]
    shown = [
        json.loads(line) for each in blocks(document) if each.mark == "activity" for line in each.text.splitlines()
    ]
    _, collected = through_the_core(block.text)
    assert shown == json.loads(msgspec.json.encode(list(collected.activities.values())))


@pytest.mark.parametrize("block", all_blocks("json", "dead_letter"), ids=place_of)
def test_a_dead_letter_is_one(block: Block) -> None:
    assert msgspec.json.decode(block.text, type=DeadLetter).reason in set(Reason)


@pytest.mark.parametrize(("mark", "line"), EVENTS, ids=lambda part: part[:60])
def test_an_event_is_read_and_published_as_it_is_meant(mark: str, line: str) -> None:
    if mark == "rrweb":
        msgspec.json.decode(line, type=RrwebEvent)
    else:
        msgspec.json.decode(line, type=InteractionEvent)
    header = '{"v":1,"project_id":"p","session_id":"s","window_id":"w","seq":0,"sent_at":1795296520000,"events":'
    core, _ = through_the_core(f"{header}[{line}]}}")
    assert core.counts.events_published == 1
    assert not core.counts.events_dropped
    assert not core.counts.repaired


@pytest.mark.parametrize("block", all_blocks("toml", "rules"), ids=place_of)
def test_rules_load(block: Block) -> None:
    assert parse_rules(block.text, block.place).rules


@pytest.mark.parametrize("block", all_blocks("toml", "cohorts"), ids=place_of)
def test_cohorts_load(block: Block) -> None:
    assert parse_cohorts(block.text, block.place, Settings())


@pytest.mark.parametrize("block", all_blocks("json", "cohort"), ids=place_of)
def test_a_cohorts_webhook_is_written_like_that(block: Block) -> None:
    shown = json.loads(block.text)
    events = msgspec.convert(shown["data"]["events"], tuple[CohortEvent, ...])
    source = Source(shown["data"]["project_id"], shown["data"]["cohort"])
    assert json.loads(webhook_body(batch_of(source, events))) == shown


@pytest.mark.parametrize("block", [each for each in all_blocks("toml") if each.mark in {"settings", ""}], ids=place_of)
def test_settings_load(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "wince.toml"
    file.write_text(block.text)
    assert load_settings(file, {}, validate_selectors=check_selector) != Settings()


@pytest.mark.parametrize("path", sorted({ROOT / block.place.partition(":")[0] for block, _ in RUNS}), ids=name)
def test_commands_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that has what the page speaks of: the samples, its settings and its batch as files."""
    (tmp_path / "engine").symlink_to(ROOT / "engine")
    for block in blocks(path):
        if block.mark == "settings":
            (tmp_path / "wince.toml").write_text(block.text)
        if block.mark == "envelope":
            (tmp_path / "visit.jsonl").write_text(json.dumps(json.loads(block.text)) + "\n")
    monkeypatch.chdir(tmp_path)
    for block, line in RUNS:
        if block.place.startswith(f"{name(path)}:"):
            words = shlex.split(line)
            while "=" in words[0]:
                monkeypatch.setenv(*words.pop(0).split("=", 1))
            assert words[0] == "wince", block.place
            assert main(words[1:]) == 0, line


def test_the_demo_prints_what_the_readme_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = all_blocks("console", "demo")
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["demo", "--once"]) == 0
    printed = set(capsys.readouterr().out.splitlines())
    shown = [line for line in block.text.splitlines() if re.match(r"\d+ sessions,|Most| +\d", line)]
    assert len(shown) > 10
    assert [line for line in shown if line not in printed] == []


@pytest.mark.parametrize("path", documents(), ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), link
        assert found.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(found), link


def mentioned_commands(path: Path) -> Iterator[str]:
    lines = [line for block in blocks(path) if block.language == "console" for line in commands(block)]
    for text in [*spans(path), *lines]:
        yield from re.findall(r"(?:^|[\s/])wince ([a-z][a-z-]*)", text)


@pytest.mark.parametrize("path", documents(), ids=name)
def test_only_commands_that_exist_are_mentioned(path: Path) -> None:
    assert set(mentioned_commands(path)) <= {command.name for command in COMMANDS}


def test_the_readme_lists_every_command() -> None:
    assert set(mentioned_commands(ROOT / "README.md")) == {command.name for command in COMMANDS}


@pytest.mark.parametrize("path", documents(), ids=name)
def test_only_settings_that_exist_are_mentioned(path: Path) -> None:
    """A span such as `order.gap_wait` is a setting, or a table of them."""
    known = KEYS | {key.rpartition(".")[0] for key in KEYS}
    for span in spans(path):
        key = span.partition(" ")[0]
        is_key = re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", key) and not key.endswith(".jsonl")
        if is_key and key.partition(".")[0] in SECTIONS:
            assert key in known, span


def test_only_reasons_that_exist_are_named_to_operators() -> None:
    """In the page for operators a word with an underscore is a reason, a metric, a field of the report or the record,
    or something that is logged."""
    words = {span for span in spans(ROOT / "docs" / "operate.md") if re.fullmatch(r"[a-z]+(_[a-z]+)+", span)}
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "engine").rglob("*.py"))
    logged = {word for word in words if f'"{word}"' in sources}
    others = {
        *logged,
        *(meter.metric for meter in METERS),
        *RunReport.__struct_fields__,
        *SessionRecord.__struct_fields__,
        *get_args(EndReason),
        "sent_at",
    }
    assert words - others <= {reason.value for reason in Reason}


def test_every_limit_is_in_the_table_of_limits() -> None:
    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    limits = {key for key in KEYS if key.startswith("limits.")}
    assert {key for key in limits if f"`{key}`" not in text} == set()


def test_every_mark_of_recorders_is_listed() -> None:
    listed = set(spans(ROOT / "docs" / "privacy.md"))
    assert {*RECORDER_BLOCKS, *RECORDER_MASKS} <= listed


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "images").iterdir()), ids=name)
def test_pictures_are_small(path: Path) -> None:
    picture = path.read_bytes()
    assert picture.startswith(b"<svg " if path.suffix == ".svg" else b"\x89PNG")
    assert len(picture) < 300_000


def test_each_decision_has_a_number_of_its_own() -> None:
    numbers = sorted(path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
