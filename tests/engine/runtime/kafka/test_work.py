"""The work on one partition: what is loaded, stored, told, let go of, and how often."""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
import pytest

from engine.errors import Broken
from engine.operate.meters import Count
from engine.reasons import Reason
from engine.runtime.kafka.outbox import unpack_outbox
from engine.runtime.kafka.ownership import Ownership, ResetError
from engine.runtime.kafka.records import Place
from engine.runtime.kafka.tools import Tools
from engine.runtime.kafka.work import DUE_SECONDS, DUE_SESSIONS, Work
from engine.settings import PrivacySettings, Settings, WorkerSettings
from replay.errors import Saturated
from tests.engine.core.batches import MINUTE_MS, SESSION, T0, batch
from tests.engine.core.harness import sample_batches
from tests.engine.runtime.kafka.memory_log import MemoryRecord
from tests.engine.runtime.kafka.memory_store import Data, MemoryStore, Port
from tests.engine.runtime.kafka.virtual_time import run_in_virtual_time
from tests.engine.runtime.kafka.world import Told, memory_tools

PLACE = Place("events", 0)
LOG = "cluster/topic/0#0"
TALKATIVE = next(batches for batches in sample_batches().values() if len(batches) == 2)


class Bench:
    """One store, and owners of one partition, one after the other."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.data, self.told = Data(), Told()
        self.now_ms = T0
        self._owners = 0

    async def take_over(self, offset: int = 0, place: Place = PLACE, log: str = LOG) -> "Owner":
        self._owners += 1
        port = Port(random.Random(0))
        tools = memory_tools(self.settings, f"owner-{self._owners}", self.data, self.told, port, lambda: self.now_ms)
        ownership = Ownership(f"{place.topic}/{place.partition}", tools)
        await ownership.claim()
        return Owner(tools, port, Work(place, log, offset, tools, ownership))


class Owner(NamedTuple):
    tools: Tools
    port: Port
    work: Work

    async def read(self, *values: bytes) -> None:
        """Process records, as many as there are values, and have the mark vouch for them."""
        offset = self.work.next_offset
        await self.work.process([MemoryRecord(offset + place, T0, value) for place, value in enumerate(values)])
        await self.work.settle()

    async def pass_time(self) -> None:
        await self.work.pass_time(is_idle=True, is_caught_up=True)
        await self.work.settle()


def run(program: Callable[[Bench], Awaitable[None]], settings: Settings | None = None) -> None:
    async def main() -> None:
        await program(Bench(settings))

    run_in_virtual_time(main())


def ids(numbers: Sequence[int]) -> list[str]:
    return [f"{number:08d}-2222-3333-4444-555555555555" for number in numbers]


class TestTelling:
    def test_nothing_is_told_again_because_something_else_failed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        failures = iter([Saturated("full")] * 5)

        async def fail(_: MemoryStore) -> None:
            for failure in failures:
                raise failure

        original = MemoryStore.apply_many

        async def apply_many(self: MemoryStore, *arguments: object) -> object:
            results = await original(self, *arguments)  # type: ignore[arg-type]
            await fail(self)
            return results

        monkeypatch.setattr(MemoryStore, "apply_many", apply_many)

        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.read(*TALKATIVE, b"poison")
            assert owner.tools.meters.value(Count.RETRIES, kind="saturated") == 5
            assert len(bench.told.letters) == 1
            told = bench.told.messages["activity"]
            assert len(told) == len(bench.told.ids("activity")) > 1

        run(program)

    def test_who_takes_over_tells_what_was_stored_and_not_told(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            owner.tools.emitter.send = no_answer  # type: ignore[method-assign]
            with pytest.raises(ZeroDivisionError):
                await owner.read(*TALKATIVE)
            (slot,) = bench.data.slots.values()
            untold = {msgspec.json.decode(message.value)["id"] for message in unpack_outbox(slot.outbox)}
            assert untold
            assert not bench.told.ids("signal") | bench.told.ids("activity")

            other = await bench.take_over()
            await other.read(*TALKATIVE)
            assert bench.told.ids("signal") | bench.told.ids("activity") == untold
            (slot,) = bench.data.slots.values()
            assert slot.version == 1, "all of it was stored"

        run(program)

    def test_an_outbox_that_cannot_be_read_is_left_out(self) -> None:
        async def program(bench: Bench) -> None:
            await (await bench.take_over()).read(batch(0))
            bench.data.slots[SESSION] = msgspec.structs.replace(bench.data.slots[SESSION], outbox=b"\xff\xff")
            other = await bench.take_over(offset=1)
            await other.read(batch(1))
            assert bench.data.slots[SESSION].version == 2

        run(program)


async def no_answer(messages: Sequence[object]) -> None:
    if messages:
        raise ZeroDivisionError


class TestSessionsThatAreDue:
    def test_one_that_was_let_go_ends_by_its_deadline_in_the_store(self) -> None:
        settings = Settings(worker=WorkerSettings(max_resident_sessions=1, max_unpacked_sessions=1))

        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            owner.work.share_memory(1)
            for session_id in ids(range(5)):
                await owner.read(batch(0, session_id=session_id))
            assert owner.work.resident_sessions == 2, "one that is ready, one that is packed"
            bench.now_ms += 31 * MINUTE_MS
            await owner.pass_time()
            statuses = {slot.record.status for slot in bench.data.slots.values() if slot.record}
            assert statuses == {"ended"}
            bench.now_ms += 25 * 60 * MINUTE_MS
            await owner.pass_time()
            assert not bench.data.deadlines
            assert owner.work.resident_sessions == 0
            assert not owner.work._versions._versions, "nothing is kept of what is over"

        run(program, settings)

    def test_the_owner_of_the_partition_it_went_on_in_has_the_say(self) -> None:
        async def program(bench: Bench) -> None:
            await (await bench.take_over()).read(batch(0))
            there = await bench.take_over(place=Place("events", 1), log="cluster/topic/1#0")
            bench.now_ms += 10 * MINUTE_MS
            await there.read(batch(1))
            here = await bench.take_over(offset=1)
            bench.now_ms += 25 * MINUTE_MS
            await here.pass_time()
            assert here.work.resident_sessions == 0
            assert set(bench.data.deadlines) == {("events/1", SESSION)}

        run(program)

    def test_one_that_was_closed_elsewhere_is_taken_off_the_list(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.read(batch(0))
            bench.now_ms += 31 * MINUTE_MS
            await owner.pass_time()
            bench.now_ms += 25 * 60 * MINUTE_MS
            await owner.pass_time()
            bench.data.deadlines["events/0", SESSION] = T0
            other = await bench.take_over()
            await other.read(batch(0))
            await other.pass_time()
            assert not bench.data.deadlines

        run(program)

    def test_they_are_looked_for_some_at_a_time(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            many = ids(range(3 * DUE_SESSIONS))
            await owner.read(*(batch(0, session_id=session_id) for session_id in many))
            await owner.work.flush(save_all=True)
            other = await bench.take_over(offset=owner.work.next_offset)
            bench.now_ms += 31 * MINUTE_MS
            passes = 0
            while any(at <= bench.now_ms for at in bench.data.deadlines.values()):
                passes += 1
                await other.pass_time()
            assert passes > 1, f"a pass takes longer than {DUE_SECONDS} s here, and so one page at a time"
            ended = [slot.record.status for slot in bench.data.slots.values() if slot.record]
            assert ended == ["ended"] * len(many)

        run(program)

    def test_a_session_that_is_gone_from_the_store_is_taken_off_the_list(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            bench.data.deadlines["events/0", SESSION] = T0
            await owner.pass_time()
            assert not bench.data.deadlines
            assert not bench.data.slots

        run(program)


class TestExcludedUsers:
    SETTINGS = Settings(privacy=PrivacySettings(exclude_users=("eve",)))

    def test_a_session_is_withdrawn_and_stays_out_whoever_comes_next(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.read(batch(0), batch(1, user_id="eve"))
            assert bench.data.slots[SESSION].withdrawn
            for offset in (0, 1, 2):
                other = await bench.take_over(offset=offset)
                await other.read(batch(0), batch(2), batch(3, user_id="eve"))
                assert other.work.resident_sessions == 0
            assert bench.data.slots[SESSION].withdrawn
            assert bench.data.slots[SESSION].record is None
            assert not bench.data.deadlines
            assert not bench.data.fates, "not even why nothing is there"

        run(program, self.SETTINGS)

    def test_withdrawals_are_vouched_for_as_well(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.read(batch(0))
            dump = dict(bench.data.slots)
            await owner.work.process([MemoryRecord(1, T0, batch(1, user_id="eve"))])
            bench.data.slots.update(dump)
            with pytest.raises(ResetError, match="mark_refused"):
                await owner.work.settle()

        run(program, self.SETTINGS)


class TestDoubt:
    def test_a_session_that_somebody_else_moved_on_ends_the_work(self) -> None:
        async def program(bench: Bench) -> None:
            first = await bench.take_over()
            await first.read(batch(0))
            await (await bench.take_over(offset=1)).read(batch(1))
            with pytest.raises(ResetError, match="refused_write"):
                await first.read(batch(2))

        run(program)

    def test_what_is_loaded_by_one_who_is_not_the_owner_any_more_is_not_used(self) -> None:
        async def program(bench: Bench) -> None:
            first = await bench.take_over()
            await bench.take_over()
            with pytest.raises(ResetError, match="mark_refused"):
                await first.read(batch(0))
            assert not bench.data.slots

        run(program)

    def test_a_store_that_lost_its_last_moments_is_noticed(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.read(batch(0))
            dump = dict(bench.data.slots)
            await owner.work.process([MemoryRecord(1, T0, batch(1))])
            bench.data.slots.update(dump)
            with pytest.raises(ResetError, match="mark_refused"):
                await owner.work.settle()

        run(program)

    def test_no_two_writes_of_one_process_have_the_same_token(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.read(batch(0))
            again = Work(PLACE, LOG, 1, owner.tools, owner.work._ownership)
            stale = Owner(owner.tools, owner.port, Work(PLACE, LOG, 1, owner.tools, owner.work._ownership))
            await stale.work._know([SESSION])
            await Owner(owner.tools, owner.port, again).read(batch(1))
            with pytest.raises(ResetError, match="refused_write"):
                await stale.read(batch(1))

        run(program)


class TestPoison:
    def test_it_is_told_where_it_was_and_why_and_nothing_of_it(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over(offset=7)
            await owner.read(batch(0), b'{"secret": 1}', batch(1))
            (letter,) = bench.told.letters
            assert (letter.topic, letter.partition, letter.offset, letter.t) == ("events", 0, 8, T0)
            assert letter.size_bytes == 13
            assert b"secret" not in msgspec.json.encode(letter)
            assert bench.data.slots[SESSION].version == 1
            assert bench.data.marks["events/0"].offset == 7, "the session's state is not stored yet"

        run(program)

    def test_too_much_of_it_in_a_row_stops_the_worker(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.read(*[b"x"] * 4, batch(0), *[b"x"] * 4)
            with pytest.raises(Broken, match="nothing but poison"):
                await owner.read(b"x")

        run(program, Settings(worker=WorkerSettings(max_poison_in_row=5)))


class TestStates:
    def test_a_session_whose_state_cannot_be_read_is_left_alone(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.read(batch(0))
            damaged = msgspec.structs.replace(bench.data.slots[SESSION], state=b"damaged")
            bench.data.slots[SESSION] = damaged
            other = await bench.take_over(offset=1)
            await other.read(batch(1), batch(0, session_id=ids([1])[0]))
            assert bench.data.slots[SESSION] == damaged
            assert bench.data.fates == {(SESSION, Reason.STATE_UNREADABLE): 1}
            assert len(bench.data.slots) == 2

        run(program)

    def test_large_portions_are_made_durable_in_parts(self) -> None:
        async def program(bench: Bench) -> None:
            owner = await bench.take_over()
            await owner.work.process([MemoryRecord(place, T0, batch(place)) for place in range(10)])
            assert bench.data.slots[SESSION].version == 5

        run(program, Settings(worker=WorkerSettings(poll_max_bytes=256)))
