"""Following a session that is still open."""

import msgspec
from playwright.sync_api import expect

from schemas.bundle_index import BundleIndex
from tests.e2e_viewer.conftest import Open
from tests.e2e_viewer.lists.running import Site
from tests.e2e_viewer.recordings import Nodes, draft, flat, keyframe, move, mutation, session_record
from tests.replay.samples import T0, signal, write


class Growing:
    """An open session to which a second of recording is added at a time."""

    def __init__(self, site: Site, session_id: str) -> None:
        self._site = site
        self._id = session_id
        nodes = Nodes()
        self._title = nodes.text("second 0")
        page = nodes.page(nodes.element("h1", {}, self._title))
        self._written = 0
        self._second = 10
        first = [keyframe(0, page), *([mutation(t * 1000, texts=[self._text(t)])] for t in range(1, 11))]
        self._write(blocks=[draft(flat(first), is_keyframe=True)])

    def _text(self, second: int) -> dict[str, object]:
        return {"id": self._title["id"], "value": f"second {second}"}

    def _write(self, *, status: str = "open", **what: object) -> None:
        told = session_record(self._id, seconds=self._second, status=status)
        self._site.run(self._site.store.apply(write(self._id, base=self._written, record_of=told, **what)))  # type: ignore[arg-type]
        self._written += 1

    def grow(self, seconds: int) -> None:
        for _ in range(seconds):
            self._second += 1
            at = self._second * 1000
            events = [mutation(at, texts=[self._text(self._second)]), move(at + 1, 5, 5)]
            self._write(blocks=[draft(events, sequence=self._second)])

    def hurt(self) -> None:
        found = msgspec.structs.replace(signal(f"hurt-{self._second}", session_id=self._id), t=T0 + self._second * 1000)
        self._write(signals=[found])

    def end(self) -> None:
        self._write(status="ended")

    @property
    def index(self) -> BundleIndex:
        found = self._site.run(self._site.store.index(self._id))
        assert found is not None
        return found


def test_what_comes_is_shown_as_it_comes(site: Site, open_page: Open) -> None:
    growing = Growing(site, "open-1")
    visit = open_page("/s/open-1?t=%2B8")
    visit.shown()
    page = visit.page
    live = page.get_by_role("button", name="Live")
    expect(live).to_be_visible()
    expect(page.locator(".time")).to_contain_text("/ 0:10")
    growing.grow(10)
    expect(page.locator(".time")).to_contain_text("/ 0:20")
    live.click()
    expect(live).to_have_attribute("aria-pressed", "true")
    visit.until_replayed("second 2")
    growing.grow(5)
    visit.until_replayed("second 25")
    growing.hurt()
    expect(page.get_by_role("button", name="Rage click").first).to_be_visible()
    assert len(growing.index.blocks) == 16


def test_its_end_is_told_and_what_was_merged_still_plays(site: Site, open_any: Open) -> None:
    growing = Growing(site, "open-2")
    growing.grow(5)
    visit = open_any("/s/open-2?t=%2B2")
    visit.shown()
    growing.end()
    expect(visit.page.get_by_text("The session has ended")).to_be_visible()
    expect(visit.page.get_by_role("button", name="Live")).to_be_hidden()
    site.run(site.store.compact("open-2", growing.index.version))
    assert growing.index.compacted
    visit.page.keyboard.press("End")
    visit.until_replayed("second 15")
    visit.page.keyboard.press("Home")
    visit.page.keyboard.press("ArrowRight")
    visit.until_replayed("second 4")
    # Positions in data that was replaced are refused once, and the index is read again.
    assert [text for text in visit.complaints if "409" not in text] == []
