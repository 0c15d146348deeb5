// The moments of a session on a line: a link to each, those that would overlap in one.

import { detectorName, DETECTOR_ORDER } from "../common/detectors.js";
import { clock, duration, plural } from "../common/format.js";
import { h, plain } from "../common/ui.js";
import { momentHref } from "./links.js";

/** Width of a mark, so that a finger can hit it; CSS pixels. */
const MARK_PX = 24;

const MOST_PAGES = 50;
const MOST_LINES = 6;

/**
 * @typedef {Object} Moment
 * @property {number} t epoch ms
 * @property {string} detector
 * @property {number} [count]
 * @property {string} [text]
 */

/** @typedef {{moments: Moment[], total: number}} Moments */

/**
 * Draw the line of a session.
 * @param {import("./session.js").SessionRecord} record
 * @param {Moments | null} found null while it is not known yet
 * @param {number} widthPx of the place it is drawn in
 * @returns {HTMLElement[]}
 */
export function drawStrip(record, found, widthPx) {
  const length = Math.max(1, record.last_event_at - record.started_at);
  const place = (/** @type {number} */ t) => Math.min(1, Math.max(0, (t - record.started_at) / length));
  const line = h("div", { class: "strip-line" });
  for (const page of record.pages.slice(1, MOST_PAGES)) {
    line.append(placed(h("span", { class: "strip-page" }), place(page.t)));
  }
  const inner = Math.max(MARK_PX, widthPx - MARK_PX);
  for (const group of grouped(found?.moments ?? [], (t) => place(t) * inner)) {
    line.append(placed(mark(record, group), place(group[0].t)));
  }
  const left = found ? found.total - found.moments.length : 0;
  const foot = h(
    "div",
    { class: "strip-foot faint tiny numeric" },
    h("span", {}, "0:00"),
    left > 0 ? h("span", {}, `${plural(left, "more moment")}`) : null,
    h("span", {}, duration(length)),
  );
  return [line, foot];
}

/**
 * @template {HTMLElement} T
 * @param {T} element
 * @param {number} share 0 to 1
 */
function placed(element, share) {
  element.style.setProperty("--at", share.toFixed(4));
  return element;
}

/**
 * Put moments whose marks would overlap together.
 * @param {Moment[]} moments in order of time
 * @param {(t: number) => number} pixelOf
 * @returns {Moment[][]}
 */
export function grouped(moments, pixelOf) {
  /** @type {Moment[][]} */
  const groups = [];
  for (const moment of moments) {
    const last = groups.at(-1);
    if (last && pixelOf(moment.t) - pixelOf(last[0].t) < MARK_PX) last.push(moment);
    else groups.push([moment]);
  }
  return groups;
}

/**
 * @param {import("./session.js").SessionRecord} record
 * @param {Moment[]} group
 */
function mark(record, group) {
  const first = group[0];
  const lines = told(group);
  const at = clock(first.t - record.started_at, true);
  return h(
    "a",
    {
      class: "mark",
      href: momentHref(record.session_id, first.t),
      "aria-label": `${group.length > 1 ? `${group.length} moments from ${at} on` : `At ${at}`}: ${lines.join(", ")}`,
      data: { detector: worst(group), tip: `${at}\n${lines.join("\n")}` },
    },
    h("span", { class: "mark-dot" }, group.length > 1 ? String(group.length) : ""),
  );
}

/**
 * Say what there is in a group, the same things once.
 * @param {Moment[]} group
 * @returns {string[]}
 */
function told(group) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const moment of group) {
    const clicks = moment.count && moment.count > 1 ? ` ${moment.count}×` : "";
    const label = moment.text ? ` “${plain(moment.text, 60)}”` : "";
    const line = `${plain(detectorName(moment.detector), 60)}${clicks}${label}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const lines = [...counts].map(([line, count]) => (count > 1 ? `${line} (${count})` : line));
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES - 1), "and more"] : lines;
}

/** @param {Moment[]} group */
function worst(group) {
  return DETECTOR_ORDER.find((detector) => group.some((moment) => moment.detector === detector)) ?? group[0].detector;
}
