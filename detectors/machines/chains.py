"""Click chains: clicks alike in a chain, each with the life of its action, judged together when the chain closes.

A click's action lives until nothing has happened for `settle_ms`; without any activity within that time after its
release (or its press) it has none. Sources: Datadog's `clickChain.ts`, `trackClickActions.ts`, `waitPageActivityEnd.ts`
and `computeFrustration.ts`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from detectors.elements import Element
from detectors.interactions import (
    AuxClick,
    Click,
    Failure,
    Input,
    Interaction,
    Mutation,
    Navigation,
    PageExit,
    RequestEnd,
    RequestStart,
    Scroll,
    Selection,
    Visibility,
    WindowOpen,
)
from detectors.machine import Machine, Report
from detectors.machines.chain_parts import INPUT, SCROLL, SELECTION, Action, Chain, ChainRule, ChainState, is_dead
from detectors.machines.gestures import MAX_LISTED, Pointer, finding, place_of, press_time, release_time
from schemas.signals import EvidenceValue

MAX_CHAINS: Final = 16
"""Chains that wait for their clicks to end; the oldest is judged as it is for one more."""

MAX_CLICKS: Final = 100
"""Clicks of a chain that are held one by one; what older ones came to is kept as sums."""

MAX_RECENT: Final = 128
"""Activities remembered for gestures that are told when they end."""

MAX_REQUESTS: Final = 64
"""Requests under way that are remembered; of more, the oldest are forgotten."""

MAX_SAME: Final = 8
"""Requests under way that share an id or address."""

MAX_TOLD_LATE_MS: Final = 250
"""How long after its release a click may be told; a chain that closed in between is held so long for it."""

MAX_KEY: Final = 128
"""Characters of a request's id or address that it is known by."""


