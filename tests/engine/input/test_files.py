"""Files as people have them: packed, nested, broken, endless."""

import gzip
import io
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zstandard

from engine.input import EventDecoder, Problem, SourceMessage, decode_message, read_batches
from engine.input.files import CHUNK_BYTES, ENDINGS
from engine.reasons import Reason
from engine.settings import LimitSettings
from tests.engine.input.samples import LIMITS, RRWEB, batch, envelope, event

LINES = [envelope(batch(event("05_input")), seq=seq) for seq in range(5)]
TEXT = b"\n".join(LINES) + b"\n"


def read(*paths: Path | str, limits: LimitSettings = LIMITS) -> tuple[list[SourceMessage], list[Problem]]:
    problems: list[Problem] = []
    return list(read_batches(paths, limits, problems.append)), problems


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        TEXT.rstrip(),
        TEXT.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + TEXT,
        gzip.compress(TEXT),
        zstandard.compress(TEXT),
        gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]),
        zstandard.compress(TEXT[:1000]) + zstandard.compress(TEXT[1000:]),
    ],
    ids=["plain", "no last newline", "crlf", "byte order mark", "gzip", "zstd", "gzip members", "zstd frames"],
)
@pytest.mark.parametrize("name", ["batches.jsonl", "no-ending", "wrong.gz"])
def test_lines_are_messages_whatever_the_packing_and_the_name(tmp_path: Path, data: bytes, name: str) -> None:
    path = put(tmp_path / name, data)
    messages, problems = read(path)
    assert [message.value for message in messages] == LINES
    assert [(message.line, message.position) for message in messages] == [(n + 1, n) for n in range(5)]
    assert {(message.source, message.encoding) for message in messages} == {(str(path), None)}
    assert problems == []


def test_blank_lines_count_but_say_nothing(tmp_path: Path) -> None:
    messages, problems = read(put(tmp_path / "a", b"\n \n" + LINES[0] + b"\n\n\t\r\n" + LINES[1]))
    assert [(message.line, message.value) for message in messages] == [(3, LINES[0]), (6, LINES[1])]
    assert problems == []


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    files = [
        put(tmp_path / "a.jsonl", b""),
        put(tmp_path / "b.zst", zstandard.compress(b"")),
        put(tmp_path / "c", b" \n"),
    ]
    assert read(*files) == ([], [])


def test_folders_are_read_in_order_and_only_what_is_known(tmp_path: Path) -> None:
    names = ["b.jsonl", "a/z.ndjson.zst", "a/y.json.gz", "a/deep/er/x.jsonl", "ignored.txt", "labels.csv", "README"]
    for name in names:
        put(tmp_path / name, LINES[0])
    messages, _ = read(tmp_path)
    found = [str(Path(message.source).relative_to(tmp_path)) for message in messages]
    assert found == ["a/deep/er/x.jsonl", "a/y.json.gz", "a/z.ndjson.zst", "b.jsonl"]
    assert [message.position for message in messages] == [0, 1, 2, 3]
    assert len(set(ENDINGS)) == 9


def test_inputs_are_read_in_the_order_given(tmp_path: Path) -> None:
    first, second = put(tmp_path / "z.jsonl", LINES[0]), put(tmp_path / "a.jsonl", LINES[1])
    assert [message.value for message in read(first, str(second), first)[0]] == [LINES[0], LINES[1], LINES[0]]


def test_what_cannot_be_read_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    good = put(tmp_path / "good.jsonl", LINES[0])
    missing = tmp_path / "missing.jsonl"
    messages, problems = read(missing, good)
    assert [message.value for message in messages] == [LINES[0]]
    assert problems == [Problem(str(missing), 0, Reason.INPUT_READ_ERROR)]


