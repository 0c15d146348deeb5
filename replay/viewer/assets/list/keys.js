// The list without a mouse.

import { dialog } from "../common/overlays.js";
import { h } from "../common/ui.js";

const KEYS = [
  ["j", "next session"],
  ["k", "previous session"],
  ["Enter", "watch it"],
  ["/", "search"],
  ["n", "show new sessions"],
  ["?", "this help"],
];

const TYPED_IN = "input, select, textarea, [contenteditable]";
const OPEN = "dialog[open], :popover-open";

/**
 * @param {{search: HTMLElement, step: (by: number) => void, showNew: () => void}} page
 */
export function listenToKeys(page) {
  /** @type {Record<string, () => void>} */
  const actions = {
    j: () => page.step(1),
    k: () => page.step(-1),
    "/": () => page.search.focus(),
    n: page.showNew,
    "?": showShortcuts,
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target === page.search) {
      page.search.blur();
      return;
    }
    const isTyped = event.target instanceof Element && event.target.closest(TYPED_IN) !== null;
    const isChord = event.metaKey || event.ctrlKey || event.altKey;
    if (isTyped || isChord || document.querySelector(OPEN) || !Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  });
}

export function showShortcuts() {
  const rows = KEYS.flatMap(([key, does]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)]);
  dialog({ title: "Keyboard shortcuts", body: h("dl", { class: "shortcuts" }, rows) });
}
