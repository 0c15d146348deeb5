// What is known of the session, read once, and again when a live one grows.

import { ApiError, getJson } from "../common/api.js";

/**
 * @typedef {object} Signal
 * @property {string} id
 * @property {string} detector
 * @property {string} window_id
 * @property {number} t
 * @property {number} end_t
 * @property {string} page
 * @property {{node_id: number | string, selector: string, tag: string, text?: string} | null} target
 * @property {string} rule
 * @property {Record<string, any>} evidence
 * @property {number} [count]
 */

/**
 * @typedef {object} Block
 * @property {string} window_id
 * @property {number} sequence
 * @property {number} offset
 * @property {number} length
 * @property {number} raw_length
 * @property {number} events
 * @property {number} first_t
 * @property {number} last_t
 * @property {boolean} [keyframe]
 */

/**
 * @typedef {object} Hole
 * @property {string} window_id
 * @property {string} reason
 * @property {number} t
 * @property {number} [first_seq]
 * @property {number} [last_seq]
 * @property {number} [events]
 */

/**
 * One thing on the timeline.
 * @typedef {object} Moment
 * @property {string} id
 * @property {number} t
 * @property {number} end
 * @property {"signal" | "page" | "error" | "window" | "hole" | "end"} kind
 * @property {string} detector what gives it its colour
 * @property {string} window_id
 * @property {string} text
 * @property {Signal} [signal]
 * @property {Hole} [hole]
 */

/**
 * @typedef {object} LogEntry
 * @property {number} t
 * @property {"console" | "request" | "error"} kind
 * @property {string} window_id
 * @property {Record<string, any>} entry as the timeline has it
 */

const HOLES = {
  gap: "Batches never arrived, and were given up after waiting for them.",
  max_bytes: "What follows was left out: the session had reached its limit of bytes.",
  max_duration: "What follows was left out: the session had reached its longest duration.",
  undecodable: "Batches could not be decoded.",
};

/** @param {string} reason */
export const holeSentence = (reason) => HOLES[/** @type {keyof typeof HOLES} */ (reason)] ?? "A part is missing.";

export class Session {
  /**
   * @param {string} api address of the session in the API, without a slash at its end
   * @param {boolean} isShared whether it is seen through a share link
   * @param {[number, number]} bounds epoch ms: what a share link lets see
   */
  constructor(api, isShared, bounds = [-Infinity, Infinity]) {
    this.api = api;
    this.isShared = isShared;
    this.bounds = bounds;
    /** @type {any} */
    this.record = null;
    /** @type {Signal[]} */
    this.signals = [];
    /** @type {{blocks: Block[], holes: Hole[], version: number, compacted?: boolean, length?: number}} */
    this.index = { blocks: [], holes: [], version: 0 };
    /** @type {any[]} */
    this.entries = [];
    /** @type {Map<string, any>} */
    this.made = new Map();
    /** Whether there are more errors, console output or requests than the timeline lists. */
    this.isPartial = false;
  }

  /** Read all that is needed before the first event is asked for: three small answers at once. */
  async load() {
    const [record, signals, index] = await Promise.all([
      getJson(this.api),
      getJson(`${this.api}/signals`),
      getJson(`${this.api}/index`),
    ]);
    Object.assign(this, { record, signals, index });
    this.made.clear();
  }

  /** Read what the page itself told: errors, console, requests. The server looks through all events for it. */
  async loadTimeline() {
    const timeline = await getJson(`${this.api}/timeline`);
    this.entries = timeline.entries;
    this.isPartial = timeline.is_partial === true;
    this.made.clear();
  }

