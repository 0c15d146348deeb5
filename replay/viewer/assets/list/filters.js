// The panel of filters: what there is of each kind, with how many sessions have it.

import { detectorName } from "../common/detectors.js";
import { dateTime, number, pagePath } from "../common/format.js";
import { fill, h, plain, recorded } from "../common/ui.js";
import { RANGES, valuesOf } from "./query.js";

/**
 * @typedef {import("./query.js").Query} Query
 * @typedef {(name: string, value: string) => void} Choose an empty value takes the filter away
 */

/** Values shown of a list before it is opened. */
const SHOWN = 7;

/** Facets of the API, the filters they lead to, and what the lists are called. */
const LISTS = [
  ["tags", "tag", "Signals"],
  ["status", "status", "Status"],
  ["pages", "page", "Pages"],
  ["errors", "error", "Errors"],
  ["devices", "device", "Devices"],
  ["releases", "release", "Releases"],
  ["countries", "country", "Countries"],
];

/** Of an error that is not known in words; enough to tell it from the others. */
const FINGERPRINT_CHARS = 8;

/** What errors are in words, by fingerprint. @type {Map<string, string>} */
export const errorNames = new Map();

const SCORES = ["10", "20", "50"];

/** @type {Readonly<Record<string, string>>} */
export const RANGE_NAMES = { "1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days" };

/** What filters are called in front of their value. @type {Readonly<Record<string, string>>} */
const PREFIXES = {
  q: "search",
  page: "page",
  error: "error",
  user: "user",
  device: "device",
  release: "release",
  country: "country",
  min_score: "score from",
  max_score: "score up to",
  min_duration_ms: "at least",
  max_duration_ms: "at most",
  from: "after",
  to: "before",
};

/**
 * How the value of a filter is told.
 * @param {string} name
 * @param {string} value
 */
export function valueName(name, value) {
  if (name === "tag") return plain(detectorName(value), 60);
  if (name === "page") return plain(pagePath(value), 200);
  if (name === "error") return plain(errorNames.get(value) || value.slice(0, FINGERPRINT_CHARS), 200);
  if (name === "status") return value === "open" ? "Live now" : "Ended";
  if (name === "range") return RANGE_NAMES[value] ?? value;
  if (name.endsWith("_duration_ms")) return `${number(Number(value) / 1000)} s`;
  if (name === "from" || name === "to") return Number(value) <= 8.64e15 ? dateTime(Number(value)) : value;
  return plain(value, 200);
}

/**
 * A filter in words: "page: /cart".
 * @param {string} name
 * @param {string} value
 */
export const filterName = (name, value) => `${PREFIXES[name] ? `${PREFIXES[name]}: ` : ""}${valueName(name, value)}`;

/** The panel; it keeps which lists were opened and where the focus is. */
export class FilterPanel {
  /**
   * @param {HTMLElement} element
   * @param {Choose} choose
   */
  constructor(element, choose) {
    this.element = element;
    this.choose = choose;
    /** @type {Set<string>} */
    this.opened = new Set();
    /** @type {Record<string, unknown> | null} */
    this.facets = null;
    /** @type {Query} */
    this.query = { project: "", sort: "score", filters: [] };
  }

  /**
   * @param {Query} query
   * @param {Record<string, unknown> | null} facets as the API gave them; null while they are not known
   */
  show(query, facets) {
    this.query = query;
    this.facets = facets;
    const active = document.activeElement;
    const key = active instanceof HTMLElement && this.element.contains(active) ? active.dataset.key : undefined;
    fill(
      this.element,
      LISTS.map(([facet, name, title]) => this.list(title, name, entriesOf(facets?.[facet]))),
      this.scores(),
      this.durations(),
      this.times(),
      this.user(),
      facets?.is_partial
        ? h("p", { class: "tiny faint" }, `Counted over ${number(Number(facets.counted))} sessions of more.`)
        : null,
    );
    const again = key === undefined ? null : this.element.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (again instanceof HTMLElement) again.focus();
  }

  /**
   * @param {string} title
   * @param {string} name
   * @param {[string, number][]} entries
   */
  list(title, name, entries) {
    const chosen = valuesOf(this.query, name);
    const missing = chosen.filter((value) => !entries.some((entry) => entry[0] === value));
    /** @type {[string, number][]} */
    const all = [...entries, .../** @type {[string, number][]} */ (missing.map((value) => [value, 0]))];
    if (!all.length) return null;
    const most = Math.max(1, ...all.map((entry) => entry[1]));
    const isOpen = this.opened.has(name);
    const shown = isOpen ? all : all.filter((entry, at) => at < SHOWN || chosen.includes(entry[0]));
    return section(
      title,
      h(
        "ul",
        {},
        shown.map(([value, count]) => this.option(name, value, count, count / most, chosen.includes(value))),
      ),
      all.length > SHOWN ? this.more(name, all.length, isOpen) : null,
    );
  }

