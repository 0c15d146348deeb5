// The panels beside the replay: console, network, account of the session, its facts and what is missing of it.

import { byteCount, clock as clockText, dateTime, duration, exactDateTime, number, pagePath, plural } from "../common/format.js";
import { getJson } from "../common/api.js";
import { badge, button, failure, fill, h, icon, loading, recorded, recordedLink, scoreBadge, state } from "../common/ui.js";
import { fact } from "./moments.js";
import { optional } from "./session.js";

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
      const text = isFiltered ? "Search for something else, or show more than errors." : "What was masked or not recorded does not show here.";
      fill(this.list, h("li", {}, state({ icon: isFiltered ? "search" : "info", title, text })));
      return;
    }
    const rest = rows.length - this.rows.length;
    fill(this.list, this.rows.map(({ row }) => row), rest > 0 ? h("li", { class: "soft small list-rest" }, `${number(rest)} more: search for them.`) : null);
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
      const text = name || entry.text || (entry.arguments ? plural(entry.arguments, "argument") : "Kept back by masking");
      return { level, cells: [icon(LEVEL_ICONS[level] ?? "info"), h("span", { class: "log-text mono" }, recorded(text, 600))] };
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
          h("span", { class: "log-text mono" }, h("span", { class: "soft" }, `${entry.method ?? "GET"} `), recorded(pagePath(String(entry.url ?? "")), 300)),
          h("span", { class: "faint numeric log-took" }, took === null ? "" : duration(took)),
        ],
      };
    },
  });
}

/** The account of the session in sentences, each of which leads to its moment. */
export class SummaryPanel {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./clock.js").Clock} clock
   * @param {(t: number, windowId: string) => void} onSeek
   */
  constructor(session, clock, onSeek) {
    this.session = session;
    this.clock = clock;
    this.onSeek = onSeek;
    this.body = h("div", { class: "panel-pad column" });
    this.element = h("div", { class: "panel-scroll" }, this.body);
    this.isLoaded = false;
  }

  async load() {
    if (this.isLoaded) return;
    this.isLoaded = true;
    fill(this.body, loading("Reading the session"));
    try {
      this.draw(await optional(`${this.session.api}/summary`));
    } catch (error) {
      this.isLoaded = false;
      fill(this.body, failure(error, () => void this.load()));
    }
  }

  /** @param {any} summary */
  draw(summary) {
    if (!summary) {
      fill(this.body, state({ icon: "spark", title: "No account of this session", text: "This server does not write summaries." }));
      return;
    }
    fill(
      this.body,
      h("h2", {}, recorded(summary.headline, 400)),
      summary.rephrased ? this.rephrased(summary.rephrased) : null,
      summary.friction_points?.length
        ? [
            h("h3", { class: "eyebrow section" }, "What hurt, worst first"),
            h("ol", { class: "friction" }, summary.friction_points.map((/** @type {any} */ point) => this.point(point))),
          ]
        : null,
      h("h3", { class: "eyebrow section" }, "What happened"),
      h("ol", { class: "sentences" }, summary.sentences.map((/** @type {any} */ sentence) => this.sentence(sentence))),
    );
  }

  /** @param {{text: string, by: string}} rephrased */
  rephrased(rephrased) {
    return h(
      "div",
      { class: "notice" },
      icon("spark"),
      h("div", {}, h("p", {}, recorded(rephrased.text)), h("p", { class: "faint small" }, "In the words of ", recorded(rephrased.by, 80), ". Only its numbers are checked.")),
    );
  }

  /** @param {any} point */
  point(point) {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "friction-point", on: { click: () => this.onSeek(point.t, point.window_id) } },
        h("span", { class: "friction-rank numeric" }, String(point.rank)),
        h("span", { class: "column grow" }, h("span", { class: "row wrap" }, badge(point.detector), h("span", { class: "faint numeric small" }, clockText(point.t - this.clock.start))), h("span", {}, recorded(point.text, 400))),
        h("span", { class: "faint numeric small", title: "Its share of the score" }, `${number(point.weight)} p`),
      ),
    );
  }

  /** @param {any} sentence */
  sentence(sentence) {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "sentence", on: { click: () => this.onSeek(sentence.t, sentence.window_id) } },
        h("span", { class: "moment-time numeric" }, clockText(sentence.t - this.clock.start)),
        h("span", {}, recorded(sentence.text, 600)),
      ),
    );
  }
}

/** The facts of the session, how its score came about, and why something of it is missing. */
export class AboutPanel {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./player.js").Player} player
   */
  constructor(session, player) {
    this.session = session;
    this.player = player;
    this.facts = h("div", { class: "column" });
    this.missing = h("div", { class: "column" });
    this.withheld = h("div", {});
    this.element = h(
      "div",
      { class: "panel-scroll" },
      h("div", { class: "panel-pad column" }, this.facts, h("h2", { class: "eyebrow section" }, "Why is something missing?"), this.withheld, this.missing),
    );
    this.isLoaded = false;
  }

