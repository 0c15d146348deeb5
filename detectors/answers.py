"""Which changes of a page answer a press: what `detectors.reactions` asks about each mutation.

Beside ripples, marks and what is the page's own (see there), these are told from answers:

* *suspects*: changes that no handler made at once. They may be the page's own (`detectors.trails`) or hovering, and are
  judged when somebody asks. Hovering are looks that change while the pointer moves, and what comes in such a moment
  and is gone again soon;
* what goes by itself: messages that were shown for a while, and tooltips that a press takes away.
"""

from typing import Final

from detectors.background import Place, is_text, place_of_change
from detectors.elements import Element
from detectors.interactions import Change, MouseMove, Mutation
from detectors.presses import (
    CLICK_MARKS,
    LOOKS,
    PressRecord,
    ReactionsState,
    Suspect,
    moved_at,
    renders_anew,
    toggle,
    toggle_name,
)
from detectors.trails import SYNC_MS

MAX_RIPPLES: Final = 64
"""Added elements watched for being removed again; one more than that is no ripple."""

HANDLED_MS: Final = 10
"""What comes so soon after a press or click is the work of its handler, not of a timer that ends a ripple."""

HANDLER_MS: Final = 150
"""After a click, changes of looks that come later than this are not its handler's first answer."""

SHARED_MS: Final = 500
"""Pages that wait for a pause in clicks (debounce) wait 100 to 400 ms."""

REFUSED_MS: Final = 100
"""What comes so soon after a failed request of the press tells of the failure."""

MAX_SUSPECTS: Final = 24
"""Changes of one press left open; one more than that is an answer."""

SMALL_CHANGES: Final = 10
"""Larger mutations are not what clocks, feeds and pointers make."""

HOVER_LEAD_MS: Final = 700
"""Tooltips come so long after the pointer came to rest, at most."""

HOVER_STAY_MS: Final = 1_500
"""What came by hovering and is gone so soon was no answer."""

SHOWN_MS: Final = 10_000
"""Messages that go by themselves are not shown for longer."""

PREVIEW_MS: Final = 1_000
"""Who sees what a click would choose (stars that light up, a list's next value) clicks so soon."""

ADD_REMOVE: Final = ("add", "remove")

MAX_BORN: Final = 32
"""Elements whose coming is remembered, and places whose texts changed."""


def judge(state: ReactionsState, mutation: Mutation, record: PressRecord) -> None:
    """Find out whether `mutation` answers the press `record`, the latest one."""
    if not record.answered and _is_no_question(state, mutation, record):
        return
    unexplained = False
    came: set[int | str] = set()
    for change in mutation.changes:
        if _ends_ripple(state, change, mutation.t):
            continue
        if not record.answered:
            own = _is_own(state, change, record)
            if not own and not came.isdisjoint(change.scope[1:2]):
                came.add(change.node_id)  # it came with its parent, whatever that is
            elif _is_nothing(state, change, record, mutation.t, own=own):
                came.add(change.node_id)
            else:
                unexplained = True
                if not _may_be_nothing(state, change, record, mutation, own=own):
                    answer(state, record, mutation.t)
                came.add(change.node_id)
    if unexplained and mutation.total > len(mutation.changes):
        answer(state, record, mutation.t)  # what was not sent in full cannot be a ripple


def _is_no_question(state: ReactionsState, mutation: Mutation, record: PressRecord) -> bool:
    """Tell whether a mutation as a whole puts the control anew, or tells of a request that failed."""
    if renders_anew(mutation, record.region):
        record.rendered = True
        return True
    if not 0 <= mutation.t - record.failed_t <= REFUSED_MS:
        return False
    record.refused = True
    for change in mutation.changes:
        _ends_ripple(state, change, mutation.t)
    return True


def _ends_ripple(state: ReactionsState, change: Change, t: int) -> bool:
    """Let a ripple end that `change` takes away; tell whether it was one."""
    if change.kind != "remove":
        return False
    if change.node_id in state.ripples:
        _undo(state, change.node_id, t)
        return True
    if change.node_id in state.inner:
        _empty(state, change.node_id)
        return True
    return False


def _is_own(state: ReactionsState, change: Change, record: PressRecord) -> bool:
    """Tell whether a change is within the pressed control; ripples of a checkbox are within what is around it."""
    scope = change.scope
    if record.region is not None and record.region in scope:
        return True
    if record.wrapper is None or record.wrapper not in scope:
        return False
    if change.kind != "attribute":
        return True
    return not (state.ripples.keys().isdisjoint(scope) and state.inner.keys().isdisjoint(scope))


