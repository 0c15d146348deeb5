// The list of sessions. All that is chosen stands in the address; this module brings address, server and page together.

import { number, plural } from "../common/format.js";
import { appHeader } from "../common/header.js";
import { copyText, dialog, menu, menuItem } from "../common/overlays.js";
import { button, fill, h, icon, plain } from "../common/ui.js";
import { askToDelete, MOST_SESSIONS as MOST_DELETED } from "./deletion.js";
import { errorNames, FilterPanel } from "./filters.js";
import { showChips, showConnection, showProjects, showSorts } from "./head.js";
import { listenToKeys, showShortcuts } from "./keys.js";
import { Follower } from "./live.js";
import { parseQuery, valuesOf, withFilter, withoutFilter, writeQuery } from "./query.js";
import { SavedFilters } from "./saved.js";
import { SessionList } from "./sessions.js";
import { gatherIds, getErrorNames, getFacets, getProjects, getSessions, PAGE_SESSIONS } from "./source.js";
import { emptyProject, failed, noMatch, noProject } from "./states.js";
import { startTips } from "./tips.js";

/** @typedef {import("./query.js").Query} Query */

const SEARCH_DELAY_MS = 300;

/** Until a first project is there, it is looked for so often. */
const LOOK_MS = 5_000;

const MOST_CHARS = 300;

/** Errors asked for by name at once. */
const MOST_ERRORS = 100;

class ListPage {
  constructor() {
    this.query = parseQuery(location.search);
    this.mayDelete = (document.body.dataset.scopes ?? "").split(" ").includes("delete");
    this.abort = new AbortController();
    /** @type {{project_id: string, sessions: number}[]} */
    this.projects = [];
    this.fresh = 0;
    this.isRenewing = false;

    this.projectSelect = h("select", { class: "select project-select", "aria-label": "Project" });
    this.connection = h("span", { class: "connection small soft", role: "status" });
    this.search = h("input", {
      class: "input",
      type: "search",
      placeholder: "Search by page, user or session id",
      "aria-label": "Search sessions",
      maxlength: MOST_CHARS,
      "aria-keyshortcuts": "/",
      spellcheck: "false",
      autocomplete: "off",
    });
    this.sorts = h("div", { class: "segmented", role: "group", "aria-label": "Order" });
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Filters in force" });
    this.heading = h("h1", {}, "Sessions");
    this.count = h("p", { class: "faint small", role: "status" });
    this.pill = h("button", {
      type: "button",
      class: "button primary new-pill",
      hidden: true,
      on: { click: () => this.load() },
    });
    this.panelBox = h("aside", { class: "filters", "aria-label": "Filters" });
    this.panelElement = h("div", { class: "filters-body" });
    this.panel = new FilterPanel(this.panelElement, (name, value) => this.choose(name, value));
    this.sessions = new SessionList({
      filter: (name, value) => this.go(withFilter(this.query, name, value)),
      remove: this.mayDelete ? (record) => this.remove([record.session_id], "this session") : null,
    });
    this.results = h("div", { class: "results" });
    this.savedBox = h("div", {
      class: "menu saved",
      popover: "auto",
      id: "saved",
      role: "group",
      "aria-label": "Saved filters",
    });
    this.saved = new SavedFilters(this.savedBox, {
      open: (written) => {
        this.savedBox.hidePopover();
        this.go(parseQuery(written));
      },
      current: () => writeQuery(this.query),
    });
    this.follower = new Follower({
      connection: (state) => showConnection(this.connection, state),
      stirred: (ids) => this.renew(ids),
    });
  }

  start() {
    this.build();
    this.listen();
    startTips();
    this.enter();
  }

