// One session of the list.

import { detectorName } from "../common/detectors.js";
import { ago, duration, exactDateTime, pagePath, plural, scoreLevel } from "../common/format.js";
import { badge, button, fill, h, icon, plain, recorded } from "../common/ui.js";
import { sessionHref } from "./links.js";
import { drawStrip } from "./strip.js";

/**
 * @typedef {Object} SessionRecord
 * @property {string} session_id
 * @property {string} project_id
 * @property {number} started_at
 * @property {number} last_event_at
 * @property {"open" | "ended"} status
 * @property {string[]} window_ids
 * @property {{url: string, window_id: string, t: number}[]} pages
 * @property {Record<string, number>} tags
 * @property {number} score
 * @property {{detector: string, count: number, points: number}[]} score_parts
 * @property {string} [user_id]
 * @property {string} [anonymous_id]
 * @property {Record<string, string>} [attributes] such as device, release, country
 */

/** What sessions ran on, with the icon it is shown by. */
const ATTRIBUTES = { device: "device", country: "globe", release: "layers" };

/** Labels of elements named beside the signals. */
const MOST_LABELS = 2;

/**
 * What a session can ask of the page it is on.
 * @typedef {Object} Actions
 * @property {(name: string, value: string) => void} filter
 * @property {((record: SessionRecord) => void) | null} remove null where the reader may not delete
 */

/** A session's place in the list: made once, changed in place when the session is. */
export class SessionItem {
  /**
   * @param {SessionRecord} record
   * @param {Actions} actions
   * @param {number} now epoch ms
   */
  constructor(record, actions, now) {
    this.record = record;
    /** @type {import("./strip.js").Moments | null} */
    this.moments = null;
    this.actions = actions;
    this.strip = h("div", { class: "strip" });
    this.where = h("span", { class: "session-where soft small truncate" });
    this.element = h("li", { class: "session", data: { session: record.session_id } });
    this.update(record, now);
  }

  /**
   * Show what the session has become.
   * @param {SessionRecord} record
   * @param {number} now epoch ms
   */
  update(record, now) {
    const focused = this.element.contains(document.activeElement) ? document.activeElement?.className : "";
    this.record = record;
    fill(
      this.element,
      score(record),
      h(
        "div",
        { class: "session-main" },
        head(record),
        tags(record, this.actions, this.where),
        about(record, this.actions, now),
      ),
      this.strip,
      this.removal(),
    );
    this.draw();
    const again = focused ? this.element.getElementsByClassName(focused)[0] : null;
    if (again instanceof HTMLElement) again.focus();
  }

  /** @param {import("./strip.js").Moments} moments */
  show(moments) {
    this.moments = moments;
    this.draw();
  }

  /** Draw the line of moments for the width it has now. */
  draw() {
    fill(this.strip, ...drawStrip(this.record, this.moments, this.strip.clientWidth || 280));
    const labels = [...new Set((this.moments?.moments ?? []).flatMap((moment) => moment.text ?? []))];
    fill(
      this.where,
      labels.length
        ? [
            "on ",
            recorded(
              labels
                .slice(0, MOST_LABELS)
                .map((label) => `“${label}”`)
                .join(", "),
              80,
            ),
          ]
        : null,
    );
  }

  focus() {
    this.element.querySelector("a")?.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "nearest" });
  }

  removal() {
    const remove = this.actions.remove;
    if (!remove) return null;
    return button("Delete this session", {
      icon: "trash",
      iconOnly: true,
      kind: "ghost",
      small: true,
      onClick: () => remove(this.record),
      attributes: { class: "button ghost small icon-only session-remove" },
    });
  }
}

