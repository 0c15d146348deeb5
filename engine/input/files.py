"""Reads recorded batches from files, folders and standard input: what Kafka would deliver, without Kafka.

A file holds envelopes, one a line, or one JSON array of events (see `engine.input.recordings`); plain, gzip or zstd,
told by its first bytes and not by its name. Memory is bounded by the largest batch allowed, whatever the file.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from engine.errors import Poison
from engine.input.compression import GZIP, ZSTD, ZSTD_PIECE_BYTES, gzip_pieces, sniff_encoding, zstd_pieces
from engine.input.recordings import SessionNames, recorded_envelopes
from engine.reasons import Reason
from engine.settings import LimitSettings

ENDINGS: Final = tuple(name + packing for name in (".jsonl", ".ndjson", ".json") for packing in ("", ".gz", ".zst"))
"""Names of files that are read when a folder is given; a file named itself may be called anything."""

STANDARD_INPUT: Final = "-"
CHUNK_BYTES: Final = 1 << 16
PROBED_LINES: Final = 100
"""A file holds batches if one of its first so many lines (that are not empty) looks like one."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"


class SourceMessage(msgspec.Struct, frozen=True):
    """One message, as `decode_message` takes it.

    `source` names the file, `line` is its line (from 1), or the running number of the batch cut out of a recording.
    `position` is the running number of the message over all files, from 0: it only rises.
    """

    value: bytes
    encoding: str | None
    source: str
    line: int
    position: int


class Problem(msgspec.Struct, frozen=True):
    """Something that could not be read: at `line` (from 1; 0 is the file as a whole) of `source`."""

    source: str
    line: int
    reason: Reason


Report = Callable[[Problem], None]
Progress = Callable[[int, int | None], None]
"""Called with the bytes read so far, and those there are (`None` for standard input)."""


def read_batches(
    inputs: Iterable[str | Path],
    limits: LimitSettings,
    report: Report,
    progress: Progress = lambda _read_bytes, _total_bytes: None,
    *,
    results: Path | None = None,
) -> Iterator[SourceMessage]:
    """Yield the messages of all inputs, in the order given; a folder's files are sorted by path.

    What cannot be read is reported, and the rest is read all the same. A folder for `results` that lies in a folder to
    be read is left out.
    """
    named = [str(name) for name in inputs]
    files = [path for name in named for path in _files(name, report, results)]
    total_bytes = None if STANDARD_INPUT in named else sum(_size(path) for path in files)
    meter = _Meter(progress, total_bytes)
    names = SessionNames()
    position = 0
    for path in files:
        reader = _Reader(path, limits, report, names)
        try:
            with _open(path) as file:
                for line, value in reader.messages(meter.chunks(file)):
                    yield SourceMessage(value, None, path, line, position)
                    position += 1
        except OSError:
            report(Problem(path, 0, Reason.INPUT_READ_ERROR))
        except Poison as poison:
            report(Problem(path, reader.line, poison.reason))


class _Reader:
    """Cuts one file into messages."""

    def __init__(self, path: str, limits: LimitSettings, report: Report, names: SessionNames) -> None:
        self._path = path
        self._limits = limits
        self._report = report
        self._names = names
        self.line = 0
        """Lines seen so far."""

    def messages(self, chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield number and text of each message in the file. Raises Poison if its compression is damaged."""
        text = _decompressed(chunks)
        head = _head(text)
        text = _chain(head, text)
        if head.lstrip(_BLANK).startswith(b"["):
            session_id = self._names.name(self._path)
            yield from enumerate(recorded_envelopes(text, session_id, self._limits), start=1)
        else:
            yield from self._batches(self._lines(text))

    def _batches(self, lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of a file once one of them looks like a batch: lines before it are damaged ones.

        A file of which none does is another kind of file, and one problem; but a single line is worth its own reason.
        """
        seen: list[tuple[int, bytes]] = []
        size_bytes = 0
        for number, line in lines:
            seen.append((number, line))
            size_bytes += len(line)
            if _looks_like_batch(line) or size_bytes > self._limits.max_batch_bytes:
                yield from seen
                yield from lines
                return
            if len(seen) >= PROBED_LINES:
                break
        if len(seen) > 1:
            self._report(Problem(self._path, 0, Reason.NOT_BATCHES))
        else:
            yield from seen

    def _lines(self, text: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
        most = self._limits.max_batch_bytes
        pending = bytearray()
        too_long = False
        for piece in text:
            *ended, rest = piece.split(b"\n")
            for end in ended:
                line = end if not pending else bytes(pending) + end
                pending.clear()
                yield from self._line(line, too_long=too_long)
                too_long = False
            if len(pending) + len(rest) > most:
                too_long = True
                pending.clear()
            elif not too_long:
                pending += rest
        yield from self._line(bytes(pending), too_long=too_long)

    def _line(self, line: bytes, *, too_long: bool) -> Iterator[tuple[int, bytes]]:
        self.line += 1
        line = line.strip(_BLANK)
        if too_long or len(line) > self._limits.max_batch_bytes:
            self._skip(Reason.TOO_LARGE)
        elif line:
            yield self.line, line

    def _skip(self, reason: Reason) -> None:
        self._report(Problem(self._path, self.line, reason))


def _looks_like_batch(line: bytes) -> bool:
    return line.startswith(b"{") and line.endswith(b"}") and b'"session_id"' in line


class _Meter:
    """Counts the bytes of all files as they are read."""

    def __init__(self, progress: Progress, total_bytes: int | None) -> None:
        self._progress = progress
        self._total_bytes = total_bytes
        self._read_bytes = 0

    def chunks(self, file: BinaryIO) -> Iterator[bytes]:
        while chunk := file.read(CHUNK_BYTES):
            self._read_bytes += len(chunk)
            yield chunk
            self._progress(self._read_bytes, self._total_bytes)


def _files(name: str, report: Report, results: Path | None) -> list[str]:
    """Return the name itself, or the files to read below it if it is a folder."""
    try:
        if name == STANDARD_INPUT or not Path(name).is_dir():
            return [name]
    except OSError:
        return [name]  # opening it will tell

    def report_folder(error: OSError) -> None:
        report(Problem(str(error.filename), 0, Reason.INPUT_READ_ERROR))

    found = []
    for folder, subfolders, files in os.walk(name, onerror=report_folder):
        subfolders[:] = [subfolder for subfolder in subfolders if not is_same(Path(folder, subfolder), results)]
        found += [str(Path(folder, file)) for file in files if file.endswith(ENDINGS)]
    return sorted(found)


def is_same(path: Path, other: Path | None) -> bool:
    """Tell whether both are one file or folder that is there, by whatever names."""
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _open(path: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else Path(path).open("rb")


def _decompressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    encoding = sniff_encoding(first)
    chunks = _chain(first, chunks)
    if encoding == GZIP:
        return gzip_pieces(chunks)
    if encoding == ZSTD:
        return zstd_pieces(_cut(chunks, ZSTD_PIECE_BYTES))
    return chunks


def _head(text: Iterator[bytes]) -> bytes:
    """Return the beginning of a text, without a byte order mark, up to something that is not blank."""
    head = b""
    for piece in text:
        head += piece
        if head.removeprefix(_BYTE_ORDER_MARK).strip(_BLANK) or len(head) > CHUNK_BYTES:
            break
    return head.removeprefix(_BYTE_ORDER_MARK)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _cut(chunks: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), size_bytes):
            yield chunk[start : start + size_bytes]
