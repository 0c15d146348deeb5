"""What is told of sessions and visits: when they start and end, once, whatever happens in between."""

from collections.abc import Sequence

import msgspec
import pytest

from engine.core.activity import PAGE_MAX_CHARACTERS, VISITS_MAX, ActivityLog, Visit
from engine.core.core import Core
from engine.reasons import Reason
from engine.settings import SessionSettings, Settings
from schemas.activity import Activity
from schemas.session_record import SessionRecord

T = 1_795_000_000_000
NOW = T + 5_000
MINUTE_MS = 60_000
EVERYONE = Settings()


def meta(t: int, path: str) -> dict[str, object]:
    return {"type": 4, "timestamp": T + t, "data": {"href": f"https://shop.example{path}", "width": 9, "height": 9}}


def move(t: int) -> dict[str, object]:
    return {"type": 3, "timestamp": T + t, "data": {"source": 3, "id": 1, "x": 0, "y": t}}


def told(activities: Sequence[Activity]) -> list[tuple[object, ...]]:
    """Say what was told in short: kind, window, path, time since `T`, duration."""
    return [
        tuple(
            part
            for part in (
                activity.kind,
                activity.window_id,
                activity.page and activity.page.removeprefix("https://shop.example"),
                activity.t - T,
                activity.duration_ms,
                activity.reason,
            )
            if part is not None
        )
        for activity in activities
    ]


class Visitor:
    """One session of some windows, its batches numbered as a recorder does, taken one by one."""

    def __init__(self, settings: Settings = EVERYONE) -> None:
        self.core = Core(settings)
        self.activities: list[Activity] = []
        self.records: dict[str, SessionRecord] = {}
        self._position = 0
        self._sequences: dict[str, int] = {}

    def sends(
        self, *events: dict[str, object], window: str = "w", at: int = NOW, late: int | None = None, **more: object
    ) -> list[tuple[object, ...]]:
        """Send a batch; `late` is its number if it is not the next one."""
        seq = self._sequences.get(window, 0) if late is None else late
        self._sequences[window] = max(self._sequences.get(window, 0), seq + 1)
        envelope = {
            "v": 1,
            "project_id": "shop",
            "session_id": "s",
            "window_id": window,
            "seq": seq,
            "sent_at": 0,
            "events": list(events),
        }
        batch = self.core.open(msgspec.json.encode(envelope | more), None, "test", self._position)
        assert batch is not None
        self.core.feed(batch, self._position, at)
        self._position += 1
        return self._take()

    def waits(self, until: int) -> list[tuple[object, ...]]:
        self.core.tick(until)
        return self._take()

    def finishes(self) -> list[tuple[object, ...]]:
        self.core.finish()
        return self._take()

    def _take(self) -> list[tuple[object, ...]]:
        effects = self.core.take()
        taken = [activity for effect in effects for activity in effect.activities]
        self.records.update({effect.session_id: effect.record for effect in effects})
        self.activities += taken
        return told(taken)


