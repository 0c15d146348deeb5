"""What a replay of published events does that a replay of the recorded ones does not."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from tests.e2e.browser import Element, Look, Message, Run

_NOT_FOUND: Final = re.compile(r"\[replayer\] Node with id '-?\d+' not found\.")
_CSS_POSITION: Final = re.compile(r"(?<=<css input>):\d+:\d+")
PICTURES: Final = frozenset({"img", "image"})
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


def compare(original: Sequence[Run], masked: Sequence[Run], *, blocking: bool = False) -> list[Finding]:
    """Compare the runs of one window, of both kinds; `blocking` if elements may have become empty placeholders.

    With placeholders pages become smaller, so that it is not judged whether elements still have a box.
    """
    found: list[Finding] = []
    for before, after in zip(original, masked, strict=True):
        found += _messages(before.kind, before.messages, after.messages)
        looks = {(look.at, place): look for place, look in _numbered(after.looks)}
        for place, look in _numbered(before.looks):
            found += _look(f"{before.kind}, {look.at:.1f}", look, looks.get((look.at, place)), blocking=blocking)
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


def _messages(kind: str, before: Sequence[Message], after: Sequence[Message]) -> Iterator[Finding]:
    new = Counter(map(_told, after)) - Counter(map(_told, before))
    for text, count in new.items():
        place = next(message.event for message in after if _told(message) == text)
        yield Finding("message", kind, text, count, place)


def _told(message: Message) -> str:
    if message.level == "debug" and _NOT_FOUND.match(message.text):
        # A pointer's target that is not on the page is published as -1, one in a blocked element as that element.
        return "debug: target not found"
    # Comments and strings are shorter after masking, so a complaint about CSS names another place in it.
    return _CSS_POSITION.sub("", f"{message.level}: {message.text}")


def _look(where: str, before: Look, after: Look | None, *, blocking: bool) -> Iterator[Finding]:
    if after is None:
        if before.elements:
            yield Finding("blank", where, "no page at all", len(before.elements))
        return
    if before.text and not after.text and not blocking:
        yield Finding("blank", where, f"no text, was {before.text} characters", 1)
    roots = _placeholders(after.elements) if blocking else set()
    gone = _below(roots, before.elements)
    yield from _elements(where, before.elements, after.elements, gone)
    if not blocking:
        yield from _hidden(where, before.elements, after.elements)
    yield from _sheets(where, _rules(before, gone | roots), _rules(after, gone | roots))


def _elements(
    where: str, before: Sequence[Element], after: Sequence[Element], gone: AbstractSet[int]
) -> Iterator[Finding]:
    old = {element.id: element for element in before}
    new = {element.id: element for element in after}
    yield from _group("missing", where, [each for each in before if each.id not in new and each.id not in gone])
    yield from _group("extra", where, [each for each in after if each.id not in old or each.id in gone])
    both = [(old[each.id], each) for each in after if each.id in old]
    yield from _group("moved", where, [was for was, now in both if (was.tag, was.parent) != (now.tag, now.parent)])


def _hidden(where: str, before: Sequence[Element], after: Sequence[Element]) -> Iterator[Finding]:
    shown = {element.id for element in before if _shows(element)}
    yield from _group("hidden", where, [each for each in after if each.id in shown and not _shows(each)])


def _placeholders(elements: Sequence[Element]) -> set[int]:
    parents = {element.parent for element in elements}
    return {element.id for element in elements if element.bare and element.id not in parents}


def _below(roots: AbstractSet[int], elements: Sequence[Element]) -> set[int]:
    """Return the ids below these roots; elements come parents first."""
    below: set[int] = set()
    for element in elements:
        if element.parent in roots or element.parent in below:
            below.add(element.id)
    return below


def _shows(element: Element) -> bool:
    # A picture that is not published has no box of its own, where one that cannot be loaded has a small one.
    return element.width > 0 and element.height > 0 and element.tag not in PICTURES


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


def _rules(look: Look, gone: AbstractSet[int]) -> dict[int, tuple[int, int]]:
    rules: dict[int, tuple[int, int]] = {}
    for sheet in look.sheets:
        if sheet.owner in gone:
            continue
        count, declarations = rules.get(sheet.owner, (0, 0))
        rules[sheet.owner] = (count + sheet.rules, declarations + sheet.declarations)
    return rules
