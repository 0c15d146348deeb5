"""Attacks a whole core as a hostile sender would, and checks what has to hold whatever was sent."""

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import zstandard

from engine.core.core import Core
from engine.core.effects import DeadLetter, SessionEffects
from engine.core.packer import STATE_FORMAT
from engine.core.session import Session, SessionState
from engine.reasons import Reason
from engine.settings import LimitSettings, PrivacySettings, Settings
from replay.blocks import decode_block
from schemas.bundle_index import Hole
from schemas.interaction_events import InteractionEvent
from schemas.rrweb_events import RrwebEvent
from schemas.session_record import SessionRecord
from schemas.signals import Signal
from tests.engine.core.shelf import Shelf, packed_states

T0: Final = 1_795_296_510_000
SESSION: Final = "11111111-2222-3333-4444-555555555555"
CONSERVATIVE: Final = Settings(privacy=PrivacySettings(level="conservative"))

MARK: Final = "$ecretMarkOfAPersonQ7x"
"""Planted wherever a sender can put text. At level conservative it may come out nowhere: it is no name (`$`), and a
word too long to stay in a path."""
MARKED_LINK: Final = f"https://{MARK}:{MARK}@shop.example/{MARK}?q={MARK}#{MARK}"
CSS: Final = f'p[title="{MARK}"]::before {{ content: "{MARK}"; background: url({MARKED_LINK}) }} /* {MARK} */'
"""What style sheets may hide. Other words in them are names of a page's author, which rule c lets through."""
_FINGERPRINT: Final = MARK[1:].lower().encode()

PAGES_MAX: Final = 200
_RRWEB: Final = msgspec.json.Decoder(RrwebEvent)
_INTERACTION: Final = msgspec.json.Decoder(InteractionEvent)
_STORED: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def envelope(seq: int = 0, events: Iterable[Any] = (), **fields: Any) -> bytes:
    """Make a message; `fields` replace those of the envelope, a field that is `...` is left out."""
    made = {
        "v": 1,
        "project_id": "shop",
        "session_id": SESSION,
        "window_id": "w1",
        "seq": seq,
        "sent_at": T0,
        "events": list(events),
        **fields,
    }
    return msgspec.json.encode({name: value for name, value in made.items() if value is not ...})


def incremental(source: int, t: float = T0, /, **data: Any) -> dict[str, Any]:
    """Make an incremental event."""
    return {"type": 3, "timestamp": t, "data": {"source": source, **data}}


BEACON: Final = 424_242


def beacon(number: int, t: float = T0) -> dict[str, Any]:
    """Make a harmless event that is told from others by its number and always published."""
    return incremental(4, t, width=number, height=BEACON)


def click(node_id: int, t: float = T0) -> list[dict[str, Any]]:
    """Make the three events of a click."""
    return [incremental(2, t, type=kind, id=node_id, x=5, y=5) for kind in (1, 0, 2)]


def element(node_id: int, *children: dict[str, Any], tag: str = "div", **attributes: Any) -> dict[str, Any]:
    """Make an element node."""
    return {"type": 2, "id": node_id, "tagName": tag, "attributes": attributes, "childNodes": list(children)}


def text(node_id: int, content: str = MARK) -> dict[str, Any]:
    """Make a text node."""
    return {"type": 3, "id": node_id, "textContent": content}


def snapshot(*nodes: dict[str, Any], t: float = T0) -> list[dict[str, Any]]:
    """Make a page's Meta event and full snapshot: document 1, html 2, body 3 with the nodes below it."""
    html = element(2, element(3, *nodes, tag="body"), tag="html")
    return [
        {"type": 4, "timestamp": t, "data": {"href": MARKED_LINK, "width": 800, "height": 600}},
        {"type": 2, "timestamp": t, "data": {"node": {"type": 0, "id": 1, "childNodes": [html]}}},
    ]


def addition(parent_id: int, node: dict[str, Any], next_id: int | None = None) -> dict[str, Any]:
    """Make an entry of a mutation's `adds`."""
    return {"parentId": parent_id, "nextId": next_id, "node": node}


def mutation(t: float = T0, /, **lists: list[Any]) -> dict[str, Any]:
    """Make a mutation event."""
    return incremental(0, t, **{name: lists.get(name, []) for name in ("texts", "attributes", "removes", "adds")})


