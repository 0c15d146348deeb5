"""Sessions of excluded users, without consent, or deleted disappear, each with its reason."""

import pytest

from engine.core.core import StoredState
from engine.core.shared import Shared
from engine.reasons import Reason
from engine.settings import PrivacySettings, ProjectSettings, Settings
from replay.exclusions import user_digest
from tests.engine.core.batches import MINUTE_MS, SESSION, T0, Driver, batch


def test_an_excluded_user_leaves_no_trace_also_when_known_in_mid_session() -> None:
    driver = Driver(Settings(privacy=PrivacySettings(exclude_users=("u1",))))
    driver.feed(batch(0)).feed(batch(1, user_id="u1"))
    assert driver.last.withdrawn
    assert driver.last.blocks == ()
    driver.feed(batch(2))
    assert len(driver.effects) == 2
    assert driver.core.open_sessions == 0
    assert driver.core.counts.batches_dropped == {Reason.EXCLUDED_USER: 2}


def test_an_excluded_user_who_becomes_known_after_the_session_was_closed_is_withdrawn_too() -> None:
    driver = Driver(Settings(privacy=PrivacySettings(exclude_users=("u1",))))
    much_later = T0 + 72 * 60 * MINUTE_MS
    driver.feed(batch(0)).tick(T0 + 30 * MINUTE_MS).tick(much_later)
    assert driver.core.open_sessions == 0
    driver.feed(batch(1, user_id="u1"), much_later)
    assert driver.last.withdrawn
    assert driver.last.session_id == SESSION
    assert not driver.last.is_new
    count = len(driver.effects)
    driver.feed(batch(2, user_id="u1"), much_later)
    assert len(driver.effects) == count


def test_a_session_that_begins_with_an_excluded_user_wants_a_tombstone_once_and_nothing_else() -> None:
    driver = Driver(Settings(privacy=PrivacySettings(exclude_users=("u1",))))
    driver.feed(batch(0, user_id="u1")).feed(batch(1, user_id="u1")).feed(batch(2))
    assert [(effect.withdrawal, effect.is_new) for effect in driver.effects] == [(Reason.EXCLUDED_USER, True)]
    assert driver.last.blocks == ()
    assert driver.last.record.user_id is None
    assert driver.core.open_sessions == 0


def test_exclusion_is_a_setting_of_the_project() -> None:
    own = ProjectSettings(privacy=PrivacySettings(exclude_users=("u1",)))
    driver = Driver(Settings(projects={"bank": own}))
    driver.feed(batch(0, user_id="u1")).feed(batch(0, user_id="u1", project_id="bank", session_id="s2"))
    assert [(effect.session_id, effect.withdrawn) for effect in driver.effects] == [(SESSION, False), ("s2", True)]


def test_another_project_cannot_withdraw_a_session_by_excluding_its_user() -> None:
    own = ProjectSettings(privacy=PrivacySettings(exclude_users=("u1",)))
    driver = Driver(Settings(projects={"bank": own})).feed(batch(0)).feed(batch(1, user_id="u1", project_id="bank"))
    assert not any(effect.withdrawn for effect in driver.effects)
    assert driver.core.open_sessions == 1
    assert driver.core.counts.batches_dropped == {Reason.PROJECT_CONFLICT: 1}


def test_without_consent_nothing_is_taken() -> None:
    driver = Driver().feed(batch(consent=False))
    assert driver.effects == []
    assert driver.core.take_refusals() == []
    assert driver.core.counts.batches_dropped == {Reason.NO_CONSENT: 1}


def test_consent_that_is_given_later_holds_from_then_on() -> None:
    driver = Driver().feed(batch(0, consent=False)).feed(batch(1, consent=True)).tick(T0 + 15 * MINUTE_MS)
    assert driver.published == 1
    assert not any(effect.withdrawn for effect in driver.effects)


def test_consent_that_is_taken_back_withdraws_the_session_and_keeps_the_rest_out() -> None:
    driver = Driver().feed(batch(0)).feed(batch(1, consent=False)).feed(batch(2, consent=True))
    assert [effect.withdrawal for effect in driver.effects] == [None, Reason.NO_CONSENT]
    assert driver.last.blocks == ()
    assert (driver.core.open_sessions, driver.core.take_refusals()) == (0, [])
    assert driver.core.counts.batches_dropped == {Reason.NO_CONSENT: 2}


def test_consent_that_is_taken_back_after_the_session_was_closed_withdraws_it_too() -> None:
    much_later = T0 + 72 * 60 * MINUTE_MS
    driver = Driver().feed(batch(0)).tick(T0 + 30 * MINUTE_MS).tick(much_later)
    driver.feed(batch(0, consent=False, project_id="other"), much_later)
    assert not driver.last.withdrawn
    driver.feed(batch(1, consent=False), much_later)
    assert driver.last.withdrawal is Reason.NO_CONSENT


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_refusal_before_the_consent_that_is_read_again_withdraws_nothing(*, is_closed: bool) -> None:
    refusal, consent = batch(0, consent=False), batch(1, consent=True)
    first = Driver().feed(refusal).feed(consent).tick(T0 + 30 * MINUTE_MS)
    if is_closed:
        first.tick(T0 + 72 * 60 * MINUTE_MS)
    stored = StoredState(SESSION, "shop", first.last.state(), 1, {"w1": 2}, first.last.record, None)
    again = Driver()
    again.core.adopt(stored)
    again.feed(refusal)
    assert not any(effect.withdrawn for effect in again.effects)
    again.position = 1
    again.feed(batch(2, consent=False))
    assert again.last.withdrawn


def test_a_session_that_was_deleted_elsewhere_is_forgotten() -> None:
    driver = Driver().feed(batch(0)).feed(batch(2))
    driver.core.refuse(SESSION, Reason.SESSION_DELETED)
    count = len(driver.effects)
    driver.feed(batch(1)).feed(batch(3)).tick(T0 + 15 * MINUTE_MS).tick(T0 + 72 * 60 * MINUTE_MS)
    assert len(driver.effects) == count
    assert (driver.core.open_sessions, driver.core.replay_from(), driver.core.take_refusals()) == (0, None, [])


def test_users_are_excluded_by_digest_as_soon_as_it_is_known() -> None:
    shared = Shared(Settings())
    driver = Driver(shared=shared).feed(batch(0, anonymous_id="a")).feed(batch(0, session_id="s2", user_id="b"))
    shared.exclusions.replace([user_digest("shop", "a"), user_digest("other", "b"), user_digest("", "c")])
    driver.feed(batch(1, anonymous_id="a")).feed(batch(1, session_id="s2", user_id="b"))
    assert [effect.session_id for effect in driver.effects if effect.withdrawn] == [SESSION]
    driver.feed(batch(2, session_id="s2", user_id="c"))
    assert driver.core.open_sessions == 0
