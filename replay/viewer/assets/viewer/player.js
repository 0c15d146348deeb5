// Shows the windows of a session: one after the other as the visitor switched between them, or side by side.

import { ApiError } from "../common/api.js";
import { Stage } from "../common/stage.js";
import { clock as clockText } from "../common/format.js";
import { fill, h, plain } from "../common/ui.js";
import { Activity } from "./activity.js";
import { Loader } from "./loader.js";

/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./session.js").Session} Session */

/** Windows shown side by side at most: each is a document of its own. */
const MAX_SIDE_BY_SIDE = 4;
const SYNC_EVERY_MS = 1000;

class Pane {
  /**
   * @param {Player} player
   * @param {{id: string, from: number, to: number, blocks: any[]}} window
   * @param {string} label
   */
  constructor(player, window, label) {
    this.player = player;
    this.window = window;
    this.label = label;
    this.loader = new Loader(player.session.api, window.id, window.blocks, player.session.bounds[0]);
    this.note = h("div", { class: "pane-note", role: "status" });
    this.withheld = 0;
    this.failures = 0;
    this.isLoaded = false;
    this.stage = new Stage(
      `Replay of ${label}`,
      {
        onDrawn: () => this.isOpenAt(player.clock.t) && this.say(""),
        onSize: (width, height) => player.element.style.setProperty("--aspect", String(width / height)),
        onLoaded: (withheld) => this.loaded(withheld),
        onEmpty: () => this.say("There is no picture of this part: its events hold no page."),
        onFailed: (message, isOver) => this.failed(message, isOver),
      },
      player.session.record.project_id,
    );
    this.caption = h(
      "div",
      { class: "pane-caption" },
      h("span", { class: "strong" }, label),
      h("span", { class: "soft truncate pane-page" }),
    );
    this.element = h(
      "div",
      { class: "pane" },
      this.caption,
      h("div", { class: "pane-stage" }, this.stage.element, this.note),
    );
  }

  /** @param {string} text @param {boolean} [isError] */
  say(text, isError = false) {
    this.note.textContent = plain(text, 300);
    this.note.hidden = !text;
    this.note.classList.toggle("failed", isError);
  }

  /** @param {number} withheld */
  loaded(withheld) {
    this.withheld = withheld;
    this.player.told();
  }

  /**
   * @param {string} message
   * @param {boolean} isOver
   */
  failed(message, isOver) {
    this.failures += 1;
    if (isOver) this.say(`This part cannot be shown: ${message}. Jump to another moment.`, true);
    this.player.told();
  }

  /** @param {number} t whether the window was there at that time */
  isOpenAt(t) {
    return t >= this.window.from;
  }

  /**
   * Show a moment, with what is held if that is enough.
   * @param {number} t
   */
  async show(t) {
    const { clock } = this.player;
    if (!this.isOpenAt(t)) {
      this.say(`This tab was opened at ${clockText(this.window.from - clock.start)}.`);
      this.stage.element.hidden = true;
      return;
    }
    this.stage.element.hidden = false;
    if (this.loader.holds(t)) {
      this.say("");
      if (clock.playing) this.stage.play(t, clock.speed);
      else this.stage.pause(t);
      return;
    }
    const isNear = this.loader.isWithinReach(t);
    if (!isNear) this.say("Loading…");
    await this.player.held(this, () => {
      const take = (/** @type {string[]} */ lines, /** @type {boolean} */ isFirst) =>
        this.take(lines, isFirst, clock.t);
      return isNear ? this.loader.reach(t, take) : this.loader.show(t, take);
    });
  }

  /**
   * @param {string[]} lines
   * @param {boolean} isFirst
   * @param {number} t
   */
  take(lines, isFirst, t) {
    const { clock, activity } = this.player;
    activity.learn(this.window.id, lines);
    if (isFirst) {
      this.stage.load(lines, t, { playing: clock.playing, speed: clock.speed });
    } else {
      this.stage.add(lines);
      if (clock.playing) this.stage.play(t, clock.speed);
      else this.stage.pause(t);
    }
  }

