"""Masking leaves pages readable: on a part of the samples, as good as the documents say."""

from tests.privacy.utility import SAMPLES, measure

FILES = sorted(SAMPLES.glob("*.jsonl.zst"))[:3]


def test_medium_keeps_pages_and_their_texts() -> None:
    shares = measure("medium", FILES)
    assert shares.words > 99
    assert shares.elements == 100
    assert shares.events > 99


def test_conservative_keeps_pages_and_no_text() -> None:
    shares = measure("conservative", FILES)
    assert shares.words < 1
    assert shares.elements == 100
