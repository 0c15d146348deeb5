"""Ids that say who somebody is become keyed hashes where a project wants it; exclusion still knows the original."""

import pytest

from engine.masking.identities import identity_token, looks_personal
from engine.masking.policy import Policy
from engine.settings import PrivacySettings, Settings
from tests.engine.attack import Attack, beacon, envelope
from tests.privacy.canaries import everything
from tests.privacy.searching import found

SECRET = "a secret of sixteen letters"
HASHING = Settings(
    privacy=PrivacySettings(hash_identifiers=True, identifier_secret=SECRET, exclude_users=("x@a.test",))
)


@pytest.mark.parametrize(
    "user_id", ["jane@example.com", "Jane Doe", "+1 555 010 9999", "15550109999", "Jürgen", "jane%40example.com"]
)
def test_personal_ids(user_id: str) -> None:
    assert looks_personal(user_id)


@pytest.mark.parametrize("user_id", ["u-17", "auth0|abc123", "0b3c9c1e-6a50-4b7e-8d3e-2b4f5a6c7d8e", "", "4711"])
def test_other_ids(user_id: str) -> None:
    assert not looks_personal(user_id)


def test_a_token_is_the_same_for_one_person_and_one_key() -> None:
    assert identity_token(b"k", "Jane@Example.com ") == identity_token(b"k", "jane@example.com")
    assert identity_token(b"k", "jane@example.com") != identity_token(b"j", "jane@example.com")
    assert Policy().identity("jane@example.com") == "jane@example.com"
    with pytest.raises(ValueError, match="key"):
        Policy(hash_identifiers=True)


def test_a_session_holds_no_personal_id() -> None:
    attack = Attack(HASHING).events(beacon(1), user_id="jane.qwertz@example.com", anonymous_id="0123456789")
    attack.resume().finish()
    assert found(["jane.qwertz@example.com", "jane.qwertz", "0123456789"], everything(attack)) == []
    assert str(attack.record().user_id).startswith("hashed-")
    plain = Attack().events(beacon(1), user_id="jane.qwertz@example.com").finish()
    assert plain.record().user_id == "jane.qwertz@example.com"


def test_exclusion_knows_the_original() -> None:
    attack = Attack(HASHING).send(envelope(0, [beacon(1)], user_id="x@a.test")).finish()
    assert attack.lines() == []


def test_blocks_say_by_which_policy_they_were_masked() -> None:
    attack = Attack(HASHING).events(beacon(1)).finish()
    (block,) = [block for effect in attack.effects for block in effect.blocks]
    level, version = block.policy.split("@")
    assert level == "medium"
    assert version == attack.core._shared.projects.of("shop").policy.version