  /** Fetch what playing will need, without disturbing what plays. */
  async ahead() {
    const { clock, activity } = this.player;
    try {
      await this.loader.ahead(clock.t, clock.speed, (lines) => {
        activity.learn(this.window.id, lines);
        this.stage.add(lines);
      });
    } catch (error) {
      this.player.trouble(error);
    }
  }

  destroy() {
    this.loader.stop();
    this.stage.destroy();
    this.element.remove();
  }
}

export class Player {
  /**
   * @param {Session} session
   * @param {Clock} clock
   * @param {{onTold?: () => void, onReplaced?: () => void}} handlers
   */
  constructor(session, clock, handlers = {}) {
    this.session = session;
    this.clock = clock;
    this.handlers = handlers;
    this.activity = new Activity();
    this.mode = "merged";
    /** The window a visitor chose to see; empty: the one that was used at the moment. */
    this.chosen = "";
    this.element = h("div", { class: "player", data: { mode: "merged" } });
    /** @type {Map<string, Pane>} */
    this.panes = new Map();
    this.waiting = 0;
    this.skipsInactivity = true;
    this.lastSync = 0;
    /** @type {string} */
    this.shownWindow = "";
    clock.ticks.add((t) => this.tick(t));
    clock.changes.add(() => this.changed());
    this.was = "";
  }

  /** Windows that are shown now. */
  get visible() {
    const { windows } = this.session;
    if (this.mode === "side") return windows.slice(0, MAX_SIDE_BY_SIDE).map((window) => window.id);
    const at = this.chosen || this.windowAt(this.clock.t);
    return at ? [at] : [];
  }

  /**
   * The window that was used at a moment: the one in which something happened last, of those that were there.
   * @param {number} t
   */
  windowAt(t) {
    const { windows } = this.session;
    if (windows.length <= 1) return windows[0]?.id ?? "";
    const covering = windows.filter((window) => window.from <= t && t <= window.to);
    if (covering.length === 1) return covering[0].id;
    const candidates = covering.length ? covering : windows.filter((window) => window.from <= t);
    if (!candidates.length) return windows[0].id;
    const isCandidate = (/** @type {string} */ id) => candidates.some((window) => window.id === id);
    const uses = [this.activity.latest(t, isCandidate), this.session.useAt(t, isCandidate)];
    const latest = uses.filter((use) => use !== undefined).sort((a, b) => b.t - a.t)[0];
    return latest?.window ?? candidates.at(-1)?.id ?? "";
  }

  /**
   * Show what there is at the clock's time, in the windows that are visible.
   * @returns {Promise<void>}
   */
  async show() {
    const visible = this.visible;
    for (const [id, pane] of this.panes)
      if (!visible.includes(id) && this.mode === "merged") pane.element.hidden = true;
    for (const id of visible) this.pane(id).element.hidden = false;
    this.shownWindow = visible.join(" ");
    await Promise.all(visible.map((id) => this.pane(id).show(this.clock.t)));
    this.caption();
  }

  /**
   * @param {string} windowId
   * @returns {Pane}
   */
  pane(windowId) {
    const known = this.panes.get(windowId);
    if (known) return known;
    const { windows } = this.session;
    const place = windows.findIndex((window) => window.id === windowId);
    const pane = new Pane(this, windows[place], windows.length > 1 ? `Tab ${place + 1}` : "Session");
    this.panes.set(windowId, pane);
    const order = windows.map((window) => window.id);
    const after = [...this.panes.keys()]
      .filter((id) => order.indexOf(id) > place)
      .sort((a, b) => order.indexOf(a) - order.indexOf(b))[0];
    this.element.insertBefore(pane.element, after ? (this.panes.get(after)?.element ?? null) : null);
    return pane;
  }

  /** @param {"merged" | "side"} mode */
  setMode(mode) {
    this.mode = mode;
    this.element.dataset.mode = mode;
    this.element.dataset.count = String(this.visible.length);
    return this.refresh();
  }