@contextmanager
def unprivileged() -> Iterator[None]:
    """Go without the rights of root, who may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_folder_that_may_not_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = put(tmp_path / "closed" / "a.jsonl", LINES[0]).parent
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    closed.chmod(0)
    try:
        with unprivileged():
            assert read(Path())[1] == [Problem("./closed", 0, Reason.INPUT_READ_ERROR)]
    finally:
        closed.chmod(0o700)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_truncated_file_gives_the_lines_before_and_a_reason(tmp_path: Path, pack: Any) -> None:
    packed = pack(LINES[0] + b"\n" + LINES[1] + b"\n")
    half = put(tmp_path / "half", pack(TEXT) + packed[: len(packed) - 3])
    messages, problems = read(half)
    assert [message.value for message in messages][:5] == LINES
    assert [problem.reason for problem in problems] == [Reason.TRUNCATED_COMPRESSION]


def test_a_corrupt_file_is_reported(tmp_path: Path) -> None:
    path = put(tmp_path / "bad", b"\x28\xb5\x2f\xfd" + b"\xff" * 100)
    assert read(path) == ([], [Problem(str(path), 0, Reason.CORRUPT_COMPRESSION)])


@pytest.mark.parametrize(("length", "fits"), [(9_999, True), (10_000, True), (10_001, False), (500_000, False)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_lines_at_under_and_over_the_limit(tmp_path: Path, length: int, pack: Any, *, fits: bool) -> None:
    line = b'"' + b"x" * (length - 2) + b'"'
    path = put(tmp_path / "a", pack(LINES[0] + b"\n" + line + b"\n" + LINES[1]))
    messages, problems = read(path, limits=LimitSettings(max_batch_bytes=10_000))
    assert [message.line for message in messages] == ([1, 2, 3] if fits else [1, 3])
    assert problems == ([] if fits else [Problem(str(path), 2, Reason.TOO_LARGE)])


def test_an_endless_line_is_never_held_in_memory(tmp_path: Path) -> None:
    path = put(tmp_path / "bomb.zst", zstandard.compress(bytes(300 << 20)) + zstandard.compress(b"\n" + LINES[0]))
    tracemalloc.start()
    try:
        messages, problems = read(path, limits=LimitSettings(max_batch_bytes=1 << 20))
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert [message.value for message in messages] == [LINES[0]]
    assert problems == [Problem(str(path), 1, Reason.TOO_LARGE)]


def test_progress_is_told_in_bytes_of_the_files(tmp_path: Path) -> None:
    files = [put(tmp_path / "a", TEXT * 200), put(tmp_path / "b", zstandard.compress(TEXT)), tmp_path / "missing"]
    total = sum(path.stat().st_size for path in files[:2])
    told: list[tuple[int, int | None]] = []
    list(read_batches(files, LIMITS, lambda _: None, lambda done, of: told.append((done, of))))
    assert {of for _, of in told} == {total}
    done = [bytes_read for bytes_read, _ in told]
    assert done == sorted(done)
    assert done[-1] == total
    assert len(done) >= len(TEXT) * 200 // CHUNK_BYTES


def test_standard_input_is_read_like_a_file() -> None:
    program = (
        "from engine.input import read_batches\n"
        "from engine.settings import LimitSettings\n"
        "told = []\n"
        "for message in read_batches(['-'], LimitSettings(), print, lambda done, of: told.append(of)):\n"
        "    print(message.source, message.line, len(message.value))\n"
        "print(set(told))\n"
    )
    for data in (TEXT, zstandard.compress(TEXT)):
        done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True)
        lines = done.stdout.decode().splitlines()
        assert lines == [*(f"- {n + 1} {len(line)}" for n, line in enumerate(LINES)), "{None}"]


def recording(*events: object) -> bytes:
    return batch(*events)


def envelopes(messages: list[SourceMessage]) -> list[dict[str, Any]]:
    return [json.loads(message.value) for message in messages]


class TestRecordings:
    @pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
    def test_an_array_of_events_becomes_envelopes(self, tmp_path: Path, pack: Any) -> None:
        path = put(tmp_path / "My recording (1).json.zst", pack(b" \n" + recording(*RRWEB.values())))
        messages, problems = read(path)
        assert problems == []
        assert [(message.line, message.position) for message in messages] == [(n + 1, n) for n in range(len(messages))]
        first = envelopes(messages)[0]
        assert (first["project_id"], first["session_id"], first["window_id"]) == ("local", "My-recording-1", "w")
        assert [part["seq"] for part in envelopes(messages)] == list(range(len(messages)))
        decoded = [decode_message(message.value, message.encoding, LIMITS) for message in messages]
        assert (
            b"".join(bytes(part.envelope.events)[1:-1] + b"," for part in decoded) == b",".join(RRWEB.values()) + b","
        )

    def test_batches_span_less_than_five_seconds(self, tmp_path: Path) -> None:
        times = [0, 4999, 5000, 5001, 9999, 10_000, 10_000, 3000, 60_000]
        path = put(tmp_path / "a.json", recording(*({**event("1_load"), "timestamp": t} for t in times)))
        batches = [[one["timestamp"] for one in part["events"]] for part in envelopes(read(path)[0])]
        assert batches == [[0, 4999], [5000, 5001, 9999], [10_000, 10_000], [3000], [60_000]]
        assert [part["sent_at"] for part in envelopes(read(path)[0])] == [4999, 9999, 10_000, 3000, 60_000]

    def test_batches_are_bounded_in_number_and_size(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.json", recording(*[event("1_load")] * 25))
        counts = [len(part["events"]) for part in envelopes(read(path, limits=LimitSettings(max_batch_events=10))[0])]
        assert counts == [10, 10, 5]
        large = {**event("5_custom"), "x": "y" * 300_000}
        path = put(tmp_path / "b.json", recording(*[large] * 10))
        assert [len(part["events"]) for part in envelopes(read(path)[0])] == [3, 3, 3, 1]

    def test_events_without_a_time_go_with_those_before(self, tmp_path: Path) -> None:
        strange = [7, "text", None, {"type": 9}, {"timestamp": "x"}, {"timestamp": -1}, [[]]]
        path = put(tmp_path / "a.json", recording(event("1_load"), *strange, event("1_load")))
        (part,) = envelopes(read(path)[0])
        assert len(part["events"]) == 9

    def test_interaction_events_have_their_own_time(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.json", recording(*({"kind": "page_exit", "t": t} for t in (0, 100, 9000))))
        assert [len(part["events"]) for part in envelopes(read(path)[0])] == [2, 1]

    def test_events_keep_their_bytes_broken_ones_too(self, tmp_path: Path) -> None:
        odd = b'{"type" : 5 ,"data":{"tag":"\xff\\ud800 \xc3\xbc","payload":1e400}, "timestamp":1 }'
        path = put(tmp_path / "a.json", b"[ " + odd + b" ,\n" + odd + b"]\n")
        ((message,), problems) = read(path)
        assert message.value.count(odd) == 2
        assert problems == []
        envelope_of = decode_message(message.value, None, LIMITS).envelope
        assert len(EventDecoder(LIMITS).decode(envelope_of.events).events) == 2

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    def test_pieces_may_be_cut_anywhere(self, tmp_path: Path, size: int) -> None:
        text = recording(event("1_load"), {"a": "ü💥"}, 12345, "text")
        frames = b"".join(zstandard.compress(text[start : start + size]) for start in range(0, len(text), size))
        ((message,), problems) = read(put(tmp_path / "a.json", frames))
        assert (json.loads(message.value)["events"], problems) == (json.loads(text), [])

    @pytest.mark.parametrize(
        ("tail", "reason"),
        [
            (b"", Reason.NOT_JSON), (b",", Reason.NOT_JSON), (b",{", Reason.NOT_JSON), (b",]", Reason.NOT_JSON),
            (b"}", Reason.NOT_JSON), (b"]]", Reason.NOT_JSON), (b",nonsense]", Reason.NOT_JSON),
            (b',"' + b"x" * 40_000 + b'"]', Reason.TOO_LARGE), (b"," + b"[" * 9_000 + b"]", Reason.TOO_DEEP),
        ],
    )  # fmt: skip
    def test_what_came_before_the_damage_is_read(self, tmp_path: Path, tail: bytes, reason: Reason) -> None:
        path = put(tmp_path / "a.json", b"[" + json.dumps(event("1_load")).encode() + tail)
        messages, problems = read(path, limits=LimitSettings(max_batch_bytes=10_000))
        assert [part["events"] for part in envelopes(messages)] == [[event("1_load")]]
        assert problems == [Problem(str(path), 0, reason)]

    def test_an_empty_recording_holds_nothing(self, tmp_path: Path) -> None:
        assert read(put(tmp_path / "a.json", b"[ ]")) == ([], [])

    def test_each_recording_is_a_session_of_its_own(self, tmp_path: Path) -> None:
        for name in ("a/x.json", "b/x.json", "c/x.json.gz", "d/...json", "e/" + "n" * 150 + ".json", "f/é{x}.json"):
            put(tmp_path / name, recording(event("1_load")))
        sessions = [part["session_id"] for part in envelopes(read(tmp_path)[0])]
        assert sessions == ["x", "x-2", "x-3", "recording", "n" * 100, "x-4"]

    def test_memory_is_bounded_by_the_largest_event(self, tmp_path: Path) -> None:
        one = json.dumps({**event("5_custom"), "x": "y" * 1000}).encode()
        target = io.BytesIO()
        with zstandard.ZstdCompressor().stream_writer(target, closefd=False) as writer:
            writer.write(b"[" + one)
            for _ in range(400):
                writer.write((b"," + one) * 100)
            writer.write(b"]")
        path = put(tmp_path / "a.json.zst", target.getvalue())
        problems: list[Problem] = []
        tracemalloc.start()
        try:
            total = len([message.line for message in read_batches([path], LIMITS, problems.append)])
            assert tracemalloc.get_traced_memory()[1] < 40 << 20
        finally:
            tracemalloc.stop()
        assert total > 40
        assert problems == []
