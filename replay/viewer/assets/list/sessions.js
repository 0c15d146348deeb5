// The sessions themselves: pages of them one below the other, and what changes in them.

import { number, plural } from "../common/format.js";
import { button, fill, h, loading } from "../common/ui.js";
import { SessionItem } from "./session.js";
import { getMoments, getRecord, getSessions, PAGE_SESSIONS } from "./source.js";
import { failed } from "./states.js";

/** Sessions loaded by scrolling alone; beyond, somebody has to want more. */
const MOST_BY_SCROLLING = 500;

/** Sessions read anew one by one at a time: those under way, or with new signals, that are not among the latest. */
const MOST_RENEWED = 10;

const SKELETONS = 6;

/** @typedef {import("./query.js").Query} Query */
/** @typedef {import("./session.js").SessionRecord} SessionRecord */

/** The list below the filters. */
export class SessionList {
  /** @param {import("./session.js").Actions} actions */
  constructor(actions) {
    this.actions = actions;
    /** @type {Query} */
    this.query = { project: "", sort: "score", filters: [] };
    /** @type {Map<string, SessionItem>} */
    this.items = new Map();
    /** @type {Set<string>} */
    this.known = new Set();
    this.oldestKnown = -Infinity;
    this.cursor = "";
    /** @type {number | null} */
    this.total = null;
    this.isLoading = false;
    this.list = h("ol", { class: "sessions", "aria-label": "Sessions" });
    this.foot = h("div", { class: "sessions-foot" });
    this.element = h("div", { class: "sessions-box" }, this.list, this.foot);
    new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting) && this.items.size < MOST_BY_SCROLLING) this.more();
      },
      { rootMargin: "400px" },
    ).observe(this.foot);
    let width = 0;
    new ResizeObserver(() => {
      if (this.list.clientWidth === width) return;
      width = this.list.clientWidth;
      for (const item of this.items.values()) item.draw();
    }).observe(this.list);
  }

  /** Show that sessions are on their way. */
  wait() {
    this.items.clear();
    this.cursor = "";
    this.list.setAttribute("aria-busy", "true");
    const bones = () =>
      h(
        "li",
        { class: "session bones", "aria-hidden": "true" },
        h("span", { class: "skeleton" }),
        h("span", { class: "skeleton" }),
        h("span", { class: "skeleton" }),
      );
    fill(this.list, Array.from({ length: SKELETONS }, bones));
    fill(this.foot);
  }

  /**
   * Show the first page of what a query found.
   * @param {Query} query
   * @param {import("./source.js").SessionsPage} page
   */
  show(query, page) {
    this.query = query;
    this.items.clear();
    this.list.removeAttribute("aria-busy");
    fill(this.list);
    this.total = page.total;
    this.add(page);
  }

  /** @param {import("./source.js").SessionsPage} page */
  add(page) {
    this.cursor = page.cursor;
    const fresh = page.sessions.filter((record) => !this.items.has(record.session_id));
    for (const record of fresh) {
      const item = new SessionItem(record, this.actions, Date.now());
      this.items.set(record.session_id, item);
      this.list.append(item.element);
      item.draw();
    }
    this.showFoot();
    this.loadMoments(fresh);
  }

  showFoot() {
    if (!this.cursor) {
      fill(
        this.foot,
        this.items.size > PAGE_SESSIONS / 2
          ? h("p", { class: "faint small" }, `All ${plural(this.items.size, "session")} shown`)
          : null,
      );
      return;
    }
    const of = this.total === null ? "" : ` of ${number(this.total)}`;
    fill(
      this.foot,
      h("p", { class: "faint small" }, `${number(this.items.size)}${of} shown`),
      button("Show more", { onClick: () => this.more() }),
    );
  }

  async more() {
    if (!this.cursor || this.isLoading) return;
    this.isLoading = true;
    const { query, cursor } = this;
    fill(this.foot, loading("Loading more"));
    try {
      const page = await getSessions(query, { cursor });
      if (this.query === query && this.cursor === cursor) this.add(page);
    } catch (error) {
      if (this.query === query)
        fill(
          this.foot,
          failed(error, () => this.more()),
        );
    } finally {
      this.isLoading = false;
    }
  }

  /**
   * Draw when the signals of sessions were; the list can be read without, so that a failure is left at that.
   * @param {SessionRecord[]} records
   */
  async loadMoments(records) {
    const { project } = this.query;
    const wanted = records.filter((record) => Object.keys(record.tags).length).map((record) => record.session_id);
    try {
      for (let at = 0; at < wanted.length; at += PAGE_SESSIONS) {
        for (const [id, moments] of await getMoments(project, wanted.slice(at, at + PAGE_SESSIONS)))
          this.items.get(id)?.show(moments);
      }
    } catch {
      // Their lines stay empty; the next time something changes they are asked for again.
    }
  }

  /**
   * Take note of the latest sessions there are: what is not among them later on is new.
   * @param {SessionRecord[]} latest
   */
  know(latest) {
    this.known = new Set(latest.map((record) => record.session_id));
    this.oldestKnown =
      latest.length < PAGE_SESSIONS ? -Infinity : Math.min(...latest.map((record) => record.started_at));
  }

  /**
   * Bring what is shown up to date, and count what is new.
   * @param {SessionRecord[]} latest
   * @param {Set<string>} stirred sessions of which there are new signals
   * @returns {Promise<number>} sessions that are not shown and were not there before
   */
  async renew(latest, stirred) {
    const fresh = latest.filter(
      (record) =>
        !this.known.has(record.session_id) &&
        !this.items.has(record.session_id) &&
        record.started_at >= this.oldestKnown,
    );
    const told = new Set(latest.map((record) => record.session_id));
    const isUntold = (/** @type {SessionItem} */ item) =>
      !told.has(item.record.session_id) && (item.record.status === "open" || stirred.has(item.record.session_id));
    const untold = [...this.items.values()]
      .filter(isUntold)
      .slice(0, MOST_RENEWED)
      .map((item) => item.record.session_id);
    const others = await Promise.all(untold.map((id) => getRecord(id).catch(() => null)));
    const changed = [...latest, ...others].filter((record) => record !== null && this.hasChanged(record));
    for (const record of /** @type {SessionRecord[]} */ (changed))
      this.items.get(record.session_id)?.update(record, Date.now());
    await this.loadMoments(/** @type {SessionRecord[]} */ (changed));
    return fresh.length;
  }

  /** @param {SessionRecord} record */
  hasChanged(record) {
    const shown = this.items.get(record.session_id)?.record;
    return (
      shown !== undefined &&
      (shown.last_event_at !== record.last_event_at || shown.status !== record.status || shown.score !== record.score)
    );
  }

  /** @param {string[]} sessionIds that are deleted */
  drop(sessionIds) {
    for (const id of sessionIds) {
      this.items.get(id)?.element.remove();
      if (this.items.delete(id) && this.total !== null) this.total -= 1;
    }
    this.showFoot();
  }

  /**
   * Move the focus to the next session, or the one before.
   * @param {number} step
   */
  step(step) {
    const all = [...this.items.values()];
    const at = all.findIndex((item) => item.element.contains(document.activeElement));
    all[at < 0 ? 0 : Math.max(0, Math.min(at + step, all.length - 1))]?.focus();
  }
}
