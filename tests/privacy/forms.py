"""Random visits to lists and forms: places among siblings, labels, and what was typed and is shown again."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar, Self

from tests.privacy.words import Json, Words

MASK = ("ul.rows > li:nth-child(3n+2)", "li.head + li", "ul.rows > li:last-child")
SENSITIVE_LABELS = ("Passport number", "Your e-mail", "Social security number", "Date of birth", "PIN code")
OTHER_LABELS = ("Nickname", "Colour", "Notes")
SECRET = "a secret of sixteen"
HASHING = {"identifier_secret": SECRET, "hash_identifiers": True}
LIST, FORM, OUT = 10, 20, 30
ELEMENT, TEXT = 2, 3


class Row:
    """An item of the list; `sealed` once it was masked."""

    def __init__(self, node_id: int, *, head: bool) -> None:
        self.id, self.head, self.sealed = node_id, head, False

    @property
    def text_id(self) -> int:
        return self.id + 1


class Forms(Words):
    """Makes one visit, of a project that masks echoes and hashes ids of people."""

    privacy: ClassVar[Mapping[str, Any]] = {**HASHING, "mask": MASK, "echo": True}

    def __init__(self, seed: int, level: str) -> None:
        super().__init__(seed, level)
        self._last_id = 1_000
        self._rows: list[Row] = []
        self._fields: dict[int, bool] = {}
        """Fields by id: whether what is typed there is masked."""
        self._known: list[str] = []

    @property
    def identity(self) -> Json:
        """Who visits: ids that look like personal data."""
        return {"user_id": f"{self.secrets[0]}@example.com", "anonymous_id": f"{self.secrets[1]} Doe"}

    def visit(self, acts: int) -> Self:
        """Load a page, change its list, type into its fields, show it again."""
        self.secret(), self.secret()
        self._rows = [self._row() for _ in range(self.random.randrange(1, 6))]
        self._load()
        steps = (
            self._insert,
            self._insert,
            self._remove,
            self._move,
            self._retell,
            self._retell,
            self._type,
            self._type,
            self._type,
            self._echo,
            self._echo,
            self._relabel,
            self._recall,
        )
        for _ in range(acts):
            self.random.choice(steps)()
        return self

    # -- the list ---------------------------------------------------------------------------------------------------

    def _id(self) -> int:
        self._last_id += 2
        return self._last_id

    def _row(self) -> Row:
        return Row(self._id(), head=self.chance(0.3))

    def _masked_by_place(self) -> set[int]:
        rows = self._rows
        found = {row.id for place, row in enumerate(rows, 1) if place % 3 == 2 or place == len(rows)}
        return found | {row.id for before, row in pairwise(rows) if before.head}

    def _settle(self) -> None:
        masked = self._masked_by_place()
        for row in self._rows:
            row.sealed = row.sealed or row.id in masked

    def _fate(self, row: Row) -> bool:
        return self.page_text() and not row.sealed

    def _written(self, row: Row) -> list[Json]:
        attributes = {"class": "head"} if row.head else {}
        element = {"type": ELEMENT, "id": row.id, "tagName": "li", "attributes": attributes, "childNodes": []}
        place = self._rows.index(row) + 1
        next_id = self._rows[place].id if place < len(self._rows) else None
        text = {"type": TEXT, "id": row.text_id, "textContent": self.plant(self._fate(row))}
        return [
            {"parentId": LIST, "nextId": next_id, "node": element},
            {"parentId": row.id, "nextId": None, "node": text},
        ]

    def _mutate(self, **lists: list[Json]) -> None:
        made = {name: lists.get(name, []) for name in ("texts", "attributes", "removes", "adds")}
        self.events.append({"type": 3, "timestamp": self.later(), "data": {"source": 0, **made}})

    def _insert(self) -> None:
        row = self._row()
        self._rows.insert(self.random.randrange(len(self._rows) + 1), row)
        told = [other for other in self._rows if other is not row][:2]
        self._settle()
        texts = [{"id": other.text_id, "value": self.plant(self._fate(other))} for other in told]
        self._mutate(adds=self._written(row), texts=texts)

    def _remove(self) -> None:
        if len(self._rows) > 1:
            row = self._rows.pop(self.random.randrange(len(self._rows)))
            self._settle()
            self._mutate(removes=[{"parentId": LIST, "id": row.id}])

    def _move(self) -> None:
        row = self._rows.pop(self.random.randrange(len(self._rows)))
        self._rows.insert(self.random.randrange(len(self._rows) + 1), row)
        self._settle()
        self._mutate(removes=[{"parentId": LIST, "id": row.id}], adds=self._written(row))

    def _retell(self) -> None:
        row = self.random.choice(self._rows)
        self._mutate(texts=[{"id": row.text_id, "value": self.plant(self._fate(row))}])

    # -- the form ---------------------------------------------------------------------------------------------------

    def _labelled(self) -> list[Json]:
        """Make fields with labels of all kinds."""
        made = []
        self._fields.clear()
        for kind in range(4):
            label, field, text = self._id(), self._id(), self._id()
            sensitive = self.chance(0.5)
            words = {
                "type": TEXT,
                "id": text,
                "textContent": self.random.choice(SENSITIVE_LABELS if sensitive else OTHER_LABELS),
            }
            told: Json = {"for": f"f{field}"} if kind == 1 else {"id": f"l{field}"} if kind == 2 else {}
            names: Json = {"type": "text", "id": f"f{field}", "name": f"n{field}"}
            names |= {"aria-labelledby": f"l{field}"} if kind == 2 else {"type": "password"} if kind == 3 else {}
            inner = {"type": ELEMENT, "id": field, "tagName": "input", "attributes": names, "childNodes": []}
            tag = "span" if kind == 2 else "label"
            within = [words, inner] if kind == 0 else [words]
            made.append({"type": ELEMENT, "id": label, "tagName": tag, "attributes": told, "childNodes": within})
            made += [] if kind == 0 else [inner]
            labels = sensitive and kind < 3
            self._fields[field] = labels or kind == 3 or self.level != "light"
        return made

    def _type(self) -> None:
        field, masked = self.random.choice(list(self._fields.items()))
        word = self.plant(not masked)
        for end in sorted({len(word) // 2, len(word)}):
            self.events.append(
                {
                    "type": 3,
                    "timestamp": self.later(),
                    "data": {"source": 5, "id": field, "text": word[:end], "isChecked": False},
                }
            )
        self._known += [word] if masked else []

    def _echo(self) -> None:
        """Show again what was typed where it is masked, with something that has to stay."""
        if self._known:
            word = self.random.choice(self._known)
            self._mutate(texts=[{"id": OUT + 1, "value": f"{self.plant(self.page_text())} {word.title()}."}])

    def _relabel(self) -> None:
        """Make a field's label sensitive, or no label at all."""
        field = self.random.choice(list(self._fields))
        label = self._id()
        node = {"type": ELEMENT, "id": label, "tagName": "label", "attributes": {"for": f"f{field}"}, "childNodes": []}
        text = {"type": TEXT, "id": label + 1, "textContent": self.random.choice(SENSITIVE_LABELS)}
        self._last_id += 2
        self._fields[field] = True
        self._mutate(
            adds=[{"parentId": FORM, "nextId": None, "node": node}, {"parentId": label, "nextId": None, "node": text}]
        )

    # -- the page ---------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        form = {"type": ELEMENT, "id": FORM, "tagName": "form", "attributes": {}, "childNodes": self._labelled()}
        self._show([form])

    def _recall(self) -> None:
        """Go to the page anew: nothing sticks, but what was typed is still known."""
        if self.chance(0.2):
            self.events += [{"type": kind, "timestamp": self.later(), "data": {}} for kind in (0, 1)]
            for row in self._rows:
                row.sealed = False
            self._load()

    def _show(self, form: list[Json]) -> None:
        self._settle()
        items = []
        for row in self._rows:
            element, text = (addition["node"] for addition in self._written(row))
            items.append({**element, "childNodes": [text]})
        shown = {"type": TEXT, "id": OUT + 1, "textContent": self.plant(self.page_text())}
        body = [
            {"type": ELEMENT, "id": LIST, "tagName": "ul", "attributes": {"class": "rows"}, "childNodes": items},
            *form,
            {"type": ELEMENT, "id": OUT, "tagName": "p", "attributes": {}, "childNodes": [shown]},
        ]
        html = {"type": ELEMENT, "id": 2, "tagName": "html", "attributes": {}, "childNodes": body}
        self.events.append(
            {"type": 4, "timestamp": self.later(), "data": {"href": "https://a.test/", "width": 8, "height": 6}}
        )
        self.events.append(
            {"type": 2, "timestamp": self.later(), "data": {"node": {"type": 0, "id": 1, "childNodes": [html]}}}
        )
