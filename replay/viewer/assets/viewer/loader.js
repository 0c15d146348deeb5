// Which blocks of a window to fetch for a moment, and which next. Holds no events: they go to the frame as they come.

import { query, request } from "../common/api.js";

/** @typedef {import("./session.js").Block} Block */

/** Milliseconds of the session that are fetched beyond the moment before it is shown. */
const AHEAD_MS = 5_000;
/** Milliseconds (at speed 1) that playing keeps in hand, and how much JSON it fetches at once for that. */
const IN_HAND_MS = 20_000;
const BATCH_BYTES = 1 << 20;
/** JSON a frame may hold; beyond it the next keyframe starts anew. */
const MAX_HELD_BYTES = 48 << 20;

export class Loader {
  /**
   * @param {string} api address of the session
   * @param {string} windowId
   * @param {Block[]} blocks of the window, in playing order
   * @param {number} from epoch ms: what is asked for earlier than this is not given, so it is not asked for
   */
  constructor(api, windowId, blocks, from = -Infinity) {
    this.api = api;
    this.from = from;
    this.windowId = windowId;
    this.blocks = blocks;
    /** What the frame holds: blocks from `first` up to, but not with, `next`; equal if it holds nothing. */
    this.first = 0;
    this.next = 0;
    this.heldBytes = 0;
    /** Which of its two places the data was in; positions hold in it alone. */
    this.generation = "0";
    /** @type {AbortController | null} */
    this.running = null;
    /** Settles when nothing is on its way any more. */
    this.pending = Promise.resolve(true);
  }

  /**
   * The session has grown, or its blocks were merged: find the places of what is held in the new list.
   * @param {Block[]} blocks in playing order
   */
  replace(blocks) {
    const [start, end] = [this.blocks[this.first], this.blocks[this.next - 1]];
    this.blocks = blocks;
    if (this.next <= this.first) return;
    const at = (/** @type {Block} */ old) =>
      blocks.findIndex((b) => b.sequence === old.sequence && b.offset === old.offset && b.length === old.length);
    const [first, last] = [at(start), at(end)];
    // Merged blocks are others: nothing that is held counts, the frame goes on with it until the next jump.
    this.first = this.next = Math.max(0, first);
    if (first >= 0 && last >= 0) this.next = last + 1;
  }

  /** Epoch ms of the last moment that is held, or `-Infinity`. */
  get heldTo() {
    return this.next > this.first ? (this.blocks[this.next]?.first_t ?? Infinity) : -Infinity;
  }

  /** Epoch ms of the first moment that is held, or `Infinity`. */
  get heldFrom() {
    if (this.next <= this.first) return Infinity;
    return this.first === this.startFor(-Infinity) ? -Infinity : this.blocks[this.first].first_t;
  }

  /** @param {number} t */
  holds(t) {
    return this.heldFrom <= t && t < this.heldTo;
  }

  /**
   * The block to start with in order to show a moment, as docs/bundle-format.md says.
   * @param {number} t
   */
  startFor(t) {
    const before = this.blocks.findLastIndex((block) => block.keyframe && block.first_t <= t);
    if (before >= 0) return before;
    return Math.max(
      0,
      this.blocks.findIndex((block) => block.keyframe),
    );
  }

  /**
   * The block after the last one that a moment needs.
   * @param {number} start
   * @param {number} t
   */
  endFor(start, t) {
    const last = this.blocks.findLastIndex((block) => block.first_t <= t);
    return Math.max(start + 1, last + 1);
  }

  /**
   * Whether it is cheaper to go on from what is held than to start at the keyframe before the moment.
   * @param {number} t
   */
  isWithinReach(t) {
    if (this.next <= this.first || t < this.heldFrom) return false;
    return this.startFor(t) < this.next && this.heldBytes < MAX_HELD_BYTES;
  }

