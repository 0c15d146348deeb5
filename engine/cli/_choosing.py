"""Saying which stored sessions a command is about: by id, or by what they have in common."""

import argparse
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from replay.deletion import DeletionQuery

FILTERS: Final = ("project", "user", "tag", "page", "from", "to")


def add_choosing_options(parser: argparse.ArgumentParser) -> None:
    """Add `--session` and `--filter`."""
    parser.add_argument("--session", action="append", default=[], metavar="ID", help="this session; may be repeated")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        type=_filter,
        help="project, tag, user, page (a URL), from and to (when a session began: 2026-11-22, with a time if you "
        "like, in UTC); may be repeated with other keys",
    )


def _filter(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    if key not in FILTERS or not value:
        raise argparse.ArgumentTypeError(f"must be KEY=VALUE with one of the keys {', '.join(FILTERS)}")
    if key in {"from", "to"}:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise argparse.ArgumentTypeError("from and to are dates such as 2026-11-22 or 2026-11-22T14:30") from None
    return key, value


def each_once(filters: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return filters by key. Raises ValueError if one is given twice."""
    chosen: dict[str, str] = {}
    for key, value in filters:
        if key in chosen:
            raise ValueError(f"{key} is given twice")
        chosen[key] = value
    return chosen


def query_of(session_ids: Iterable[str], chosen: Mapping[str, str]) -> DeletionQuery:
    """Make the query. Raises Poison if nothing was chosen."""
    return DeletionQuery(
        session_ids=tuple(session_ids),
        project_id=chosen.get("project", ""),
        user=chosen.get("user", ""),
        tag=chosen.get("tag", ""),
        page=chosen.get("page", ""),
        from_ms=_epoch_ms(chosen.get("from")),
        to_ms=_epoch_ms(chosen.get("to")),
    )


def _epoch_ms(text: str | None) -> int | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
