"""The table of levels, carrier by carrier, in every place and by every way a recorder can send it.

A row says what becomes of a word at the three levels: `m` it may not show, `k` it has to, `-` either. A place makes a
visit of the carrier, and says by which of the row's columns it is judged there.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from tests.privacy.streams import Case, Json, add, doc, el, load, mut, named, page, remove, text, txt

W: Final = "zqcarriedwod"
"""The word: short enough for a path, and a name."""
PNG: Final = "data:image/png;base64,iVBORw0KGgo"


class Row(NamedTuple):
    """One carrier: a tag and what is on it, the attribute that holds the word (`""`: its text), and the fates."""

    tag: str
    name: str
    value: str
    fates: str
    others: Mapping[str, Any] = {}

    def node(self, *, filled: bool, deep: bool = True) -> Json:
        """The element, with the word or without."""
        own = {self.name: self.value} if self.name and filled else {}
        words = [txt(11, self.value if filled else "a")] if not self.name and deep else []
        return named(el(10, self.tag, *words), {**self.others, **own})

    def change(self) -> Json:
        """The payload that brings the word."""
        if not self.name:
            return mut(texts=[text(11, self.value)])
        return mut(attributes=[{"id": 10, "attributes": {self.name: self.value}}])

    def __str__(self) -> str:
        kind = "".join(f"[{name}={value}]" for name, value in self.others.items())
        return f"{self.tag}{kind} {self.name or 'text'} {self.value}"


def _texts(tags: str, fates: str, value: str = W, **others: Any) -> list[Row]:
    return [
        Row(tag, "", value, fates, {name.replace("_", "-"): v for name, v in others.items()}) for tag in tags.split()
    ]


def _named(tag: str, names: str, value: str, fates: str, others: Mapping[str, Any] | None = None) -> list[Row]:
    return [Row(tag, name, value, fates, others or {}) for name in names.split()]


URL: Final = "https://a.test"
ROWS: Final = [
    *_texts("p title text desc summary caption label legend button h1 a li td figcaption pre time th", "mkk"),
    *_texts("textarea option optgroup datalist output", "mmk"),
    *_texts("textarea option output", "mmm", f"{W}@example.com"),
    *_texts("div p", "mmk", contenteditable="true"),
    *_texts("div", "mmk", role="textbox"),
    *_texts("div", "mmk", role="searchbox"),
    *_texts("div", "mmk", role="none spinbutton"),
    *_texts("div", "mkk", contenteditable="false"),
    *_texts("script noscript template noframes xmp", "mmm"),
    *_texts("style", "mmm", f"a::before {{ content: '{W}' }}"),
    *_texts("style", "kkk", f".{W} {{ color: red }}"),
    *_named("input", "value", W, "mmk", {"type": "text"}),
    *_named("input", "value", W, "mmk"),
    *_named("input", "value", W, "mmk", {"type": "zqnew"}),
    *_named("input", "value", W, "m-k", {"type": "submit"}),
    *_named("input", "value", W, "mmk", {"type": "checkbox"}),
    *_named("textarea", "value", W, "mmk"),
    *_named("select", "value", W, "mmk"),
    *_named("option", "value label", W, "mmk"),
    *_named("button", "value", W, "m-k"),
    *_named("div", "value", W, "mmk"),
    *_named("x-input", "value", W, "mmk"),
    *_named("my-color-picker", "title", W, "mmk"),
    *_named("input", "value placeholder title aria-label", W, "mmm", {"type": "password"}),
    *_named("input", "value", W, "mmm", {"type": "hidden"}),
    *_named("input", "value", W, "mmm", {"type": "file"}),
    *_named("input", "value placeholder", W, "mmm", {"type": "email"}),
    *_named("input", "value", W, "mmm", {"type": "text", "name": "card_number"}),
    *_named("input", "value", W, "mmm", {"type": "text", "id": "userPassword"}),
    *_named("input", "value", W, "mmm", {"autocomplete": "billing cc-name"}),
    *_named("input", "value", W, "mmm", {"class": "account-number"}),
    *_named("input", "value", W, "mmm", {"placeholder": "Date of birth"}),
    *_named("input", "value", W, "mmm", {"aria-label": "Your IBAN"}),
    *_named("input", "value", f"{W} 12-345.67 89", "mmm", {"type": "text"}),
    *_named("input", "value", W, "mmm", {"maxlength": "1"}),
    *_named("input", "placeholder title aria-label", W, "mmk", {"type": "text"}),
    *_named("div", "title aria-label aria-description aria-valuetext aria-roledescription", f"{W} x", "mkk"),
    *_named("img", "alt", f"{W} x", "mkk"),
    *_named("table", "summary", f"{W} x", "mkk"),
    *_named("th", "abbr", f"{W} x", "mkk"),
    *_named("a", "download", f"{W}.pdf", "mkk"),
    *_named("time", "datetime", W, "mkk"),
    *_named("data", "value", f"{W} x", "mkk"),
    *_named("optgroup", "label", W, "mmk"),
    *_named("track", "label", f"{W} x", "mkk"),
    *_named("div", "data-x zqnew", f"{W} x", "mmm"),
    *_named("div", "data-x zqnew", W, "mkk"),
    *_named("input", "data-x zqnew pattern", W, "mmm", {"type": "text"}),
    *_named("x-card", "holder label data-x", f"{W} x", "mmm"),
    *_named("x-card", "holder", W, "mkk"),
    *_named("div", "id name for headers form list aria-labelledby aria-controls slot is", f"{W} x", "mmm"),
    *_named("div", "id name for headers form aria-labelledby aria-controls class slot", W, "kkk"),
    *_named("div", "id class name", f"{W}@x", "mmm"),
    *_named("div", "class", f"{W}-123456", "mmm"),
    *_named("a", "href ping", f"{URL}/p?q={W}#{W}", "mmm"),
    *_named("a", "href cite", f"{URL}/{W}/x", "mkk"),
    *_named("a", "href", f"mailto:{W}@example.com", "mmm"),
    *_named("a", "href", f"javascript:{W}()", "mmm"),
    *_named("a", "href xlink:href", f"{URL}/eyJ{W}/x", "mmm"),
    *_named("img", "src", f"{URL}/{W}.png", "mkk"),
    *_named("img", "srcset", f"{URL}/{W}.png 2x, {URL}/b.png", "mkk"),
    *_named("img", "src", f"data:image/svg+xml,{W}", "mmm"),
    *_named("img", "src", f"blob:{URL}/{W}", "mmm"),
    *_named("img", "src", f"{PNG}{W}", "mkk"),
    *_named("video", "poster src", f"{URL}/{W}.jpg", "mkk"),
    *_named("form", "action", f"{URL}/{W}", "mkk"),
    *_named("button", "formaction", f"{URL}/{W}", "mkk"),
    *_named("iframe", "src rr_src", f"{URL}/{W}", "mkk"),
    *_named("object", "data", f"{URL}/{W}.pdf", "mkk"),
    *_named("image", "xlink:href", f"{URL}/{W}.png", "mkk"),
    *_named("use", "xlink:href", f"#{W}", "kkk"),
    *_named("link", "href", f"{URL}/{W}.css", "-kk", {"rel": "stylesheet"}),
    *_named("link", "href", f"{URL}/x.css?{W}", "mmm", {"rel": "stylesheet"}),
    *_named("iframe", "srcdoc", f"<p>{W}</p>", "mmm"),
    *_named("div", "onclick onzqnew nonce integrity", W, "mmm"),
    *_named("meta", "content", W, "mmm", {"name": "description"}),
    *_named("meta", "content", f"width={W}", "mmm", {"name": "viewport"}),
    *_named("div", "style", f"color: red; content: '{W}'", "mmm"),
    *_named("div", "style", f"--x: {W}", "mmm"),
    *_named("div", "style", f"background: url({URL}/x.png?{W})", "mmm"),
    *_named("style", "_cssText", f"/* {W} */ a {{ color: red }}", "mmm"),
    *_named("canvas", "rr_dataURL", f"{PNG}{W}", "mmm"),
    *_named("div", "role", W, "mmm"),
    *_named("div", "width lang dir tabindex align charset media rel as scope start span", W, "mmm"),
    *_named("path", "d transform fill stroke", f"M 1 {W}", "mmm"),
]  # fmt: skip


class Place(NamedTuple):
    """A place: its visit of a row, and the columns by which the levels are judged there (`.`: nothing may show)."""

    name: str
    visit: Callable[[Row], list[Any]]
    columns: str = "cml"
    misses: str = ""
    """Names of attributes that the place says nothing about."""


def _added(row: Row, parent: int, *, is_shadow: bool = False) -> Json:
    node = {**row.node(filled=True, deep=False), **({"isShadow": True} if is_shadow else {})}
    return mut(adds=[add(parent, node), *([] if row.name else [add(10, txt(11, row.value))])])


def _sent_again(row: Row) -> list[Json]:
    return [add(9, row.node(filled=True, deep=False)), *([] if row.name else [add(10, txt(11, row.value))])]


def _in_capitals(row: Row) -> list[Any]:
    node = row.node(filled=True)
    attributes = {name.upper(): value for name, value in node["attributes"].items()}
    return page({**node, "tagName": node["tagName"].upper(), "attributes": attributes})


def _with_class(row: Row, name: str) -> Json:
    change = row.change()
    change["data"]["attributes"].append({"id": 9, "attributes": {"class": name}})
    return change


def _moved(row: Row, before: str, after: str) -> list[Any]:
    here, there = el(8, "div", row.node(filled=False), class_=before), el(9, "div", class_=after)
    return [*page(here, there), mut(removes=[remove(8, 10)], adds=_sent_again(row))]


_SHADOW: Final = {"isShadow": True}
PLACES: Final = [
    Place("in the snapshot", lambda row: page(row.node(filled=True))),
    Place("in capitals", _in_capitals),
    Place("added", lambda row: [*page(el(9, "div")), _added(row, 9)]),
    Place("added with what is in it", lambda row: [*page(el(9, "div")), mut(adds=[add(9, row.node(filled=True))])]),
    Place("changed", lambda row: [*page(row.node(filled=False)), row.change()]),
    Place("in a checkout", lambda row: [*page(row.node(filled=False)), *page(row.node(filled=True))]),
    Place("on the next page", lambda row: [*page(el(10, "p", "a")), *load(), *page(row.node(filled=True))]),
    Place("in a shadow root", lambda row: page(el(9, "x-host", {**row.node(filled=True), **_SHADOW}))),
    Place(
        "in a frame",
        lambda row: [*page(el(9, "iframe")), mut(adds=[add(9, doc(8, el(7, "html", row.node(filled=True))))])],
    ),
    Place("moved", lambda row: _moved(row, "", "")),
    Place("below a mask", lambda row: page(el(9, "div", row.node(filled=True), class_="rr-mask")), "ccc"),
    Place("masked itself", lambda row: page(named(row.node(filled=True), {"class": "amp-mask"})), "ccc", "class"),
    Place(
        "changed below a mask",
        lambda row: [*page(el(9, "div", row.node(filled=False), data_private="")), row.change()],
        "ccc",
    ),
    Place("added below a mask", lambda row: [*page(el(9, "div", class_="rr-mask")), _added(row, 9)], "ccc"),
    Place(
        "below a mask that comes",
        lambda row: [*page(el(9, "div", row.node(filled=False))), _with_class(row, "rr-mask")],
        "ccc",
    ),
    Place(
        "below a mask that goes",
        lambda row: [*page(el(9, "div", row.node(filled=False), class_="rr-mask")), _with_class(row, ""), row.change()],
        "ccc",
    ),
    Place("moved into a mask", lambda row: _moved(row, "", "rr-mask"), "ccc"),
    Place("moved out of a mask", lambda row: _moved(row, "rr-mask", ""), "ccc"),
    Place(
        "in a masked host",
        lambda row: [*page(el(9, "x-host", class_="rr-mask")), _added(row, 9, is_shadow=True)],
        "ccc",
    ),
    Place(
        "in a masked frame",
        lambda row: [
            *page(el(9, "iframe", class_="rr-mask")),
            mut(adds=[add(9, doc(8, el(7, "html", row.node(filled=True))))]),
        ],
        "ccc",
    ),
    Place(
        "unmasked in a mask",
        lambda row: page(el(8, "div", el(9, "div", row.node(filled=True), class_="shown"), class_="rr-mask")),
        "ccc",
    ),
    Place(
        "masked where it is shown",
        lambda row: page(el(8, "div", el(9, "div", row.node(filled=True), class_="rr-mask"), class_="shown")),
        "ccc",
    ),
    Place("unmasked", lambda row: page(el(9, "div", row.node(filled=True), class_="shown")), "lll"),
    Place(
        "changed where it is unmasked",
        lambda row: [*page(el(9, "div", row.node(filled=False), class_="shown")), row.change()],
        "lll",
    ),
    Place(
        "in a shadow root of an unmasked host",
        lambda row: page(el(9, "x-host", {**row.node(filled=True), **_SHADOW}, class_="shown")),
    ),
    Place("below a block", lambda row: page(el(9, "div", row.node(filled=True), class_="rr-block")), "..."),
    Place(
        "changed below a block",
        lambda row: [*page(el(9, "div", row.node(filled=False), class_="ph-no-capture")), row.change()],
        "...",
    ),
    Place("added below a block", lambda row: [*page(el(9, "div", class_="walled")), _added(row, 9)], "..."),
    Place("moved out of a block", lambda row: _moved(row, "rr-block", ""), "..."),
    Place("below nobody", lambda row: [*page(el(9, "div")), mut(adds=[add(777, row.node(filled=True))])], "???"),
    Place("before the snapshot", lambda row: [row.change(), *page(el(9, "div"))], "???"),
    Place(
        "after its removal",
        lambda row: [*page(row.node(filled=False)), mut(removes=[remove(4, 10)]), row.change()],
        "???",
    ),
    Place(
        "between two pages",
        lambda row: [*page(row.node(filled=False)), *load(), row.change(), *page(el(9, "div"))],
        "???",
    ),
]


def cases() -> Iterator[Case]:
    """Yield a case for each row in each place."""
    for place in PLACES:
        for row in ROWS:
            if row.name in place.misses.split():
                continue
            fates = [_fate(row, column) for column in place.columns]
            hide = "".join(level for level, fate in zip("cml", fates, strict=True) if fate == "m")
            keep = "".join(level for level, fate in zip("cml", fates, strict=True) if fate == "k")
            if hide or keep:
                yield Case(
                    f"{place.name}: {row}",
                    place.visit(row),
                    {hide: [W]},
                    {keep: [W]},
                    {"unmask": (".shown",), "block": (".walled",)},
                )


def _fate(row: Row, column: str) -> str:
    if column == ".":
        return "m"
    if column == "?":
        return "m" if row.fates[0] == "m" else "-"
    return row.fates["cml".index(column)]
