// What a signal says, in words: what happened, by which rule, and the numbers it fired on.

import { clock, duration, number, plural } from "../common/format.js";
import { detectorMeaning } from "../common/detectors.js";

/** @typedef {import("./session.js").Signal} Signal */
/** @typedef {Record<string, any>} Evidence */

const SIGNS = {
  control: "a button or a control",
  link: "a link without an address",
  role: "an element with the role of a control",
  handler: "an element with a click handler",
  focusable: "an element that takes the focus",
  name: "an element named like a control",
  image: "an image",
};

/** @type {Readonly<Record<string, (evidence: Evidence) => string>>} the rule that fired, with its numbers */
const RULES = {
  rage_click: (e) =>
    `${e.needed_clicks} or more clicks on one control within ${duration(e.window_ms)} that the page did not answer` +
    (e.max_spread_px ? `, at most ${e.max_spread_px} px apart.` : "."),
  dead_click: (e) =>
    `A click on ${SIGNS[/** @type {keyof typeof SIGNS} */ (e.sign)] ?? "something that asks to be clicked"}, and no answer within ` +
    `${duration(e.wait_ms)}: no change of the page, no request, no navigation.`,
  error_click: (e) => `An error of the page within ${duration(e.window_ms)} of a click.`,
  js_error: () => "Errors with the same fingerprint, as long as no second passes between two of them.",
  network_error: () =>
    "A request that a click caused and that failed, unless it worked when it was tried again at once.",
  slow_response: (e) => `A click that was answered, but after ${duration(e.slow_ms)} or more.`,
  thrashed_cursor: (e) =>
    `The pointer turned back ${e.needed_turns} times or more within ${duration(e.window_ms)}, each leg ${e.leg_px} px or longer.`,
  quick_back: (e) =>
    `Pages left by the back button within ${duration(e.stay_ms)}, ${e.needed_times} times or more in a row.`,
  form_abandonment: (e) => `A form with text in ${e.needed_fields} or more fields that was left without being sent.`,
  form_error_loop: (e) => `A form that was refused ${e.needed_refusals} times or more in a row.`,
  rapid_reload: (e) => `The same page loaded ${e.needed_reloads} times or more within ${duration(e.window_ms)}.`,
  scroll_thrash: (e) =>
    `The page's scrolling turned ${e.needed_turns} times or more within ${duration(e.window_ms)}, each leg ${e.leg_px} px or longer.`,
  idle: (e) => `Nothing from the visitor for ${duration(e.after_ms)} or longer, who then came back.`,
};

/** @type {Readonly<Record<string, (signal: Signal) => string>>} what happened, in one sentence */
const STORIES = {
  rage_click: (s) =>
    `${plural(s.count ?? 0, "click")} on ${what(s)} in ${duration(s.end_t - s.t)}, without any answer.`,
  dead_click: (s) => `A click on ${what(s)}, and nothing happened.`,
  error_click: (s) => `A click on ${what(s)}, and ${duration(s.evidence.delay_ms ?? 0)} later ${error(s)}.`,
  js_error: (s) => `The page failed${(s.count ?? 1) > 1 ? ` ${s.count} times` : ""} with ${error(s)}.`,
  network_error: (s) => `A click on ${what(s)}, and its request ${failed(s)}.`,
  slow_response: (s) => `A click on ${what(s)} was answered after ${duration(s.evidence.waited_ms ?? s.end_t - s.t)}.`,
  thrashed_cursor: (s) => `The pointer was shaken: ${plural(s.count ?? 0, "turn")} in ${duration(s.end_t - s.t)}.`,
  quick_back: (s) => `${plural(s.count ?? 2, "page")} opened and left at once.`,
  form_abandonment: (s) =>
    `A form was filled in (${plural(Number(s.evidence.fields ?? 0), "field")}) and left without being sent.`,
  form_error_loop: (s) => `A form was sent and refused ${plural(s.count ?? 0, "time")} in a row.`,
  rapid_reload: (s) => `The page was loaded again ${plural(s.count ?? 0, "time")} in ${duration(s.end_t - s.t)}.`,
  scroll_thrash: (s) => `Scrolled up and down: ${plural(s.count ?? 0, "turn")} in ${duration(s.end_t - s.t)}.`,
  idle: (s) => `Nothing happened for ${duration(s.evidence.idle_ms ?? s.end_t - s.t)}.`,
};

/** @param {Signal} signal */
const what = (signal) =>
  signal.target?.text ? `“${signal.target.text}”` : signal.target ? `<${signal.target.tag}>` : "the page";

/** @param {Signal} signal */
function error(signal) {
  const { error_type: type, message } = signal.evidence;
  return [type, message].filter(Boolean).join(": ") || "an error";
}

/** @param {Signal} signal */
const failed = (signal) => (signal.evidence.status ? `failed with status ${signal.evidence.status}` : "got no answer");

/** @param {Signal} signal */
export const story = (signal) => said(STORIES[signal.detector], signal) || detectorMeaning(signal.detector);

/** @param {Signal} signal */
export const rule = (signal) => said(RULES[signal.detector], signal.evidence) || detectorMeaning(signal.detector);

/**
 * Vendors' rules and plugins bring other numbers: a sentence with a gap in it is not said.
 * @template T
 * @param {((value: T) => string) | undefined} sentence
 * @param {T} value
 */
function said(sentence, value) {
  const text = sentence?.(value) ?? "";
  return /undefined|NaN/.test(text) ? "" : text;
}

const LABELS = {
  span_ms: "From first to last click",
  window_ms: "Window of the rule",
  needed_clicks: "Clicks it takes",
  max_spread_px: "Largest area",
  spread_px: "Area clicked",
  click_times: "Clicks at",
  wait_ms: "Waited for an answer",
  sign: "Asks to be clicked",
  error_type: "Class",
  top_frame: "Innermost frame",
  delay_ms: "Time from the click",
  click_delay_ms: "Time from the click",
  sources: "Told by",
  source: "Told by",
  clicked: "Clicked before",
  url: "Address",
  waited_ms: "Waited",
  slow_ms: "Slow from",
  idle_ms: "Silence",
  after_ms: "Idle from",
  decided_t: "Decided at",
  error_t: "Error at",
};

/**
 * The evidence as rows: a label in words and a value with its unit.
 * @param {Signal} signal
 * @param {number} startedAt epoch ms of the session's start
 * @returns {[string, string][]}
 */
export function evidenceRows(signal, startedAt) {
  return Object.entries(signal.evidence)
    .filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length))
    .map(([name, value]) => [labelOf(name), valueOf(name, value, startedAt)]);
}

/** @param {string} name */
function labelOf(name) {
  const known = LABELS[/** @type {keyof typeof LABELS} */ (name)];
  if (known) return known;
  const words = name.replace(/_(ms|px|t)$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * @param {string} name
 * @param {any} value
 * @param {number} startedAt
 * @returns {string}
 */
function valueOf(name, value, startedAt) {
  if (Array.isArray(value)) return value.map((each) => valueOf(name, each, startedAt)).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number")
    return name === "sign" ? (SIGNS[/** @type {keyof typeof SIGNS} */ (value)] ?? value) : String(value);
  if (name.endsWith("_ms")) return duration(value);
  if (name.endsWith("_px")) return `${number(value)} px`;
  if ((name.endsWith("_t") || name.endsWith("times")) && value > 1e11) return clock(value - startedAt, true);
  return number(value);
}
