// Where it hurts most: pages and elements by their signals per 1,000 sessions, and a picture of the place on the page.

import { getJson, query as written } from "../common/api.js";
import { number, pagePath, plural } from "../common/format.js";
import { appHeader } from "../common/header.js";
import { badge, failure, fill, h, loading, plain, state } from "../common/ui.js";
import { Picture } from "./picture.js";

/**
 * @typedef {object} Rank a page, or with a selector an element of one
 * @property {string} page
 * @property {string} [selector]
 * @property {string | null} [text]
 * @property {number} [sessions]
 * @property {Record<string, number>} signals
 * @property {number} per_1000_sessions
 */

const RANGES = /** @type {const} */ ({
  "": ["Any time", 0],
  "24h": ["24 hours", 86_400_000],
  "7d": ["7 days", 604_800_000],
  "30d": ["30 days", 2_592_000_000],
});

/** Ranks shown before somebody asks for all. */
const SHOWN = 8;

const ABOUT = "The most painful pages and elements";

const KINDS = ["rage", "dead", "click"];

class Overview {
  constructor() {
    const asked = new URLSearchParams(location.search);
    this.project = asked.get("project") ?? "";
    this.range = asked.get("range") ?? "";
    this.page = asked.get("page") ?? "";
    this.selector = asked.get("selector") ?? "";
    this.kind = KINDS.includes(asked.get("kind") ?? "") ? /** @type {string} */ (asked.get("kind")) : "";
    /** @type {{project_id: string, sessions: number}[]} */
    this.projects = [];
    /** @type {{pages: Rank[], elements: Rank[], counted: number, is_partial: boolean}} */
    this.found = { pages: [], elements: [], counted: 0, is_partial: false };
    /** @type {Set<string>} */
    this.opened = new Set();
    this.abort = new AbortController();
    this.projectSelect = h("select", { class: "select project-select", "aria-label": "Project" });
    this.ranges = h("div", { class: "segmented", role: "group", "aria-label": "Time" });
    this.pages = h("section", { class: "panel", "aria-labelledby": "pages-title" });
    this.elements = h("section", { class: "panel", "aria-labelledby": "elements-title" });
    this.rankings = h("div", { class: "rankings" }, this.pages, this.elements);
    this.picture = new Picture((kind) => {
      this.kind = kind;
      this.remember(true);
    });
    this.about = h("p", { class: "soft", role: "status" });
    this.head = h("div", { class: "overview-head" }, h("div", {}, h("h1", {}, "Overview"), this.about), this.ranges);
    this.main = h("main", { class: "overview", id: "main" }, this.head);
  }

  start() {
    document.body.append(
      h("a", { class: "button skip-link", href: "#main" }, "Skip to the overview"),
      appHeader({ active: "overview", middle: [this.projectSelect] }),
      this.main,
    );
    this.projectSelect.addEventListener("change", () => {
      Object.assign(this, { project: this.projectSelect.value, page: "", selector: "", kind: "" });
      this.remember();
      this.load();
    });
    window.addEventListener("popstate", () => location.reload());
    this.enter();
  }

  async enter() {
    this.fill(loading("Looking for projects"));
    try {
      this.projects = (await getJson("/api/v1/projects")).projects;
    } catch (error) {
      this.fill(failure(error, () => this.enter()));
      return;
    }
    const known = new Set(this.projects.map((each) => each.project_id));
    this.project ||= [...this.projects].sort((a, b) => b.sessions - a.sessions)[0]?.project_id ?? "";
    if (!this.project) {
      this.fill(
        state({
          icon: "chart",
          title: "No sessions yet",
          text: "As soon as sessions are recorded, this page shows where they hurt.",
        }),
      );
      return;
    }
    if (!known.has(this.project)) this.projects.push({ project_id: this.project, sessions: 0 });
    fill(
      this.projectSelect,
      this.projects.map((each) =>
        h("option", { value: each.project_id, selected: each.project_id === this.project }, plain(each.project_id, 60)),
      ),
    );
    this.load();
  }

  /** @param {HTMLElement} content in place of everything below the head */
  fill(content) {
    fill(this.main, this.head, content);
  }

  /** @returns {{from?: number}} what the API takes for the range that is chosen */
  times() {
    const length = RANGES[/** @type {keyof typeof RANGES} */ (this.range)]?.[1] ?? 0;
    return length ? { from: Math.floor((Date.now() - length) / 60_000) * 60_000 } : {};
  }

  path() {
    return `/api/v1/projects/${encodeURIComponent(this.project)}`;
  }

  async load() {
    this.abort.abort();
    const abort = (this.abort = new AbortController());
    this.showRanges();
    this.about.textContent = ABOUT;
    this.fill(loading("Counting"));
    try {
      this.found = await getJson(`${this.path()}/overview${written(this.times())}`, { signal: abort.signal });
    } catch (error) {
      if (!abort.signal.aborted) this.fill(failure(error, () => this.load()));
      return;
    }
    const { counted, is_partial: isPartial } = this.found;
    const of = `${isPartial ? "a sample of " : ""}${plural(counted, "session")}`;
    this.about.textContent = `${ABOUT} of ${of}, worst first; what few sessions saw counts less`;
    if (!this.found.pages.length) {
      this.fill(
        state({
          icon: "check",
          title: "Nothing hurts here",
          text: this.range
            ? "No page was seen in this time. Look at a longer one."
            : "No session of this project has a page with signals.",
        }),
      );
      return;
    }
    fill(this.main, this.head, this.rankings, this.picture.element);
    this.show();
  }

