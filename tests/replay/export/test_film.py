"""Films, made by a real Chromium and decoded again: as long as said, of the right size, showing what was recorded."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio

from replay.directory_store import DirectoryStore
from replay.export import film as module
from replay.export.errors import FilmFailed, NotInstalled, TooLarge, TooSlow
from replay.export.film import make_film
from replay.export.film_job import MAX_FRAMES, FilmOptions
from replay.export.html import export_html
from replay.export.plan import Plan, plan_export
from replay.store import Store, StoreSettings
from replay.summary.reading import summarize_session
from tests.e2e_viewer.hostile import Canary
from tests.e2e_viewer.hostile import snapshot as hostile_page
from tests.replay.export.recordings import Tree, change, draft, meta, put, snapshot
from tests.replay.samples import T0

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARK_ROWS = 40
"""Rows at the top of a frame that may belong to the line that says of whom it is."""


@pytest_asyncio.fixture(loop_scope="module")
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Hold a session whose page is red at first, green from 1 s on, and blue from 2 s on."""
    made = DirectoryStore(tmp_path / "store", StoreSettings())
    tree = Tree()
    page = tree.document([], [tree.element("p", {}, tree.text("colours"))])
    body = page["childNodes"][0]["childNodes"][1]
    body["attributes"] = {"style": "background: rgb(255, 0, 0)"}
    paint = [
        change(t, attributes=[{"id": body["id"], "attributes": {"style": f"background: {colour}"}}])
        for t, colour in ((1_000, "rgb(0, 255, 0)"), (2_000, "rgb(0, 0, 255)"))
    ]
    await put(made, draft([meta(), snapshot(page), *paint]))
    yield made
    made.discard()


async def planned(store: Store, to_t: int = 3_000) -> Plan:
    made = await store.record("a")
    assert made is not None
    return plan_export(made, await store.index("a"), T0, T0 + to_t, None)


async def film(store: Store, folder: Path, options: FilmOptions, **more: Any) -> Path:
    plan = await planned(store)
    summary = await summarize_session(store, plan.record, plan.from_t, plan.to_t)
    return await make_film(plan, export_html(store, plan, summary, T0), folder, options, **more)


def frames(path: Path) -> tuple[float, npt.NDArray[np.uint8]]:
    """Decode a film, giving its length (seconds) and all frames as rows of columns of red, green and blue."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    told = subprocess.run([program, "-i", str(path)], capture_output=True, text=True, check=False).stderr
    found = re.search(r"Duration: 00:00:([0-9.]+).*?, ([0-9]+)x([0-9]+)", told, re.DOTALL)
    assert found is not None
    command = [program, "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return float(found[1]), np.frombuffer(raw, np.uint8).reshape(-1, int(found[3]), int(found[2]), 3)


def colours(pictures: npt.NDArray[np.uint8]) -> str:
    """Name what most of each frame is: r, g or b."""
    middle = np.median(pictures[:, MARK_ROWS:].reshape(len(pictures), -1, 3), axis=1)
    assert (middle.max(axis=1) > 200).all()
    return "".join("rgb"[channel] for channel in middle.argmax(axis=1))


@pytest.mark.parametrize("kind", ["mp4", "gif"])
@pytest.mark.usefixtures("chromium")
async def test_a_film_shows_what_was_recorded_when_it_was(store: Store, tmp_path: Path, kind: Any) -> None:
    done: list[tuple[int, int]] = []
    path = await film(
        store, tmp_path, FilmOptions(format=kind, fps=4, width=400), progress=lambda *each: done.append(each)
    )
    seconds, pictures = await asyncio.to_thread(frames, path)
    assert abs(seconds - 3) < 0.3
    assert pictures.shape[1:] == (326, 400, 3)
    assert colours(pictures) == "rrrrggggbbbb"
    # The line at the top is there, and is no part of the page.
    assert pictures[0, :20].std() > 10
    assert done == [(place, 12) for place in range(1, 13)]


@pytest.mark.usefixtures("chromium")
async def test_a_quick_film_is_short(store: Store, tmp_path: Path) -> None:
    path = await film(store, tmp_path, FilmOptions(fps=4, width=320, speed=2))
    assert colours((await asyncio.to_thread(frames, path))[1]) == "rrggbb"


def processes_with(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if text.encode() in command:
            found.append(command.decode(errors="replace"))
    return found


@pytest.mark.usefixtures("chromium")
async def test_a_film_that_takes_too_long_is_given_up_and_leaves_no_process(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"wince-film-late-{os.getpid()}-"
    monkeypatch.setattr(module, "HOME_PREFIX", prefix)
    with pytest.raises(TooSlow, match="choose less"):
        await film(store, tmp_path, FilmOptions(fps=30), time_limit_seconds=6)
    async with asyncio.timeout(30):
        while await asyncio.to_thread(processes_with, prefix):
            await asyncio.to_thread(os.sched_yield)


@pytest.mark.usefixtures("chromium")
async def test_a_recording_that_cannot_be_drawn_is_no_film(store: Store, tmp_path: Path) -> None:
    await put(store, draft([{"type": 2, "data": {"node": 7}, "timestamp": T0}]), session_id="odd")
    odd = await store.record("odd")
    assert odd is not None
    plan = plan_export(odd, await store.index("odd"), T0, T0 + 1_000, None)
    summary = await summarize_session(store, odd, plan.from_t, plan.to_t)
    with pytest.raises(FilmFailed, match="cannot be drawn"):
        await make_film(plan, export_html(store, plan, summary, T0), tmp_path, FilmOptions())


@pytest.mark.usefixtures("chromium")
async def test_making_a_film_of_a_hostile_recording_loads_nothing(store: Store, tmp_path: Path, canary: Canary) -> None:
    await put(store, draft([*hostile_page(canary.address, str), change(900)]), session_id="hostile")
    hostile = await store.record("hostile")
    assert hostile is not None
    plan = plan_export(hostile, await store.index("hostile"), T0, T0 + 500, None)
    summary = await summarize_session(store, hostile, plan.from_t, plan.to_t)
    path = await make_film(plan, export_html(store, plan, summary, T0), tmp_path, FilmOptions(fps=4, width=320))
    assert len((await asyncio.to_thread(frames, path))[1]) == 2
    assert canary.sung == []


async def test_without_chromium_it_says_what_to_install(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="Chromium on PATH"):
        await film(store, tmp_path, FilmOptions())
    assert not (tmp_path / "export.html").exists()


async def test_a_long_film_is_refused_before_anything_is_done(store: Store, tmp_path: Path) -> None:
    plan = await planned(store)
    long = type(plan)(plan.record, T0, T0 + 1_000 * MAX_FRAMES, plan.windows)
    with pytest.raises(TooLarge):
        module.check_film(long, FilmOptions(fps=2))
    assert not (tmp_path / "export.html").exists()


async def test_the_maker_is_not_told_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINCE_STORE_REDIS_PASSWORD", "hunter2")
    told = module._environment(str(tmp_path))
    assert "hunter2" not in str(told)
    assert told["HOME"] == str(tmp_path)


async def test_a_job_that_cannot_be_done_is_told_in_a_line(tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    await asyncio.to_thread(
        job.write_text,
        '{"page":"/nowhere.html","film":"/nowhere/f","browser":"/nowhere","options":{},"length_ms":10}',
    )
    command = [sys.executable, "-m", "replay.export.film_maker", str(job)]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stdout == "! Chromium does not start; where user namespaces are forbidden it cannot\n"