def note(state: ReactionsState, mutation: Mutation) -> None:
    """Remember what a mutation did, and when; before it is judged."""
    if mutation.total > SMALL_CHANGES:
        return
    t, acted_t, trails = mutation.t, state.acted_t, state.trails
    done_t = max(acted_t, state.typed_t)
    came: list[int | str] = []
    beside: int | str | None = None
    for change in mutation.changes:
        kind, scope = change.kind, change.scope
        above = scope[1] if len(scope) > 1 else None
        if kind == "add":
            came.append(change.node_id)
        if above is not None and above in came:
            continue  # it came with its parent
        if kind == "add":
            _bear(state, change.node_id, t)
        near = _near(change)
        if near and t - acted_t > SYNC_MS and (kind == "text" or change.has_text):
            _stir(state, near, t)
        is_beside = above is not None and above == beside
        beside = above if kind in ADD_REMOVE else None
        if not is_beside or beside is None:  # what comes and goes in one place is one change of it
            trails.note(place_of_change(change), t, done_t)
            trails.note(near, t, done_t)


def is_previewed(state: ReactionsState, control: Element, t: int) -> bool:
    """Tell whether texts of `control` or beside it changed just before a press at `t` (epoch ms), not by a clock."""
    if not state.stirred:
        return False
    if _is_stirred(state, control, t):
        return True
    return control.parent is not None and _is_stirred(state, control.parent, t)


def _is_stirred(state: ReactionsState, element: Element, t: int) -> bool:
    place: Place = ("near", element.node_id)
    stirred_t = state.stirred.get(place)
    if stirred_t is None or t - stirred_t > PREVIEW_MS:
        return False
    return not state.trails.keeps_time(place, t, [press.t for press in state.presses])


def answer(state: ReactionsState, record: PressRecord, t: int) -> None:
    """Note an answer that came at `t` (epoch ms): to a press, and to quick ones on the same control before it."""
    record.answered = True
    if t - state.acted_t <= HANDLER_MS:
        return  # the work of this very click
    for press in _sharing(state, record, t):
        press.answered = True


def leave_open(state: ReactionsState, record: PressRecord, suspect: Suspect) -> bool:
    """Let a change be judged later; tell whether there was room."""
    for press in _sharing(state, record, suspect.t):
        if len(press.suspects) >= MAX_SUSPECTS:
            press.suspects = [known for known in press.suspects if is_answer(state, known, press.t)]
            if len(press.suspects) >= MAX_SUSPECTS:
                return False
        press.suspects.append(suspect)
    return True


def is_answer(state: ReactionsState, suspect: Suspect, press_t: int) -> bool:
    """Tell what a suspect of the press at `press_t` (epoch ms) is, by all that is known now."""
    if suspect.moved and suspect.left:
        return False
    trails, place, near, t = state.trails, suspect.place, suspect.near, suspect.t
    presses = [press.t for press in state.presses]
    if trails.explains(place, t, press_t, presses) or (near and trails.is_restless(near, t, press_t)):
        return False
    if not near or len(place) == 1:
        return True  # a request, or what comes and goes: its own place tells all
    return not (
        trails.explains_around(near, t, press_t, presses)
        or trails.explains_around(("near", place[0]), t, press_t, presses)
        or (place[-1] in LOOKS and trails.is_late(near, t, press_t))
    )


def note_move(record: PressRecord, move: MouseMove) -> None:
    """Now it is known when the pointer moved: what changed just then may be hovering."""
    for suspect in record.suspects:
        if not suspect.moved and suspect.lead_ms is not None and moved_at(move, suspect.t, suspect.lead_ms):
            suspect.moved = True


def _is_nothing(state: ReactionsState, change: Change, record: PressRecord, t: int, *, own: bool) -> bool:
    return (
        _is_mark(state, change, record, own=own)
        or (change.kind == "remove" and _goes_by_itself(state, change.node_id, record, t))
        or state.background.explains(change, t, state.acted_t, own=own)
        or (not own and state.trails.is_in_motion(place_of_change(change), t, record.t))
    )


def _may_be_nothing(
    state: ReactionsState, change: Change, record: PressRecord, mutation: Mutation, *, own: bool
) -> bool:
    late = mutation.t - state.acted_t > HANDLER_MS
    is_look = change.kind == "attribute" and change.name in LOOKS
    if own and not (late and is_look and toggle_name(change) not in record.toggles):
        return _may_be_ripple(state, change, record)
    if mutation.total > SMALL_CHANGES and not is_look:
        return False
    place = place_of_change(change)
    if mutation.t - state.acted_t <= SYNC_MS and not (
        state.trails.has_run(place) or state.trails.has_run(_near(change))
    ):
        return False
    began_t = state.trails.began(place, mutation.t)
    if began_t < mutation.t and any(known.t == began_t and known.place == place for known in record.suspects):
        return True  # what goes on is what it was when it began
    suspect = Suspect(place, _near(change), mutation.t)
    if late and is_look:
        suspect.lead_ms, suspect.left = 0, True
    elif late and change.kind == "add":
        suspect.lead_ms, suspect.node_id = HOVER_LEAD_MS, change.node_id
    return leave_open(state, record, suspect)


