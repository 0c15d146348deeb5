"""What is published can be replayed: rrweb's own player has nothing new to complain about."""

from pathlib import Path

import pytest

from tests.e2e.browser import Browser
from tests.e2e.check_recordings import describe
from tests.e2e.checking import Checker
from tests.e2e.recordings import Privacy

SAMPLES = sorted((Path(__file__).parents[2] / "engine/samples").glob("*.jsonl.zst"))


@pytest.fixture(scope="module")
def checker(browser: Browser) -> Checker:
    return Checker(browser)


@pytest.mark.parametrize("level", ["medium", "conservative"])
def test_no_sample_replays_worse_than_it_was_recorded(checker: Checker, level: str) -> None:
    verdicts = list(checker.check(SAMPLES, Privacy(level)))

    assert len({verdict.window.name.split()[0] for verdict in verdicts}) == 18
    # Otherwise recordings would be compared with themselves.
    assert all(b"***" in b"".join(map(bytes, verdict.window.masked)) for verdict in verdicts)
    worse = [describe(level, verdict) for verdict in verdicts if verdict.findings]
    assert not worse, "\n".join(worse)
