"""A shipped recording in a store, and a real Chromium to open exports in."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from engine.core.core import Core
from engine.core.effects import DeadLetter
from engine.input.files import read_batches
from engine.runtime.recorded import RecordedRun
from engine.runtime.writer import Writer
from engine.samples import SAMPLES_FOLDER
from engine.settings import Settings
from replay.directory_store import DirectoryStore
from replay.store import Store, StoreSettings
from tests.e2e_viewer.hostile import Canary

SAMPLES = ("6f0990bd-62b3-4732-a79c-820bea7d675a", "c7a6d083-f6a7-4b06-9f06-2e07d1f1cf71")


def _no_letter(letter: DeadLetter) -> None:
    raise AssertionError(letter.reason)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def samples(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    """Hold a few of the shipped recordings, as the engine stores them."""
    store = DirectoryStore(tmp_path_factory.mktemp("samples"), StoreSettings())
    settings = Settings()
    run = RecordedRun(Core(settings), Writer(store, "samples", "tests", keep_state=True), bury=_no_letter)
    paths = [SAMPLES_FOLDER / f"{name}.jsonl.zst" for name in SAMPLES]
    await run.run(read_batches(paths, settings.limits, run.unreadable))
    yield store
    store.discard()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Run a Chromium with a network: what stays away from it does so by itself."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        await running.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    """Stand for the world, which must not hear of whoever opens an export."""
    with Canary() as listening:
        yield listening
