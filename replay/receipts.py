"""The receipt of a deletion: what was asked for, what was removed where, what was searched, what is told and stays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from replay.deletion import DeletionQuery, Proof, count_removed
from replay.exclusions import ANY_PROJECT, user_digest
from replay.tombstones import Removed

FORMAT: Final = 1

_encode: Final = msgspec.json.Encoder().encode

# Listings of users are named after them; a quote ends the name, which holds none.
_USER: Final = re.compile(rb'(:user:)[^"]*')


class Readers(msgspec.Struct, frozen=True):
    """Whether readers elsewhere were told, by the topic (empty: they were not), and what stays on topics how long."""

    told_on: str = ""
    stays_ms: Mapping[str, int] = {}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a deletion was and did. Times are epoch ms.

    A user in `query` is a digest: that a receipt is of a user can be checked without naming the user. `excluded` is the
    digest of a user who was excluded as well. `sessions` says what was taken away of each, `proof` what was searched
    afterwards; its `left` is empty. Names of users in names of keys are left out.
    """

    format: int = FORMAT
    key_prefix: str
    query: dict[str, str | int | tuple[str, ...]]
    excluded: str
    started_at: int
    finished_at: int
    counts: dict[str, int]
    sessions: Sequence[Removed]
    proof: Proof
    kafka: Readers


def make_receipt(  # noqa: PLR0913 - a receipt tells all of it
    query: DeletionQuery,
    removed: Sequence[Removed],
    proof: Proof,
    *,
    key_prefix: str,
    started_at: int,
    finished_at: int,
    readers: Readers,
    excluded: str = "",
) -> Receipt:
    """Write down what a deletion of `query` did."""
    asked = {name: value for name, value in msgspec.structs.asdict(query).items() if value}
    if query.user:
        asked["user"] = user_digest(query.project_id or ANY_PROJECT, query.user)
    return Receipt(
        key_prefix=key_prefix,
        query=asked,
        excluded=excluded,
        started_at=started_at,
        finished_at=finished_at,
        counts=count_removed(removed),
        sessions=removed,
        proof=proof,
        kafka=readers,
    )


def receipt_chunks(receipt: Receipt) -> Iterator[bytes]:
    """Give a receipt as JSON, a session a line; it may be of very many."""
    head = {name: getattr(receipt, name) for name in receipt.__struct_fields__[:7]}
    yield _encode(head)[:-1] + b',"sessions":['
    for place, each in enumerate(receipt.sessions):
        yield (b",\n" if place else b"\n") + _without_users(each)
    yield b'\n],"proof":' + _without_users(receipt.proof) + b',"kafka":' + _encode(receipt.kafka) + b"}\n"


def _without_users(part: Removed | Proof) -> bytes:
    return _USER.sub(rb"\1***", _encode(part))
