// Deleting sessions: what would go is shown first, and somebody has to type that they mean it.

import { send } from "../common/api.js";
import { number, plural } from "../common/format.js";
import { dialog } from "../common/overlays.js";
import { button, fill, h, loading, plain, recorded } from "../common/ui.js";

/** Sessions named before the deletion; all of them are counted. */
const MOST_NAMED = 50;

/** Sessions deleted from a page: what is more is work for an operator. */
export const MOST_SESSIONS = 1_000;

/** Characters of ids in one request, so that it is not refused for its length. */
const MOST_CHARS = 40_000;

/**
 * Ask, delete, and show the receipt.
 * @param {string} projectId
 * @param {string[] | (() => Promise<string[]>)} chosen ids, or what gathers them
 * @param {string} what in words
 * @returns {Promise<string[]>} ids of the sessions that are deleted; none if nothing was
 */
export function askToDelete(projectId, chosen, what) {
  return new Promise((resolve) => new Question(projectId, chosen, what, resolve).open());
}

class Question {
  /**
   * @param {string} projectId
   * @param {string[] | (() => Promise<string[]>)} chosen
   * @param {string} what
   * @param {(deleted: string[]) => void} done
   */
  constructor(projectId, chosen, what, done) {
    this.projectId = projectId;
    this.chosen = chosen;
    this.what = what;
    /** @type {string[]} */
    this.deleted = [];
    this.body = h("div", { class: "column" }, loading("Looking what there is to delete"));
    this.foot = h("div", { class: "row wrap push" });
    this.done = done;
  }

  open() {
    this.box = dialog({
      title: `Delete ${this.what}?`,
      body: this.body,
      actions: [this.foot],
      onClose: () => this.done(this.deleted),
    });
    this.plan();
  }

  close() {
    this.box?.close();
  }

  async plan() {
    try {
      const ids = typeof this.chosen === "function" ? await this.chosen() : this.chosen;
      if (ids.length > MOST_SESSIONS)
        throw new Error(
          `These are more than ${number(MOST_SESSIONS)} sessions. Narrow the filters down, or use wince delete.`,
        );
      const plan = await this.ask(ids, true);
      this.confirm(plan.flatMap((part) => part.sessions.map((/** @type {any} */ each) => each.session_id)));
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * @param {string[]} ids
   * @param {boolean} isDry
   * @returns {Promise<any[]>} the answers, one a request
   */
  async ask(ids, isDry) {
    const answers = [];
    for (const some of parts(ids)) {
      answers.push(
        await send("POST", "/api/v1/deletions", { session_ids: some, project_id: this.projectId, dry_run: isDry }),
      );
    }
    return answers;
  }

  /** @param {string[]} ids */
  confirm(ids) {
    if (!ids.length) {
      fill(this.body, h("p", {}, "There is nothing to delete: these sessions are gone already."));
      fill(this.foot, button("Close", { onClick: () => this.close() }));
      return;
    }
    const word = `delete ${ids.length}`;
    const yes = button(`Delete ${plural(ids.length, "session")}`, {
      kind: "danger",
      attributes: { disabled: true },
      onClick: () => this.remove(ids),
    });
    const typed = h("input", {
      class: "input",
      type: "text",
      id: "deletion-word",
      autocomplete: "off",
      spellcheck: "false",
      autocapitalize: "none",
    });
    typed.addEventListener("input", () => yes.toggleAttribute("disabled", typed.value.trim().toLowerCase() !== word));
    typed.addEventListener("keydown", (event) => event.key === "Enter" && !yes.disabled && yes.click());
    fill(
      this.body,
      h(
        "p",
        {},
        `${plural(ids.length, "session")}: recordings, signals and records. `,
        "This can’t be undone, and late data will not bring them back.",
      ),
      h(
        "ul",
        { class: "plan-list mono small", tabindex: "0", "aria-label": "Sessions to delete" },
        ids.slice(0, MOST_NAMED).map((id) => h("li", {}, recorded(id, 200))),
        ids.length > MOST_NAMED ? h("li", { class: "faint" }, `and ${ids.length - MOST_NAMED} more`) : null,
      ),
      h(
        "div",
        { class: "field" },
        h("label", { for: "deletion-word" }, "Type ", h("strong", {}, word), " to go on"),
        typed,
      ),
    );
    fill(this.foot, button("Cancel", { onClick: () => this.close() }), yes);
    typed.focus();
  }

  /** @param {string[]} ids */
  async remove(ids) {
    fill(this.body, loading(`Deleting ${plural(ids.length, "session")} and searching for what is left of them`));
    fill(this.foot);
    try {
      const receipts = await this.ask(ids, false);
      this.deleted = ids;
      this.showReceipt(receipts);
    } catch (error) {
      // Some of several requests may have been carried out: the list is read anew whatever was.
      this.deleted = ids;
      this.fail(error);
    }
  }

  /** @param {any[]} receipts */
  showReceipt(receipts) {
    const left = receipts.reduce((sum, receipt) => sum + (receipt.proof?.left?.length ?? 0), 0);
    const removed = receipts.reduce(
      (sum, receipt) => sum + (receipt.counts?.sessions ?? receipt.sessions?.length ?? 0),
      0,
    );
    const file = new Blob([JSON.stringify(receipts.length === 1 ? receipts[0] : receipts, null, 1)], {
      type: "application/json",
    });
    const href = URL.createObjectURL(file);
    fill(
      this.body,
      h(
        "p",
        {},
        left
          ? "Something is left; delete again, or ask who runs this server."
          : "Deleted. All of the store was searched, and nothing of them is left.",
      ),
      h(
        "dl",
        { class: "facts" },
        h("dt", {}, "Sessions"),
        h("dd", {}, String(removed)),
        Object.entries(receipts[0]?.counts ?? {})
          .filter(([name]) => name !== "sessions")
          .flatMap(([name]) => [
            h("dt", {}, plain(name.replaceAll("_", " "))),
            h("dd", {}, String(receipts.reduce((sum, each) => sum + Number(each.counts?.[name] ?? 0), 0))),
          ]),
        h("dt", {}, "Left"),
        h("dd", {}, String(left)),
      ),
    );
    const save = h("a", { class: "button", href, download: "deletion-receipt.json" }, "Save the receipt");
    const close = button("Done", { kind: "primary", onClick: () => this.close() });
    this.box?.addEventListener("close", () => URL.revokeObjectURL(href));
    fill(this.foot, save, close);
    close.focus();
  }

  /** @param {unknown} error */
  fail(error) {
    fill(
      this.body,
      h(
        "p",
        { class: "notice danger", role: "alert" },
        plain(error instanceof Error ? error.message : String(error), 300),
      ),
    );
    fill(this.foot, button("Close", { onClick: () => this.close() }));
  }
}

/**
 * @param {string[]} ids
 * @returns {string[][]} in parts of a length that one request may have
 */
function parts(ids) {
  /** @type {string[][]} */
  const all = [];
  let left = 0;
  for (const id of ids) {
    left -= JSON.stringify(id).length + 1;
    if (left < 0) {
      all.push([]);
      left = MOST_CHARS;
    }
    all[all.length - 1].push(id);
  }
  return all;
}
