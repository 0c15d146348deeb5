"""The browser of the tests: a real one, or the test is skipped, or fails where it is required."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.browser import Browser, NoChromiumError, find_chromium


@pytest.fixture(scope="session")
def chromium() -> str:
    try:
        return find_chromium()
    except NoChromiumError as error:
        if "chromium" in os.environ.get("WINCE_TEST_REQUIRE", "").split(","):
            pytest.fail(f"WINCE_TEST_REQUIRE asks for chromium: {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with Browser(chromium) as running:
        yield running