  build() {
    this.panelBox.append(this.panelElement);
    const savedButton = button("Saved", { icon: "star", attributes: { popovertarget: "saved" } });
    const more = button("More", { icon: "list", iconOnly: true });
    const toolbar = h(
      "div",
      { class: "toolbar" },
      h("div", { class: "search" }, icon("search"), this.search, h("kbd", { "aria-hidden": "true" }, "/")),
      button("Filters", {
        icon: "filter",
        onClick: () => this.openFilters(),
        attributes: { class: "button filters-button" },
      }),
      savedButton,
      button("Copy link", {
        icon: "link",
        onClick: () => copyText(location.href, "Link to this list copied"),
        attributes: { class: "button copy-button" },
      }),
      h("div", { class: "more" }, more),
    );
    const main = h(
      "main",
      { class: "list-main", id: "main" },
      h("div", { class: "list-head" }, h("div", {}, this.heading, this.count), this.sorts),
      toolbar,
      this.savedBox,
      this.chips,
      h("div", { class: "pill-box" }, this.pill),
      this.results,
    );
    document.body.append(
      h("a", { class: "button skip-link", href: "#main" }, "Skip to the sessions"),
      appHeader({ active: "sessions", middle: [this.projectSelect, this.connection] }),
      h("div", { class: "list-layout" }, this.panelBox, main),
    );
    this.savedBox.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") placeBelow(this.savedBox, savedButton);
    });
    menu(more, () => this.moreItems());
  }

  moreItems() {
    const filtered = this.query.filters.length > 0;
    return [
      menuItem("Copy link to this list", () => copyText(location.href, "Link to this list copied"), { icon: "link" }),
      menuItem("Keyboard shortcuts", () => showShortcuts(), { icon: "keyboard" }),
      ...(this.mayDelete
        ? [
            menuItem(filtered ? "Delete all that match…" : "Delete all of this project…", () => this.removeMatching(), {
              icon: "trash",
              danger: true,
              disabled: !this.sessions.items.size,
            }),
          ]
        : []),
    ];
  }

  listen() {
    window.addEventListener("popstate", () => {
      this.query = {
        ...parseQuery(location.search),
        project: parseQuery(location.search).project || this.query.project,
      };
      this.load();
    });
    this.projectSelect.addEventListener("change", () =>
      this.go({ ...this.query, project: this.projectSelect.value, filters: [] }),
    );
    let waiting = 0;
    this.search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.choose("q", this.search.value.trim()), SEARCH_DELAY_MS);
    });
    listenToKeys({
      search: this.search,
      step: (by) => this.sessions.step(by),
      showNew: () => !this.pill.hidden && this.load(),
    });
  }

  /** Find the project, then load. */
  async enter() {
    this.sessions.wait();
    fill(this.results, this.sessions.element);
    try {
      this.projects = await getProjects();
    } catch (error) {
      this.fail(error, () => this.enter());
      return;
    }
    if (!this.query.project) {
      const largest = this.projects.reduce(
        (/** @type {any} */ best, each) => (best && best.sessions >= each.sessions ? best : each),
        null,
      );
      if (!largest) {
        this.showProjects();
        fill(this.results, noProject());
        setTimeout(() => this.enter(), LOOK_MS);
        return;
      }
      this.query = { ...this.query, project: largest.project_id };
      history.replaceState(null, "", `?${writeQuery(this.query)}`);
    }
    this.load();
  }

  /**
   * @param {string} name
   * @param {string} value a value of `tag` that is there already is taken away
   */
  choose(name, value) {
    const isThere = valuesOf(this.query, name).includes(value);
    const isToggle = isThere && !["q", "user", "range", "from", "to", "min_score"].includes(name);
    this.go(isToggle ? withoutFilter(this.query, name, value) : withFilter(this.query, name, value));
  }

  /** @param {Query} query */
  go(query) {
    const project = query.project || this.query.project;
    const written = writeQuery({ ...query, project });
    if (`?${written}` === location.search) return;
    this.query = { ...query, project };
    history.pushState(null, "", `?${written}`);
    this.load();
  }

  /** Ask for what the address says, and show it. */
  async load() {
    this.abort.abort();
    const abort = (this.abort = new AbortController());
    const query = this.query;
    this.fresh = 0;
    this.pill.hidden = true;
    this.showChosen();
    this.sessions.wait();
    fill(this.results, this.sessions.element);
    if (this.saved.projectId !== query.project) this.saved.load(query.project);
    const facets = /** @type {Promise<any>} */ (getFacets(query, abort.signal).catch(() => null));
    try {
      const [page, latest] = await Promise.all([
        getSessions(query, { signal: abort.signal }),
        query.sort === "time" ? null : getSessions(query, { sort: "time", signal: abort.signal }),
      ]);
      if (abort.signal.aborted) return;
      this.sessions.know((latest ?? page).sessions);
      this.showPage(query, page);
      const counted = await facets;
      await this.nameErrors(query, Object.keys(counted?.errors ?? {}));
      if (abort.signal.aborted) return;
      this.panel.show(query, counted);
      this.showFilters();
    } catch (error) {
      if (!abort.signal.aborted) this.fail(error, () => this.load());
      return;
    }
    if (this.follower.projectId !== query.project) this.follower.follow(query.project);
  }

  /**
   * @param {Query} query
   * @param {import("./source.js").SessionsPage} page
   */
  showPage(query, page) {
    this.sessions.show(query, page);
    this.showCount();
    if (page.sessions.length) return;
    const count = async (/** @type {Query} */ wider) => {
      const found = await getSessions(wider, { limit: 1 });
      return found.total ?? (found.sessions.length ? null : 0);
    };
    fill(
      this.results,
      query.filters.length ? noMatch(query, count, (wider) => this.go(wider)) : emptyProject(query.project),
    );
  }

  /**
   * @param {unknown} error
   * @param {() => void} retry
   */
  fail(error, retry) {
    this.showProjects();
    this.panel.show(this.query, null);
    this.count.textContent = "";
    fill(this.results, failed(error, retry));
  }

  showChosen() {
    this.showProjects();
    document.title = `${plain(this.query.project, 60)} sessions · Wince`;
    if (document.activeElement !== this.search) this.search.value = valuesOf(this.query, "q")[0] ?? "";
    this.showFilters();
    showSorts(this.sorts, this.query, (query) => this.go(query));
    this.panel.show(this.query, this.panel.facets);
  }

  showFilters() {
    showChips(this.chips, this.query, (query) => this.go(query), this.search);
  }

  showProjects() {
    showProjects(this.projectSelect, this.projects, this.query.project);
  }

  /**
   * Errors are known by fingerprint; where that fails, they are shown by it.
   * @param {Query} query
   * @param {string[]} fingerprints
   */
  async nameErrors(query, fingerprints) {
    const unknown = [...fingerprints, ...valuesOf(query, "error")].filter((each) => !errorNames.has(each));
    const found = await getErrorNames(query.project, unknown.slice(0, MOST_ERRORS)).catch(() => []);
    for (const [fingerprint, what] of found) errorNames.set(fingerprint, what);
  }

  showCount() {
    const { total, items } = this.sessions;
    const isMore = total === null && this.sessions.cursor !== "";
    this.count.textContent = isMore
      ? `More than ${number(items.size)} sessions`
      : plural(total ?? items.size, "session");
  }

  /**
   * Something happened in the project, or it is time to ask.
   * @param {Set<string>} ids
   */
  async renew(ids) {
    if (this.isRenewing || this.sessions.list.hasAttribute("aria-busy")) return;
    const query = this.query;
    this.isRenewing = true;
    try {
      const latest = await getSessions(query, { sort: "time", limit: PAGE_SESSIONS });
      if (query !== this.query) return;
      const isFirst = !this.sessions.items.size && latest.sessions.length > 0;
      this.fresh = isFirst ? latest.sessions.length : await this.sessions.renew(latest.sessions, ids);
      this.pill.hidden = this.fresh === 0;
      fill(this.pill, icon("up"), plural(this.fresh, "new session"));
      showConnection(this.connection, this.follower.isConnected ? "live" : "connecting");
    } catch {
      // What is shown stays readable; it is asked again soon.
      showConnection(this.connection, "connecting");
    } finally {
      this.isRenewing = false;
    }
  }

  openFilters() {
    const box = dialog({
      title: "Filters",
      body: this.panelElement,
      actions: [button("Show sessions", { kind: "primary", onClick: () => box.close() })],
      onClose: () => this.panelBox.append(this.panelElement),
    });
  }

  /**
   * @param {string[]} ids
   * @param {string} what
   */
  async remove(ids, what) {
    const deleted = await askToDelete(this.query.project, ids, what);
    if (!deleted.length) return;
    this.sessions.drop(deleted);
    this.load();
  }

  /** Delete everything the filters find: all ids are gathered first, so that what is shown is what is deleted. */
  async removeMatching() {
    const query = this.query;
    const gather = () => gatherIds(query, MOST_DELETED);
    const what = query.filters.length ? "all sessions that match the filters" : "all sessions of this project";
    const deleted = await askToDelete(query.project, gather, what);
    if (deleted.length) this.load();
  }
}

/**
 * @param {HTMLElement} box
 * @param {HTMLElement} anchor
 */
function placeBelow(box, anchor) {
  const at = anchor.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.right - box.offsetWidth, innerWidth - box.offsetWidth - 8));
  box.style.setProperty("left", `${left}px`);
  box.style.setProperty("top", `${at.bottom + 4}px`);
}

new ListPage().start();
