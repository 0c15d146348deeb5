"""States are read again with the types that their classes declare, compiled or not."""

import ast
import dataclasses
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

import detectors

FOLDER = Path(detectors.__file__).parent


def declared() -> Iterator[tuple[type, dict[str, str]]]:
    """Give each dataclass of the detectors with its fields' types as its source writes them."""
    for path in sorted(FOLDER.glob("*.py")):
        module = importlib.import_module(f"detectors.{path.stem}")
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in node.decorator_list):
                fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
                yield (
                    getattr(module, node.name),
                    {ast.unparse(each.target): ast.unparse(each.annotation) for each in fields},
                )


KINDS = [pytest.param(kind, fields, id=kind.__qualname__) for kind, fields in declared() if "State" in kind.__name__]


def test_there_are_states() -> None:
    assert len(KINDS) > 12


@pytest.mark.parametrize(("kind", "fields"), KINDS)
def test_the_types_of_a_state_are_known_all_the_way_down(kind: type, fields: dict[str, str]) -> None:
    waiting, seen = [kind], {kind}
    sources = dict(declared())
    while waiting:
        here = waiting.pop()
        module = vars(importlib.import_module(here.__module__))
        for name, hint in get_type_hints(here, module).items():
            assert hint == eval(sources[here][name], module), f"{here.__qualname__}.{name}"  # noqa: S307  # our own source
            for part in _parts(hint):
                if dataclasses.is_dataclass(part) and isinstance(part, type) and part not in seen and part in sources:
                    seen.add(part)
                    waiting.append(part)
    assert set(get_type_hints(kind)) == set(fields)


def _parts(hint: object) -> Iterator[object]:
    yield hint
    for part in getattr(hint, "__args__", ()):
        yield from _parts(part)
