// The bar below the replay: where one is, and everything that happened, in its place.

import { clock as clockText } from "../common/format.js";
import { detectorName } from "../common/detectors.js";
import { pagePath } from "../common/format.js";
import { fill, find, h, plain } from "../common/ui.js";

/** @typedef {import("./session.js").Moment} Moment */

/** Who jumps to a moment wants to see what led to it. */
export const LEAD_MS = 3_000;
/** Markers closer than this are drawn as one. */
const MARKER_PX = 9;
/** A press this near to a marker means the marker. */
const NEAR_PX = 7;
const WEIGHTS = ["rage_click", "error_click", "form_error_loop", "dead_click", "network_error", "js_error"];

export class Timeline {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./clock.js").Clock} clock
   * @param {{onSeek: (t: number) => void, onMoment: (moment: Moment) => void}} handlers
   */
  constructor(session, clock, handlers) {
    this.session = session;
    this.clock = clock;
    this.handlers = handlers;
    this.played = h("div", { class: "tl-played" });
    this.loadedBar = h("div", { class: "tl-loaded" });
    this.head = h("div", { class: "tl-head" });
    this.marks = h("div", { class: "tl-marks", "aria-hidden": "true" });
    this.pages = h("div", { class: "tl-pages", "aria-hidden": "true" });
    this.tabs = h("div", { class: "tl-tabs", "aria-hidden": "true" });
    this.holes = h("div", { class: "tl-holes", "aria-hidden": "true" });
    this.tip = h("div", { class: "tl-tip", hidden: true, "aria-hidden": "true" });
    this.track = h(
      "div",
      {
        class: "tl-track",
        role: "slider",
        tabindex: "0",
        "aria-label": "Place in the session",
        "aria-valuemin": "0",
        on: {
          pointerdown: (/** @type {any} */ event) => this.press(event),
          pointermove: (/** @type {any} */ event) => this.hover(event),
          pointerup: () => (this.dragging = false),
          pointercancel: () => (this.dragging = false),
          pointerleave: () => (this.tip.hidden = true),
        },
      },
      h("div", { class: "tl-rail" }, this.loadedBar, this.played, this.holes),
      this.marks,
      this.head,
    );
    this.element = h("div", { class: "timeline" }, this.pages, this.track, this.tabs, this.tip);
    this.dragging = false;
    /** @type {{x: number, moments: Moment[]}[]} */
    this.clusters = [];
    clock.ticks.add(() => this.move());
    new ResizeObserver(() => this.draw()).observe(this.track);
  }

  get width() {
    return this.track.clientWidth || 1;
  }

  /** @param {number} t */
  x(t) {
    return ((t - this.clock.start) / Math.max(1, this.clock.end - this.clock.start)) * this.width;
  }

  /** @param {number} x */
  t(x) {
    return this.clock.start + (Math.max(0, Math.min(this.width, x)) / this.width) * (this.clock.end - this.clock.start);
  }

  /** Draw all anew: the session has grown, or the bar has another size. */
  draw() {
    this.clusters = this.cluster();
    fill(
      this.marks,
      this.clusters.map((cluster) => this.marker(cluster)),
    );
    fill(this.pages, this.pageSegments());
    fill(this.tabs, this.tabRows());
    fill(this.holes, this.holeMarks());
    this.track.setAttribute("aria-valuemax", String(Math.round((this.clock.end - this.clock.start) / 1000)));
    this.move();
  }

  /** @returns {{x: number, moments: Moment[]}[]} */
  cluster() {
    /** @type {{x: number, moments: Moment[]}[]} */
    const clusters = [];
    for (const moment of this.session.moments) {
      if (moment.kind === "page" || moment.kind === "end") continue;
      const x = this.x(moment.t);
      const last = clusters.at(-1);
      if (last && x - last.x < MARKER_PX) last.moments.push(moment);
      else clusters.push({ x, moments: [moment] });
    }
    return clusters;
  }

  /** @param {{x: number, moments: Moment[]}} cluster */
  marker({ x, moments }) {
    const worst = heaviest(moments);
    const mark = h(
      "span",
      { class: "tl-mark", data: { detector: worst.detector, kind: worst.kind } },
      moments.length > 1 ? String(moments.length) : null,
    );
    mark.style.setProperty("left", `${x}px`);
    return mark;
  }

  pageSegments() {
    const { pages } = this.session;
    return pages.map((page, place) => {
      const from = Math.max(0, this.x(page.t));
      const to = this.x(pages[place + 1]?.t ?? this.clock.end);
      const segment = h(
        "span",
        { class: "tl-page" },
        to - from > 36 ? h("bdi", {}, plain(pagePath(page.url), 60)) : null,
      );
      segment.style.setProperty("left", `${from}px`);
      segment.style.setProperty("width", `${Math.max(2, to - from - 2)}px`);
      return segment;
    });
  }

