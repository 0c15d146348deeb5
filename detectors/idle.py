"""Idle: a long silence of the visitor on an open page, and then they are back.

Our rule: nothing was moved, pressed, typed, scrolled or selected for at least `after_ms`, the tab was not hidden in
that time, no media was played shortly before or in it (who watches a film sits still), and the last thing clicked was
not a link that led nowhere here: it opened another tab, where the visitor was. It is reported when the
visitor is back; a silence that never ends may be an empty chair, or a closed tab. It is a fact about attention rather
than a grievance, and adds nothing to the score.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from detectors.aim import Aims
from detectors.default_settings import IdleSettings
from detectors.hands import Hands
from detectors.interactions import Click, Media, Navigation, PageShown, Visibility
from detectors.machine import NEVER, Machine, Report
from detectors.moments import At
from detectors.protocol import Finding

RULE: Final = "wince/idle@1"

MEDIA_MS: Final = 600_000
"""Media that played so shortly before is taken to go on: a recording tells its start and not its length."""


LINK_TAGS: Final = frozenset({"a", "area"})


@dataclass(slots=True)
class IdleState:
    """When the visitor was last seen to do something (epoch ms), the tab was hidden, and media played.

    `went_away` means that they followed a link since, and that this page stayed.
    """

    active_t: int = NEVER
    went_away: bool = False
    hidden_t: int = NEVER
    media_t: int = NEVER


class Idle(Machine[IdleState]):
    """Finds long silences that ended; `hands` must have seen each interaction first."""

    name = "idle"

    def __init__(self, settings: IdleSettings, aims: Aims, hands: Hands, report: Report) -> None:
        super().__init__(IdleState())
        self._aims = aims
        self._after_ms = settings.after_ms
        self._report = report
        self._hands = hands
        self._touches = hands.touches
        hands.tell_of_silence(settings.after_ms, self._back)

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """What makes silence something else; what visitors do is noted by the hands."""
        return {
            Click: self._on_click,
            Navigation: self._on_navigation,
            PageShown: self._on_page,
            Visibility: self._on_visibility,
            Media: self._on_media,
        }

    def finish(self) -> None:
        """Forget: nobody came back."""
        self._state = IdleState()
        self._hands.active_t = NEVER

    def restore(self, state: msgspec.Raw) -> None:
        """Take over the state of an equal machine; the hands go on from it."""
        super().restore(state)
        self._hands.active_t = self._state.active_t

    def _settle(self) -> None:
        self._state.active_t = self._hands.active_t
        self._state.went_away = self._is_away()

    def _is_away(self) -> bool:
        """Tell whether the visitor followed a link away, and touched nothing since."""
        return self._state.went_away and self._hands.touches == self._touches

    def _back(self, since: int, interaction: At) -> None:
        """Report a silence since then (epoch ms), if it was one, now that it is over."""
        state = self._state
        if since > NEVER:
            if state.hidden_t < since and state.media_t < since - MEDIA_MS and not self._is_away():
                self._report(self._finding(since, interaction.t, interaction.page))
            state.media_t = NEVER

    def _on_click(self, click: Click) -> None:
        aim = self._aims.of(click)
        self._touches = self._hands.touches
        self._state.went_away = (
            aim is not None and aim.is_interactive and aim.control.tag in LINK_TAGS and "href" in aim.control.attributes
        )

    def _on_navigation(self, _navigation: Navigation) -> None:
        self._state.went_away = False

    def _on_page(self, page: PageShown) -> None:
        """A page that comes was asked for, or loads itself again: somebody was there, nobody came back."""
        self._hands.active_t = page.t

    def _on_visibility(self, visibility: Visibility) -> None:
        self._state.hidden_t = visibility.t

    def _on_media(self, media: Media) -> None:
        self._state.media_t = media.t

    def _finding(self, since: int, t: int, page: str) -> Finding:
        return Finding(
            detector=self.name,
            t=since,
            end_t=t,
            page=page,
            target=None,
            rule=RULE,
            evidence={"idle_ms": t - since, "after_ms": self._after_ms},
        )
