"""`wince delete`: removes sessions, by id or by what they have in common, and proves that nothing is left."""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import Progress

from engine.cli._choosing import add_choosing_options, each_once, query_of
from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.cli._receipt import Receipt
from engine.core.projects import known_as
from engine.errors import Unavailable as KafkaUnavailable
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.outbox import withdrawal_message
from engine.runtime.stores import redis_client, store_settings
from engine.settings import Settings
from replay.deletion import Deletable, Deletion, DeletionQuery, Proof
from replay.errors import StoreError
from replay.exclusions import ANY_PROJECT
from replay.redis_client import RedisClient
from replay.redis_exclusions import RedisExclusions
from replay.tombstones import Removed

FAILED: Final = 1
"""Exit status when not everything was deleted, or could not be proved to be, or readers could not be told."""

WORKERS_KNOW_SECONDS: Final = 5.0
"""Workers look at excluded users every 2 seconds; after this, whatever they still wrote is deleted too."""

AT_ONCE: Final = 200
"""Sessions deleted before readers are told of them."""

SHOWN: Final = 20
"""Sessions listed before one is asked."""


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "delete",
        help="delete sessions, with proof",
        description="Delete sessions and all that is known of them from Redis, search for what is left, and tell "
        "readers on Kafka. Several conditions have all to be true. Nothing is deleted before you say yes.",
    )
    add_choosing_options(parser)
    parser.add_argument("--user", default="", metavar="ID", help="sessions of a user, by user id or anonymous id")
    parser.add_argument(
        "--and-exclude", action="store_true", help="with --user: store nothing of this user from now on, either"
    )
    parser.add_argument("--dry-run", action="store_true", help="list what would be deleted, and change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--no-kafka", action="store_true", help="do not tell readers of the topics")
    parser.add_argument("--receipt", type=Path, metavar="FILE", help="write what was removed where, as JSON")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Delete; exit status 1 if anything is left or could not be done, 2 if it is not said what to delete.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    try:
        query = _query(args)
    except (ValueError, StoreError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return 2
    settings = load_chosen_settings(args)
    try:
        return asyncio.run(_run(args, settings, query))
    except (OSError, ValueError, StoreError, KafkaUnavailable) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED


def _query(args: argparse.Namespace) -> DeletionQuery:
    chosen = each_once([*args.filter, *([("user", args.user)] if args.user else [])])
    if args.and_exclude and not chosen.get("user"):
        raise ValueError("--and-exclude needs --user")
    return query_of(args.session, chosen)


async def _run(args: argparse.Namespace, settings: Settings, query: DeletionQuery) -> int:
    client = redis_client(settings)
    try:
        deletion = Deletion(client, store_settings(settings))
        planned = await _plan(deletion, settings, query)
        _show(planned)
        if args.dry_run or not (planned or args.and_exclude) or not (args.yes or _agreed(len(planned))):
            print("Nothing was deleted.")
            return 0
        async with _emitter(settings, wanted=not args.no_kafka) as emitter:
            return await _Run(args, settings, client, deletion, emitter).delete(query, planned)
    finally:
        await client.close()


async def _plan(deletion: Deletion, settings: Settings, query: DeletionQuery) -> list[Deletable]:
    """List what a query means, whichever id its user is stored under."""
    found: dict[str, Deletable] = {}
    for user in known_as(settings, query.project_id, query.user):
        planned = await deletion.plan(msgspec.structs.replace(query, user=user))
        found |= {each.session_id: each for each in planned}
    return list(found.values())


def _show(planned: Sequence[Deletable]) -> None:
    print(f"{len(planned)} sessions")
    for each in planned[:SHOWN]:
        began = (
            "" if each.started_at is None else f"{datetime.fromtimestamp(each.started_at / 1_000, UTC):%Y-%m-%d %H:%M}"
        )
        print(f"  {each.session_id!r} {each.project_id!r} {began}")
    if len(planned) > SHOWN:
        print(f"  and {len(planned) - SHOWN} more")


def _agreed(sessions: int) -> bool:
    if not sys.stdin.isatty():
        raise ValueError("nobody is there to ask: say --yes, or look first with --dry-run")
    return input(f"Delete {sessions} sessions for good? Type yes: ").strip().lower() == "yes"


@asynccontextmanager
async def _emitter(settings: Settings, *, wanted: bool) -> AsyncIterator[Emitter | None]:
    """Connect to Kafka before anything is deleted: if that fails, nothing was done."""
    if not wanted:
        yield None
        return
    emitter = Emitter(settings.kafka)
    try:
        await emitter.connect()
        yield emitter
    except KafkaUnavailable as error:
        raise KafkaUnavailable(f"{error}; --no-kafka deletes without telling readers of the topics") from error
    finally:
        await emitter.close()


class _Run:
    """One deletion, with its receipt."""

    def __init__(
        self,
        args: argparse.Namespace,
        settings: Settings,
        client: RedisClient,
        deletion: Deletion,
        emitter: Emitter | None,
    ) -> None:
        self._args = args
        self._settings = settings
        self._client = client
        self._deletion = deletion
        self._emitter = emitter
        self._removed: list[Removed] = []

    async def delete(self, query: DeletionQuery, planned: Sequence[Deletable]) -> int:
        """Delete, search, tell; return the exit status."""
        receipt = Receipt(self._settings, query, _now_ms())
        if self._args.and_exclude:
            exclusions = RedisExclusions(self._client, self._settings.store.key_prefix)
            receipt.excluded = await exclusions.add(query.project_id or ANY_PROJECT, query.user)
        await self._delete(planned)
        if self._args.and_exclude:
            print(f"Waiting {WORKERS_KNOW_SECONDS:.0f} seconds for workers to know of the user.")
            await asyncio.sleep(WORKERS_KNOW_SECONDS)
            await self._delete(await _plan(self._deletion, self._settings, query))
        proof = await self._deletion.prove(self._removed)
        if self._args.receipt is not None:
            receipt.write(self._args.receipt, self._removed, proof, _now_ms(), told=self._emitter is not None)
        return _tell(self._removed, proof)

    async def _delete(self, planned: Sequence[Deletable]) -> None:
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("Deleting", total=len(planned))
            for start in range(0, len(planned), AT_ONCE):
                ids = [each.session_id for each in planned[start : start + AT_ONCE]]
                removed = [each async for each in self._deletion.delete(ids)]
                self._removed += removed
                await self._tell_readers(removed)
                progress.advance(task, len(removed))

    async def _tell_readers(self, removed: Sequence[Removed]) -> None:
        if self._emitter is None:
            return
        stones = [(each.session_id, each.tombstone) for each in removed if each.tombstone.project_id]
        await self._emitter.send([withdrawal_message(stone.project_id, id_, stone.at) for id_, stone in stones])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _tell(removed: Sequence[Removed], proof: Proof) -> int:
    searched = proof.searched
    stored = sum(1 for each in removed if each.keys)
    print(f"Deleted {len(removed)} sessions, {stored} of which were stored. Tombstones keep their ids out.")
    print(
        f"Searched {searched.keys} keys, {searched.sorted_sets} sorted sets ({searched.members} members), "
        f"{searched.streams} streams ({searched.stream_entries} entries), {proof.rounds} times over: "
        f"{len(proof.left) or 'nothing'} left."
    )
    return FAILED if proof.left else 0
