"""Errors as logs and traces may show them: by type and place. Their texts can hold what a sender wrote."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from engine.errors import Poison

FRAMES_MAX: Final = 15
"""Innermost calls that are told of one error."""

CAUSES_MAX: Final = 8
"""Errors behind an error that are told."""

_ROOTS: Final = ("/site-packages/", f"{Path(__file__).parents[2]}/", f"{Path(traceback.__file__).parent}/")


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error without its text: type, place (`FILE:LINE FUNCTION`), what it came from, and numbers of the system."""

    error: str
    where: str = ""
    trace: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    errno: int | None = None
    reason: str | None = None


def describe(error: BaseException) -> Fault:
    """Describe an error by what is in the code, nothing of what is in its arguments."""
    trace = _frames(error.__traceback__)
    return Fault(
        error=_name(error),
        where=trace[-1] if trace else "",
        trace=trace,
        causes=tuple(f"{_name(cause)} at {_innermost(cause)}" for cause in _causes(error)),
        errno=error.errno if isinstance(error, OSError) and isinstance(error.errno, int) else None,
        reason=error.reason.value if isinstance(error, Poison) else None,
    )


def place(path: str, line: int, function: str) -> str:
    """Write a place in the code, without where it is installed."""
    for root in _ROOTS:
        _, found, inside = path.rpartition(root)
        if found:
            return f"{inside}:{line} {function}"
    return f"{Path(path).name}:{line} {function}"


def _frames(trace: TracebackType | None) -> tuple[str, ...]:
    calls = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
    return tuple(place(code.co_filename, line, code.co_qualname) for code, line in calls[-FRAMES_MAX:])


def _innermost(error: BaseException) -> str:
    frames = _frames(error.__traceback__)
    return frames[-1] if frames else "an unknown place"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what is behind an error, each once: members of a group, causes, and what was being handled."""
    waiting, seen = [error], {id(error)}
    while waiting and len(seen) <= CAUSES_MAX:
        current = waiting.pop(0)
        behind = list(current.exceptions) if isinstance(current, BaseExceptionGroup) else []
        if current.__cause__ is not None:
            behind.append(current.__cause__)
        elif current.__context__ is not None and not current.__suppress_context__:
            behind.append(current.__context__)
        for each in behind:
            if id(each) not in seen and len(seen) <= CAUSES_MAX:
                seen.add(id(each))
                waiting.append(each)
                yield each


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
