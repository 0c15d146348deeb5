"""The echo rule: what was typed where it is masked does not come back as text of the page."""

from typing import Any

import pytest

from engine.masking import echo as echoes
from engine.masking.echo import Echo
from engine.rebuild.page_state import page_state, restore_page
from engine.settings import PrivacySettings, Settings
from tests.engine.attack import Attack, unpacked
from tests.engine.core.shelf import packed_states
from tests.engine.rebuild.recorder import Replayed, add, element, incremental, meta, mutation, snapshot, text

KEY = b"a key of sixteen"
TYPED = "3 Thistle Wynd"
PAGE = snapshot(element(10, "input", type="text"), element(20, "p", text(21, "Your order")), element(30, "div"))


def typing(value: str, node_id: int = 10) -> list[dict[str, Any]]:
    return [
        incremental(5, id=node_id, text=value[:end], isChecked=False, userTriggered=True)
        for end in range(1, len(value) + 1)
    ]


def listening(*events: dict[str, Any], **privacy: Any) -> Replayed:
    return Replayed(*events, **{"key": KEY, "echo": True, **privacy})


SHOWN: dict[str, dict[str, Any]] = {
    "a text": mutation(texts=[{"id": 21, "value": f"To: {TYPED}, thanks"}]),
    "in other letters": mutation(texts=[{"id": 21, "value": "TO 3\u00a0THISTLE-WYND!"}]),
    "a new node": mutation(adds=[add(30, text(31, TYPED))]),
    "an attribute": mutation(attributes=[{"id": 20, "attributes": {"title": TYPED}}]),
    "a link": mutation(attributes=[{"id": 20, "attributes": {"href": "/to/3-thistle-wynd/map"}}]),
    "an address": {
        "type": 4,
        "timestamp": 9,
        "data": {"href": "https://a.test/3-Thistle_Wynd", "width": 1, "height": 1},
    },
    "a request": {
        "type": 5,
        "timestamp": 9,
        "data": {"tag": "network", "payload": {"method": "GET", "url": "/3-Thistle-Wynd"}},
    },
    "the next page": snapshot(element(40, "p", text(41, TYPED)), t=9_000),
}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("shown", SHOWN)
def test_what_was_typed_shows_nowhere(shown: str, *, restart: bool) -> None:
    replayed = listening(meta(), PAGE, *typing(TYPED))
    if restart:
        other = Replayed(like=replayed)
        other.rebuilder.context.page = restore_page(page_state(replayed.page), replayed.page.policy)
        replayed = other
    replayed.feed(SHOWN[shown])
    assert "thistle" not in replayed.all_text().lower()
    assert "thistle" in Replayed(meta(), PAGE, *typing(TYPED), SHOWN[shown]).all_text().lower()


def test_other_texts_stay() -> None:
    replayed = listening(
        meta(), PAGE, *typing(TYPED), mutation(texts=[{"id": 21, "value": "The thistle at 3 o'clock"}])
    )
    assert "The thistle at 3 o'clock" in replayed.all_text()


def test_values_of_editors_scripts_and_servers_count_too() -> None:
    page = snapshot(
        element(10, "input", value="Aurelia Fontaine"),
        element(11, "textarea", text(12, "")),
        element(14, "input", type="hidden", value="checkout"),
        element(20, "p", text(21, "")),
    )
    replayed = listening(meta(), page, mutation(texts=[{"id": 12, "value": "Gate code 7741"}]))
    replayed.feed(mutation(attributes=[{"id": 10, "attributes": {"value": "Fergus Bell"}}]))
    for value in ("Dear Aurelia Fontaine", "Gate code 7741", "Fergus Bell", "to the checkout"):
        replayed.feed(mutation(texts=[{"id": 21, "value": value}]))
    shown = replayed.all_text()
    assert not any(value in shown for value in ("Aurelia", "7741", "Fergus"))
    assert "to the checkout" in shown


def test_the_words_on_the_way_are_forgotten_and_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    echo = Echo(KEY)
    for end in range(1, len(TYPED) + 1):
        echo.note(7, TYPED[:end])
    assert len(echo.state.known) == 1
    assert echo.mask("3 Thistle W") == "3 Thistle W"
    monkeypatch.setattr(echoes, "MAX_VALUES", 3)
    for number in range(9):
        echo.note(number, f"value {number}")
    assert len(echo.state.known) == 3
    assert echo.mask("value 8 and value 0") == "***** * and value 0"


def test_the_state_holds_no_word() -> None:
    settings = Settings(privacy=PrivacySettings(echo=True, identifier_secret=KEY.decode()))
    attack = Attack(settings).events(meta(), PAGE, *typing(TYPED))
    states = b"".join(unpacked(packed.data) for packed in packed_states(attack.core).values())
    assert b"thistle" not in states.lower()
    attack.resume()
    attack.check(secret=b"thistle")


def test_it_is_off_unless_asked_for() -> None:
    replayed = Replayed(meta(), PAGE, *typing(TYPED), SHOWN["a text"], key=KEY)
    assert TYPED in replayed.all_text()
    with pytest.raises(ValueError, match="key"):
        Replayed(meta(), echo=True)
