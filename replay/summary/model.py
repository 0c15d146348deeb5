"""A language model of one's own that says a summary in other words: optional, watched, and never believed.

A model is a plugin: an entry point of the group `wince.summaries` that names a callable (see docs/exports.md). It gets
the finished summary, masked as it is, and gives a text. Whatever else it does (raise, take too long, write too much,
bring in numbers that are not in the account), the deterministic text stands in for it and the refusal has a word.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from importlib.metadata import entry_points
from typing import Final, TypeAlias

from replay.summary.types import Refusal, Rephrased, Summary
from replay.summary.words import printable

GROUP: Final = "wince.summaries"

MAX_AT_ONCE: Final = 2
"""Calls of a model that run at a time. One that hangs keeps its place: a thread cannot be ended from outside."""

_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")

Rephrase: TypeAlias = Callable[[Summary], str]
"""What a plugin makes: tells a summary in other words. It is called in a thread of its own."""

MakeRephrase: TypeAlias = Callable[[Mapping[str, str]], Rephrase]
"""What an entry point names: takes the options of the settings, makes the function. Raises if an option is wrong."""


class ModelError(ValueError):
    """The model that settings name can't be used; the message says why."""


def load_model(name: str, options: Mapping[str, str]) -> Rephrase:
    """Load the plugin of this name and make its function. Nothing else that is installed is loaded.

    Raises ModelError.
    """
    found = [point for point in entry_points(group=GROUP) if point.name == name]
    if len(found) != 1:
        count = "no installed package" if not found else f"more than one installed package ({len(found)})"
        raise ModelError(f"{name}: {count} provides it as an entry point of {GROUP}")
    try:
        make: MakeRephrase = found[0].load()
        return make(options)
    except Exception as error:
        # Somebody else's code may raise anything, and only its words tell the operator what is wrong.
        raise ModelError(f"{name}: {type(error).__name__}: {error}") from error


class Rephraser:
    """A model in force: its `name`, its function, and the limits it is held to (`timeout_ms`, `max_chars`)."""

    def __init__(self, name: str, function: Rephrase, *, timeout_ms: int, max_chars: int) -> None:
        self._name = name
        self._function = function
        self._timeout_ms = timeout_ms
        self._max_chars = max_chars
        self._places = threading.BoundedSemaphore(MAX_AT_ONCE)

    async def rephrase(self, summary: Summary) -> Rephrased:
        """Have a summary said in other words; where that fails, in its own, with the reason."""
        if not self._places.acquire(blocking=False):
            return _refused(summary, "busy")
        answer: Future[object] = Future()
        threading.Thread(target=self._call, args=(summary, answer), name="wince-model", daemon=True).start()
        try:
            text = await asyncio.wait_for(asyncio.wrap_future(answer), self._timeout_ms / 1000)
        except TimeoutError:
            return _refused(summary, "too_slow")
        except _FailedError:
            return _refused(summary, "failed")
        return self._judge(summary, text)

    def _call(self, summary: Summary, answer: "Future[object]") -> None:
        try:
            answer.set_running_or_notify_cancel()
            answer.set_result(self._function(summary))
        except Exception:  # noqa: BLE001  # somebody else's code may raise anything; it fails for itself only
            answer.set_exception(_FailedError())
        finally:
            self._places.release()

    def _judge(self, summary: Summary, text: object) -> Rephrased:
        if not isinstance(text, str) or not text.strip():
            return _refused(summary, "failed")
        if len(text) > self._max_chars:
            return _refused(summary, "too_long")
        if not numbers_in(text) <= numbers_in(told_text(summary)):
            return _refused(summary, "new_numbers")
        # An escape takes up to ten characters.
        return Rephrased(printable(text, 10 * self._max_chars), self._name)


class _FailedError(Exception):
    """A model raised something; what it was may quote what it was given, so it goes no further."""


def _refused(summary: Summary, reason: Refusal) -> Rephrased:
    return Rephrased(summary.text(), "", reason)


def told_text(summary: Summary) -> str:
    """Give all that a summary says, in one text."""
    points = [point.text for point in summary.friction_points]
    return " ".join([summary.headline, summary.text(), *points])


def numbers_in(text: str) -> set[str]:
    """List the numbers a text names, as they are written."""
    return set(_NUMBER.findall(text))
