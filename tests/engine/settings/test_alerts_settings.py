"""`[alerts]`: what makes no sense together with the rest."""

import pytest

from engine.settings import SettingsError, load_settings


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("ALERTS_INPUT_TOPIC", "frustration-signals", "alerts.input_topic"),
        ("ALERTS_GROUP_ID", "wince", "alerts.group_id"),
        ("ALERTS_SAVE_MAX_ITEMS", "0", "alerts.save_max_items"),
        ("ALERTS_HTTP_ADDRESS", "9474", "alerts.http_address"),
        ("ALERTS_FORGET_AFTER", "1h", "alerts.forget_after"),
        ("ALERTS_FORGET_AFTER", "31d", "alerts.forget_after"),
    ],
)
def test_what_cannot_be(name: str, value: str, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {f"WINCE_{name}": value})
    assert [problem.key for problem in caught.value.problems] == [key]


def test_the_address_is_taken_apart() -> None:
    alerts = load_settings(None, {"WINCE_ALERTS_HTTP_ADDRESS": "[::]:9474"}).alerts
    assert (alerts.http_host, alerts.http_port) == ("::", 9474)
