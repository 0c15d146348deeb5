"""The ground truth of labelled recordings: what the visitor did, when, and what a good detector says of it."""

from pathlib import Path
from typing import Final, Literal

import msgspec

Expect = Literal["yes", "no", "maybe"]

CALM: Final = "calm_until"
"""The label after whose `t` something may happen; before it, everything was ordinary use."""

LABELS_MAX_BYTES: Final = 512 << 20

RECORDING_ENDINGS: Final = (".jsonl.zst", ".jsonl", ".jsonl.gz")


class LabelsError(ValueError):
    """The labels, or a recording they name, can't be read."""


class Label(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened from `t` to `t_end` (epoch ms) in a window.

    `yes`: a good detector reports it; `no`: it must not (legitimate use that looks similar); `maybe`: not scored.
    """

    type: str
    expect: Expect
    t: int
    window_id: str
    t_end: int | None = None
    selector: str | None = None
    note: str = ""

    @property
    def end(self) -> int:
        """Its last moment (epoch ms)."""
        return self.t if self.t_end is None else max(self.t, self.t_end)


class SilentClick(msgspec.Struct, frozen=True, gc=False):
    """A click at `t` (epoch ms) that nothing answered for three seconds, as far as the recording shows."""

    window_id: str
    t: int


class LabelledSession(msgspec.Struct, frozen=True, gc=False):
    """One recording and all its labels; `js_errors` is how many errors its pages threw, if that is known."""

    session_id: str
    scenario: str
    labels: list[Label]
    silent_clicks: list[SilentClick] = []
    js_errors: int | None = None
    file: str = ""
    first_event: int = 0


class LabelledCorpus(msgspec.Struct, frozen=True, gc=False):
    """A labels file."""

    sessions: list[LabelledSession]


def load_labels(path: Path) -> LabelledCorpus:
    """Read a labels file. Raises LabelsError, which says why, if it can't be read or is none."""
    try:
        if path.stat().st_size > LABELS_MAX_BYTES:
            raise LabelsError(f"{path}: larger than {LABELS_MAX_BYTES >> 20} MiB")
        corpus = msgspec.json.decode(path.read_bytes(), type=LabelledCorpus)
    except OSError as error:
        raise LabelsError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise LabelsError(f"{path}: no labels file: {error}") from error
    if not corpus.sessions:
        raise LabelsError(f"{path}: there is no session in it")
    return corpus


def find_recording(folder: Path, session: LabelledSession) -> Path:
    """Find a session's recording: where its labels say, else under its id in `folder` or `folder/sessions`.

    Raises LabelsError if it is not there, or if its name leads out of the folder.
    """
    names = [session.file] if session.file else []
    names += [f"{place}{session.session_id}{ending}" for place in ("", "sessions/") for ending in RECORDING_ENDINGS]
    for name in names:
        path = folder / name
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    raise LabelsError(f"{folder}: no recording of session {session.session_id}")