class Attack:
    """A core and everything it gave; `check` holds it against the rules that no input may break.

    The arrival clock stands where `now_ms` says; move it at will, but not back.
    """

    def __init__(self, settings: Settings = CONSERVATIVE) -> None:
        self.settings = settings
        self.core = Core(settings)
        self.now_ms = T0
        self.messages: list[tuple[bytes, str | None]] = []
        self.effects: list[SessionEffects] = []
        self.dead_letters: list[DeadLetter] = []
        self.shelf = Shelf()
        self._read_again = 0

    # -- in -----------------------------------------------------------------------------------------------------

    def send(self, *messages: bytes, encoding: str | None = None) -> "Attack":
        """Feed messages as they come from the wire."""
        for value in messages:
            self.messages.append((value, encoding))
            self._feed(len(self.messages) - 1)
        return self.take()

    def events(self, *events: Any, seq: int = 0, **fields: Any) -> "Attack":
        """Feed one batch of these events."""
        return self.send(envelope(seq, events, **fields))

    def _feed(self, position: int) -> bool:
        """Feed one message; return whether it was for a session to judge."""
        value, encoding = self.messages[position]
        batch = self.core.open(value, encoding, "attack", position)
        if batch is None:
            return False
        self.shelf.hand_over(self.core, batch)
        refused = self.core._refusal(batch) is not None
        self.core.feed(batch, position, self.now_ms)
        return not refused

    def tick(self, ms: int) -> "Attack":
        """Let the arrival clock go on."""
        self.now_ms += ms
        self.core.tick(self.now_ms)
        return self.take()

    def take(self) -> "Attack":
        """Collect effects, as a runtime does between polls."""
        effects = self.core.take()
        self.shelf.add(effects)
        self.effects += effects
        self.core.take_refusals()
        self.dead_letters += self.core.take_dead_letters()
        return self

    def resume(self) -> "Attack":
        """Go on with a new core and what was stored, reading again what that core needs to."""
        before, replay_from, counts = self._states(), self.core.replay_from(), self.core.counts
        self.core = Core(self.settings)
        for session_id in before:
            self.shelf.hand_over_session(self.core, session_id)
        assert self._states() == before, "a snapshot of what was restored is another"
        self.core._shared.counts = copy.deepcopy(counts)
        positions = range(len(self.messages) if replay_from is None else replay_from, len(self.messages))
        # What no session has to do with is refused again; the rest was counted before.
        self._read_again += sum(self._feed(position) for position in positions)
        self.core.take_dead_letters()
        return self.take()

    def _states(self) -> dict[str, bytes]:
        return {name: unpacked(session.data) for name, session in packed_states(self.core).items()}

    def finish(self) -> "Attack":
        """End the input."""
        self.core.finish()
        return self.take()

    # -- out ----------------------------------------------------------------------------------------------------

    @property
    def dropped_batches(self) -> Mapping[Reason, int]:
        return self.core.counts.batches_dropped

    @property
    def dropped_events(self) -> Mapping[Reason, int]:
        return self.core.counts.events_dropped

    @property
    def repaired(self) -> Mapping[Reason, int]:
        return self.core.counts.repaired

    @property
    def signals(self) -> list[Signal]:
        return self.signals_of()

    def signals_of(self, session_id: str = "") -> list[Signal]:
        """Return the signals, or those of one session."""
        wanted = (effect for effect in self.effects if session_id in ("", effect.session_id))
        return [signal for effect in wanted for signal in effect.signals]

    @property
    def holes(self) -> list[Hole]:
        return [hole for effect in self.effects for hole in effect.holes]

    def record(self, session_id: str = SESSION) -> SessionRecord:
        """Return a session's latest record."""
        return next(effect.record for effect in reversed(self.effects) if effect.session_id == session_id)

    def lines(self, session_id: str = "") -> list[bytes]:
        """Return everything published, or what is of one session, as it is stored."""
        wanted = (effect for effect in self.effects if session_id in ("", effect.session_id))
        blocks = [block for effect in wanted for block in effect.blocks]
        return [line for block in blocks for line in decode_block(block.data, 1 << 30).splitlines()]

    def published(self) -> list[Any]:
        """Return everything published, decoded."""
        return [msgspec.json.decode(line) for line in self.lines()]

    def beacons(self) -> list[int]:
        """Return the numbers of the harmless events that came through."""
        found = [event["data"] for event in self.published() if event.get("type") == 3]
        return [data["width"] for data in found if data["source"] == 4 and data["height"] == BEACON]

    # -- rules --------------------------------------------------------------------------------------------------

    def check(self, *, secret: bytes = _FINGERPRINT) -> None:
        """End the input, then see that every rule holds."""
        self.check_states(secret)
        self.finish()
        self.check_states(secret)
        self._check_books()
        self._check_lines()
        self._check_caps()
        self._check_secrecy(secret)
        assert Reason.MASKING_FAILED not in self.dropped_events

    def _check_books(self) -> None:
        counts = self.core.counts
        assert counts.batches_read - self._read_again == counts.batches_used + sum(counts.batches_dropped.values())
        assert counts.events_read == counts.events_published + sum(counts.events_dropped.values())
        assert counts.events_published == sum(block.events for effect in self.effects for block in effect.blocks)
        assert counts.signals == len(self.signals) == len({signal.id for signal in self.signals})
        assert not [reason for reason, count in counts.events_dropped.items() if count < 0]

    def _check_lines(self) -> None:
        for line in self.lines():
            decoder = _RRWEB if b'"type"' in line and "type" in _STORED.decode(line) else _INTERACTION
            # Decoding forgets what the types do not know: the same text comes out only if there was nothing else.
            assert msgspec.json.decode(msgspec.json.encode(decoder.decode(line))) == msgspec.json.decode(line)
            line.decode()

    def _check_caps(self) -> None:
        limits, caps = self.settings.limits, self.settings.session
        sizes: dict[str, int] = defaultdict(int)
        signals: dict[str, int] = defaultdict(int)
        for effect in self.effects:
            sizes[effect.session_id] += sum(block.raw_length for block in effect.blocks)
            signals[effect.session_id] += len(effect.signals)
            assert effect.record.totals.bytes == sizes[effect.session_id] <= caps.max_bytes
            assert len(effect.record.window_ids) <= limits.max_windows_per_session
            assert len(effect.record.pages) <= PAGES_MAX
            assert effect.record.started_at <= effect.record.last_event_at
        assert max(signals.values(), default=0) <= limits.max_signals_per_session

    def _check_secrecy(self, secret: bytes) -> None:
        said = [msgspec.json.encode(part) for effect in self.effects for part in (effect.record, *effect.signals)]
        said += [msgspec.json.encode(part) for part in (*self.dead_letters, *self.holes)]
        leaks = [part[:2_000] for part in (*self.lines(), *said) if secret in part.lower()]
        assert leaks == []

    def check_states(self, secret: bytes = _FINGERPRINT) -> None:
        """See that packed states hold no secret, stay small, and survive being unpacked and packed again."""
        shared = self.core._shared
        for session_id, packed in packed_states(self.core).items():
            content = unpacked(packed.data)
            place = content.lower().find(secret)
            assert place < 0, content[max(place - 200, 0) : place + 200]
            project = self.core._shared.projects.of(packed.project_id)
            session = Session(packed.project_id, session_id, project, shared)
            state = shared.packer.unpack(packed.data, SessionState)
            session.restore(state)
            assert unpacked(session.snapshot()) == content
            for lane in state.lanes.values():
                assert len(lane.window.page.ids) <= self.settings.limits.max_nodes_per_page
                assert len(lane.order.held) <= self.settings.order.max_held_batches
            held_bytes = sum(held.size_bytes for lane in state.lanes.values() for held in lane.order.held)
            assert held_bytes <= self.settings.order.max_held_bytes


def unpacked(data: bytes) -> bytes:
    """Return the msgpack inside a packed state."""
    return zstandard.ZstdDecompressor().decompress(data.removeprefix(STATE_FORMAT))


def small(**limits: int) -> Settings:
    """Return conservative settings with other limits."""
    return msgspec.structs.replace(CONSERVATIVE, limits=LimitSettings(**limits))
