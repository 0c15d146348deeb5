// What lies over a page: dialogs, menus, notes in passing.

import { button, fill, h, icon, plain } from "./ui.js";

/** @typedef {import("./ui.js").Child} Child */

/**
 * A modal dialog, opened at once and removed when closed. Escape and the cross close it.
 * @param {{title: string, body: Child | Child[], actions?: Child[], wide?: boolean, onClose?: () => void}} content
 * @returns {HTMLDialogElement}
 */
export function dialog(content) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const box = h(
    "dialog",
    { class: content.wide ? "dialog wide" : "dialog", "aria-labelledby": id },
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id, class: "grow" }, content.title),
      button("Close", { icon: "close", iconOnly: true, kind: "ghost", onClick: () => box.close() }),
    ),
    h("div", { class: "dialog-body" }, content.body),
    content.actions ? h("div", { class: "dialog-foot" }, content.actions) : null,
  );
  box.addEventListener("click", (event) => event.target === box && box.close());
  // "close" comes a task later than the closing: until then the hidden button would take the next key.
  box.addEventListener("cancel", () => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
  box.addEventListener("close", () => {
    box.remove();
    content.onClose?.();
  });
  document.body.append(box);
  box.showModal();
  return box;
}

/**
 * Ask before something that cannot be undone.
 * @param {{title: string, body: Child | Child[], action: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirm(question) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = button(question.action, {
      kind: question.danger ? "danger" : "primary",
      onClick: () => {
        answer = true;
        box.close();
      },
    });
    const no = button("Cancel", { onClick: () => box.close() });
    const box = dialog({
      title: question.title,
      body: question.body,
      actions: [no, yes],
      onClose: () => resolve(answer),
    });
    no.focus();
  });
}

/**
 * Say something in passing; readers of the page hear it.
 * @param {string} text
 * @param {string} [iconName]
 */
export function toast(text, iconName = "check") {
  let stack = document.querySelector(".toasts");
  if (!stack) {
    stack = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(stack);
  }
  const note = h("div", { class: "toast" }, icon(iconName), plain(text, 300));
  stack.append(note);
  setTimeout(() => note.remove(), 4000);
}

/**
 * @param {string} text
 * @param {string} [said] what the toast says
 */
export async function copyText(text, said = "Copied") {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    // No clipboard without a secure context: let the visitor copy by hand.
    const field = h("input", { class: "input mono", readonly: true, value: text, "aria-label": "To copy" });
    dialog({ title: "Copy this", body: field });
    field.select();
  }
}

/**
 * A menu below a button (or above it where there is no room). Arrow keys move, Escape closes.
 * @param {HTMLButtonElement} anchor
 * @param {() => HTMLElement[]} items made anew at each opening; make them with `menuItem`
 */
export function menu(anchor, items) {
  const box = h("div", { class: "menu", popover: "auto", role: "menu" });
  anchor.setAttribute("aria-haspopup", "menu");
  anchor.setAttribute("aria-expanded", "false");
  anchor.after(box);
  let wasOpen = false;
  anchor.addEventListener("pointerdown", () => (wasOpen = box.matches(":popover-open")));
  anchor.addEventListener("click", () => {
    // A press on the anchor closes the menu by itself; its click must not open it again.
    if (wasOpen) {
      wasOpen = false;
      return;
    }
    fill(box, items());
    box.showPopover();
    place(box, anchor);
    moveFocus(box, 0);
  });
  box.addEventListener("toggle", (event) => {
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open";
    anchor.setAttribute("aria-expanded", String(isOpen));
  });
  box.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(".menu-item")) box.hidePopover();
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    moveFocus(box, step);
  });
  return box;
}

/**
 * @param {HTMLElement} box
 * @param {number} step 0 for the first
 */
function moveFocus(box, step) {
  const all = /** @type {HTMLElement[]} */ ([...box.querySelectorAll(".menu-item:not(:disabled)")]);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  all[step === 0 ? 0 : (at + step + all.length) % all.length]?.focus();
}

/**
 * @param {HTMLElement} box
 * @param {HTMLElement} anchor
 */
function place(box, anchor) {
  const from = anchor.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const left = Math.max(8, Math.min(from.right - size.width, innerWidth - size.width - 8));
  const below = from.bottom + 4;
  const top = below + size.height > innerHeight - 8 ? Math.max(8, from.top - size.height - 4) : below;
  box.style.setProperty("left", `${left}px`);
  box.style.setProperty("top", `${top}px`);
}

/**
 * @param {Child} label
 * @param {() => void} onClick
 * @param {{icon?: string, checked?: boolean, danger?: boolean, disabled?: boolean}} [options]
 */
export function menuItem(label, onClick, options = {}) {
  return h(
    "button",
    {
      type: "button",
      class: options.danger ? "menu-item danger" : "menu-item",
      role: options.checked === undefined ? "menuitem" : "menuitemradio",
      "aria-checked": options.checked === undefined ? undefined : String(options.checked),
      disabled: options.disabled,
      on: { click: onClick },
    },
    options.icon ? icon(options.icon) : null,
    h("span", { class: "grow" }, label),
    options.checked ? icon("check") : null,
  );
}
