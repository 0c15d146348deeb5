// Building blocks of the pages. Everything shown is made of elements and text nodes: no text ever becomes markup.

import { icon, mark } from "./icons.js";
import { detectorName } from "./detectors.js";
import { scoreLevel } from "./format.js";

export { icon } from "./icons.js";

/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */
/** @typedef {Record<string, unknown>} Properties */

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Properties} [properties] `class`; `data` (an object for dataset); `on` (listeners by event); anything else is
 *   an attribute: `true` is an empty one, `false`, `null` and `undefined` are none
 * @param {...(Child | Child[])} children strings become text nodes
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") {
      for (const [event, listen] of Object.entries(/** @type {Record<string, EventListener>} */ (value))) {
        element.addEventListener(event, listen);
      }
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

/**
 * @param {Element | DocumentFragment} element
 * @param {(Child | Child[])[]} children
 */
function append(element, children) {
  for (const child of /** @type {any[]} */ (children).flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/**
 * Put children in the place of all there were.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * Find an element that the page is known to have.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement}
 */
export function find(selector, within = document) {
  const element = within.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return element;
}

// Control and formatting characters that would change how the text around them reads.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const LONGEST_TEXT = 2000;

/**
 * Recorded text: isolated from the direction of what is around it, without control characters, of bounded length.
 * @param {unknown} value
 * @param {number} [longest] characters shown
 * @returns {HTMLElement}
 */
export function recorded(value, longest = LONGEST_TEXT) {
  return h("bdi", {}, plain(value, longest));
}

/**
 * Recorded text for places that take no element: titles, labels.
 * @param {unknown} value
 * @param {number} [longest]
 */
export function plain(value, longest = LONGEST_TEXT) {
  const text = String(value ?? "");
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(INVISIBLE, (char) => (char === "\n" || char === "\t" ? char : "\u{fffd}"));
}

/**
 * A recorded address: a link if it is http(s), else text.
 * @param {string} url
 * @param {string} [label]
 * @returns {HTMLElement}
 */
export function recordedLink(url, label = url) {
  let scheme = "";
  try {
    scheme = new URL(url).protocol;
  } catch {
    // No address: shown as the text it is.
  }
  if (scheme !== "http:" && scheme !== "https:") return recorded(label);
  return h(
    "a",
    { href: url, target: "_blank", rel: "noopener noreferrer nofollow", title: plain(url) },
    recorded(label),
  );
}

/**
 * A button.
 * @param {string} label what it does, in words; shown unless `iconOnly`
 * @param {{icon?: string, iconOnly?: boolean, kind?: string, small?: boolean, title?: string,
 *   onClick?: (event: Event) => void, attributes?: Properties}} [options] `kind`: `primary`, `ghost`, `danger`
 */
export function button(label, options = {}) {
  const classes = ["button", options.kind, options.small && "small", options.iconOnly && "icon-only"];
  return h(
    "button",
    {
      type: "button",
      class: classes.filter(Boolean).join(" "),
      title: options.title ?? (options.iconOnly ? label : undefined),
      "aria-label": options.iconOnly ? label : undefined,
      on: options.onClick ? { click: options.onClick } : undefined,
      ...options.attributes,
    },
    options.icon ? icon(options.icon) : null,
    options.iconOnly ? null : label,
  );
}

/**
 * A badge of a detector, or of anything that goes by its name, with how often.
 * @param {string} detector
 * @param {number} [count] shown from 2 on
 */
export function badge(detector, count = 1) {
  return h(
    "span",
    { class: "badge", data: { detector } },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("bdi", { class: "truncate" }, plain(detectorName(detector), 60)),
    count > 1 ? h("span", { class: "count" }, `×${count}`) : null,
  );
}

/** @param {number} score 0 to 100 */
export function scoreBadge(score) {
  return h(
    "span",
    { class: "score", data: { level: scoreLevel(score) }, title: `Score ${score} of 100` },
    h("span", { class: "visually-hidden" }, "Score "),
    String(Math.round(score)),
  );
}

/**
 * What to show where there is nothing else: `failed` states are announced.
 * @param {{icon?: string, title: string, text?: Child, actions?: Child[], failed?: boolean}} content
 */
export function state(content) {
  return h(
    "div",
    { class: content.failed ? "state failed" : "state", role: content.failed ? "alert" : undefined },
    h("span", { class: "state-icon" }, icon(content.icon ?? (content.failed ? "warn" : "info"))),
    h("h2", {}, content.title),
    content.text ? h("p", {}, content.text) : null,
    content.actions?.length ? h("div", { class: "row wrap" }, content.actions) : null,
  );
}

/**
 * Say what failed and offer to try again.
 * @param {unknown} error
 * @param {() => void} [retry]
 */
export function failure(error, retry) {
  const title = error instanceof Error && "title" in error ? String(error.title) : "This did not work";
  const text = error instanceof Error ? error.message : String(error);
  const actions = retry ? [button("Try again", { icon: "refresh", onClick: retry })] : [];
  return state({ title: plain(title, 100), text: plain(text, 500), actions, failed: true });
}

/** @param {string} [label] */
export function loading(label = "Loading") {
  return h(
    "div",
    { class: "state", role: "status" },
    h("span", { class: "spinner", "aria-hidden": "true" }),
    h("span", { class: "soft" }, `${label}…`),
  );
}

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

/**
 * Tabs with their panels: arrow keys, Home and End move between them.
 * @param {string} label what the tabs are of
 * @param {{id: string, label: string, icon?: string, panel: HTMLElement}[]} entries
 * @param {(id: string) => void} [onSelect]
 * @returns {{bar: HTMLElement, select: (id: string) => void, setCount: (id: string, count: number) => void}}
 */
export function tabs(label, entries, onSelect = () => undefined) {
  const bar = h("div", { class: "tabs", role: "tablist", "aria-label": label });
  /** @type {Map<string, HTMLButtonElement>} */
  const buttons = new Map();
  for (const entry of entries) {
    const tab = h(
      "button",
      { type: "button", class: "tab", role: "tab", id: `tab-${entry.id}`, "aria-controls": `panel-${entry.id}` },
      entry.icon ? icon(entry.icon) : null,
      entry.label,
      h("span", { class: "faint numeric tab-count" }),
    );
    tab.addEventListener("click", () => select(entry.id));
    buttons.set(entry.id, tab);
    bar.append(tab);
    entry.panel.id = `panel-${entry.id}`;
    entry.panel.setAttribute("role", "tabpanel");
    entry.panel.setAttribute("aria-labelledby", `tab-${entry.id}`);
  }
  bar.addEventListener("keydown", (event) => {
    const ids = entries.map((entry) => entry.id);
    const at = ids.findIndex((id) => buttons.get(id) === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + ids.length, Home: 0, End: ids.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const id = ids[to % ids.length];
    select(id);
    buttons.get(id)?.focus();
  });
  /** @param {string} chosen */
  function select(chosen) {
    for (const entry of entries) {
      const isChosen = entry.id === chosen;
      const tab = /** @type {HTMLButtonElement} */ (buttons.get(entry.id));
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      entry.panel.hidden = !isChosen;
    }
    onSelect(chosen);
  }
  /**
   * @param {string} id
   * @param {number} count
   */
  function setCount(id, count) {
    const place = buttons.get(id)?.querySelector(".tab-count");
    if (place) place.textContent = count ? String(count) : "";
  }
  select(entries[0].id);
  return { bar, select, setCount };
}

const THEMES = ["auto", "light", "dark"];
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

/** A button that goes round the system's colours, light and dark, and remembers. */
export function themeToggle() {
  const current = () => document.documentElement.dataset.theme ?? "auto";
  const toggle = button("Colours", { iconOnly: true, kind: "ghost", icon: "auto" });
  const show = () => {
    const name = /** @type {keyof typeof THEME_ICONS} */ (current());
    toggle.replaceChildren(icon(THEME_ICONS[name]));
    const words = `Colours: ${name === "auto" ? "as the system" : name}`;
    toggle.title = words;
    toggle.setAttribute("aria-label", words);
  };
  toggle.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("wince-theme", next);
    } catch {
      // Storage is refused: it holds for this page only.
    }
    show();
  });
  show();
  return toggle;
}

