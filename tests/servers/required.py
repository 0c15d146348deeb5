"""What becomes of a test whose server is not to be had: it is skipped, unless the server was asked for."""

import os
from typing import NoReturn

import pytest


class Missing(Exception):
    """A server cannot be run on this machine; the message says what is missing."""


def is_required(server: str) -> bool:
    """Say whether `WINCE_TEST_REQUIRE`, a comma list, names the server."""
    return server in os.environ.get("WINCE_TEST_REQUIRE", "").split(",")


def give_up(server: str, reason: object) -> NoReturn:
    """Fail where the server is required, skip elsewhere."""
    if is_required(server):
        pytest.fail(f"WINCE_TEST_REQUIRE asks for {server}: {reason}")
    pytest.skip(f"no {server}: {reason}")
