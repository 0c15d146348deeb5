"""`wince process` as its user meets it: files in, files and an account of everything out."""

import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from engine.cli import main
from engine.reasons import Reason
from schemas.envelope import Envelope
from tests.engine.attack import MARK, beacon, click, element, envelope, snapshot, text
from tests.engine.core.harness import sample_batches


def sent_once(lines: list[bytes]) -> list[bytes]:
    """Leave out true resends."""
    envelopes = [msgspec.json.decode(line, type=Envelope) for line in lines]
    first = {
        (envelope.window_id, envelope.seq): line for envelope, line in zip(envelopes[::-1], lines[::-1], strict=True)
    }
    return [line for line in lines if line in first.values()]


SAMPLES = {name: sent_once(lines) for name, lines in list(sample_batches().items())[:4]}
"""Without what was sent twice: these runs count what is dropped."""
LINES = [line for lines in SAMPLES.values() for line in lines]
TEXT = b"\n".join(LINES) + b"\n"
COMMAND = (sys.executable, "-c", "import sys; from engine.cli import main; sys.exit(main())", "process")


def process(*inputs: Path | str, out: Path) -> int:
    """Run the command in this process, and see that its account balances."""
    status = main(["process", *map(str, inputs), "--out", str(out), "--quiet"])
    balance(out)
    return status


def report(out: Path) -> Any:
    return json.loads((out / "report.json").read_text())


def balance(out: Path) -> None:
    account = report(out)
    for counted, taken in (("batches", "used"), ("events", "published")):
        sums = account[counted]
        assert sums["read"] == sums[taken] + sum(sums["dropped"].values())
    bundles = [path.read_bytes().splitlines() for path in (out / "bundles").iterdir()]
    assert account["events"]["published"] == sum(map(len, bundles))
    assert account["sessions"] == len(bundles) == len((out / "sessions.jsonl").read_bytes().splitlines())
    assert sum(account["signals"].values()) == len((out / "signals.jsonl").read_bytes().splitlines())
    assert account["dead_letters"] == len((out / "dead_letters.jsonl").read_bytes().splitlines())