  /**
   * Fetch what shows a moment, from the keyframe before it.
   * @param {number} t
   * @param {(lines: string[], isFirst: boolean) => void} take called with events as they come
   * @returns {Promise<boolean>} false if something else was asked for meanwhile
   */
  async show(t, take) {
    const start = this.startFor(t);
    const end = this.endFor(start, t + AHEAD_MS);
    this.first = this.next = start;
    this.heldBytes = 0;
    return this.fetch(start, end, take);
  }

  /**
   * Fetch up to a moment, going on from what is held.
   * @param {number} t
   * @param {(lines: string[], isFirst: boolean) => void} take
   */
  async reach(t, take) {
    // What is on its way already is not asked for again.
    await this.pending;
    if (this.next >= this.blocks.length || this.holds(t)) return true;
    return this.fetch(this.next, this.endFor(this.next, t + AHEAD_MS), take);
  }

  /**
   * Fetch more if playing will need it soon.
   * @param {number} t
   * @param {number} speed
   * @param {(lines: string[], isFirst: boolean) => void} take
   * @returns {Promise<boolean>} whether there was something to fetch
   */
  async ahead(t, speed, take) {
    const isEnough = this.heldTo > t + IN_HAND_MS * speed;
    if (this.running || isEnough || this.next <= this.first || this.next >= this.blocks.length) return false;
    // A frame that holds much gets no more: the next keyframe starts it anew.
    if (this.heldBytes > MAX_HELD_BYTES && this.blocks.some((block, place) => place >= this.next && block.keyframe))
      return false;
    let end = this.next;
    for (let bytes = 0; end < this.blocks.length && (bytes < BATCH_BYTES || end === this.next); end += 1) {
      bytes += this.blocks[end].raw_length;
    }
    return this.fetch(this.next, end, take);
  }

  /**
   * @param {number} from place of the first block
   * @param {number} to place after the last block
   * @param {(lines: string[], isFirst: boolean) => void} take
   * @returns {Promise<boolean>}
   */
  fetch(from, to, take) {
    const fetching = this.fetchNow(from, to, take);
    this.pending = fetching.catch(() => false);
    return fetching;
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {(lines: string[], isFirst: boolean) => void} take
   * @returns {Promise<boolean>}
   */
  async fetchNow(from, to, take) {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    try {
      const gathered = await this.gather(from, to, running.signal);
      if (running.signal.aborted) return false;
      for (const block of this.blocks.slice(from, to)) this.heldBytes += block.raw_length;
      this.next = to;
      take(gathered, from === this.first);
      return true;
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return false;
      throw error;
    } finally {
      if (this.running === running) this.running = null;
    }
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {AbortSignal} signal
   * @returns {Promise<string[]>}
   */
  async gather(from, to, signal) {
    const wanted = this.blocks.slice(from, to);
    const isContinued = from > this.first;
    // Without `after` the server starts at the keyframe; with it, it leaves out what lies before these blocks.
    const position = Math.min(...wanted.map((block) => block.offset));
    const answer = await request(
      `${this.api}/events${query({
        window_id: this.windowId,
        from: Math.max(this.from, wanted[0].first_t),
        to: Math.max(this.from, ...wanted.map((block) => block.first_t)),
        after: isContinued ? `${this.generation}.${position}` : undefined,
      })}`,
      { signal },
    );
    this.generation = (answer.headers.get("wince-position") ?? this.generation).slice(0, 1);
    const gathered = (await answer.text()).split("\n").filter((line) => line !== "");
    return isContinued ? this.withoutLate(gathered, from, to, position) : gathered;
  }

  /**
   * A late block lies behind blocks that are played after it, so that it may be in an answer it was not asked for in.
   * @param {string[]} gathered
   * @param {number} from
   * @param {number} to
   * @param {number} position
   */
  withoutLate(gathered, from, to, position) {
    const held = this.blocks.slice(this.first, from).filter((block) => block.offset >= position);
    const extra = held.reduce((count, block) => count + block.events, 0);
    return extra ? gathered.slice(extra) : gathered;
  }

  /** Stop what is on its way. */
  stop() {
    this.running?.abort();
    this.running = null;
  }
}