  /**
   * @param {string} name
   * @param {string} value
   * @param {number} count
   * @param {number} share of the largest count
   * @param {boolean} isChosen
   */
  option(name, value, count, share, isChosen) {
    const option = h(
      "button",
      {
        type: "button",
        class: "facet",
        "aria-pressed": String(isChosen),
        title: name === "error" ? valueName(name, value) : plain(value, 300),
        data: { key: `${name} ${value}` },
        on: { click: () => this.choose(name, value) },
      },
      name === "tag" ? h("span", { class: "dot", data: { detector: value }, "aria-hidden": "true" }) : null,
      h("bdi", { class: "facet-name" }, valueName(name, value)),
      h("span", { class: "facet-count numeric" }, number(count)),
    );
    option.style.setProperty("--share", share.toFixed(3));
    return h("li", {}, option);
  }

  /**
   * @param {string} name
   * @param {number} count
   * @param {boolean} isOpen
   */
  more(name, count, isOpen) {
    const turn = () => {
      if (!this.opened.delete(name)) this.opened.add(name);
      this.show(this.query, this.facets);
    };
    return h(
      "button",
      {
        type: "button",
        class: "facet-more",
        "aria-expanded": String(isOpen),
        data: { key: `more ${name}` },
        on: { click: turn },
      },
      isOpen ? "Show fewer" : `Show all ${number(count)}`,
    );
  }

  scores() {
    const current = valuesOf(this.query, "min_score")[0] ?? "";
    const segment = (/** @type {string} */ value) =>
      h(
        "button",
        {
          type: "button",
          class: "button",
          "aria-pressed": String(current === value),
          data: { key: `min_score ${value}` },
          "aria-label": value ? `Score of ${value} or more` : "Any score",
          on: { click: () => this.choose("min_score", value) },
        },
        value ? `${value}+` : "Any",
      );
    return section("Score", h("div", { class: "segmented" }, ["", ...SCORES].map(segment)));
  }

  durations() {
    return section(
      "Duration",
      h(
        "div",
        { class: "field-pair" },
        this.seconds("At least", "min_duration_ms"),
        this.seconds("At most", "max_duration_ms"),
      ),
    );
  }

  /**
   * @param {string} label
   * @param {string} name
   */
  seconds(label, name) {
    const value = valuesOf(this.query, name)[0];
    const input = h("input", {
      class: "input",
      type: "number",
      min: "0",
      max: "1000000",
      step: "any",
      placeholder: "seconds",
      "aria-label": `${label}, in seconds`,
      value: value ? Number(value) / 1000 : "",
      data: { key: name },
    });
    input.addEventListener("change", () => {
      if (input.validity.valid) this.choose(name, input.value ? String(Math.round(Number(input.value) * 1000)) : "");
    });
    return h("label", { class: "field" }, h("span", { class: "tiny faint" }, label), input);
  }

  times() {
    const current = valuesOf(this.query, "range")[0] ?? "";
    const entries = [["", "Any time"], ...Object.keys(RANGES).map((range) => [range, capital(RANGE_NAMES[range])])];
    const select = h(
      "select",
      { class: "select", "aria-label": "Started", data: { key: "range" } },
      entries.map(([value, name]) => h("option", { value, selected: value === current }, name)),
    );
    select.addEventListener("change", () => this.choose("range", select.value));
    return section("Started", select, this.moment("After", "from"), this.moment("Before", "to"));
  }

  /**
   * @param {string} label
   * @param {string} name
   */
  moment(label, name) {
    const value = valuesOf(this.query, name)[0];
    const input = h("input", {
      class: "input",
      type: "datetime-local",
      value: value ? localTime(Number(value)) : "",
      data: { key: name },
    });
    input.addEventListener("change", () => {
      const t = new Date(input.value).getTime();
      this.choose(name, t >= 0 ? String(t) : "");
    });
    return h("label", { class: "field" }, h("span", { class: "tiny faint" }, label), input);
  }

  user() {
    const input = h("input", {
      class: "input",
      type: "text",
      "aria-label": "User or visitor id",
      placeholder: "user or visitor id",
      maxlength: "1000",
      spellcheck: "false",
      autocomplete: "off",
      value: valuesOf(this.query, "user")[0] ?? "",
      data: { key: "user" },
    });
    input.addEventListener("change", () => this.choose("user", input.value.trim()));
    return section("User", input);
  }
}

/**
 * @param {Query} query
 * @param {(name: string, value: string) => void} remove
 * @returns {HTMLElement[]} one chip a filter, each with a cross
 */
export function filterChips(query, remove) {
  return query.filters.map(([name, value]) =>
    h(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-label": `Remove the filter ${filterName(name, value)}`,
        on: { click: () => remove(name, value) },
      },
      recorded(filterName(name, value), 80),
      h("span", { "aria-hidden": "true" }, "×"),
    ),
  );
}

/**
 * @param {unknown} facet
 * @returns {[string, number][]} the most frequent first
 */
function entriesOf(facet) {
  if (typeof facet !== "object" || facet === null) return [];
  return Object.entries(facet).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/**
 * @param {string} title
 * @param {...(import("../common/ui.js").Child | import("../common/ui.js").Child[])} content
 */
const section = (title, ...content) =>
  h("section", { class: "filter-group" }, h("h3", { class: "eyebrow" }, title), ...content);

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {number} t epoch ms */
function localTime(t) {
  return Math.abs(t) <= 8.64e15
    ? new Date(t - new Date(t).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
    : "";
}