class TestVisits:
    def test_a_session_starts_with_its_first_event_and_a_visit_with_its_page(self) -> None:
        visitor = Visitor()
        assert visitor.sends(move(0), meta(10, "/a"), move(20)) == [("session_start", 0), ("page_start", "w", "/a", 10)]
        assert visitor.sends(move(30)) == []

    def test_a_visit_ends_where_the_next_begins(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"))
        assert visitor.sends(move(10), meta(25, "/b")) == [
            ("page_end", "w", "/a", 25, 25),
            ("page_start", "w", "/b", 25),
        ]

    def test_the_same_page_loaded_again_is_the_same_visit(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"))
        assert visitor.sends(meta(10, "/a"), move(20)) == []

    def test_windows_visit_on_their_own(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"), window="w")
        assert visitor.sends(meta(10, "/a"), window="x") == [("page_start", "x", "/a", 10)]
        assert visitor.sends(meta(20, "/b"), window="w") == [
            ("page_end", "w", "/a", 20, 20),
            ("page_start", "w", "/b", 20),
        ]

    def test_visits_end_with_their_session_at_the_last_event_of_their_window(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"), move(40), window="w")
        visitor.sends(meta(10, "/b"), move(70), window="x")
        assert visitor.finishes() == [
            ("page_end", "w", "/a", 40, 40),
            ("page_end", "x", "/b", 70, 60),
            ("session_end", 70, 70, "input_end"),
        ]

    def test_a_late_batch_tells_of_no_visit(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"))
        visitor.sends(move(90), late=2)
        visitor.waits(NOW + 20 * MINUTE_MS)
        assert visitor.sends(meta(50, "/missed"), late=1, at=NOW + 20 * MINUTE_MS) == []
        assert visitor.finishes() == [("page_end", "w", "/a", 90, 90), ("session_end", 90, 90, "input_end")]

    def test_addresses_are_told_masked(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a?token=hunter2#top"))
        (page,) = [activity.page for activity in visitor.activities if activity.kind == "page_start"]
        assert page is not None
        assert "hunter2" not in page
        assert page == visitor.records["s"].pages[0].url


class TestEnds:
    def test_a_silent_session_ends_once(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"), move(10))
        assert visitor.waits(NOW + 30 * MINUTE_MS) == [
            ("page_end", "w", "/a", 10, 10),
            ("session_end", 10, 10, "idle"),
        ]
        assert visitor.waits(NOW + 48 * 60 * MINUTE_MS) == []

    def test_an_explicit_end_is_told_when_its_turn_has_come(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"))
        assert visitor.sends(move(20), late=2, ended=True) == []
        assert visitor.sends(move(10), late=1) == [("page_end", "w", "/a", 20, 20), ("session_end", 20, 20, "explicit")]

    def test_a_session_opened_again_starts_again_and_so_does_the_visit(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"), move(10))
        visitor.waits(NOW + 30 * MINUTE_MS)
        hour = 60 * MINUTE_MS
        assert visitor.sends(move(hour), move(hour + 5), at=NOW + hour) == [
            ("session_start", hour),
            ("page_start", "w", "/a", hour),
        ]
        assert visitor.finishes() == [
            ("page_end", "w", "/a", hour + 5, 5),
            ("session_end", hour + 5, 5, "input_end"),
        ]
        assert len({activity.id for activity in visitor.activities}) == len(visitor.activities) == 8
        assert len(visitor.records["s"].pages) == 1

    def test_a_session_opened_again_by_another_page_does_not_visit_the_old_one(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"), ended=True)
        assert visitor.sends(meta(100, "/b")) == [("session_start", 100), ("page_start", "w", "/b", 100)]

    def test_the_window_that_stays_silent_visits_nothing(self) -> None:
        visitor = Visitor()
        visitor.sends(meta(0, "/a"), window="w")
        visitor.sends(meta(0, "/b"), window="x", ended=True)
        assert visitor.sends(move(100), window="x") == [("session_start", 100), ("page_start", "x", "/b", 100)]

    def test_a_session_over_its_cap_is_over(self) -> None:
        visitor = Visitor(Settings(session=SessionSettings(max_bytes=200)))
        assert visitor.sends(meta(0, "/a"), move(10), move(20), meta(30, "/b")) == [
            ("session_start", 0),
            ("page_start", "w", "/a", 0),
            ("page_end", "w", "/a", 20, 20),
            ("session_end", 20, 20, "max_bytes"),
        ]
        assert visitor.sends(meta(40, "/c")) == []
        assert visitor.finishes() == []

    def test_a_session_without_events_never_was(self) -> None:
        visitor = Visitor()
        assert visitor.sends() == []
        assert visitor.finishes() == []

    def test_what_was_withdrawn_ends_in_silence(self) -> None:
        text = msgspec.json.encode({"privacy": {"exclude_users": ["u"]}})
        visitor = Visitor(msgspec.json.decode(text, type=Settings))
        visitor.sends(meta(0, "/a"))
        assert visitor.sends(meta(10, "/b"), user_id="u") == []
        assert visitor.finishes() == []


class TestWildInput:
    @pytest.mark.parametrize("wild", [T + 10**12, 2**53])
    def test_no_time_is_far_in_the_future(self, wild: int) -> None:
        visitor = Visitor()
        visitor.sends(meta(wild - T, "/a"))
        visitor.finishes()
        assert max(activity.t for activity in visitor.activities) == NOW + 24 * 60 * MINUTE_MS

    def test_a_page_that_changes_its_address_all_the_time_is_told_of_so_often(self) -> None:
        visitor = Visitor()
        visitor.sends(*(meta(number, f"/{number}") for number in range(VISITS_MAX + 5)))
        visitor.finishes()
        kinds = [activity.kind for activity in visitor.activities]
        assert kinds.count("page_start") == kinds.count("page_end") == VISITS_MAX
        assert visitor.records["s"].repaired[Reason.TOO_MANY_VISITS] == 5

    def test_a_long_address_is_cut(self) -> None:
        log = ActivityLog("p", "s", lambda _: None)
        page = "https://shop.example/" + "x" * PAGE_MAX_CHARACTERS
        log.enter("w", page, T, {})
        log.leave(Visit("w", page, T), T, {})
        assert [len(activity.page or "") for activity in log.take(T)] == [PAGE_MAX_CHARACTERS] * 2


class TestIds:
    def test_different_things_have_different_ids(self) -> None:
        seen = set()
        for project, session, window in [("p", "s", "w"), ("p", "s2", "w"), ("p2", "s", "w"), ("p", "s", "w2")]:
            log = ActivityLog(project, session, lambda _: None)
            log.start(T, {})
            log.enter(window, "/", T, {})
            log.leave(Visit(window, "/", T), T + 1, {})
            log.end(T + 1, "idle", {})
            seen |= {activity.id for activity in log.take(T + 1)}
        assert len(seen) == 4 + 4 + 4 + 2  # the last of them differs in its window only
