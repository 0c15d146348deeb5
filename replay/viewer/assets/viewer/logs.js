// What the page told: its console and its requests.

import { clock as clockText, duration, number, pagePath, plural } from "../common/format.js";
import { fill, h, icon, recorded, state } from "../common/ui.js";

/** @typedef {import("./session.js").LogEntry} LogEntry */

const MAX_ROWS = 1000;
const SLOW_MS = 3000;

/** Rows of what the page told: each with its time, the current one marked, a click goes there. */
class Log {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./clock.js").Clock} clock
   * @param {(t: number) => void} onSeek
   * @param {{label: string, empty: string, kinds: string[], row: (entry: LogEntry) => {level: string, cells: Node[]}}} what
   */
  constructor(session, clock, onSeek, what) {
    this.session = session;
    this.clock = clock;
    this.onSeek = onSeek;
    this.what = what;
    this.search = h("input", {
      class: "input",
      type: "search",
      placeholder: `Search ${what.label}`,
      "aria-label": `Search ${what.label}`,
      on: { input: () => this.draw() },
    });
    this.onlyErrors = h("input", { type: "checkbox", on: { change: () => this.draw() } });
    this.list = h("ol", { class: "log" });
    const check = h("label", { class: "check small" }, this.onlyErrors, "Errors only");
    this.element = h("div", { class: "panel-scroll" }, h("div", { class: "list-head" }, this.search, check), this.list);
    /** @type {{t: number, row: HTMLElement}[]} */
    this.rows = [];
    this.now = -1;
    clock.ticks.add(() => this.mark());
  }

  get entries() {
    return this.session.log.filter((entry) => this.what.kinds.includes(entry.kind));
  }

  draw() {
    const wanted = this.search.value.trim().toLowerCase();
    const rows = [];
    for (const entry of this.entries) {
      const { level, cells } = this.what.row(entry);
      if (this.onlyErrors.checked && level !== "error") continue;
      const row = this.row(entry, level, cells);
      if (wanted && !(row.textContent ?? "").toLowerCase().includes(wanted)) continue;
      rows.push({ t: entry.t, row });
    }
    this.rows = rows.slice(0, MAX_ROWS);
    this.now = -1;
    if (!rows.length) {
      const isFiltered = wanted || this.onlyErrors.checked;
      const title = isFiltered ? "Nothing matches" : this.what.empty;
      const text = isFiltered
        ? "Search for something else, or show more than errors."
        : "What was masked or not recorded does not show here.";
      fill(this.list, h("li", {}, state({ icon: isFiltered ? "search" : "info", title, text })));
      return;
    }
    const rest = rows.length - this.rows.length;
    fill(
      this.list,
      this.rows.map(({ row }) => row),
      rest > 0 ? h("li", { class: "soft small list-rest" }, `${number(rest)} more: search for them.`) : null,
      this.session.isPartial
        ? h("li", { class: "soft small list-rest" }, "There is more in this session than is listed.")
        : null,
    );
    this.mark();
  }

  /**
   * @param {LogEntry} entry
   * @param {string} level
   * @param {Node[]} cells
   */
  row(entry, level, cells) {
    return h(
      "li",
      { class: "log-row", data: { level } },
      h(
        "button",
        { type: "button", class: "log-button", on: { click: () => this.onSeek(entry.t) } },
        h("span", { class: "log-time numeric" }, clockText(entry.t - this.clock.start, true)),
        cells,
      ),
    );
  }

  /** Mark the last entry before the clock's time. */
  mark() {
    let place = -1;
    while (place + 1 < this.rows.length && this.rows[place + 1].t <= this.clock.t) place += 1;
    if (place === this.now) return;
    this.rows[this.now]?.row.removeAttribute("data-now");
    this.rows[place]?.row.setAttribute("data-now", "");
    this.now = place;
  }
}

/**
 * @param {import("./session.js").Session} session
 * @param {import("./clock.js").Clock} clock
 * @param {(t: number) => void} onSeek
 */
export function consolePanel(session, clock, onSeek) {
  return new Log(session, clock, onSeek, {
    label: "the console",
    empty: "Nothing was told on the console",
    kinds: ["console", "error"],
    row: ({ kind, entry }) => {
      const level = kind === "error" ? "error" : levelOf(entry.level);
      const name = [entry.error_type, entry.message].filter(Boolean).join(": ");
      const text =
        name || entry.text || (entry.arguments ? plural(entry.arguments, "argument") : "Kept back by masking");
      return {
        level,
        cells: [icon(LEVEL_ICONS[level] ?? "info"), h("span", { class: "log-text mono" }, recorded(text, 600))],
      };
    },
  });
}

/** @type {Readonly<Record<string, string>>} */
const LEVEL_ICONS = { error: "warn", warn: "warn", info: "info", log: "right", debug: "right" };

/** @param {unknown} level */
function levelOf(level) {
  if (level === "error" || level === "assert") return "error";
  if (level === "warn") return "warn";
  return level === "info" ? "info" : "log";
}

/**
 * @param {import("./session.js").Session} session
 * @param {import("./clock.js").Clock} clock
 * @param {(t: number) => void} onSeek
 */
export function networkPanel(session, clock, onSeek) {
  return new Log(session, clock, onSeek, {
    label: "requests",
    empty: "No request was recorded",
    kinds: ["request"],
    row: ({ entry }) => {
      const status = entry.status ?? null;
      const hasFailed = entry.failed === true || status === 0 || (status !== null && status >= 400);
      const took = entry.duration_ms ?? null;
      const level = hasFailed ? "error" : took !== null && took >= SLOW_MS ? "warn" : "log";
      return {
        level,
        cells: [
          h("span", { class: "log-status numeric" }, status ? String(status) : hasFailed ? "failed" : "…"),
          h(
            "span",
            { class: "log-text mono" },
            h("span", { class: "soft" }, `${entry.method ?? "GET"} `),
            recorded(pagePath(String(entry.url ?? "")), 300),
          ),
          h("span", { class: "faint numeric log-took" }, took === null ? "" : duration(took)),
        ],
      };
    },
  });
}