class ClickChains(Machine[ChainState]):
    """Finds rage, dead and error clicks in chains of clicks."""

    def __init__(self, rule: ChainRule, report: Report) -> None:
        super().__init__(ChainState())
        self.name = f"{rule.preset}/clicks"
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map clicks of all buttons, activity of page and visitor, errors, and ends of views."""
        return {
            Click: self._on_click,
            AuxClick: self._on_click,
            Mutation: self._on_mutation,
            WindowOpen: self._on_window_open,
            RequestStart: self._on_request_start,
            RequestEnd: self._on_request_end,
            Selection: self._on_selection,
            Scroll: self._on_scroll,
            Input: self._on_input,
            Failure: self._on_failure,
            Navigation: self._on_view_end,
            Visibility: self._on_visibility,
            PageExit: self._on_view_end,
        }

    # -- time -----------------------------------------------------------------------------------------------------

    def advance(self, t: int) -> None:
        """End actions and close chains that are due at `t` (epoch ms), in the order in which they are."""
        while self.deadline is not None and self.deadline <= t:
            now = self.deadline
            for chain in list(self._state.chains):
                for action in chain.actions:
                    if not action.is_stopped and self._end_of(action) <= now:
                        _stop(action, self._end_of(action))
                if chain.is_open and self._closing_of(chain) <= now:
                    chain.is_open, chain.closed_t = False, self._closing_of(chain)
                self._try_judge(chain, now)
                if chain.judged_t is not None and self._closing_of(chain) + MAX_TOLD_LATE_MS <= now:
                    self._judge(chain, chain.judged_t)
            self._rearm()

    def finish(self) -> None:
        """Close all chains as the end of a page does: what is alive then is not dead."""
        for chain in list(self._state.chains):
            self._end_view(chain, max(action.t for action in chain.actions))
        self._rearm()

    def _rearm(self) -> None:
        deadlines = [
            self._end_of(action) for chain in self._state.chains for action in chain.actions if not action.is_stopped
        ]
        deadlines += [self._closing_of(chain) for chain in self._state.chains if chain.is_open]
        deadlines += [
            self._closing_of(chain) + MAX_TOLD_LATE_MS for chain in self._state.chains if chain.judged_t is not None
        ]
        self.deadline = min(deadlines, default=None)

    def _closing_of(self, chain: Chain) -> int:
        return chain.actions[-1].t + self._rule.gap_ms

    def _end_of(self, action: Action) -> int:
        longest = action.t + self._rule.longest_ms
        if action.activity_t is None:
            return action.t + self._rule.settle_ms
        return longest if action.pending > 0 else min(longest, action.activity_t + self._rule.settle_ms)

    # -- clicks ---------------------------------------------------------------------------------------------------

    def _on_click(self, click: Pointer) -> None:
        element, state = click.target, self._state
        if element is None or not click.is_primary:
            return
        press_t, t = press_time(click), release_time(click)
        user = self._share_user_activity(press_t, click.t)
        state.clicks += 1
        exempt = self._rule.is_exempt(element)
        action = Action(state.clicks, t, press_t, click.x, click.y, state.next_request, exempt, user=user)
        self._look_back(action, click.t)
        chain = self._chain_at(t)
        if chain is not None and self._is_alike(chain, action, element):
            chain.is_open, chain.closed_t, chain.judged_t = True, None, None
            self._append(chain, action)
        else:
            if chain is not None:
                self._close_at(chain, t)
            place = place_of(click, element)
            state.chains.append(Chain(element.node_id, place, t, [action], times=[t]))
            if len(state.chains) > MAX_CHAINS:
                self._end_view(state.chains[0], t)
        self._rearm()

    def _close_at(self, chain: Chain, t: int) -> None:
        """Close a chain with a click elsewhere at `t` (epoch ms): it is judged then, or when its last click is over."""
        chain.is_open = False
        over_t = max([t, *(action.stopped_t for action in chain.actions if action.is_stopped)])
        if chain.judged_t is None:
            self._try_judge(chain, over_t)
        else:
            self._judge(chain, min(over_t, chain.judged_t))

    def _chain_at(self, t: int) -> Chain | None:
        """Give the chain that was open when a click told now was released at `t` (epoch ms)."""
        chain = self._state.chains[-1] if self._state.chains else None
        was_open = chain is not None and (chain.is_open or (chain.closed_t is not None and t < chain.closed_t))
        return chain if was_open else None

    def _is_alike(self, chain: Chain, action: Action, element: Element) -> bool:
        previous = chain.actions[-1]
        across, down = action.x - previous.x, action.y - previous.y
        return (
            chain.node_id == element.node_id
            and across * across + down * down <= self._rule.max_px * self._rule.max_px
            and action.t - previous.t < self._rule.gap_ms
        )

    def _append(self, chain: Chain, action: Action) -> None:
        chain.actions.append(action)
        chain.total += 1
        if len(chain.times) < MAX_LISTED:
            chain.times.append(action.t)
        last = chain.actions[-self._rule.count :]
        if len(last) == self._rule.count and last[-1].t - last[0].t <= self._rule.span_ms:
            chain.is_dense = True
        if len(chain.actions) > MAX_CLICKS:
            oldest = chain.actions.pop(0)
            chain.any_dead = chain.any_dead or is_dead(oldest)
            chain.user |= oldest.user

    def _look_back(self, action: Action, told_t: int) -> None:
        """Take note of what happened between press or release and the moment the gesture was told."""
        settle_ms = self._rule.settle_ms
        for t in self._state.recent:
            # What carries the moment of the gesture itself was told before it.
            if action.press_t < told_t and action.press_t <= t < action.press_t + settle_ms:
                action.has_activity = True
            if action.t < told_t and action.t <= t < action.t + settle_ms:
                action.activity_t = t

    def _share_user_activity(self, press_t: int, told_t: int) -> int:
        """Leave the click before what the visitor did until the press; return what is the new click's."""
        state, chain = self._state, self._latest_chain()
        judged_t = None if chain is None else chain.judged_t
        earlier = own = 0
        for kind, times in state.user.items():
            later = [t for t in times if t >= press_t] if press_t < told_t else []
            before = times[: len(times) - len(later)]
            earlier |= kind if before and (judged_t is None or before[0] < judged_t) else 0
            own |= kind if later else 0
            state.user[kind] = later
        if chain is not None:
            chain.actions[-1].user = earlier
        return own

    def _latest_chain(self) -> Chain | None:
        """Give the chain that ends with the latest click, unless it was told of."""
        chains = self._state.chains
        return chains[-1] if chains and chains[-1].actions[-1].number == self._state.clicks else None

    # -- what happens ---------------------------------------------------------------------------------------------

    def _on_mutation(self, mutation: Mutation) -> None:
        if self._rule.is_activity(mutation):
            self._note_activity(mutation.t)

    def _on_window_open(self, opened: WindowOpen) -> None:
        self._note_activity(opened.t)

    def _on_request_start(self, request: RequestStart) -> None:
        if not self._rule.is_request(request.url):
            return
        state = self._state
        numbers = state.requests.setdefault(_key(request), [])
        numbers.append(state.next_request)
        del numbers[:-MAX_SAME]
        if len(state.requests) > MAX_REQUESTS:
            del state.requests[next(iter(state.requests))]
        state.next_request += 1
        for action in self._living():
            action.pending += 1
        self._note_activity(request.t)

    def _on_request_end(self, request: RequestEnd) -> None:
        numbers = self._state.requests.get(_key(request))
        if not self._rule.is_request(request.url):
            return
        if numbers:
            number = numbers.pop(0)
            if not numbers:
                del self._state.requests[_key(request)]
            for action in self._living():
                if number >= action.first_request:
                    action.pending -= 1
                    action.activity_t = request.t
            self._rearm()
        elif request.start_t < request.t:  # a recording that tells requests when they end
            self._note_activity(request.start_t)

    def _note_activity(self, t: int) -> None:
        state = self._state
        state.recent.append(t)
        del state.recent[:-MAX_RECENT]
        for action in self._living():
            if t >= action.t:
                action.activity_t = t if action.activity_t is None else max(t, action.activity_t)
            if action.press_t <= t < action.press_t + self._rule.settle_ms:
                action.has_activity = True
        self._rearm()

    def _living(self) -> list[Action]:
        return [action for chain in self._state.chains for action in chain.actions if not action.is_stopped]

    def _on_selection(self, selection: Selection) -> None:
        was_selected, self._state.selected = self._state.selected, not selection.collapsed
        if was_selected or not selection.collapsed:
            self._note_user(selection, SELECTION)

    def _on_scroll(self, scroll: Scroll) -> None:
        self._note_user(scroll, SCROLL)

    def _on_input(self, changed: Input) -> None:
        self._note_user(changed, INPUT)

    def _note_user(self, interaction: Interaction, kind: int) -> None:
        times = self._state.user.setdefault(kind, [])
        times.append(interaction.t)
        if len(times) > MAX_LISTED:
            del times[-2]
        chain = self._latest_chain()
        if chain is not None and chain.judged_t is None:
            chain.actions[-1].user |= kind

    def _on_failure(self, failure: Failure) -> None:
        for chain in self._state.chains:
            if chain.judged_t is not None:
                continue
            chain.errors += 1
            for action in chain.actions:
                if not action.is_stopped and failure.t >= action.t:
                    action.errors += 1

    def _on_visibility(self, visibility: Visibility) -> None:
        if visibility.hidden:
            self._on_view_end(visibility)

    def _on_view_end(self, interaction: Navigation | PageExit | Visibility) -> None:
        """The view ends: what is still alive has been answered by that, and no chain takes more."""
        for chain in list(self._state.chains):
            self._end_view(chain, interaction.t)
        self._rearm()

    def _end_view(self, chain: Chain, t: int) -> None:
        if chain.judged_t is not None:
            self._judge(chain, chain.judged_t)
            return
        for action in chain.actions:
            if not action.is_stopped:
                action.activity_t = t
                _stop(action, t)
        chain.is_open, chain.closed_t = False, None
        self._try_judge(chain, t)

    # -- judging --------------------------------------------------------------------------------------------------

    def _try_judge(self, chain: Chain, now: int) -> None:
        """Judge a chain that takes no more clicks once all of its own are over; if it just ran out, a little later."""
        if chain.judged_t is not None or chain.is_open or not all(action.is_stopped for action in chain.actions):
            return
        if chain.closed_t is not None and now < chain.closed_t + MAX_TOLD_LATE_MS:
            chain.judged_t = now
        else:
            self._judge(chain, now)

    def _judge(self, chain: Chain, now: int) -> None:
        self._state.chains.remove(chain)
        user = chain.user
        for action in chain.actions:
            user |= action.user
        if chain.is_dense and not user & (SELECTION | SCROLL):
            self._tell("rage_click", chain, chain.t, now)
            if chain.any_dead or any(is_dead(action) for action in chain.actions):
                self._tell("dead_click", chain, chain.t, now)
            if chain.errors:
                self._tell("error_click", chain, chain.t, now)
            return
        at_once, before_t = 0, None
        for action in chain.actions:
            at_once, before_t = (at_once + 1 if action.t == before_t else 0), action.t
            if action.errors:
                self._tell("error_click", chain, action.t, now, action, at_once)
            if is_dead(action) and not user & SELECTION:
                self._tell("dead_click", chain, action.t, now, action, at_once)

    def _tell(
        self, detector: str, chain: Chain, t: int, now: int, action: Action | None = None, at_once: int = 0
    ) -> None:
        """Report a signal; `at_once` tells clicks of one millisecond apart."""
        rule = self._rule
        evidence: dict[str, EvidenceValue] = {"decided_t": now}
        count = None
        if detector == "rage_click":
            count = chain.total
            evidence.update(needed_clicks=rule.count, window_ms=rule.span_ms, click_times=list(chain.times))
        elif detector == "dead_click":
            evidence.update(wait_ms=rule.settle_ms)
        end_t = chain.actions[-1].t if action is None else action.t
        name = f"{rule.preset}/{detector}@{rule.version}"
        key = str(at_once) if at_once else ""
        self._report(finding(name, t, chain.place, evidence, end_t=end_t, count=count, key=key))


def _key(request: RequestStart | RequestEnd) -> str:
    return (request.request_id or request.url)[:MAX_KEY]


def _stop(action: Action, t: int) -> None:
    action.is_stopped, action.stopped_t = True, t
    action.has_activity = action.has_activity or action.activity_t is not None