  /** @param {string} windowId empty: follow the visitor */
  choose(windowId) {
    this.chosen = windowId;
    return this.refresh();
  }

  /** Show again, and say what goes wrong. */
  async refresh() {
    try {
      await this.show();
    } catch (error) {
      this.trouble(error);
    }
  }

  /** The session has grown. */
  grown() {
    for (const window of this.session.windows) {
      const pane = this.panes.get(window.id);
      if (!pane) continue;
      pane.window = window;
      pane.loader.replace(window.blocks);
    }
  }

  /**
   * Hold the clock while something is on its way.
   * @param {Pane} pane
   * @param {() => Promise<boolean>} work
   */
  async held(pane, work) {
    this.waiting += 1;
    this.clock.hold(true);
    try {
      await work();
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) this.handlers.onReplaced?.();
      else pane.say(error instanceof Error ? error.message : String(error), true);
    } finally {
      this.waiting -= 1;
      this.clock.hold(this.waiting > 0);
    }
  }

  /** @param {unknown} error */
  trouble(error) {
    if (error instanceof ApiError && error.status === 409) {
      this.handlers.onReplaced?.();
      return;
    }
    for (const id of this.visible) this.pane(id).say(error instanceof Error ? error.message : String(error), true);
  }

  /** Something was learned of what is shown: pictures withheld, events that failed. */
  told() {
    this.handlers.onTold?.();
  }

  get withheld() {
    return [...this.panes.values()].reduce((sum, pane) => sum + pane.withheld, 0);
  }

  get failures() {
    return [...this.panes.values()].reduce((sum, pane) => sum + pane.failures, 0);
  }

  /** Called when the clock starts, stops, jumps or changes speed. */
  changed() {
    const { clock } = this;
    const now = `${clock.playing && !clock.held} ${clock.speed} ${clock.playing ? "" : clock.t}`;
    if (now === this.was) return;
    this.was = now;
    for (const id of this.visible) {
      const pane = this.panes.get(id);
      if (!pane?.isOpenAt(clock.t) || !pane.loader.holds(clock.t)) continue;
      if (clock.playing && !clock.held) pane.stage.play(clock.t, clock.speed);
      else pane.stage.pause(clock.t);
    }
  }

  /** @param {number} t */
  tick(t) {
    if (!this.clock.playing) return;
    if (this.skip(t)) return;
    const visible = this.visible;
    if (visible.join(" ") !== this.shownWindow) void this.refresh();
    for (const id of visible) {
      const pane = this.pane(id);
      const isHere = pane.loader.holds(t) && !pane.stage.element.hidden;
      if (pane.isOpenAt(t) && !isHere && !pane.loader.running) void this.refresh();
      else void pane.ahead();
    }
    if (performance.now() - this.lastSync < SYNC_EVERY_MS) return;
    this.lastSync = performance.now();
    for (const id of visible) this.panes.get(id)?.stage.sync(t);
    this.caption();
  }

  /**
   * Jump over a stretch in which the visitor did nothing.
   * @param {number} t
   * @returns {boolean} whether it jumped
   */
  skip(t) {
    if (!this.skipsInactivity) return false;
    const heldTo = Math.min(...this.visible.map((id) => this.panes.get(id)?.loader.heldTo ?? -Infinity));
    const to = this.activity.skipFrom(t, Math.min(heldTo, this.clock.end), this.session.moments);
    if (to === null) return false;
    this.element.dispatchEvent(new CustomEvent("skipped", { detail: to - t }));
    this.clock.seek(to);
    void this.refresh();
    return true;
  }

  caption() {
    this.element.dataset.count = String(this.visible.length);
    for (const [id, pane] of this.panes) {
      const page = this.session.pageAt(this.clock.t, id);
      const place = pane.caption.querySelector(".pane-page");
      if (place) fill(place, h("bdi", {}, plain(page?.url ?? "", 300)));
    }
  }
}
