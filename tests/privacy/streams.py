"""Written-down visits: what is recorded, what may show nowhere and what has to show; and how they are judged."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from engine.reasons import Reason
from engine.settings import PrivacySettings, Settings
from tests.engine.attack import Attack, envelope
from tests.privacy.canaries import LEVELS, Level, everything, states
from tests.privacy.searching import found, missing

T0: Final = 1_795_296_510_000
KEY: Final = "a secret of sixteen"
WAYS: Final = ("whole", "restarted", "packed")
"""In one batch; event by event with a restart after each; and as the recorder's packer sends it."""

Json = dict[str, Any]
By = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Case:
    """One visit. `hide` and `keep` are by the first letters of the levels they hold at: `{"cm": ["Jane"]}`."""

    name: str
    events: Sequence[Any]
    hide: By = field(default_factory=dict)
    keep: By = field(default_factory=dict)
    privacy: Mapping[str, Any] = field(default_factory=dict)
    vector: int = 0

    @property
    def levels(self) -> list[Level]:
        """The levels at which the case says something."""
        letters = set("".join((*self.hide, *self.keep)))
        return [level for level in LEVELS if level[0] in letters]


def at(words: By, level: str) -> list[str]:
    """Return what holds at a level."""
    return [word for letters, group in words.items() if level[0] in letters for word in group]


def judge(case: Case, level: str, way: str) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Record a visit in one of `WAYS`; return the secrets that show and the survivors that do not."""
    privacy = msgspec.convert({"level": level, **case.privacy}, PrivacySettings)
    attack = Attack(Settings(privacy=privacy))
    events = [_timed(event, place) for place, event in enumerate(case.events)]
    written: list[bytes] = []
    if way == "restarted":
        for sequence, event in enumerate(events):
            attack.send(envelope(sequence, [event])).resume()
            written += states(attack)
    else:
        attack.send(envelope(0, [_packed(event) for event in events] if way == "packed" else events))
        written += states(attack)
    attack.finish()
    assert not attack.dropped_events.get(Reason.MASKING_FAILED)
    assert not attack.dead_letters
    return found(at(case.hide, level), [*written, *everything(attack)]), missing(at(case.keep, level), attack.lines())


def _timed(event: Any, place: int) -> Any:
    if isinstance(event, str):
        return event
    moment = "timestamp" if "type" in event else "t"
    return {moment: T0 + 100 * place, **event}


def _packed(event: Any) -> Any:
    if isinstance(event, str) or "type" not in event:
        return event
    return zlib.compress(json.dumps({**event, "v": "v1"}).encode()).decode("latin-1")


def in_base64(text: str) -> str:
    """Return a text as base64."""
    return base64.b64encode(text.encode()).decode()


# -- events ---------------------------------------------------------------------------------------------------------


def attribute_name(name: str) -> str:
    """Return the attribute that is meant by an argument: `_` is written for `-`, and at the end for nothing."""
    return name if name.startswith(("rr_", "_")) else name.rstrip("_").replace("_", "-")


def el(node_id: int, tag: str, *children: Json | str, **attributes: Any) -> Json:
    """An element; names are written with `_` for `-` and may end in one. A text child has the id after a thousand."""
    named = {attribute_name(name): value for name, value in attributes.items()}
    nodes = [
        txt(1_000 + 10 * node_id + place, child) if isinstance(child, str) else child
        for place, child in enumerate(children)
    ]
    return {"type": 2, "id": node_id, "tagName": tag, "attributes": named, "childNodes": nodes}


def named(node: Json, attributes: Json) -> Json:
    """Return an element with attributes of any name."""
    return {**node, "attributes": {**node["attributes"], **attributes}}


def txt(node_id: int, content: str) -> Json:
    """A text."""
    return {"type": 3, "id": node_id, "textContent": content}


def doc(node_id: int, *children: Json) -> Json:
    """A document, as frames hold one."""
    return {"type": 0, "id": node_id, "childNodes": list(children)}


def page(*body: Json, head: Sequence[Json] = (), href: str = "https://shop.example/cart") -> list[Json]:
    """A page's address and snapshot: document 1, html 2, head 3, body 4."""
    html = el(2, "html", el(3, "head", *head), el(4, "body", *body))
    return [
        {"type": 4, "data": {"href": href, "width": 800, "height": 600}},
        {"type": 2, "data": {"node": doc(1, html), "initialOffset": {"top": 0, "left": 0}}},
    ]


def inc(source: int, **data: Any) -> Json:
    """An incremental event."""
    return {"type": 3, "data": {"source": source, **data}}


def mut(**lists: Any) -> Json:
    """A change of the page."""
    return inc(0, **{"texts": [], "attributes": [], "removes": [], "adds": [], **lists})


def text(node_id: Any, value: Any) -> Json:
    """An entry of `texts`."""
    return {"id": node_id, "value": value}


def attrs(node_id: Any, **attributes: Any) -> Json:
    """An entry of `attributes`; names as in `el`."""
    return {"id": node_id, "attributes": {attribute_name(name): value for name, value in attributes.items()}}


def add(parent_id: int, node: Json, next_id: int | None = None) -> Json:
    """An entry of `adds`."""
    return {"parentId": parent_id, "nextId": next_id, "node": node}


def remove(parent_id: int, node_id: int) -> Json:
    """An entry of `removes`."""
    return {"parentId": parent_id, "id": node_id}


def typed(node_id: Any, value: Any, *, checked: bool = False) -> Json:
    """A field's value."""
    return inc(5, id=node_id, text=value, isChecked=checked)


def clicks(node_id: int, times: int = 1) -> list[Json]:
    """Presses, releases and clicks."""
    return [inc(2, type=kind, id=node_id, x=5, y=5) for kind in (1, 0, 2) * times]


def custom(tag: str, payload: Any) -> Json:
    """A custom event."""
    return {"type": 5, "data": {"tag": tag, "payload": payload}}


def plugin(name: str, payload: Any) -> Json:
    """A plugin's event."""
    return {"type": 6, "data": {"plugin": name, "payload": payload}}


def load() -> list[Json]:
    """Another page comes."""
    return [{"type": 0, "data": {}}, {"type": 1, "data": {}}]