  tabRows() {
    const { windows } = this.session;
    if (windows.length < 2) return [];
    return windows.map((window) => {
      const bar = h("span", { class: "tl-tab" });
      bar.style.setProperty("left", `${this.x(window.from)}px`);
      bar.style.setProperty("width", `${Math.max(3, this.x(window.to) - this.x(window.from))}px`);
      return h("div", { class: "tl-tab-row", data: { detector: "window" } }, bar);
    });
  }

  /** A hole reaches from where it was noticed to the next event of its window that is there. */
  holeMarks() {
    return this.session.index.holes.map((hole) => {
      const next = this.session.index.blocks
        .filter(
          (block) =>
            block.window_id === hole.window_id &&
            block.first_t > hole.t &&
            (hole.first_seq === undefined || block.sequence > hole.first_seq),
        )
        .reduce(
          (least, block) => Math.min(least, block.first_t),
          hole.first_seq === undefined ? this.clock.end : Infinity,
        );
      const left = this.x(Math.max(this.clock.start, hole.t));
      const mark = h("span", { class: "tl-hole" });
      mark.style.setProperty("left", `${left}px`);
      mark.style.setProperty("width", `${Math.max(4, Number.isFinite(next) ? this.x(next) - left : 4)}px`);
      return mark;
    });
  }

  /** Show where the clock is. */
  move() {
    const { t, start } = this.clock;
    const x = `${this.x(t)}px`;
    this.head.style.setProperty("left", x);
    this.played.style.setProperty("width", x);
    this.track.setAttribute("aria-valuenow", String(Math.round((t - start) / 1000)));
    const page = this.session.pageAt(t);
    this.track.setAttribute(
      "aria-valuetext",
      `${clockText(t - start)}${page ? `, ${plain(pagePath(page.url), 80)}` : ""}`,
    );
  }

  /**
   * What is in the player's hands.
   * @param {number} from epoch ms
   * @param {number} to epoch ms
   */
  showLoaded(from, to) {
    const left = this.x(Math.max(this.clock.start, from));
    const right = this.x(Math.min(this.clock.end, to));
    this.loadedBar.style.setProperty("left", `${left}px`);
    this.loadedBar.style.setProperty("width", `${Math.max(0, right - left)}px`);
  }

  /** @param {PointerEvent} event */
  place(event) {
    return event.clientX - this.track.getBoundingClientRect().left;
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button !== 0) return;
    const x = this.place(event);
    const near = this.nearest(x);
    this.track.setPointerCapture(event.pointerId);
    if (near) {
      this.handlers.onMoment(heaviest(near.moments));
      return;
    }
    this.dragging = true;
    this.handlers.onSeek(this.t(x));
  }

  /** @param {PointerEvent} event */
  hover(event) {
    const x = this.place(event);
    if (this.dragging) this.handlers.onSeek(this.t(x));
    const near = this.dragging ? undefined : this.nearest(x);
    const t = near ? near.moments[0].t : this.t(x);
    const page = this.session.pageAt(t);
    fill(
      this.tip,
      h("span", { class: "numeric strong" }, clockText(t - this.clock.start)),
      near
        ? near.moments
            .slice(0, 5)
            .map((moment) =>
              h(
                "span",
                { class: "row" },
                h("span", { class: "dot", data: { detector: moment.detector } }),
                h("bdi", { class: "truncate" }, plain(`${detectorName(moment.detector)} ${moment.text}`, 60)),
              ),
            )
        : h("bdi", { class: "truncate soft" }, plain(page ? pagePath(page.url) : "", 60)),
      near && near.moments.length > 5 ? h("span", { class: "soft" }, `and ${near.moments.length - 5} more`) : null,
    );
    this.tip.hidden = false;
    const half = this.tip.offsetWidth / 2;
    const at = near ? near.x : Math.max(0, Math.min(this.width, x));
    const offset = this.track.offsetLeft;
    this.tip.style.setProperty("left", `${Math.max(half, Math.min(this.width - half, at)) + offset}px`);
  }

  /** @param {number} x */
  nearest(x) {
    const found = this.clusters.reduce(
      (best, cluster) => (Math.abs(cluster.x - x) < Math.abs((best?.x ?? Infinity) - x) ? cluster : best),
      /** @type {{x: number, moments: Moment[]} | undefined} */ (undefined),
    );
    return found && Math.abs(found.x - x) <= NEAR_PX ? found : undefined;
  }

  /** Put the focus where the arrow keys work. */
  focus() {
    find(".tl-track", this.element).focus();
  }
}

/** @param {Moment[]} moments */
function heaviest(moments) {
  const weight = (/** @type {Moment} */ moment) => {
    const place = WEIGHTS.indexOf(moment.detector);
    return moment.kind === "signal" ? (place < 0 ? WEIGHTS.length : place) : WEIGHTS.length + 1;
  };
  return [...moments].sort((a, b) => weight(a) - weight(b))[0];
}
