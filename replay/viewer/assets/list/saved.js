// Filters kept under a name, for everybody who reads the project.

import { getJson, send } from "../common/api.js";
import { toast } from "../common/overlays.js";
import { button, fill, h, plain, recorded } from "../common/ui.js";

/** @typedef {{id: string, name: string, query: string}} SavedFilter */

const MAX_NAME_CHARS = 80;

/** To save for others is to share. */
const maySave = (document.body.dataset.scopes ?? "").split(" ").includes("share");

/** The menu of saved filters: choose one, save what is filtered now, delete one. */
export class SavedFilters {
  /**
   * @param {HTMLElement} box
   * @param {{open: (query: string) => void, current: () => string}} page
   */
  constructor(box, page) {
    this.box = box;
    this.page = page;
    this.projectId = "";
    /** @type {SavedFilter[]} */
    this.filters = [];
    this.problem = "";
  }

  /** @param {string} projectId */
  async load(projectId) {
    this.projectId = projectId;
    await this.attempt(async () => {
      this.filters = (await getJson(this.path())).filters;
    });
    this.show();
  }

  path() {
    return `/api/v1/projects/${encodeURIComponent(this.projectId)}/filters`;
  }

  show() {
    const name = h("input", {
      class: "input",
      type: "text",
      "aria-label": "Name for the filters in force",
      placeholder: "Name for the filters in force",
      maxlength: MAX_NAME_CHARS,
      required: true,
      autocomplete: "off",
    });
    const form = h(
      "form",
      { class: "saved-form" },
      name,
      h("button", { type: "submit", class: "button primary" }, "Save"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (name.value.trim()) this.save(name.value.trim());
    });
    const empty = maySave
      ? "No filter is saved yet. Everybody who reads this project sees what is saved here."
      : "No filter is saved yet.";
    fill(
      this.box,
      this.problem ? h("p", { class: "notice danger small", role: "alert" }, plain(this.problem, 300)) : null,
      this.filters.length
        ? h(
            "ul",
            { class: "saved-list" },
            this.filters.map((filter) => this.entry(filter)),
          )
        : h("p", { class: "soft small" }, empty),
      maySave ? form : null,
    );
  }

  /** @param {SavedFilter} filter */
  entry(filter) {
    const link = h("a", { class: "menu-item", href: `/?${filter.query}` }, recorded(filter.name, MAX_NAME_CHARS));
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      this.page.open(filter.query);
    });
    const remove = button(`Delete the saved filter ${plain(filter.name, MAX_NAME_CHARS)}`, {
      icon: "trash",
      iconOnly: true,
      kind: "ghost",
      small: true,
      onClick: () => this.remove(filter),
    });
    return h("li", { class: "row" }, link, maySave ? remove : null);
  }

  /** @param {string} name */
  async save(name) {
    const isSaved = await this.attempt(() => send("POST", this.path(), { name, query: this.page.current() }));
    await this.renew(isSaved, `Saved as “${plain(name, MAX_NAME_CHARS)}”`);
  }

  /** @param {SavedFilter} filter */
  async remove(filter) {
    const isRemoved = await this.attempt(() => send("DELETE", `${this.path()}/${encodeURIComponent(filter.id)}`));
    await this.renew(isRemoved, `“${plain(filter.name, MAX_NAME_CHARS)}” is no longer saved`);
  }

  /**
   * @param {boolean} isDone
   * @param {string} said
   */
  async renew(isDone, said) {
    if (isDone) {
      await this.load(this.projectId);
      toast(said);
    } else {
      this.show();
    }
    this.box.querySelector("input")?.focus();
  }

  /**
   * @param {() => Promise<unknown>} step
   * @returns {Promise<boolean>} whether it worked; else the problem is kept for showing
   */
  async attempt(step) {
    try {
      await step();
      this.problem = "";
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    return this.problem === "";
  }
}
