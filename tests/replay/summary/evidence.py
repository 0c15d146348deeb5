"""Evidence to summarize: by hand, and at random."""

import msgspec
from hypothesis import strategies as st

from replay.summary.actions import Actions
from schemas.bundle_index import BlockEntry, BundleIndex, Hole
from schemas.session_record import PageVisit, ScorePart, SessionRecord, Totals
from schemas.signals import EvidenceValue, Signal, Target

T0 = 1_795_295_291_000

BUTTON = Target(node_id=7, selector="form > button.pay", tag="button", text="Apply")

EVIDENCE: dict[str, dict[str, EvidenceValue]] = {
    "dead_click": {"wait_ms": 3000, "sign": "control"},
    "error_click": {"fingerprint": "f1", "error_type": "TypeError", "message": "x is undefined", "delay_ms": 3},
    "js_error": {"fingerprint": "f1", "error_type": "TypeError", "message": "x is undefined"},
    "network_error": {"url": "https://shop.test/api/order?x=***", "status": 500, "delay_ms": 937},
    "slow_response": {"waited_ms": 4200, "slow_ms": 3000, "answer": "request"},
    "form_abandonment": {"fields": 9, "refusals": 2, "last_field": "input#cvc", "left_by": "page"},
    "idle": {"idle_ms": 41_436, "after_ms": 30_000},
}


def signal(  # noqa: PLR0913
    detector: str = "rage_click",
    t: int = 0,
    end_t: int | None = None,
    *,
    count: int | None = None,
    window: str = "w1",
    page: str = "https://shop.test/cart",
    target: Target | None = BUTTON,
    name: str = "",
    evidence: dict[str, EvidenceValue] | None = None,
    rule: str = "wince/x@1",
) -> Signal:
    return Signal(
        id=name or f"{detector}-{window}-{t}",
        detector=detector,
        session_id="a",
        window_id=window,
        project_id="shop",
        t=T0 + t,
        end_t=T0 + (t if end_t is None else end_t),
        page=page,
        target=target,
        rule=rule,
        evidence=EVIDENCE.get(detector, {}) if evidence is None else evidence,
        count=count,
    )


def visit(t: int, path: str = "/cart", window: str = "w1") -> PageVisit:
    return PageVisit(url=f"https://shop.test{path}", window_id=window, t=T0 + t)


def record(pages: list[PageVisit], last: int = 60_000, **changes: object) -> SessionRecord:
    base = SessionRecord(
        session_id="a",
        project_id="shop",
        started_at=T0,
        last_event_at=T0 + last,
        status="ended",
        window_ids=sorted({page.window_id for page in pages}) or ["w1"],
        pages=pages,
        totals=Totals(clicks=3),
        tags={},
        score=0,
        score_parts=[],
        privacy_level="medium",
        policy_version="1",
        end_reason="idle",
    )
    return msgspec.structs.replace(base, **changes)


def index(holes: list[Hole], **window_ends: int) -> BundleIndex:
    blocks = [
        BlockEntry(
            window_id=window, sequence=0, offset=0, length=1, raw_length=1, events=1, first_t=T0, last_t=T0 + end
        )
        for window, end in window_ends.items()
    ]
    return BundleIndex("a", 1, blocks, holes, 0)


_DETECTORS = [*EVIDENCE, "rage_click", "rapid_reload", "quick_back", "thrashed_cursor", "scroll_thrash"]
_DETECTORS += ["form_error_loop", "right_clicks"]
_WINDOWS = st.sampled_from(["w1", "w2", "w3"])
_TIMES = st.integers(-1_000, 90_000)
_TEXTS = st.sampled_from(["Apply", "***", "", "a\u202eb", "\x1b[31m", "x" * 500, "say “12 times”", "5 s"])
_PAGES = st.sampled_from(["/cart", "/", "/product/4", "/product/4?x=***", "/\u2066x", "/" + "y" * 300])
_TARGETS = st.none() | st.builds(
    Target,
    node_id=st.integers(1, 9),
    selector=st.sampled_from(["button.pay", "a > b", "#x7"]),
    tag=st.sampled_from(["button", "a", "div", "\x07"]),
    text=st.none() | _TEXTS,
)


@st.composite
def signals(draw: st.DrawFn, most: int = 12) -> list[Signal]:
    found = []
    for place in range(draw(st.integers(0, most))):
        detector, t = draw(st.sampled_from(_DETECTORS)), draw(_TIMES)
        evidence = dict(EVIDENCE.get(detector, {}))
        if "fingerprint" in evidence:
            evidence["fingerprint"] = draw(st.sampled_from(["f1", "f2"]))
            evidence["message"] = draw(_TEXTS)
        found.append(
            signal(
                detector,
                t,
                t + draw(st.integers(0, 5_000)),
                count=draw(st.none() | st.integers(1, 400)),
                window=draw(_WINDOWS),
                page="https://shop.test" + draw(_PAGES),
                target=draw(_TARGETS),
                name=f"s{place}",
                evidence=evidence,
                rule=draw(st.sampled_from(["wince/x@1", "datadog/x@1"])),
            )
        )
    return found


@st.composite
def sessions(draw: st.DrawFn) -> tuple[SessionRecord, BundleIndex | None, list[Signal], Actions | None]:
    pages = [
        PageVisit(url="https://shop.test" + draw(_PAGES), window_id=draw(_WINDOWS), t=T0 + draw(_TIMES))
        for _ in range(draw(st.integers(0, 20)))
    ]
    parts = [ScorePart(name, draw(st.integers(0, 9)), draw(st.floats(0, 35))) for name in _DETECTORS[:6]]
    reason = draw(st.sampled_from(["idle", "explicit", "max_bytes", "max_duration", "input_end", None]))
    made = record(
        pages,
        draw(_TIMES),
        score_parts=parts,
        end_reason=reason,
        status=draw(st.sampled_from(["open", "ended"])),
        totals=Totals(clicks=draw(st.integers(0, 50))),
    )
    holes = draw(
        st.lists(
            st.builds(Hole, window_id=_WINDOWS, reason=st.sampled_from(["gap", "max_bytes"]), t=st.just(T0 + 5)),
            max_size=4,
        )
    )
    ends = {"w1": draw(_TIMES), "w2": draw(_TIMES)}
    clicks = {window: sorted(T0 + t for t in draw(st.lists(_TIMES, max_size=20))) for window in ("w1", "w2")}
    changes = {"w1": sorted((T0 + t, str(t % 3)) for t in draw(st.lists(_TIMES, max_size=20)))}
    return (
        made,
        draw(st.sampled_from([None, index(holes, **ends)])),
        draw(signals()),
        draw(st.sampled_from([None, Actions(clicks, changes)])),
    )