  /**
   * What is derived from the answers is made once for each of them: it is asked for at every frame.
   * @template T
   * @param {string} name
   * @param {() => T} make
   * @returns {T}
   */
  once(name, make) {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name);
  }

  /** Epoch ms of what can be shown first. */
  get start() {
    const first = this.once("first", () =>
      this.index.blocks.reduce((least, block) => Math.min(least, block.first_t), Infinity),
    );
    return Math.max(this.bounds[0], Number.isFinite(first) ? first : this.record.started_at);
  }

  /** Epoch ms of what can be shown last. */
  get end() {
    const last = this.once("last", () => this.index.blocks.reduce((most, block) => Math.max(most, block.last_t), 0));
    return Math.max(Math.min(this.bounds[1], last), this.start + 1);
  }

  get isOpen() {
    return this.record.status === "open";
  }

  /** Windows in the order in which they were opened, with the times they were seen at. */
  get windows() {
    return this.once("windows", () => this.makeWindows());
  }

  makeWindows() {
    /** @type {Map<string, {id: string, from: number, to: number, blocks: Block[]}>} */
    const found = new Map();
    for (const block of this.index.blocks) {
      const known = found.get(block.window_id) ?? { id: block.window_id, from: Infinity, to: 0, blocks: [] };
      known.from = Math.min(known.from, block.first_t);
      known.to = Math.max(known.to, block.last_t);
      known.blocks.push(block);
      found.set(block.window_id, known);
    }
    for (const known of found.values()) known.blocks.sort((a, b) => a.sequence - b.sequence || a.offset - b.offset);
    return [...found.values()].sort((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1));
  }

  /**
   * Pages in the order in which they were entered.
   * @returns {{url: string, window_id: string, t: number}[]}
   */
  get pages() {
    return this.once("pages", () => [...this.record.pages].sort((a, b) => a.t - b.t));
  }

  /**
   * The page a moment was on.
   * @param {number} t
   * @param {string} [windowId]
   */
  pageAt(t, windowId) {
    return this.pages.findLast((page) => page.t <= t && (!windowId || page.window_id === windowId));
  }

  /**
   * What the timeline and the index know of a window being used last up to a moment, before its events are loaded.
   * @param {number} t
   * @param {(windowId: string) => boolean} counts
   * @returns {{t: number, window: string} | undefined}
   */
  useAt(t, counts) {
    /** @type {{t: number, window: string} | undefined} */
    let latest;
    const consider = (/** @type {number} */ at, /** @type {string} */ window) => {
      if (at <= t && window && counts(window) && (!latest || at > latest.t)) latest = { t: at, window };
    };
    for (const entry of this.entries) consider(entry.t, entry.window_id);
    for (const page of this.record.pages) consider(page.t, page.window_id);
    for (const block of this.index.blocks) consider(block.first_t, block.window_id);
    return latest;
  }

  /** @returns {Moment[]} all moments, in order of time */
  get moments() {
    return this.once("moments", () => this.makeMoments());
  }

  /** @returns {Moment[]} */
  makeMoments() {
    const { start, end } = this;
    /** @type {Moment[]} */
    const moments = this.signals.map((signal) => ({
      id: signal.id,
      t: signal.t,
      end: signal.end_t,
      kind: "signal",
      detector: signal.detector,
      window_id: signal.window_id,
      text: signal.target?.text || signal.evidence.message || signal.evidence.error_type || "",
      signal,
    }));
    const add = (
      /** @type {Moment["kind"]} */ kind,
      /** @type {number} */ t,
      /** @type {string} */ windowId,
      /** @type {string} */ text,
      extra = {},
    ) =>
      moments.push({
        id: `${kind}-${windowId}-${t}`,
        t,
        end: t,
        kind,
        detector: kind,
        window_id: windowId,
        text,
        ...extra,
      });
    for (const page of this.pages) add("page", page.t, page.window_id, page.url);
    for (const window of this.windows.slice(1)) add("window", window.from, window.id, "");
    for (const entry of this.entries)
      if (entry.kind === "error") add("error", entry.t, entry.window_id, errorText(entry), { entry });
    for (const hole of this.index.holes)
      add("hole", Math.max(start, Math.min(end, hole.t)), hole.window_id, holeSentence(hole.reason), { hole });
    if (!this.isOpen) add("end", end, "", this.record.end_reason ?? "");
    return moments.sort((a, b) => a.t - b.t || order(a) - order(b));
  }

  /** @returns {LogEntry[]} */
  get log() {
    return this.once("log", () =>
      this.entries
        .filter((entry) => entry.kind === "console" || entry.kind === "request" || entry.kind === "error")
        .map((entry) => ({ t: entry.t, kind: entry.kind, window_id: entry.window_id, entry }))
        .sort((a, b) => a.t - b.t),
    );
  }
}

/** @param {Moment} moment */
const order = (moment) => ["page", "window", "error", "signal", "hole", "end"].indexOf(moment.kind);

/** @param {any} entry */
const errorText = (entry) => [entry.error_type, entry.message].filter(Boolean).join(": ");

/**
 * @param {string} path
 * @returns {Promise<any>} `null` where this server has no such thing
 */
export async function optional(path) {
  try {
    return await getJson(path);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