  draw() {
    const { record, index } = this.session;
    const length = this.session.end - this.session.start;
    const visitor = record.user_id ?? record.anonymous_id;
    fill(
      this.facts,
      h(
        "dl",
        { class: "facts" },
        fact("Score", h("span", { class: "row" }, scoreBadge(record.score), h("span", { class: "faint small" }, "of 100"))),
        visitor ? fact("Visitor", recorded(visitor, 128)) : null,
        fact("Started", exactDateTime(record.started_at)),
        fact("Lasted", duration(length)),
        fact("State", record.status === "open" ? "open: more may come" : `ended (${String(record.end_reason ?? "").replaceAll("_", " ")})`),
        ...["device", "release", "country"].map((name) => (record[name] ? fact(name.charAt(0).toUpperCase() + name.slice(1), recorded(record[name], 128)) : null)),
        fact("Project", recorded(record.project_id, 128)),
        fact("Events", `${number(record.totals.events)} in ${plural(index.blocks.length, "block")}, ${byteCount(record.totals.bytes)}`),
        fact("Clicks, inputs, errors", `${number(record.totals.clicks)}, ${number(record.totals.inputs)}, ${number(record.totals.errors)}`),
        fact("Privacy", h("span", {}, `masked at level ${record.privacy_level} `, h("code", { class: "faint" }, recorded(record.policy_version, 40)))),
        fact("Session id", h("code", {}, recorded(record.session_id, 128))),
      ),
      record.score_parts.length ? [h("h2", { class: "eyebrow section" }, "What makes the score"), this.scoreParts(record)] : null,
      h("h2", { class: "eyebrow section" }, "Pages"),
      h("ol", { class: "page-list" }, this.session.pages.map((page) => h("li", { class: "row" }, h("span", { class: "moment-time numeric" }, clockText(page.t - this.session.start)), h("span", { class: "truncate" }, recordedLink(page.url, pagePath(page.url)))))),
    );
    this.drawWithheld();
  }

  /** @param {any} record */
  scoreParts(record) {
    const most = Math.max(...record.score_parts.map((/** @type {any} */ part) => part.points), 1);
    return h(
      "ul",
      { class: "score-parts" },
      record.score_parts.map((/** @type {any} */ part) => {
        const bar = h("span", { class: "score-bar", data: { detector: part.detector } });
        bar.style.setProperty("width", `${(part.points / most) * 100}%`);
        return h("li", {}, badge(part.detector, part.count), h("span", { class: "score-rail" }, bar), h("span", { class: "numeric" }, number(part.points)));
      }),
    );
  }

  /** What the viewer itself did not show. */
  drawWithheld() {
    const { withheld, failures } = this.player;
    fill(
      this.withheld,
      withheld
        ? h("p", { class: "statement" }, icon("eye"), h("span", {}, `${plural(withheld, "picture or style", "pictures and styles")} of other hosts ${withheld === 1 ? "is" : "are"} not loaded: a replay asks nobody for anything.`))
        : null,
      failures
        ? h("p", { class: "statement" }, icon("warn"), h("span", {}, `${plural(failures, "event")} could not be played and ${failures === 1 ? "was" : "were"} left out.`))
        : null,
    );
  }

  async load() {
    this.draw();
    if (this.isLoaded || this.session.isShared) return;
    this.isLoaded = true;
    fill(this.missing, loading());
    try {
      const explanation = await getJson(`${this.session.api}/explain`);
      fill(this.missing, h("ul", { class: "column" }, explanation.statements.map(statement)));
    } catch (error) {
      this.isLoaded = false;
      fill(this.missing, failure(error, () => void this.load()));
    }
  }
}

/** @param {{about: string, reason: string, sentence: string, count: number}} said */
export function statement(said) {
  return h(
    "li",
    { class: "statement" },
    icon(said.about === "open" || said.about === "compacted" ? "info" : said.about.startsWith("hole") ? "hole" : "info"),
    h(
      "span",
      { class: "column" },
      h("span", { class: "row wrap" }, h("span", { class: "strong" }, recorded(capital(aboutWords(said.about)), 200)), said.reason ? h("code", { class: "faint" }, recorded(said.reason, 80)) : null, said.count ? h("span", { class: "badge neutral numeric" }, `×${number(said.count)}`) : null),
      h("span", { class: "soft" }, recorded(said.sentence, 400)),
    ),
  );
}

/** @param {string} about the moment of a hole is told as a date */
const aboutWords = (about) => about.replace(/, at (\d{12,14}) ms$/, (_, ms) => `, ${dateTime(Number(ms))}`);

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * Why a session that is not there is not there.
 * @param {string} api
 * @param {unknown} error
 */
export async function whyNot(api, error) {
  const box = h("div", { class: "panel why-not" }, state({ icon: "search", title: "There is no such session", text: "This is what is known of it:" }), loading());
  try {
    const explanation = await getJson(`${api}/explain`);
    box.lastElementChild?.replaceWith(h("ul", { class: "column panel-pad" }, explanation.statements.map(statement)));
  } catch {
    fill(box, failure(error));
  }
  box.append(h("div", { class: "row panel-pad" }, button("All sessions", { icon: "list", onClick: () => location.assign("/") })));
  return box;
}
