"""Recordings of an invented React application, with labels: what our detectors were not made on.

Pages are rendered by components: nodes are replaced on each render, effects come late, classes are made by a bundler.
A visit is a seeded script of calm parts and one part that is labelled; see the methods of `Visit` for what happens.
"""

import json
import random
from collections.abc import Callable
from itertools import count
from pathlib import Path

Json = dict[str, object]
URL = "https://app.lumen.test"
START_MS = 1_796_100_000_000


class Visit:
    """One visit: `now` is its time, `labels` what a good detector says of it."""

    def __init__(self, name: str, seed: int) -> None:
        self.random = random.Random(f"{name}{seed}")
        self.name, self.session_id = name, f"{name}-{seed}"
        self.now = START_MS + self.random.randrange(10**8)
        self.events: list[Json] = []
        self.labels: list[Json] = []
        self.ids = count(1)
        self.tags: dict[int, int] = {}
        self.x, self.y = 400.0, 300.0
        self.load("/")

    # -- the page -----------------------------------------------------------------------------------------------

    def node(self, tag: str, children: list[Json] | None = None, **attributes: str) -> Json:
        named = {key.strip("_").replace("_", "-"): value for key, value in attributes.items()}
        return {"type": 2, "id": next(self.ids), "tagName": tag, "attributes": named, "childNodes": children or []}

    def text(self, words: str) -> Json:
        return {"type": 3, "id": next(self.ids), "textContent": words}

    def load(self, path: str) -> None:
        self.ids = count(2)
        self.emit(0, {}, at=self.now)
        self.emit(4, {"href": URL + path, "width": 1280, "height": 800})
        self.label = self.text("Reserve")
        self.button = self.node("button", [self.label], type="button", _class="Button_root__3kQ9z Button_lg__Zx81a")
        self.slot = self.node("div", [self.button], _class="Panel_actions__9sKw2")
        self.deal = self.node("div", [self.text("See the deal")], _class="DealCard_cta__8yHs0")
        self.tab = self.node("button", [self.text("Details")], role="tab", aria_selected="true", _class="css-1x2y3z")
        self.more = self.node("button", [self.text("Next page")], type="button", _class="css-77aq1")
        self.cards = [self.node("div", [self.text(f"Room {n}")], _class="Card_root__a8Fq1") for n in range(6)]
        self.grid = self.node("div", self.cards, _class="Grid_root__Q1w2e")
        self.mail = self.node("input", type="email", name="email")
        self.guest = self.node("input", type="text", name="guest")
        self.send = self.node("button", [self.text("Pay now")], type="submit", _class="Button_root__3kQ9z")
        self.mail_row = self.node("div", [self.mail], _class="Field_root__11aZq")
        self.form = self.node("form", [self.mail_row, self.guest, self.send], id="pay")
        self.clock = self.text("12:00:00")
        parts = [self.slot, self.deal, self.tab, self.more, self.grid, self.form, self.node("p", [self.clock])]
        self.root = self.node("div", parts, id="root")
        body = self.node("body", [self.root])
        html = self.node("html", [self.node("head"), body])
        document = {"type": 0, "id": 1, "childNodes": [html]}
        self.emit(2, {"node": document, "initialOffset": {"left": 0, "top": 0}})
        self.wait(700, 1_500)

    # -- events -------------------------------------------------------------------------------------------------

    def emit(self, kind: int, data: Json, at: int | None = None) -> None:
        self.events.append({"type": kind, "data": data, "timestamp": self.now if at is None else at})

    def wait(self, least: int, most: int) -> None:
        self.now += self.random.randint(least, most)

    def mouse(self, kind: int, node: Json) -> None:
        self.emit(3, {"source": 2, "type": kind, "id": node["id"], "x": self.x, "y": self.y, "pointerType": 0})

    def mutate(self, **parts: object) -> None:
        empty: Json = {"source": 0, "adds": [], "removes": [], "texts": [], "attributes": []}
        self.emit(3, {**empty, **parts})

    def set_class(self, *changes: tuple[Json, str]) -> None:
        self.mutate(attributes=[{"id": node["id"], "attributes": {"class": name}} for node, name in changes])

    def add(self, parent: Json, node: Json) -> None:
        self.mutate(adds=[{"parentId": parent["id"], "nextId": None, "node": node}])

    def remove(self, parent: Json, node: Json) -> None:
        self.mutate(removes=[{"parentId": parent["id"], "id": node["id"]}])

    def toast(self) -> None:
        self.add(self.root, self.node("div", [self.text("Done")], role="status", _class="Toast_root__zz91k"))

    def custom(self, tag: str, payload: Json) -> None:
        self.emit(5, {"tag": tag, "payload": payload})

    def request(self, status: int, duration_ms: int, path: str = "/api/reserve") -> None:
        self.custom("network", {"method": "POST", "url": URL + path, "status": status, "duration_ms": duration_ms})

    def error(self, message: str = "Cannot read properties of undefined (reading 'price')") -> None:
        stack = f"TypeError: {message}\n    at onClick (https://app.lumen.test/assets/index-4f2a.js:12:3456)"
        self.custom("js_error", {"kind": "error", "message": f"Uncaught TypeError: {message}", "stack": stack})

    def move(self, *, lighting: bool = False) -> None:
        """Move the pointer for a while; cards light up under it, by components that set classes."""
        lit: Json | None = None
        positions = []
        steps = self.random.randint(6, 12)
        to_x, to_y = 200 + self.random.random() * 700, 200 + self.random.random() * 400
        for step in range(steps):
            self.now += 50
            left = steps - step
            self.x, self.y = self.x + (to_x - self.x) / left, self.y + (to_y - self.y) / left
            positions.append({"x": self.x, "y": self.y, "id": self.root["id"], "at": self.now})
            if lighting and step % 3 == 2:
                card = self.random.choice(self.cards)
                changes = [(card, "Card_root__a8Fq1 Card_lit__p0Oi8")]
                self.set_class(*(changes if lit is None else [*changes, (lit, "Card_root__a8Fq1")]))
                lit = card
        sent = [{**{k: p[k] for k in "xy"}, "id": p["id"], "timeOffset": p["at"] - self.now} for p in positions]  # type: ignore[operator]
        self.emit(3, {"source": 1, "positions": sent})

    def click(self, node: Json, then: Callable[[], None] | None = None, hold: int | None = None) -> None:
        self.mouse(1, node)
        self.now += self.random.randint(40, 110) if hold is None else hold
        self.mouse(0, node)
        self.mouse(2, node)
        if then is not None:
            then()

    def expect(self, kind: str, verdict: str, since: int, node: Json | None = None) -> None:
        place = None if node is None else node["id"]
        self.labels.append(
            {"type": kind, "expect": verdict, "t": since, "t_end": self.now, "window_id": "w", "node_id": place}
        )

    # -- calm use -----------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Move, look, choose a tab that is chosen already and one that isn't, page quickly, reserve with a spinner."""
        uses = [self.look, self.page_quickly, self.debounced, self.spinner, self.go_on, self.retype, self.counter]
        for use in self.random.sample(uses, 4):
            use()
            self.wait(900, 4_000)
        self.labels.append({"type": "calm_until", "expect": "no", "t": self.now, "window_id": "w"})
        self.wait(3_200, 4_500)

    def look(self) -> None:
        self.move(lighting=True)
        self.click(self.tab)
        self.wait(1_000, 2_000)
        self.move(lighting=True)

    def page_quickly(self) -> None:
        """Five quick clicks on a pager whose list is rendered anew each time, a little later."""
        for _ in range(5):
            self.click(self.more)
            self.now += 45
            removed, self.cards = self.cards, [self.node("div", [self.text("Room")]) for _ in range(6)]
            adds = [{"parentId": self.grid["id"], "nextId": None, "node": node} for node in self.cards]
            self.mutate(removes=[{"parentId": self.grid["id"], "id": node["id"]} for node in removed], adds=adds)
            self.wait(90, 180)

    def debounced(self) -> None:
        """Quick clicks on a control that waits for a pause before it works."""
        for _ in range(4):
            self.click(self.more, hold=30)
            self.wait(60, 110)
        self.now += 250
        self.mutate(texts=[{"id": self.clock["id"], "value": f"{self.random.random():.4f}"}])

    def spinner(self) -> None:
        spin = self.node("span", _class="Spinner_root__h3h3h")
        self.click(self.more, lambda: self.add(self.more, spin))
        self.wait(500, 900)
        self.request(200, 600, "/api/rooms")
        self.remove(self.more, spin)
        self.toast()

    def go_on(self) -> None:
        self.click(self.more)
        self.now += 12
        self.custom("navigation", {"kind": "push", "from": URL + "/", "to": f"{URL}/rooms/{self.random.randrange(99)}"})
        self.toast()

    def retype(self) -> None:
        """Type into the form, leave a field that then complains, and let it be."""
        self.click(self.guest)
        self.mouse(5, self.guest)
        for _ in range(5):
            self.wait(60, 160)
            self.emit(3, {"source": 5, "id": self.guest["id"], "text": "x", "isChecked": False})
        self.wait(400, 900)
        self.click(self.more, self.toast)

    def counter(self) -> None:
        """A stepper that is clicked quickly and reaches its end."""
        for number in range(8):
            self.click(self.more, hold=40)
            if number < 5:
                self.mutate(texts=[{"id": self.clock["id"], "value": str(number)}])
            self.wait(110, 160)

    # -- what is labelled ---------------------------------------------------------------------------------------

    def rage_rerender(self) -> None:
        """A button that does nothing, in a panel that is rendered anew between clicks: other nodes, same button."""
        since = self.now
        for number in range(self.random.randint(5, 8)):
            self.click(self.button)
            self.wait(130, 380)
            if number == 2:
                old, self.button = (
                    self.button,
                    self.node(
                        "button", [self.text("Reserve")], type="button", _class="Button_root__3kQ9z Button_lg__Zx81a"
                    ),
                )
                add = {"parentId": self.slot["id"], "nextId": None, "node": self.button}
                self.mutate(removes=[{"parentId": self.slot["id"], "id": old["id"]}], adds=[add])
        self.expect("rage_click", "yes", since, self.button)
        self.expect("dead_click", "maybe", since, self.button)

    def rage_pressed_look(self) -> None:
        """A broken button that looks pressed while it is."""
        since = self.now
        for _ in range(self.random.randint(4, 7)):
            self.mouse(1, self.button)
            self.now += 8
            self.set_class((self.button, "Button_root__3kQ9z Button_down__Kk12k"))
            self.now += 60
            self.mouse(0, self.button)
            self.mouse(2, self.button)
            self.now += 14
            self.set_class((self.button, "Button_root__3kQ9z"))
            self.wait(120, 450)
        self.expect("rage_click", "yes", since, self.button)
        self.expect("dead_click", "maybe", since, self.button)

    def rage_slow(self) -> None:
        """Impatient clicks, near one a second, on a button that never answers."""
        since = self.now
        for _ in range(5):
            self.click(self.button)
            self.wait(700, 1_050)
        self.expect("rage_click", "yes", since, self.button)
        self.expect("dead_click", "maybe", since, self.button)

    def rage_failing(self) -> None:
        """Each click sends a request that fails; a spinner comes and goes."""
        since = self.now
        for _ in range(self.random.randint(4, 6)):
            spin = self.node("svg", _class="Spinner_root__h3h3h")
            self.click(self.button, lambda spin=spin: self.add(self.button, spin))  # type: ignore[misc]
            self.wait(150, 220)
            self.request(503, 150)
            self.remove(self.button, spin)
            self.wait(80, 200)
        self.expect("rage_click", "yes", since, self.button)
        self.expect("dead_click", "maybe", since, self.button)
        self.expect("network_error", "yes", since, self.button)

    def dead_hover(self) -> None:
        """A dead button, left by a pointer under which cards light up."""
        since = self.now
        self.click(self.random.choice([self.button, self.deal]))
        self.expect("dead_click", "yes", since)
        self.wait(300, 700)
        self.move(lighting=True)
        self.wait(1_500, 2_500)
        self.move(lighting=True)

    def dead_after_typing(self) -> None:
        """A dead button clicked out of a field, which complains when it is left."""
        self.click(self.mail)
        self.mouse(5, self.mail)
        for _ in range(4):
            self.wait(80, 150)
            self.emit(3, {"source": 5, "id": self.mail["id"], "text": "x", "isChecked": False})
        self.wait(600, 900)
        since = self.now
        self.mouse(1, self.button)
        self.mouse(6, self.mail)
        self.now += 5
        self.add(self.mail_row, self.node("p", [self.text("No valid address")], role="alert"))
        self.now += 60
        self.mouse(0, self.button)
        self.mouse(2, self.button)
        self.expect("dead_click", "yes", since, self.button)

    def dead_under_clock(self) -> None:
        """A dead button on a page with a clock that ticks."""
        ticks = [self.now + 1_000 * number for number in range(12)]
        clicked = self.random.randrange(7_200, 7_800)
        since = self.now + clicked
        for tick in ticks:
            if tick > since and not any(label["type"] == "dead_click" for label in self.labels):
                self.now = since
                self.click(self.button)
                self.expect("dead_click", "yes", since, self.button)
            self.now = max(tick, self.now)
            self.mutate(texts=[{"id": self.clock["id"], "value": str(tick)}])

    def error_handler(self) -> None:
        since = self.now
        self.click(self.button)
        self.now += 2
        self.error()
        self.expect("error_click", "yes", since, self.button)
        self.expect("dead_click", "maybe", since, self.button)

    def error_boundary(self) -> None:
        """The component throws when it is rendered: its part of the page goes, and the console says why."""
        since = self.now
        self.click(self.button)
        self.now += 6
        self.remove(self.slot, self.button)
        trace = ["Panel (https://app.lumen.test/assets/index-4f2a.js:88:901)"]
        payload = [
            '"TypeError: rooms is not iterable\\n    at Panel (https://app.lumen.test/assets/index-4f2a.js:88:901)"'
        ]
        self.emit(6, {"plugin": "rrweb/console@1", "payload": {"level": "error", "trace": trace, "payload": payload}})
        self.expect("error_click", "yes", since, self.button)

    def error_late(self) -> None:
        """A promise is rejected when its request has failed, well over a second after the click."""
        since = self.now
        self.click(self.button)
        self.expect("error_click", "yes", since, self.button)
        self.expect("dead_click", "maybe", since, self.button)
        self.wait(1_300, 2_400)
        self.request(500, self.now - since - 60)
        self.now += 3
        self.custom("js_error", {"kind": "unhandledrejection", "message": "Error: HTTP 500", "stack": ""})

    def form_loop(self) -> None:
        """A form that shows the same message again: a controlled component changes nothing."""
        self.click(self.mail)
        self.mouse(5, self.mail)
        for _ in range(4):
            self.wait(80, 150)
            self.emit(3, {"source": 5, "id": self.mail["id"], "text": "x", "isChecked": False})
        self.wait(400, 900)
        since = self.now
        for number in range(4):
            self.click(self.send)
            if not number:
                self.now += 9
                attributes = [{"id": self.mail["id"], "attributes": {"class": "Field_bad__kk2"}}]
                alert = {
                    "parentId": self.mail_row["id"],
                    "nextId": None,
                    "node": self.node("p", [self.text("Not valid")]),
                }
                self.mutate(attributes=attributes, adds=[alert])
            self.wait(4_000, 7_000)
        self.expect("form_error_loop", "yes", since, self.send)


