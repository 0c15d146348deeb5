// The list of everything that happened, with the evidence of each signal.

import { clock as clockText, duration, pagePath } from "../common/format.js";
import { detectorName } from "../common/detectors.js";
import { copyText } from "../common/overlays.js";
import { badge, button, fill, h, icon, plain, recorded, recordedLink, state } from "../common/ui.js";
import { evidenceRows, rule, story } from "./evidence.js";

/** @typedef {import("./session.js").Moment} Moment */

const ICONS = { page: "page", window: "window", error: "warn", hole: "hole", end: "logout" };

export class MomentList {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./clock.js").Clock} clock
   * @param {{onMoment: (moment: Moment) => void, linkTo: (t: number, windowId: string) => string}} handlers
   */
  constructor(session, clock, handlers) {
    this.session = session;
    this.clock = clock;
    this.handlers = handlers;
    this.showsAll = false;
    this.openId = "";
    this.list = h("ol", { class: "moments" });
    this.filter = h(
      "div",
      { class: "segmented", role: "group", "aria-label": "Show" },
      this.choice("Signals", false),
      this.choice("Everything", true),
    );
    this.element = h("div", { class: "panel-scroll" }, h("div", { class: "list-head" }, this.filter), this.list);
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    clock.ticks.add(() => this.mark());
  }

  /**
   * @param {string} label
   * @param {boolean} all
   */
  choice(label, all) {
    const choice = button(label, { attributes: { "aria-pressed": String(this.showsAll === all) } });
    choice.addEventListener("click", () => {
      this.showsAll = all;
      for (const each of this.filter.children) each.setAttribute("aria-pressed", String(each === choice));
      this.draw();
    });
    return choice;
  }

  /** Moments that the keys for next and previous go through: signals, or all if there are none. */
  get stops() {
    const signals = this.session.moments.filter((moment) => moment.kind === "signal");
    return signals.length ? signals : this.session.moments.filter((moment) => moment.kind !== "end");
  }

  draw() {
    const all = this.session.moments;
    const shown = this.showsAll ? all : all.filter((moment) => moment.kind === "signal" || moment.kind === "hole");
    this.rows.clear();
    if (!shown.length) {
      const text = "No detector found anything in this session. Its pages and errors are under “Everything”.";
      fill(this.list, h("li", {}, state({ icon: "check", title: "Nothing hurt here", text })));
      return;
    }
    fill(
      this.list,
      shown.map((moment) => this.row(moment)),
    );
    this.mark();
  }

  /** @param {Moment} moment */
  row(moment) {
    const isOpen = this.openId === moment.id;
    const row = h("li", { class: "moment", data: { kind: moment.kind, detector: moment.detector } });
    const head = h(
      "button",
      {
        type: "button",
        class: "moment-head",
        "aria-expanded": moment.signal || moment.hole ? String(isOpen) : undefined,
        on: { click: () => this.pick(moment) },
      },
      h("span", { class: "moment-time numeric" }, clockText(moment.t - this.clock.start)),
      h("span", { class: "moment-body" }, this.title(moment)),
    );
    row.append(head);
    if (isOpen) row.append(this.details(moment));
    this.rows.set(moment.id, row);
    return row;
  }

  /** @param {Moment} moment */
  title(moment) {
    if (moment.signal) {
      const { signal } = moment;
      return [
        h(
          "span",
          { class: "row wrap" },
          badge(signal.detector, signal.count),
          moment.text ? recorded(moment.text, 80) : null,
        ),
        h("span", { class: "soft small truncate" }, recorded(pagePath(signal.page), 200)),
      ];
    }
    const text =
      moment.kind === "page" ? pagePath(moment.text) : moment.kind === "end" ? "The session ended" : moment.text;
    return h(
      "span",
      { class: "row moment-plain" },
      icon(ICONS[/** @type {keyof typeof ICONS} */ (moment.kind)] ?? "info"),
      moment.kind === "hole" || moment.kind === "window"
        ? h("span", {}, moment.kind === "hole" ? "Missing part" : "A new tab")
        : null,
      h("span", { class: moment.kind === "page" ? "truncate" : "truncate soft" }, recorded(text, 200)),
    );
  }

  /** @param {Moment} moment */
  pick(moment) {
    const isOpen = this.openId === moment.id;
    this.open(isOpen ? "" : moment.id);
    if (!isOpen) this.handlers.onMoment(moment);
  }

  /**
   * Open a moment's details and bring it into view.
   * @param {string} id
   */
  open(id) {
    if (this.openId === id) return;
    const before = this.openId;
    this.openId = id;
    for (const each of [before, id]) {
      const moment = this.session.moments.find((known) => known.id === each);
      const row = this.rows.get(each);
      if (!moment || !row) continue;
      const hadFocus = row.contains(document.activeElement);
      const fresh = this.row(moment);
      row.replaceWith(fresh);
      if (hadFocus) fresh.querySelector("button")?.focus();
    }
    this.rows.get(id)?.scrollIntoView({ block: "nearest" });
    this.mark();
  }

  /** @param {Moment} moment */
  details(moment) {
    if (moment.hole) return h("div", { class: "moment-details" }, holeDetails(moment.hole));
    const { signal } = moment;
    if (!signal) return h("div", { class: "moment-details" });
    const rows = evidenceRows(signal, this.clock.start);
    return h(
      "div",
      { class: "moment-details" },
      h("p", { class: "story" }, recorded(story(signal))),
      h("p", { class: "soft" }, recorded(rule(signal)), " ", h("code", { class: "faint" }, plain(signal.rule, 80))),
      h(
        "dl",
        { class: "facts" },
        signal.target ? fact("Element", h("code", {}, recorded(signal.target.selector, 300))) : null,
        fact("Page", recordedLink(signal.page, pagePath(signal.page))),
        signal.end_t > signal.t ? fact("Lasted", duration(signal.end_t - signal.t)) : null,
        rows.map(([label, value]) => fact(label, recorded(value, 400))),
      ),
      h(
        "div",
        { class: "row" },
        button("Show it", { icon: "play", small: true, onClick: () => this.handlers.onMoment(moment) }),
        button("Copy link", {
          icon: "link",
          small: true,
          kind: "ghost",
          onClick: () => void copyText(this.handlers.linkTo(signal.t, signal.window_id), "Link to the moment copied"),
        }),
      ),
    );
  }

  /** Mark where the clock is. */
  mark() {
    const now = this.session.moments.findLast((moment) => moment.t <= this.clock.t + 1 && this.rows.has(moment.id));
    for (const [id, row] of this.rows) row.toggleAttribute("data-now", id === now?.id);
  }

  /** Say what a moment is, for those who do not see it. */
  static words(/** @type {Moment} */ moment) {
    return `${detectorName(moment.detector)} ${moment.text}`.trim();
  }
}

/** @param {import("./session.js").Hole} hole */
function holeDetails(hole) {
  return h(
    "dl",
    { class: "facts" },
    fact("Reason", h("code", {}, plain(hole.reason, 60))),
    hole.first_seq !== undefined ? fact("Batches", `${hole.first_seq} to ${hole.last_seq}`) : null,
    hole.events ? fact("Events left out", String(hole.events)) : null,
  );
}

/**
 * @param {string} label
 * @param {Node | string} value
 */
export const fact = (label, value) => [h("dt", {}, label), h("dd", {}, value)];
