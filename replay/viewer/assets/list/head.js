// What stands above the sessions: the project, the order, the filters in force, the connection.

import { button, fill, h, plain } from "../common/ui.js";
import { filterChips } from "./filters.js";
import { SORTS, withoutFilter } from "./query.js";

/** @typedef {import("./query.js").Query} Query */

/**
 * @param {HTMLSelectElement} select
 * @param {{project_id: string, sessions: number}[]} projects
 * @param {string} chosen is offered even if it is none of them: the address said so
 */
export function showProjects(select, projects, chosen) {
  const ids = projects.map((each) => each.project_id);
  if (chosen && !ids.includes(chosen)) ids.push(chosen);
  select.hidden = !ids.length;
  fill(
    select,
    ids.map((id) => h("option", { value: id, selected: id === chosen }, plain(id, 60))),
  );
}

/**
 * @param {HTMLElement} box
 * @param {Query} query
 * @param {(query: Query) => void} go
 */
export function showSorts(box, query, go) {
  const focused = box.contains(document.activeElement);
  const choice = (/** @type {[string, string]} */ [sort, name]) =>
    h(
      "button",
      {
        type: "button",
        class: "button",
        "aria-pressed": String(sort === query.sort),
        on: { click: () => go({ ...query, sort }) },
      },
      name,
    );
  fill(box, Object.entries(SORTS).map(choice));
  const pressed = box.querySelector('[aria-pressed="true"]');
  if (focused && pressed instanceof HTMLElement) pressed.focus();
}

/**
 * @param {HTMLElement} box
 * @param {Query} query its search is not among the filters shown: it stands in its field
 * @param {(query: Query) => void} go
 * @param {HTMLElement} next is focused when the last filter that was focused is gone
 */
export function showChips(box, query, go, next) {
  const chosen = { ...query, filters: query.filters.filter(([name]) => name !== "q") };
  const clear = button("Clear all", { kind: "ghost", small: true, onClick: () => go({ ...query, filters: [] }) });
  const focused = box.contains(document.activeElement);
  fill(
    box,
    filterChips(chosen, (name, value) => go(withoutFilter(query, name, value))),
    query.filters.length > 1 ? clear : null,
  );
  box.hidden = !chosen.filters.length;
  if (focused) (box.querySelector("button") ?? next).focus();
}

/**
 * @param {HTMLElement} box
 * @param {"live" | "connecting"} state
 */
export function showConnection(box, state) {
  const isLive = state === "live";
  fill(
    box,
    h("span", { class: isLive ? "dot live" : "dot waiting", "aria-hidden": "true" }),
    h("span", { class: "connection-text" }, isLive ? "Live" : "Reconnecting…"),
  );
  box.title = isLive ? "New sessions are announced as they come" : "The live connection is gone; it is being made anew";
}