CASES = (
    "rage_rerender", "rage_pressed_look", "rage_slow", "rage_failing", "dead_hover", "dead_after_typing",
    "dead_under_clock", "error_handler", "error_boundary", "error_late", "form_loop", "calm_only",
)  # fmt: skip


def write_corpus(folder: Path, seeds: int) -> Path:
    """Write recordings of all cases, `seeds` of each, with `labels.json`; return the labels' path."""
    sessions = []
    for case in CASES:
        for seed in range(seeds):
            visit = Visit(case, seed)
            visit.calm()
            if case != "calm_only":
                getattr(visit, case)()
            visit.expect("form_abandonment", "maybe", visit.now - 120_000)
            visit.wait(6_000, 9_000)
            visit.move(lighting=True)
            sessions.append(_write(folder, visit))
    path = folder / "labels.json"
    path.write_text(json.dumps({"sessions": sessions}), encoding="utf-8")
    return path


def _write(folder: Path, visit: Visit) -> Json:
    envelope: Json = {
        "v": 1, "project_id": "lumen", "session_id": visit.session_id, "window_id": "w", "seq": 0,
        "sent_at": visit.now, "events": visit.events, "anonymous_id": visit.session_id,
    }  # fmt: skip
    file = f"{visit.session_id}.jsonl"
    (folder / file).write_text(json.dumps(envelope) + "\n", encoding="utf-8")
    first = visit.events[0]["timestamp"]
    names = {"session_id": visit.session_id, "scenario": visit.name, "file": file, "first_event": first}
    return {**names, "labels": visit.labels}