def _is_mark(state: ReactionsState, change: Change, record: PressRecord, *, own: bool) -> bool:
    """Tell whether a change only shows where the pointer or the focus is, or was until this press."""
    if change.name in CLICK_MARKS or (own and _is_pressing(change, record)):
        return True
    if record.clicked:
        return False
    field = state.focused_field
    return bool(field) and record.region != field[0] and not set(change.scope[:3]).isdisjoint(field)


def _is_pressing(change: Change, record: PressRecord) -> bool:
    """Tell whether the pressed control looks pressed, or as before again."""
    if change.kind != "attribute" or change.name not in LOOKS:
        return False
    name = toggle_name(change)
    if record.clicked and name not in record.marks:
        return False
    return toggle(record.marks, name)


def _goes_by_itself(state: ReactionsState, node_id: int | str, record: PressRecord, t: int) -> bool:
    """Tell whether what is removed was there for a while only, and not for a press, or hovering."""
    for suspect in record.suspects:
        if suspect.node_id == node_id:
            suspect.left = t - suspect.t <= HOVER_STAY_MS
            return True  # when it came was the answer, if it was one
    born = state.born.get(node_id)
    if born is None or t - born[0] > SHOWN_MS:
        return False
    if t - state.acted_t > SYNC_MS:
        return born[0] < record.t
    return not record.clicked and born[1] > HANDLER_MS


def _bear(state: ReactionsState, node_id: int | str, t: int) -> None:
    state.born[node_id] = (t, min(t - state.acted_t, SHOWN_MS))
    if len(state.born) > MAX_BORN:
        del state.born[next(iter(state.born))]


def _stir(state: ReactionsState, near: Place, t: int) -> None:
    state.stirred.pop(near, None)
    state.stirred[near] = t
    if len(state.stirred) > MAX_BORN:
        del state.stirred[next(iter(state.stirred))]


def _sharing(state: ReactionsState, record: PressRecord, t: int) -> list[PressRecord]:
    """Give the press, and quick ones on the same control before it, which a late answer at `t` is for as well."""
    sharing = [record]
    if t - state.acted_t > HANDLER_MS:
        for earlier in reversed(state.presses[:-1]):
            if earlier.region != record.region or t - earlier.t > SHARED_MS:
                break
            sharing.append(earlier)
    return sharing


def _undo(state: ReactionsState, node_id: int | str, t: int) -> None:
    """Let a ripple end, unless the next press ends it: then both presses had their answer."""
    number = state.ripples.pop(node_id)
    if state.inner:
        state.inner = {inner: shell for inner, shell in state.inner.items() if shell != node_id}
    if number != state.current and t - state.acted_t <= HANDLED_MS:
        state.presses[number - state.first].answered = state.presses[-1].answered = True


def _empty(state: ReactionsState, node_id: int | str) -> None:
    """Let what was added to a ripple end; the shell that is left when all of it is gone shows nothing."""
    shell = state.inner.pop(node_id)
    if shell not in state.inner.values():
        state.ripples.pop(shell, None)


def _may_be_ripple(state: ReactionsState, change: Change, record: PressRecord) -> bool:
    ripples, inner = state.ripples, state.inner
    if change.kind == "attribute":
        goes_along = not (ripples.keys().isdisjoint(change.scope) and inner.keys().isdisjoint(change.scope))
        return goes_along or toggle(record.toggles, toggle_name(change))
    if change.kind != "add" or change.has_text or change.name == "#text":
        return False
    parent = change.scope[1] if len(change.scope) > 1 else None
    if parent in inner:
        return True  # it comes and goes with its parent
    if len(ripples) + len(inner) >= MAX_RIPPLES:
        return False
    if parent in ripples:
        inner[change.node_id] = parent
    else:
        ripples[change.node_id] = state.current
    return True


def _near(change: Change) -> Place:
    """Name the part of the page around a change: figures that move stand beside each other."""
    scope = change.scope
    if change.kind == "attribute":
        return ("near", scope[1], change.name) if len(scope) > 1 else ()
    above = 2 if is_text(change) else 1
    return ("near", scope[above]) if len(scope) > above else ()
