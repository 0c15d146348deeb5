// The parts of the page put together: one clock, one player, and what they are told to do.

import { follow } from "../common/api.js";
import { duration } from "../common/format.js";
import { copyText, toast } from "../common/overlays.js";
import { fill, h, tabs } from "../common/ui.js";
import { AboutPanel } from "./about.js";
import { Clock } from "./clock.js";
import { Controls } from "./controls.js";
import { helpDialog } from "./dialogs.js";
import { drawHeader, watermark } from "./header.js";
import { listenForKeys } from "./keys.js";
import { consolePanel, networkPanel } from "./logs.js";
import { MomentList } from "./moments.js";
import { Player } from "./player.js";
import { SummaryPanel } from "./summary.js";
import { LEAD_MS, Timeline } from "./timeline.js";

/** @typedef {import("./session.js").Moment} Moment */
/** @typedef {import("./session.js").Session} Session */

/** How far behind the end a live session is followed: what comes is on its way for a while. */
const LIVE_LAG_MS = 3_000;
const REFRESH_AFTER_MS = 300;
const NOTICE_MS = 1_800;

export class View {
  /**
   * @param {Session} session loaded, with something to play
   * @param {{main: HTMLElement, title: HTMLElement, actions: HTMLElement}} places
   */
  constructor(session, places) {
    this.session = session;
    this.places = places;
    this.clock = new Clock(session.start, session.end);
    this.player = new Player(session, this.clock, {
      onTold: () => this.about.drawWithheld(),
      onReplaced: () => void this.refresh(),
    });
    this.followsLive = false;
    const seek = (/** @type {number} */ t) => this.seek(t);
    const toMoment = (/** @type {Moment} */ moment) => this.toMoment(moment);
    const linkTo = (/** @type {number} */ t, /** @type {string} */ windowId) => this.linkTo(t, windowId);
    this.timeline = new Timeline(session, this.clock, { onSeek: seek, onMoment: toMoment });
    this.list = new MomentList(session, this.clock, { onMoment: toMoment, linkTo });
    this.console = consolePanel(session, this.clock, seek);
    this.network = networkPanel(session, this.clock, seek);
    this.summary = new SummaryPanel(session, this.clock, (t) => this.seek(t - LEAD_MS));
    this.about = new AboutPanel(session, this.player);
    this.actions = this.makeActions();
    this.controls = new Controls(session, this.clock, this.player, this.actions);
    this.tabs = this.makeTabs();
    this.notice = h("div", { class: "skip-notice", role: "status", hidden: true });
    this.stage = this.makeStage();
    this.listen();
  }

  makeTabs() {
    const entries = [
      { id: "moments", label: "Moments", panel: this.list.element },
      { id: "summary", label: "Summary", panel: this.summary.element },
      { id: "console", label: "Console", panel: this.console.element },
      { id: "network", label: "Network", panel: this.network.element },
      { id: "about", label: "About", panel: this.about.element },
    ];
    return tabs("Panels", entries, (id) => {
      if (id === "summary") void this.summary.load();
      if (id === "about") void this.about.load();
    });
  }

  makeStage() {
    const { player, notice, timeline, controls } = this;
    const name = { class: "stage-area", "aria-label": "Replay" };
    return h("section", name, watermark(this.session), player.element, notice, timeline.element, controls.element);
  }

  listen() {
    this.player.element.addEventListener("skipped", (event) => {
      this.notice.textContent = `Skipped ${duration(/** @type {CustomEvent} */ (event).detail)} without activity`;
      this.notice.hidden = false;
      setTimeout(() => (this.notice.hidden = true), NOTICE_MS);
    });
    this.clock.ticks.add(() => this.showLoaded());
    listenForKeys(this.clock, this.actions);
  }

  makeActions() {
    const { clock, player, session } = this;
    return {
      seek: (/** @type {number} */ t) => this.seek(t),
      toggle: () => {
        clock.toggle();
        void player.refresh();
      },
      moment: (/** @type {1 | -1} */ direction) => this.toNextMoment(direction),
      speed: (/** @type {number} */ speed) => {
        clock.setSpeed(speed);
        remember("wince-speed", String(speed));
      },
      skip: () => {
        player.skipsInactivity = !player.skipsInactivity;
        this.controls.show();
        toast(player.skipsInactivity ? "Inactivity is skipped" : "Inactivity is played", "skip");
      },
      mode: (/** @type {"merged" | "side"} */ mode) => void player.setMode(mode),
      choose: (/** @type {string} */ windowId) => void player.choose(windowId),
      nextTab: () => this.nextTab(),
      sideBySide: () => {
        if (session.windows.length > 1) void player.setMode(player.mode === "side" ? "merged" : "side");
      },
      help: helpDialog,
      copyMoment: () => void copyText(this.linkTo(clock.t), "Link to this moment copied"),
      fullscreen: () => {
        if (document.fullscreenElement) void document.exitFullscreen();
        else void this.stage.requestFullscreen?.();
      },
      goLive: () => this.goLive(),
    };
  }

  /**
   * Show it all, beginning where the address says.
   * @param {URLSearchParams} asked `t` and `window`
   */
  async open(asked) {
    const windowId = asked.get("window") ?? "";
    this.player.chosen = this.session.windows.some((window) => window.id === windowId) ? windowId : "";
    this.clock.t = this.startingAt(asked.get("t"));
    this.clock.speed = Number(recall("wince-speed")) || 1;
    const { list, summary, console: told, network, about } = this;
    const panels = [list, summary, told, network, about].map((panel) => panel.element);
    const side = h("section", { class: "side", "aria-label": "About this session" }, this.tabs.bar, panels);
    fill(this.places.main, this.stage, side);
    document.body.classList.add("viewing");
    this.draw();
    if (!asked.has("t")) this.openFirst();
    await this.player.refresh();
    this.clock.seek(this.clock.t);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.clock.play();
    await this.loadTimeline();
    if (this.session.isOpen && !this.session.isShared) this.follow();
  }