def results(out: Path) -> dict[str, bytes]:
    """Return every file of results but the report, whose times differ, and the dead letters, which name files."""
    files = (path for path in out.rglob("*") if path.is_file())
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in files
        if path.name not in {"report.json", "dead_letters.jsonl"}
    }


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def run(arguments: Sequence[str | Path], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("expected")
    assert process(put(folder / "in.jsonl", TEXT), out=folder / "out") == 0
    found = results(folder / "out")
    assert len(found) == len(SAMPLES) + 4
    assert found["signals.jsonl"]
    return found


@pytest.mark.parametrize(
    "pack",
    [
        lambda text: text,
        gzip.compress,
        zstandard.compress,
        lambda text: gzip.compress(text[:5_000]) + gzip.compress(text[5_000:]),
        lambda text: text.replace(b"\n", b"\r\n\r\n"),
        lambda text: b"\xef\xbb\xbf\n\n" + text.rstrip(),
    ],
    ids=["plain", "gzip", "zstd", "gzip twice", "empty lines", "byte order mark"],
)
def test_the_packing_of_the_input_does_not_show(pack: Any, tmp_path: Path, expected: dict[str, bytes]) -> None:
    assert process(put(tmp_path / "some.thing", pack(TEXT)), out=tmp_path / "out") == 0
    assert results(tmp_path / "out") == expected


def test_a_folder_is_read_by_path_whatever_lies_beside_it(tmp_path: Path, expected: dict[str, bytes]) -> None:
    for number, lines in enumerate(SAMPLES.values()):
        name = f"in/{number}/part.{('jsonl', 'ndjson', 'jsonl.gz', 'jsonl.zst')[number]}"
        text = b"\n".join(lines)
        packed = {"gz": gzip.compress(text), "st": zstandard.compress(text)}.get(name[-2:], text)
        put(tmp_path / name, packed)
    put(tmp_path / "in/README.md", b"nothing for us")
    assert process(tmp_path / "in", out=tmp_path / "out") == 0
    assert results(tmp_path / "out") == expected


def test_standard_input_is_read_like_a_file(tmp_path: Path, expected: dict[str, bytes]) -> None:
    done = run(["-", "--out", tmp_path / "out"], zstandard.compress(TEXT))
    assert (done.returncode, done.stdout) == (0, b"")
    assert results(tmp_path / "out") == expected
    assert b"events published in 4 sessions" in b" ".join(done.stderr.split())


def test_a_second_run_replaces_the_results_of_the_first(tmp_path: Path, expected: dict[str, bytes]) -> None:
    out = tmp_path / "out"
    assert process(put(tmp_path / "one.jsonl", LINES[0]), out=out) == 0
    put(out / "notes.txt", b"kept")
    assert process(put(tmp_path / "all.jsonl", TEXT), out=out) == 0
    assert results(out) == {**expected, "notes.txt": b"kept"}


def recut(lines: list[bytes], size: int) -> list[bytes]:
    """Cut a session's events into batches of another size, window by window."""
    cut: list[bytes] = []
    windows: dict[str, list[Envelope]] = {}
    for line in lines:
        envelope = msgspec.json.decode(line, type=Envelope)
        windows.setdefault(envelope.window_id, []).append(envelope)
    for taken in windows.values():
        taken.sort(key=lambda envelope: envelope.seq)
        events = [event for one in taken for event in msgspec.json.decode(one.events, type=list[msgspec.Raw])]
        for seq, first in enumerate(range(0, len(events), size)):
            part = msgspec.Raw(b"[" + b",".join(map(bytes, events[first : first + size])) + b"]")
            cut.append(msgspec.json.encode(msgspec.structs.replace(taken[-1], seq=seq, events=part)))
    return cut


@pytest.mark.parametrize("size", [1, 17, 5_000])
def test_other_batches_of_the_same_events_give_the_same_bytes(
    size: int, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    lines = [line for session in SAMPLES.values() for line in recut(session, size)]
    assert process(put(tmp_path / "in.jsonl", b"\n".join(lines)), out=tmp_path / "out") == 0
    found = results(tmp_path / "out")
    same = [name for name in expected if name == "signals.jsonl" or name.startswith("bundles/")]
    assert {name: found[name] for name in same} == {name: expected[name] for name in same}


def test_a_plain_recording_is_a_session_named_for_its_file(tmp_path: Path) -> None:
    events = [event for line in next(iter(SAMPLES.values())) for event in json.loads(line)["events"]]
    put(tmp_path / "in/my visit.json", json.dumps(events, indent=2).encode())
    put(tmp_path / "in/my-visit.json.gz", gzip.compress(json.dumps(events).encode()))
    assert process(tmp_path / "in", out=tmp_path / "out") == 0
    assert {path.name for path in (tmp_path / "out/bundles").iterdir()} == {"my-visit.jsonl", "my-visit-2.jsonl"}
    one, other = ((tmp_path / f"out/bundles/{name}.jsonl").read_bytes() for name in ("my-visit", "my-visit-2"))
    assert one == other


PRETTY = json.dumps({"sessions": [{"session_id": f"s{n}", "n": [n, {}]} for n in range(400)]}, indent=1).encode()


@pytest.mark.parametrize(
    "data",
    [PRETTY, gzip.compress(PRETTY), b"a,b\n" * 200, b'{"type":4}\n' * 3, bytes(range(256)) * 100, b"x\ny"],
    ids=["pretty-printed", "packed", "a table", "events without envelopes", "binary", "two lines"],
)
def test_a_file_of_another_kind_is_one_problem(data: bytes, tmp_path: Path) -> None:
    good = put(tmp_path / "good.jsonl", TEXT)
    assert process(put(tmp_path / "other.json", data), good, out=tmp_path / "out") == 1
    assert report(tmp_path / "out")["batches"]["dropped"] == {Reason.NOT_BATCHES: 1}
    letters = (tmp_path / "out/dead_letters.jsonl").read_bytes().splitlines()
    assert [json.loads(letter)["source"] for letter in letters] == [str(tmp_path / "other.json")]


@pytest.mark.parametrize("damage", [LINES[0][:-30], b"\xff" * 50, b"{", b"null", PRETTY[:200]])
def test_damaged_lines_at_the_start_lose_only_themselves(damage: bytes, tmp_path: Path) -> None:
    lost = len(damage.splitlines())
    assert process(put(tmp_path / "in.jsonl", damage + b"\n" + TEXT), out=tmp_path / "out") == 0
    account = report(tmp_path / "out")
    assert sum(account["batches"]["dropped"].values()) == account["dead_letters"] == lost
    assert account["batches"]["used"] == len(LINES)


def test_a_single_damaged_line_has_its_own_reason(tmp_path: Path) -> None:
    assert process(put(tmp_path / "in.jsonl", LINES[0][:-30]), out=tmp_path / "out") == 0
    assert report(tmp_path / "out")["batches"]["dropped"] == {Reason.NOT_JSON: 1}


def test_an_empty_file_is_no_problem(tmp_path: Path) -> None:
    assert process(put(tmp_path / "in.jsonl", b""), put(tmp_path / "b.gz", b" \n\n"), out=tmp_path / "out") == 0
    assert report(tmp_path / "out")["batches"] == {"read": 0, "used": 0, "dropped": {}}


def test_what_cannot_be_read_is_named_and_the_rest_is_read(
    tmp_path: Path, expected: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    missing, cut = tmp_path / "missing.jsonl", put(tmp_path / "cut.zst", zstandard.compress(TEXT)[:-40])
    good = put(tmp_path / "good.jsonl", TEXT)
    assert process(missing, good, cut, out=tmp_path / "out") == 1
    assert results(tmp_path / "out").keys() == expected.keys()
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1].removesuffix(f":{len(LINES)}").split(":")[0] for line in told] == [
        str(missing),
        str(cut),
    ]
    dropped = report(tmp_path / "out")["batches"]["dropped"]
    assert dropped[Reason.INPUT_READ_ERROR] == dropped[Reason.TRUNCATED_COMPRESSION] == 1


@pytest.mark.parametrize("place", ["file", "file/below", "x" * 300])
def test_results_that_cannot_be_written_are_said_at_once(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "file", b"mine")
    out = tmp_path / place
    assert main(["process", str(put(tmp_path / "in.jsonl", TEXT)), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("wince: cannot write to ")
    assert "Traceback" not in told
    assert (tmp_path / "file").read_bytes() == b"mine"


@pytest.mark.parametrize("arguments", [[], ["in.jsonl"], ["--out", "out"]], ids=str)
def test_wrong_arguments_start_nothing(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["process", *arguments])
    assert caught.value.code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_shows_how_fast_it_goes(tmp_path: Path) -> None:
    source = put(tmp_path / "in.jsonl", TEXT)
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        done = subprocess.Popen([*COMMAND, str(source), "--out", str(tmp_path / "out")], stderr=follower)
        os.close(follower)
        shown = b""
        try:
            while piece := terminal.read(4_096):
                shown += piece
        except OSError:
            pass  # the last user of a terminal went away
        assert done.wait(60) == 0
    assert b"events/s" in shown
    assert b"Results in" in shown


def test_strange_session_ids_stay_within_the_folder(tmp_path: Path) -> None:
    names = ["../../up", "/etc/passwd", "..", ".", "a/b", "{x}", "con", "CON", "é" * 200, "x" * 200, "-", "a b", "%2e"]
    lines = [envelope(0, [beacon(number)], session_id=name) for number, name in enumerate(names)]
    assert process(put(tmp_path / "in.jsonl", b"\n".join(lines)), out=tmp_path / "a/out") == 0
    bundles = list((tmp_path / "a/out/bundles").iterdir())
    assert len({path.name for path in bundles}) == len(names)
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "a"}
    records = map(json.loads, (tmp_path / "a/out/sessions.jsonl").read_text().splitlines())
    assert sorted(record["session_id"] for record in records) == sorted(names)


def test_nothing_a_page_shows_comes_out_at_the_strictest_level(tmp_path: Path) -> None:
    settings = put(tmp_path / "wince.toml", b'[privacy]\nlevel = "conservative"\n')
    page = snapshot(element(4, text(5), title=MARK, **{"class": MARK, MARK: MARK}))
    lines = [envelope(0, [*page, *click(4), beacon(0)], more=MARK), MARK.encode(), envelope(1, [MARK, {MARK: MARK}])]
    source = put(tmp_path / "in.jsonl", b"\n".join(lines))
    done = run([source, "--out", tmp_path / "out", "--config", settings])
    assert done.returncode == 0
    balance(tmp_path / "out")
    said = [done.stdout, done.stderr, *(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())]
    assert not [part for part in said if MARK[1:].lower().encode() in part.lower()]
