"""Signatures, verified with the library of the specification; and when to try again."""

import base64
import os
import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from engine.delivery.backoff import LONGEST_MS, backoff_ms
from engine.delivery.webhook import read_secret, sign

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()


def _headers(*secrets: str, body: bytes = b'{"a": 1}', t_s: int | None = None) -> dict[str, str]:
    return sign([read_secret(secret) for secret in secrets], "msg_1", int(time.time()) if t_s is None else t_s, body)


@given(st.dictionaries(st.text(), st.text()))
def test_the_library_verifies_what_we_sign(content: dict[str, str]) -> None:
    try:
        body = orjson.dumps(content)
    except TypeError:  # a lone surrogate
        return
    assert Webhook(NEW).verify(body, _headers(NEW, body=body)) == content


def test_while_a_secret_is_replaced_both_verify() -> None:
    headers = _headers(NEW, OLD)
    assert Webhook(OLD).verify(b'{"a": 1}', headers) == {"a": 1}
    assert Webhook(NEW).verify(b'{"a": 1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(b'{"a": 1}', _headers(NEW))


def test_body_id_and_time_are_signed() -> None:
    headers = _headers(NEW)
    forged = [(b'{"a": 2}', headers), (b'{"a": 1}', headers | {"webhook-id": "msg_2"})]
    forged.append((b'{"a": 1}', headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}))
    for body, changed in forged:
        with pytest.raises(WebhookVerificationError):
            Webhook(NEW).verify(body, changed)


def test_old_messages_are_not_verified() -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(b'{"a": 1}', _headers(NEW, t_s=int(time.time()) - 600))


@pytest.mark.parametrize("text", [OLD, OLD.removeprefix("whsec_"), f" {OLD}\n", OLD.rstrip("=")])
def test_secrets_are_read_as_people_keep_them(text: str) -> None:
    assert read_secret(text) == b"o" * 24


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "no base64 at all!", "ü", "A" * 120])
def test_wrong_secrets_are_told_without_them(text: str) -> None:
    with pytest.raises(ValueError, match=r"^no secret of whsec_ and 24 to 64 bytes in Base64$"):
        read_secret(text)


def test_without_a_secret_nothing_is_signed() -> None:
    assert _headers()["webhook-signature"] == ""


class TestBackoff:
    @given(st.integers(1, 10_000), st.floats(0, 1))
    def test_waits_grow_up_to_an_hour_and_a_quarter(self, attempts: int, chance: float) -> None:
        assert 3_750 <= backoff_ms(attempts, chance) <= LONGEST_MS * 1.25
        assert backoff_ms(attempts, 0.5) <= backoff_ms(attempts + 1, 0.5)

    def test_a_day_is_some_thirty_attempts(self) -> None:
        spent_ms, attempts = 0, 0
        while spent_ms < 24 * LONGEST_MS:
            attempts += 1
            spent_ms += backoff_ms(attempts, 0.5)
        assert 25 <= attempts <= 35

    def test_who_asks_for_longer_gets_it(self) -> None:
        assert backoff_ms(1, 0.5, 600.0) == 600_000
        assert backoff_ms(1, 0.5, 0.0) == 5_000

    def test_who_failed_together_comes_back_apart(self) -> None:
        chances = [byte / 255 for byte in os.urandom(50)]
        assert len({backoff_ms(3, chance) for chance in chances}) > 10