  /** The first frame does not wait for what only the panels show, nor does it go when that fails. */
  async loadTimeline() {
    try {
      await this.session.loadTimeline();
      this.draw();
    } catch (error) {
      toast(`Console and network are not there: ${error instanceof Error ? error.message : error}`, "warn");
    }
  }

  /** Open the moment that the replay begins before. */
  openFirst() {
    const { t } = this.clock;
    const first = this.list.stops.find((stop) => stop.t - LEAD_MS <= t + 1 && stop.t > t);
    if (first) this.list.open(first.id);
  }

  draw() {
    const { session, list, about, tabs: side } = this;
    drawHeader(this.places, session, (t) => this.linkTo(t), this.clock, this.player);
    for (const part of [this.timeline, list, this.console, this.network]) part.draw();
    this.controls.show();
    if (!about.element.hidden) about.draw();
    side.setCount("moments", session.signals.length);
    side.setCount("console", this.console.entries.length);
    side.setCount("network", this.network.entries.length);
  }

  /** Read again what has grown. */
  async refresh() {
    await this.session.load();
    this.clock.end = this.session.end;
    this.player.grown();
    this.draw();
    if (this.followsLive) this.clock.play();
    else void this.player.refresh();
    await this.loadTimeline();
  }

  /**
   * Where to begin: at the moment the address asks for; else 3 seconds before the worst of it; else at the start.
   * @param {string | null} asked epoch ms, or seconds from the start as `+12.5`
   */
  startingAt(asked) {
    const { start, end } = this.clock;
    // A plus sign in an address is a space, unless it is written as %2B.
    const isOffset = /^[+ ]/.test(asked ?? "");
    const value = asked ? Number(isOffset ? asked.slice(1) : asked) : NaN;
    if (Number.isFinite(value)) return Math.max(start, Math.min(end, isOffset ? start + value * 1000 : value));
    const points = new Map(
      this.session.record.score_parts.map((/** @type {any} */ part) => [part.detector, part.points]),
    );
    const weight = (/** @type {import("./session.js").Signal} */ signal) => points.get(signal.detector) ?? 0;
    const worst = [...this.session.signals].sort((a, b) => weight(b) - weight(a) || a.t - b.t)[0];
    return worst ? Math.max(start, worst.t - LEAD_MS) : start;
  }

  /** @param {number} t epoch ms */
  seek(t) {
    this.followsLive = false;
    this.clock.seek(t);
    void this.player.refresh();
    this.showLive();
  }

  /** @param {Moment} moment */
  toMoment(moment) {
    const { player } = this;
    if (player.chosen && moment.window_id && moment.window_id !== player.chosen) player.chosen = "";
    this.list.open(moment.id);
    this.seek(moment.t - LEAD_MS);
  }

  /** @param {1 | -1} direction */
  toNextMoment(direction) {
    const { stops, openId } = this.list;
    const { t } = this.clock;
    // A jump lands before its moment: from there, the next one is the one after it.
    const isHere = (/** @type {Moment} */ stop) => stop.id === openId && Math.abs(stop.t - LEAD_MS - t) < 1.5 * LEAD_MS;
    const here = stops.findIndex(isHere);
    const after = direction > 0 ? stops.find((stop) => stop.t > t) : stops.findLast((stop) => stop.t < t);
    const next = here >= 0 ? stops[here + direction] : after;
    if (next) this.toMoment(next);
    else toast(direction > 0 ? "No moment after this one" : "No moment before this one", "info");
  }

  nextTab() {
    const ids = ["", ...this.session.windows.map((window) => window.id)];
    if (ids.length < 3) return;
    const next = ids[(ids.indexOf(this.player.chosen) + 1) % ids.length];
    void this.player.choose(next);
    toast(next ? `Tab ${ids.indexOf(next)} only` : "Following the visitor", "window");
  }

  goLive() {
    if (!this.session.isOpen) return;
    this.seek(this.clock.end - LIVE_LAG_MS);
    this.followsLive = true;
    this.clock.play();
    this.showLive();
  }

  showLive() {
    this.controls.liveButton.setAttribute("aria-pressed", String(this.followsLive));
  }

  showLoaded() {
    const panes = this.player.visible.map((id) => this.player.panes.get(id)).filter((pane) => pane !== undefined);
    const from = Math.max(...panes.map((pane) => pane.loader.heldFrom));
    this.timeline.showLoaded(from, Math.min(...panes.map((pane) => pane.loader.heldTo)));
  }

  /**
   * The address of a moment.
   * @param {number} t epoch ms
   * @param {string} [windowId]
   */
  linkTo(t, windowId = this.player.chosen) {
    const address = new URL(location.pathname, location.origin);
    address.searchParams.set("t", String(Math.round(t)));
    if (windowId && this.session.windows.length > 1) address.searchParams.set("window", windowId);
    return address.href;
  }

  /** Follow a session that is open: what comes is shown as it comes. */
  follow() {
    let timer = 0;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.refresh().catch(() => undefined), REFRESH_AFTER_MS);
    };
    const ended = () => {
      stop();
      later();
      toast("The session has ended", "info");
    };
    const stop = follow(`${this.session.api}/live`, { index: later, signal: later, end: ended });
    addEventListener("pagehide", stop);
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Storage is refused: it holds for this page only.
  }
}

/** @param {string} name */
function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