/** @param {SessionRecord} record */
function score(record) {
  const parts = record.score_parts.map(
    (part) =>
      `+${part.points.toFixed(1)}  ${plain(detectorName(part.detector), 60)}${part.count > 1 ? ` ×${part.count}` : ""}`,
  );
  const why = parts.length ? parts : ["No sign of frustration"];
  const value = Math.round(record.score);
  return h(
    "button",
    {
      type: "button",
      class: "score",
      "aria-label": `Score ${value} of 100: ${why.join(", ")}`,
      data: {
        level: record.score > 0 ? scoreLevel(record.score) : "none",
        tip: `Score ${record.score} of 100\n${why.join("\n")}`,
      },
    },
    String(value),
  );
}

/** @param {SessionRecord} record */
function head(record) {
  const urls = [record.pages[0], record.pages.at(-1)].flatMap((visit) => (visit ? [pagePath(visit.url)] : []));
  const [first, last] = [...new Set(urls)];
  return h(
    "div",
    { class: "session-head" },
    h(
      "a",
      { class: "session-link", href: sessionHref(record.session_id), title: plain(record.session_id, 200) },
      first === undefined ? "No page seen" : recorded(first, 200),
      last === undefined
        ? null
        : [
            h("span", { class: "faint", "aria-hidden": "true" }, " → "),
            h("span", { class: "visually-hidden" }, " to "),
            recorded(last, 200),
          ],
    ),
    record.status === "open"
      ? h("span", { class: "badge good live" }, h("span", { class: "dot live", "aria-hidden": "true" }), "Live")
      : null,
  );
}

/**
 * @param {SessionRecord} record
 * @param {Actions} actions
 * @param {HTMLElement} where says what was clicked
 */
function tags(record, actions, where) {
  const sorted = Object.entries(record.tags).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (!sorted.length) return h("div", { class: "session-tags faint small" }, "Nothing went wrong");
  const chip = (/** @type {string} */ tag, /** @type {number} */ count) =>
    h(
      "button",
      {
        type: "button",
        class: "tag",
        title: "Only sessions with this",
        "aria-label": `${plain(detectorName(tag), 60)}, ${count}: only sessions with this`,
        on: { click: () => actions.filter("tag", tag) },
      },
      badge(tag, count),
    );
  return h(
    "div",
    { class: "session-tags" },
    sorted.map(([tag, count]) => chip(tag, count)),
    where,
  );
}

/**
 * @param {SessionRecord} record
 * @param {Actions} actions
 * @param {number} now epoch ms
 */
function about(record, actions, now) {
  const user = record.user_id ?? record.anonymous_id;
  return h(
    "div",
    { class: "session-about soft small" },
    fact(
      "clock",
      h(
        "time",
        { title: when(record.started_at, exactDateTime) },
        when(record.started_at, (t) => ago(t, now)),
      ),
    ),
    h("span", { class: "numeric" }, duration(record.last_event_at - record.started_at)),
    record.pages.length > 1 ? h("span", {}, plural(record.pages.length, "page")) : null,
    record.window_ids.length > 1 ? h("span", {}, plural(record.window_ids.length, "tab")) : null,
    user
      ? h(
          "button",
          {
            type: "button",
            class: "fact-button",
            title: "Only sessions of this user",
            on: { click: () => actions.filter("user", user) },
          },
          fact("user", record.user_id ? recorded(user, 40) : ["visitor ", recorded(user.slice(0, 8))]),
        )
      : null,
    Object.entries(ATTRIBUTES).map(([name, symbol]) => {
      const value = record.attributes?.[name];
      return value ? fact(symbol, recorded(value, 60)) : null;
    }),
  );
}

/**
 * @param {string} name of the icon
 * @param {import("../common/ui.js").Child | import("../common/ui.js").Child[]} content
 */
function fact(name, content) {
  return h("span", { class: "fact" }, icon(name), h("span", {}, content));
}

/**
 * Sessions come from strangers: their times may be no times.
 * @param {number} t epoch ms
 * @param {(t: number) => string} tell
 */
function when(t, tell) {
  return Math.abs(t) <= 8.64e15 ? tell(t) : "at an unknown time";
}
