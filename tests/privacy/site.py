"""A site that is recorded with masking off: random pages and visits, and a model of what may show of each text.

The model shares nothing with the engine but the specification. It plants a new word wherever a recorder can put text:
a secret (it may show nowhere), a survivor (it has to show) or neither, where the rules allow both.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from tests.privacy import packing
from tests.privacy.beside import custom_events, other_events, plugin_events
from tests.privacy.nodes import (
    BLOCK,
    CLASSES,
    COMMENT,
    DOCUMENT,
    ELEMENT,
    FIELD_TAGS,
    LABELLING,
    MASK,
    TAGS,
    TEXT,
    TYPED_TAGS,
    UNMASK,
    Node,
)
from tests.privacy.words import Json, Words


class Site(Words):
    """Makes one visit. `secrets` may show nowhere, `survivors` have to show."""

    privacy: ClassVar[Mapping[str, Any]] = {"mask": MASK, "block": BLOCK, "unmask": UNMASK}

    def __init__(self, seed: int, level: str) -> None:
        super().__init__(seed, level)
        self._last_id = 0
        self._nodes: dict[int, Node] = {}
        self._gone: list[int] = []
        self._document = Node(0, "#document")
        self._body = self._document

    def visit(self, acts: int) -> Self:
        """Load a page, act on it, perhaps load others."""
        if self.chance(0.2):
            self._act_blindly()
        self._load()
        steps = (
            self._change_text, self._change_text, self._change_attributes, self._change_class, self._change_at_once,
            self._add, self._add, self._move, self._remove, self._type, self._type, self._click, self._tell, self._tell,
            self._restyle, self._act_blindly, self._add_below_nobody, self._check_out,
        )  # fmt: skip
        for _ in range(acts):
            self.random.choice(steps)()
            if self.chance(0.04):
                self._navigate()
        return self

    # -- fates -----------------------------------------------------------------------------------------------------

    def _text_fate(self, node: Node, *, in_snapshot: bool) -> bool | None:
        if node.is_hidden:
            return False
        if node.is_typed:
            return None if node.is_unmasked else self.strict()
        if self.level != "conservative":
            return True
        # An unmask that comes later holds for what comes after it only.
        return (in_snapshot or None) if node.is_unmasked else False

    def _label_fate(self, node: Node) -> bool | None:
        if node.is_hidden:
            return False
        if node.is_unmasked:
            return None
        if self.level == "conservative":
            return False
        return self.strict() if node.tag in FIELD_TAGS or node.is_typed else True

    def _value_fate(self, node: Node) -> bool | None:
        return False if node.is_hidden else None if node.is_unmasked else self.strict()

    # -- what carries words ---------------------------------------------------------------------------------------

    def _address(self) -> str:
        where, mark = "https://shop.example/cart", self.secret()
        return self.random.choice(
            [
                f"{where}?q={mark}",
                f"{where}#{mark}",
                f"https://{mark}:x@shop.example/",
                f"mailto:{mark}@example.com",
                f"javascript:go('{mark}')",
                f"data:text/html,{mark}",
                f"data:image/svg+xml,<text>{mark}</text>",
                f"{where}/eyJ{mark}",
                f"blob:https://shop.example/{mark}",
            ]
        )

    def _css(self) -> str:
        mark = self.secret()
        shapes = [
            f"a::after {{ content: '{mark}' }}",
            f"/* {mark} */ p {{ color: red }}",
            f"p[title={mark}] {{ color: red }}",
            f"p {{ background: url(https://a.test/x.png?{mark}) }}",
            f"p {{ --x: '{mark}' }}",
            f"@import url('https://a.test/x.css?{mark}');",
            f'p {{ c\\6fntent: "{mark}" }}',
        ]
        if self.level == "conservative":
            shapes += [f"p {{ color: {mark} }}", f"{mark} was here", f"p {{ {mark}: red }}", mark]
        return self.random.choice(shapes)

    def _attribute(self, node: Node) -> tuple[str, Any]:
        names = (*LABELLING, "data-note", "href", "src", "style", "onclick", "srcdoc", "content", "pattern")
        name = self.random.choice(names if node.tag == "x-card" else (*names, "value", "value"))
        if name in LABELLING:
            return name, self.plant(self._label_fate(node))
        match name:
            case "value":
                return name, self.plant(self._value_fate(node))
            case "href" | "src":
                return name, self._address()
            case "style":
                return name, f"color: red; content: '{self.secret()}'"
            case _:
                # With a space in it, it is no name, so that no level keeps it.
                return name, f"{self.secret()} !"

    # -- the page -------------------------------------------------------------------------------------------------

    def _new(self, tag: str, parent: Node) -> Node:
        self._last_id += 1
        node = self._nodes[self._last_id] = Node(self._last_id, tag, parent=parent)
        parent.children.append(node)
        return node

    def _grow(self, parent: Node, size: int) -> Node:
        """Add a random element with some below it."""
        draw = self.random.choice
        node = self._new(draw((*TAGS, *TAGS, *FIELD_TAGS, "input", "iframe")), parent)
        if self.chance(0.3):
            node.attributes["class"] = draw(CLASSES)
        if self.chance(0.05):
            node.attributes["data-private"] = ""
        if node.tag == "input":
            node.attributes["type"] = draw(["text", "search", "email", "password", "hidden"])
            if self.chance(0.2):
                node.attributes["autocomplete"] = "section-a billing CC-Number"
            return node
        if node.tag == "iframe":
            document = self._new("#document", node)
            document.is_root = True
            self._grow(document, min(size, 2))
            return node
        if node.tag not in TYPED_TAGS:
            node.is_root = self.chance(0.12) and parent.tag not in ("#document", *TYPED_TAGS)
            if self.chance(0.08):
                node.attributes["contenteditable"] = draw(["", "true", "plaintext-only"])
            for _ in range(self.random.randrange(size + 1)):
                self._grow(node, size - 1)
        if self.chance(0.8):
            self._new("#text", node)
        return node

    def _settle(self) -> None:
        """Let what holds for nodes now hold for good."""
        for node in self._document.subtree():
            node.sealed, node.typed = node.is_hidden, node.is_typed

    def _written(self, node: Node, *, in_snapshot: bool, deep: bool = True) -> Json:
        """Write a node as recorders do, with new words in it."""
        made: Json = {"id": node.id, "isShadow": True} if node.is_root and node.tag != "#document" else {"id": node.id}
        children = [self._written(child, in_snapshot=in_snapshot) for child in node.children] if deep else []
        if node.tag == "#text":
            return {**made, "type": TEXT, "textContent": self.plant(self._text_fate(node, in_snapshot=in_snapshot))}
        if node.tag == "#document":
            return {**made, "type": DOCUMENT, "childNodes": children}
        attributes = dict(node.attributes)
        if self.chance(0.4):
            attributes.setdefault(*self._attribute(node))
        if deep and self.chance(0.05):
            self._last_id += 1
            children.append({"type": COMMENT, "id": self._last_id, "textContent": self.secret()})
        tag = node.tag.upper() if self.chance(0.1) else node.tag
        made |= {"type": ELEMENT, "tagName": tag, "attributes": attributes, "childNodes": children}
        return {**made, "oldValue": self.secret()} if self.chance(0.1) else made

    # -- events ---------------------------------------------------------------------------------------------------

    def _emit(self, kind: int, data: Json) -> None:
        event: Json = {"type": kind, "timestamp": self.later(), "data": data}
        if self.chance(0.1):
            event["extra"] = data["later"] = self.secret()
        self.events.append(packing.packed(event, self.random) if self.chance(0.15) else event)

    def _mutate(self, **lists: list[Any]) -> None:
        lists = {name: lists.get(name, []) for name in ("texts", "attributes", "removes", "adds")}
        self._emit(3, {"source": 0, **lists})

    def _load(self) -> None:
        self._last_id = 0
        self._nodes.clear()
        self._gone.clear()
        self._document = Node(0, "#root")
        self._document = self._new("#document", self._document)
        self._document.parent = None
        html = self._new("html", self._document)
        self._body = self._new("body", html)
        self._new("#text", self._new("title", html))
        for _ in range(self.random.randrange(1, 5)):
            self._grow(self._body, 3)
        self._show()

    def _show(self) -> None:
        self._emit(
            4, {"href": self._address() if self.chance(0.5) else "https://shop.example/", "width": 8, "height": 6}
        )
        document = self._written(self._document, in_snapshot=True)
        self._settle()
        self._emit(2, {"node": document, "initialOffset": {"top": 0, "left": 0}})

    def _check_out(self) -> None:
        if self.chance(0.3):
            self._show()

    def _navigate(self) -> None:
        self._emit(0, {})
        # Until its snapshot comes, these may be any nodes of the new page.
        self._name_unknown(self.random.choice(list(self._nodes)))
        self._emit(1, {})
        self._load()

    def _some(self, *, texts: bool = False) -> Node:
        nodes = [
            node
            for node in self._body.subtree()
            if (node.tag == "#text") == texts and node.tag != "#document" and node is not self._body
        ]
        return self.random.choice(nodes) if nodes else self._body

    def _change_text(self) -> None:
        node = self._some(texts=True)
        if node.tag == "#text":
            self._mutate(texts=[{"id": node.id, "value": self.plant(self._text_fate(node, in_snapshot=False))}])

    def _change_attributes(self) -> None:
        node = self._some()
        if node is not self._body:
            name, value = self._attribute(node)
            self._mutate(attributes=[{"id": node.id, "attributes": {name: value}}])

    def _change_class(self) -> None:
        node = self._some()
        before = node.is_hidden
        node.attributes["class"] = self.random.choice(CLASSES)
        words = [text for text in node.subtree() if text.tag == "#text"][:2]
        # Masked before the payload or after it: the words come with the change.
        fates = [False if before else self._text_fate(text, in_snapshot=False) for text in words]
        texts = [{"id": text.id, "value": self.plant(fate)} for text, fate in zip(words, fates, strict=True)]
        self._settle()
        self._mutate(texts=texts, attributes=[{"id": node.id, "attributes": {"class": node.attributes["class"]}}])

    def _change_at_once(self) -> None:
        """Add to an element what its new class decides about, in one payload."""
        node = self._some()
        if node.tag in ("input", "iframe", "body", *TYPED_TAGS):
            return
        node.attributes["class"] = self.random.choice(["rr-mask", "walled", "vault deep", "plain"])
        adds = self._adds(self._grow(node, 1))
        self._mutate(adds=adds, attributes=[{"id": node.id, "attributes": {"class": node.attributes["class"]}}])

    def _adds(self, root: Node) -> list[Json]:
        """Write a subtree as recorders send it: node by node, in any order; frames with all they hold."""
        adds = []
        for node in root.subtree():
            if any(above.tag == "#document" for above in list(node.outwards())[1:] if above in set(root.subtree())):
                continue
            assert node.parent is not None
            deep = node.tag == "#document"
            written = self._written(node, in_snapshot=False, deep=deep)
            adds.append({"parentId": node.parent.id, "nextId": None, "node": written})
        if self.chance(0.3):
            self.random.shuffle(adds)
        self._settle()
        return adds

    def _add(self) -> None:
        parent = self._some()
        if parent.tag not in ("input", "iframe", *TYPED_TAGS):
            self._mutate(adds=self._adds(self._grow(parent, 2)))

    def _detach(self, node: Node) -> Json:
        assert node.parent is not None
        node.parent.children.remove(node)
        return {"parentId": node.parent.id, "id": node.id}

    def _remove(self) -> None:
        node = self._some()
        if node is not self._body:
            self._mutate(removes=[self._detach(node)])
            self._gone += [gone.id for gone in node.subtree()]

    def _move(self) -> None:
        """Move an element, in one payload or in two."""
        node = self._some()
        target = self._some()
        inner = set(node.subtree())
        if node is self._body or target in inner or target.tag in ("input", "iframe", *TYPED_TAGS) or node.is_root:
            return
        removal = self._detach(node)
        if self.chance(0.5):
            self._mutate(removes=[removal])
            removal = {}
        node.parent = target
        target.children.append(node)
        self._mutate(removes=[removal] if removal else [], adds=self._adds(node))

    def _type(self) -> None:
        node = self._some()
        shown = self._value_fate(node)
        self._emit(3, {"source": 5, "id": node.id, "text": self.plant(shown), "isChecked": self.chance(0.5)})

    def _click(self) -> None:
        node = self._some()
        for kind in (1, 0, 2) * self.random.choice([1, 4]):
            self._emit(3, {"source": 2, "type": kind, "id": node.id, "x": 5, "y": 5})

    def _restyle(self) -> None:
        node_id, css = self._body.id, self._css
        data = self.random.choice(
            [
                {"source": 8, "id": node_id, "adds": [{"rule": css(), "index": 0}], "removes": []},
                {"source": 8, "id": node_id, "replace": css()},
                {
                    "source": 13,
                    "id": node_id,
                    "index": [0],
                    "set": {"property": "content", "value": f"'{self.secret()}'"},
                },
                {"source": 13, "id": node_id, "index": [0], "set": {"property": "--x", "value": self.secret()}},
                {"source": 15, "id": node_id, "styleIds": [1], "styles": [{"styleId": 1, "rules": [{"rule": css()}]}]},
                {"source": 10, "family": f"{self.secret()} Sans", "fontSource": self.secret(), "buffer": False},
            ]
        )
        self._emit(3, data)

    def _tell(self) -> None:
        """Say something beside the page: errors, requests, console output, what nobody knows."""
        mark, loud = self.secret, self.plant(self.strict())
        custom = custom_events(mark, loud, self._address)
        plugins, others = plugin_events(mark, loud), other_events(mark, loud, self._address)
        match self.random.randrange(3):
            case 0:
                tag, payload = self.random.choice(custom)
                self._emit(5, {"tag": tag, "payload": payload})
            case 1:
                name, payload = self.random.choice(plugins)
                self._emit(6, {"plugin": name, "payload": payload})
            case _:
                self._emit(*self.random.choice(others))

    def _act_blindly(self) -> None:
        """Name nodes that are not there, or not there any more."""
        self._name_unknown(self.random.choice([*self._gone[-3:], -1, 99_999]))

    def _name_unknown(self, unknown: int) -> None:
        self._mutate(texts=[{"id": unknown, "value": self.secret()}])
        self._mutate(attributes=[{"id": unknown, "attributes": {"title": self.secret(), "value": self.secret()}}])
        self._emit(3, {"source": 5, "id": unknown, "text": self.secret(), "isChecked": True})

    def _add_below_nobody(self) -> None:
        self._last_id += 2
        inner = {"type": TEXT, "id": self._last_id, "textContent": self.secret()}
        outer = {"type": ELEMENT, "id": self._last_id - 1, "tagName": "p", "attributes": {"title": self.secret()}}
        nobody = {"parentId": 88_888, "nextId": None, "node": {**outer, "childNodes": [inner]}}
        self._mutate(adds=[nobody])
        self._mutate(texts=[{"id": self._last_id, "value": self.secret()}])