  /** Show the lists, and the picture of what is chosen: at first the worst page. */
  show() {
    const isKnown =
      this.found.pages.some((rank) => rank.page === this.page) ||
      this.found.elements.some((rank) => rank.page === this.page);
    if (!isKnown) Object.assign(this, { page: this.found.pages[0].page, selector: "" });
    this.list(this.pages, "pages", "Pages", this.found.pages);
    this.list(this.elements, "elements", "Elements", this.found.elements);
    this.look();
  }

  showRanges() {
    const choose = (/** @type {string} */ range) => {
      this.range = range;
      this.remember();
      this.load();
    };
    fill(
      this.ranges,
      Object.entries(RANGES).map(([range, [name]]) =>
        h(
          "button",
          {
            type: "button",
            class: "button",
            "aria-pressed": String(range === this.range),
            on: { click: () => choose(range) },
          },
          name,
        ),
      ),
    );
  }

  /**
   * @param {HTMLElement} panel
   * @param {string} id
   * @param {string} title
   * @param {Rank[]} ranks
   */
  list(panel, id, title, ranks) {
    const most = Math.max(1, ...ranks.map((rank) => rank.per_1000_sessions));
    const isOpen = this.opened.has(id);
    const shown = isOpen ? ranks : ranks.filter((rank, at) => at < SHOWN || this.isChosen(rank));
    const open = () => {
      this.opened.add(id);
      this.list(panel, id, title, ranks);
    };
    fill(
      panel,
      h(
        "div",
        { class: "panel-head" },
        h("h2", { id: `${id}-title`, class: "grow" }, title),
        h("span", { class: "faint tiny" }, "per 1,000 sessions"),
      ),
      ranks.length
        ? h(
            "ol",
            {},
            shown.map((rank) => h("li", {}, this.rank(rank, most))),
          )
        : h("p", { class: "panel-body soft" }, "No element was named by a signal."),
      shown.length < ranks.length
        ? h("button", { type: "button", class: "more-button", on: { click: open } }, `Show all ${number(ranks.length)}`)
        : null,
    );
  }

  /** @param {Rank} rank */
  isChosen(rank) {
    return rank.page === this.page && (rank.selector ?? "") === this.selector;
  }

  /**
   * @param {Rank} rank
   * @param {number} most
   */
  rank(rank, most) {
    const isElement = rank.selector !== undefined;
    const name = isElement && rank.text ? `“${rank.text}”` : isElement ? rank.selector : pagePath(rank.page);
    const choose = () => {
      Object.assign(this, { page: rank.page, selector: rank.selector ?? "", kind: "" });
      this.remember();
      this.show();
      const isBelow = this.picture.element.getBoundingClientRect().top > innerHeight / 2;
      this.picture.element.scrollIntoView({ block: isBelow ? "start" : "nearest" });
    };
    const signals = Object.entries(rank.signals)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 5);
    const button = h(
      "button",
      {
        type: "button",
        class: "rank",
        "aria-pressed": String(this.isChosen(rank)),
        title: plain(isElement ? `${rank.selector}\n${rank.page}` : rank.page, 400),
        on: { click: choose },
      },
      h("bdi", { class: "rank-name truncate" }, plain(name, 120)),
      h("span", { class: "rank-value" }, number(rank.per_1000_sessions)),
      h(
        "span",
        { class: "rank-about" },
        signals.map(([detector, count]) => badge(detector, count)),
        isElement ? h("bdi", { class: "faint small truncate" }, plain(pagePath(rank.page), 80)) : null,
      ),
      h("span", { class: "rank-unit" }, rank.sessions === undefined ? "" : plural(rank.sessions, "session")),
    );
    button.style.setProperty("--share", (rank.per_1000_sessions / most).toFixed(3));
    return button;
  }

  /** Draw the picture of the chosen page, and say which sessions are behind it. */
  look() {
    const rank =
      this.found.elements.find((each) => this.isChosen(each)) ??
      this.found.pages.find((each) => each.page === this.page);
    const signals = rank?.signals ?? {};
    const kind = this.kind || (signals.rage_click ? "rage" : signals.dead_click ? "dead" : "click");
    const worst = Object.entries(signals).sort((a, b) => b[1] - a[1])[0]?.[0];
    const list = new URLSearchParams({ project: this.project, page: this.page });
    if (worst) list.set("tag", worst);
    if (this.range) list.set("range", this.range);
    this.picture.show({
      path: this.path(),
      page: this.page,
      title: this.selector ? (rank?.text ? `“${rank.text}”` : this.selector) : pagePath(this.page),
      about: this.selector ? `${this.selector} on ${pagePath(this.page)}` : this.page,
      kind,
      times: this.times(),
      sessionsHref: `/?${list}`,
    });
  }

  /** @param {boolean} [isSmall] a change one does not go back to */
  remember(isSmall = false) {
    const { project, range, page, selector, kind } = this;
    const address = written({ project, range, page, selector, kind });
    if (isSmall) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }
}

new Overview().start();
