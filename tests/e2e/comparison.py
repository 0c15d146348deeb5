"""What a replay of published events does that a replay of the recorded ones does not."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from tests.e2e.browser import Element, Look, Message, Run

UNKNOWN_TARGET: Final = "debug: [replayer] Node with id '-1' not found."
_NOT_FOUND: Final = re.compile(r"debug: \[replayer\] Node with id '\d+' not found\.")
_CSS_POSITION: Final = re.compile(r"(?<=<css input>):\d+:\d+")
_EXAMPLES: Final = 5
_ELSEWHERE_PX: Final = 2


class Finding(msgspec.Struct, frozen=True):
    """One way in which the published replay is worse than the recorded one.

    `kind` is `message` (a warning, an error, an exception), `missing`, `extra`, `moved` or `hidden` (elements),
    `blank` (a page without text or without anything) or `style` (rules of a style sheet). `event` is the place of the
    published event at which the player complained.
    """

    kind: str
    where: str
    text: str
    count: int
    event: int | None = None


def compare(original: Sequence[Run], masked: Sequence[Run]) -> list[Finding]:
    """Compare the runs of one window, of both kinds."""
    found: list[Finding] = []
    for before, after in zip(original, masked, strict=True):
        found += _messages(before.kind, before.messages, after.messages)
        looks = {(look.at, place): look for place, look in _numbered(after.looks)}
        for place, look in _numbered(before.looks):
            found += _look(f"{before.kind}, {look.at:.1f}", look, looks.get((look.at, place)))
    return found


def elsewhere(original: Sequence[Run], masked: Sequence[Run]) -> tuple[int, int]:
    """Count the elements of the last pages whose box changed by more than 2 px, and all of them.

    Masked text, images that are not shown and emptied fields have other boxes: a number to look at, no finding.
    """
    changed = total = 0
    for before, after in zip(original, masked, strict=True):
        old = {element.id: element for element in (before.looks[-1].elements if before.looks else ())}
        for element in after.looks[-1].elements if after.looks else ():
            if element.id in old:
                total += 1
                changed += _is_elsewhere(old[element.id], element)
    return changed, total


def _is_elsewhere(old: Element, new: Element) -> bool:
    return (
        max(
            abs(old.x - new.x),
            abs(old.y - new.y),
            abs(old.width - new.width),
            abs(old.height - new.height),
        )
        > _ELSEWHERE_PX
    )


def _numbered(looks: Sequence[Look]) -> Iterator[tuple[int, Look]]:
    """Number the looks at the same time: a player that seeks back and forth comes by more than once."""
    seen: Counter[float] = Counter()
    for look in looks:
        seen[look.at] += 1
        yield seen[look.at], look


def _messages(run: str, before: Sequence[Message], after: Sequence[Message]) -> Iterator[Finding]:
    new = Counter(map(_told, after)) - Counter(map(_told, before))
    gone = Counter(map(_told, before)) - Counter(map(_told, after))
    # A target that is not on the page is published as -1: the same complaint, with another number in it.
    renamed = sum(count for text, count in gone.items() if _NOT_FOUND.match(text))
    for text, count in new.items():
        excess = count - renamed if text.startswith(UNKNOWN_TARGET) else count
        if excess > 0:
            place = next(message.event for message in after if _told(message) == text)
            yield Finding("message", run, text, excess, place)


def _told(message: Message) -> str:
    # Comments and strings are shorter after masking, so a complaint about CSS names another place in it.
    return _CSS_POSITION.sub("", f"{message.level}: {message.text}")


def _look(where: str, before: Look, after: Look | None) -> Iterator[Finding]:
    if after is None:
        if before.elements:
            yield Finding("blank", where, "no page at all", len(before.elements))
        return
    if before.text and not after.text:
        yield Finding("blank", where, f"no text, was {before.text} characters", 1)
    yield from _elements(where, before.elements, after.elements)
    yield from _sheets(where, _rules(before), _rules(after))


def _elements(where: str, before: Sequence[Element], after: Sequence[Element]) -> Iterator[Finding]:
    old = {element.id: element for element in before}
    new = {element.id: element for element in after}
    below = _below({element.id for element in after if element.blocked}, before)
    yield from _group("missing", where, [each for each in before if each.id not in new and each.id not in below])
    yield from _group("extra", where, [each for each in after if each.id not in old])
    both = [(old[each.id], each) for each in after if each.id in old]
    yield from _group("moved", where, [was for was, now in both if (was.tag, was.parent) != (now.tag, now.parent)])
    yield from _group("hidden", where, [was for was, now in both if _shows(was) and not _shows(now)])


def _below(roots: set[int], elements: Sequence[Element]) -> set[int]:
    """Return the ids below these roots; elements come parents first."""
    below: set[int] = set()
    for element in elements:
        if element.parent in roots or element.parent in below:
            below.add(element.id)
    return below


def _shows(element: Element) -> bool:
    return element.width > 0 and element.height > 0


def _group(kind: str, where: str, elements: Sequence[Element]) -> Iterator[Finding]:
    ids: dict[str, list[str]] = {}
    for element in elements:
        ids.setdefault(element.tag, []).append(str(element.id))
    for tag, found in ids.items():
        more = " ..." if len(found) > _EXAMPLES else ""
        yield Finding(kind, where, f"{tag}: {' '.join(found[:_EXAMPLES])}{more}", len(found))


def _sheets(
    where: str, before: Mapping[int, tuple[int, int]], after: Mapping[int, tuple[int, int]]
) -> Iterator[Finding]:
    for owner in before.keys() | after.keys():
        old, new = before.get(owner, (0, 0)), after.get(owner, (0, 0))
        for what, was, now in zip(("rules", "declarations"), old, new, strict=True):
            if was != now:
                yield Finding("style", where, f"sheet of {owner}: {was} {what} became {now}", abs(was - now))


def _rules(look: Look) -> dict[int, tuple[int, int]]:
    rules: dict[int, tuple[int, int]] = {}
    for sheet in look.sheets:
        count, declarations = rules.get(sheet.owner, (0, 0))
        rules[sheet.owner] = (count + sheet.rules, declarations + sheet.declarations)
    return rules
