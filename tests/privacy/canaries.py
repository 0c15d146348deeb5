"""Sends a visit through a whole core, cut and resumed at random, and collects every byte that was written."""

import random
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from engine.reasons import Reason
from engine.settings import PrivacySettings, Settings
from tests.engine.attack import Attack, envelope, unpacked
from tests.engine.core.shelf import packed_states
from tests.privacy.app import App
from tests.privacy.forms import Forms
from tests.privacy.searching import found, missing
from tests.privacy.site import Site
from tests.privacy.words import Words as Visit

Level = Literal["conservative", "medium", "light"]
LEVELS: tuple[Level, ...] = get_args(Level)


class Verdict(NamedTuple):
    """What became of one visit: how much was planted, and what went wrong, each with what stands around it."""

    secrets: int
    survivors: int
    leaks: list[tuple[str, bytes]]
    lost: list[str]


VISITS: Final[Mapping[str, type[Visit]]] = {"site": Site, "app": App, "forms": Forms}
"""Kinds of random visits: to a site under a recorder, in an app that describes elements, to lists and forms."""


def judge(seed: int, level: Level, acts: int = 30, kind: str = "site") -> Verdict:
    """Make a visit, record it, and search everything that is written of it."""
    site = VISITS[kind](seed, level).visit(acts)
    attack, written = recorded(site, seed)
    # What breaks in masking is dropped, and that would hide whatever is wrong with it.
    assert not attack.dropped_events.get(Reason.MASKING_FAILED), seed
    lost = missing(site.survivors, attack.lines())
    return Verdict(len(site.secrets), len(site.survivors), found(site.secrets, written), lost)


def recorded(visit: Visit, seed: int) -> tuple[Attack, list[bytes]]:
    """Feed a visit in batches of any size, with restarts in between; return all that was written, too."""
    events = visit.events
    chance = random.Random(seed)
    privacy = msgspec.convert({"level": visit.level, **visit.privacy}, PrivacySettings)
    attack = Attack(Settings(privacy=privacy))
    sequence, start = 0, 0
    while start < len(events):
        end = start + chance.choice([1, 3, 10, 40])
        attributes = {} if chance.random() < 0.5 else {"attributes": visit.told()}
        attack.send(envelope(sequence, events[start:end], **attributes, **visit.identity))
        sequence, start = sequence + 1, end
        if chance.random() < 0.15:
            attack.resume()
    stored = list(states(attack))
    return attack.finish(), [*stored, *everything(attack)]


def states(attack: Attack) -> Iterator[bytes]:
    """Yield the stored states, unpacked."""
    for packed in packed_states(attack.core).values():
        yield unpacked(packed.data)


def everything(attack: Attack) -> Iterator[bytes]:
    """Yield whatever leaves the core."""
    yield from attack.lines()
    yield from states(attack)
    for effect in attack.effects:
        yield msgspec.json.encode([effect.record, effect.signals, effect.activities, effect.holes, effect.next_seqs])
    yield msgspec.json.encode(attack.dead_letters)
    yield repr(attack.core.counts).encode()
