// When the visitor did something, and in which window; learned from the events as they are loaded.

/** rrweb's sources that a visitor makes: pointer, touch, scrolling, resizing, typing, media, dragging, selecting. */
const SOURCES = new Set([1, 2, 3, 4, 5, 6, 7, 12, 14]);
const META = 4;
const INCREMENTAL = 3;

/** A stretch without activity that is worth jumping over, and what of it is shown on both sides. */
const LEAST_GAP_MS = 6_000;
const BEFORE_MS = 1_500;
const AFTER_MS = 1_000;

const SHAPE = /"type":\s*(\d)(?:.*?"source":\s*(\d+))?/;
const TIME = /"timestamp":\s*(\d+(?:\.\d+)?)/g;

export class Activity {
  constructor() {
    /** @type {{t: number, window: string}[]} in order of time */
    this.known = [];
    /** @type {Set<string>} */
    this.seen = new Set();
  }

  /**
   * @param {string} windowId
   * @param {string[]} lines
   */
  learn(windowId, lines) {
    for (const line of lines) {
      const t = activityOf(line);
      const key = `${windowId} ${t}`;
      if (t === null || this.seen.has(key)) continue;
      this.seen.add(key);
      this.known.push({ t, window: windowId });
    }
    this.known.sort((a, b) => a.t - b.t);
  }

  /**
   * Where to jump to from a moment in a stretch without activity.
   * @param {number} t
   * @param {number} knownTo up to where all events are known
   * @param {{t: number}[]} moments which are never jumped over
   * @returns {number | null}
   */
  skipFrom(t, knownTo, moments) {
    const before = this.latest(t);
    const next = this.known[this.placeAfter(t)]?.t ?? Infinity;
    const moment = moments.find((each) => each.t > t)?.t ?? Infinity;
    const to = Math.min(next, moment, knownTo) - AFTER_MS;
    if (!Number.isFinite(to) || to - t < LEAST_GAP_MS || (before && t - before.t < BEFORE_MS)) return null;
    return to;
  }

  /**
   * The latest activity up to a moment, of those windows that count.
   * @param {number} t
   * @param {(windowId: string) => boolean} [counts]
   */
  latest(t, counts = () => true) {
    for (let place = this.placeAfter(t) - 1; place >= 0; place -= 1) {
      if (counts(this.known[place].window)) return this.known[place];
    }
    return undefined;
  }

  /** @param {number} t the place of the first activity after it */
  placeAfter(t) {
    let [low, high] = [0, this.known.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.known[middle].t <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * When a line was activity, read off its text: whole pages are not parsed for two numbers.
 * @param {string} line
 * @returns {number | null} epoch ms
 */
function activityOf(line) {
  const shape = SHAPE.exec(line.slice(0, 200));
  if (!shape) return null;
  const type = Number(shape[1]);
  if (type !== META && !(type === INCREMENTAL && SOURCES.has(Number(shape[2])))) return null;
  const times = [...line.slice(-200).matchAll(TIME)];
  return times.length ? Number(times.at(-1)?.[1]) : null;
}