/**
 * The bar on top of every page.
 * @param {{active?: "sessions" | "overview", middle?: Child[], actions?: Child[], bare?: boolean}} [options] `bare`:
 *   without links, for pages of visitors who may see nothing else
 */
export function appHeader(options = {}) {
  const brand = [mark(), h("span", { class: "brand-name" }, "Wince")];
  const entry = (/** @type {string} */ id, /** @type {string} */ href, /** @type {string} */ label) =>
    h("a", { href, "aria-current": options.active === id ? "page" : undefined }, label);
  return h(
    "header",
    { class: "app-header" },
    options.bare
      ? h("span", { class: "brand" }, brand)
      : h("a", { class: "brand", href: "/", "aria-label": "Wince" }, brand),
    options.bare
      ? null
      : h(
          "nav",
          { class: "app-nav", "aria-label": "Main" },
          entry("sessions", "/", "Sessions"),
          entry("overview", "/overview", "Overview"),
        ),
    h("div", { class: "row grow" }, options.middle ?? []),
    options.actions ?? [],
    themeToggle(),
    document.body.dataset.login === "required" && !options.bare ? logoutButton() : null,
  );
}

function logoutButton() {
  return button("Log out", {
    icon: "logout",
    iconOnly: true,
    kind: "ghost",
    onClick: async () => {
      await fetch("/logout", { method: "POST", headers: { "x-wince-request": "1" }, credentials: "same-origin" });
      location.assign("/login");
    },
  });
}
