"""Random visits to an app that sends interaction events: elements are described, with all that is around them.

As in `tests.privacy.site`, the model of what may show knows only the specification.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from tests.privacy.words import Json, Words

HOST = "https://app.example"
MASKED = ({"class": "rr-mask"}, {"class": "row vault"}, {"data-private": ""}, {"data-sentry-mask": "x"})
BLOCKED = ({"class": "ph-no-capture"}, {"class": "walled"})
PLAIN: tuple[Json, ...] = ({}, {"class": "card"}, {"class": "shown-not"})
FLOOR = ({"type": "password"}, {"autocomplete": "billing cc-csc"}, {"name": "cardNumber"}, {"type": "hidden"})
MASK, BLOCK = ("div.vault", "[data-private]"), (".walled",)


class App(Words):
    """Makes one visit of interaction events."""

    privacy: ClassVar[Mapping[str, Any]] = {"mask": MASK, "block": BLOCK}

    def visit(self, acts: int) -> Self:
        """Act."""
        self.stuck: list[str] = []
        self._send("navigation", nav="load", url=f"{HOST}/start?q={self.secret()}#{self.secret()}")
        steps = (self._click, self._click, self._click, self._field, self._key, self._say, self._change, self._route)
        for _ in range(acts):
            self.random.choice(steps)()
        return self

    def _send(self, kind: str, **fields: object) -> None:
        event: Json = {"kind": kind, "t": self.later(), **fields}
        if self.chance(0.1):
            event["page"] = f"{HOST}/p?{self.secret()}"
        if self.chance(0.1):
            event["extra"] = self.secret()
        self.events.append(event)

    def _above(self) -> tuple[list[Json], str]:
        """Make ancestors, nearest first, and say how they close what is in them."""
        closes = ""
        chain: list[Json] = []
        for place in range(self.random.randrange(4)):
            draw = self.random.random()
            marks, closed = (PLAIN, "") if draw < 0.7 else (MASKED, "mask") if draw < 0.85 else (BLOCKED, "block")
            # What closes one closes those within it, nearer ones: they get names of their own.
            for nearer in chain:
                nearer["id"] += closed
            chain.append({"id": f"a{place}{closed}", "tag": "div", "attributes": dict(self.random.choice(marks))})
            closes = "block" if "block" in (closes, closed) else closes or closed
        return chain, closes

    def _described(self, tag: str, **more: object) -> Json:
        """Describe an element that is no field."""
        chain, closed = self._above()
        name = f"e{self.random.randrange(50)}{closed}"
        if closed:
            self.stuck.append(name)
        elif self.stuck and self.chance(0.2):
            # What was masked or blocked once stays so, wherever it comes again.
            name, closed = self.random.choice(self.stuck), "stuck"
        shows = not closed and self.page_text()
        attributes: Json = {
            "title": f"{self.plant(shows)} x",
            "aria-label": f"{self.plant(shows)} x",
            "data-note": f"{self.secret()} x",
            "href": f"{HOST}/go?t={self.secret()}",
            "onclick": self.secret(),
        }
        kept = dict(self.random.sample(sorted(attributes.items()), 3))
        # What was drawn and left out was never sent.
        for value in (value for name, value in attributes.items() if name not in kept):
            self.survivors = [word for word in self.survivors if word not in value]
        text = self.plant(shows)
        return {
            "id": name,
            "tag": tag,
            "attributes": kept,
            "text": text,
            "ancestors": chain,
            **more,
        }

    def _click(self) -> None:
        target = self._described(self.random.choice(["button", "a", "span", "li"]))
        if self.chance(0.3):
            # The label a recorder gave repeats the text.
            target["label"] = target["text"]
        for _ in range(self.random.choice([1, 1, 5])):
            self._send("click", x=3, y=4, target=target)

    def _field(self) -> None:
        chain, closed = self._above()
        floor = self.chance(0.4)
        attributes = {**(self.random.choice(FLOOR) if floor else {"type": "text"})}
        hidden = False if closed or floor else self.strict()
        attributes |= {"value": self.plant(hidden), "placeholder": self.plant(hidden)}
        field = {
            "id": f"f{floor}{closed}",
            "tag": "input",
            "attributes": attributes,
            "text": self.plant(hidden),
            "ancestors": chain,
        }
        if self.chance(0.3):
            around = {"id": "l", "tag": "label", "text": f"Code {field['text']}", "control": {**field, "ancestors": []}}
            if hidden is False and not closed:
                self._send("click", x=1, y=1, target=around)
            return
        self._send(
            self.random.choice(["input", "keydown", "selection"]), target=field, value=self.secret(), key=self.secret()
        )

    def _key(self) -> None:
        self._send("keydown", key=self.secret(), code=self.secret(), modifiers=["ctrl", self.secret()])

    def _say(self) -> None:
        mark, loud = self.secret, self.plant(self.strict())
        stack = f"Error: {mark()}\n    at f ({HOST}/a.js?{mark()}:1:2)"
        match self.random.randrange(4):
            case 0:
                kind = self.random.choice(["error", "unhandled_rejection", "console_error"])
                self._send(
                    kind,
                    message=f"TypeError: no {loud}",
                    stack=stack,
                    source=f"{HOST}/a.js?{mark()}",
                    error_type="TypeError",
                )
            case 1:
                self._send(
                    "request_start", url=f"{HOST}/api?{mark()}", method=mark(), request_id=f"{mark()} x", body=mark()
                )
            case 2:
                self._send(
                    "request_end",
                    url=f"{HOST}/api/eyJ{mark()}",
                    status=500,
                    request_id=f"{mark()} x",
                    headers={"a": mark()},
                )
            case _:
                self._send("window_open", url=mark(), name=mark())

    def _change(self) -> None:
        self._send(
            "mutation",
            mutationType="attributes",
            mutation_type="attributes",
            attr=f"{self.secret()} x",
            target=self._described("p"),
        )

    def _route(self) -> None:
        self._send("navigation", nav="push", url=f"{HOST}/n/eyJ{self.secret()}?{self.secret()}#{self.secret()}")
