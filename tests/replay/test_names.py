"""Names of ids that strangers choose."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.names import MAX_NAME_LENGTH, encode_name


@given(st.text(max_size=300))
def test_every_name_is_safe_in_keys_files_and_logs(identifier: str) -> None:
    name = encode_name(identifier)
    assert re.fullmatch(r"[A-Za-z0-9_%-][A-Za-z0-9_.%-]{0,127}", name)
    assert len(name) <= MAX_NAME_LENGTH


@given(st.text(max_size=60), st.text(max_size=60))
def test_different_ids_have_different_names(one: str, other: str) -> None:
    assert (encode_name(one) == encode_name(other)) == (one == other)


@given(st.text(max_size=60))
def test_no_id_can_take_the_name_of_another_as_its_own(identifier: str) -> None:
    name = encode_name(identifier)
    if name != identifier:
        assert encode_name(name) != name


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("0198f5a2-7c1e-7d4b-9f3a-2b6c8d0e1f2a", "0198f5a2-7c1e-7d4b-9f3a-2b6c8d0e1f2a"),
        ("a.b_C-9", "a.b_C-9"),
        ("a" * 128, "a" * 128),
        ("..", "%2E%2E"),
        (".hidden", "%2Ehidden"),
        ("{a}/é", "%7Ba%7D%2F%C3%A9"),
        ("a%b", "a%25b"),
        ("a\0\n", "a%00%0A"),
        ("a" * 129, "%%" + "c12cb024a2e5551cca0e08fce8f1c5e314555cc3fef6329ee994a3db752166ae"),
        ("", "%%e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ],
)
def test_examples(identifier: str, name: str) -> None:
    assert encode_name(identifier) == name
