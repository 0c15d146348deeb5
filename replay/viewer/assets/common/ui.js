// Building blocks of the pages. Everything shown is made of elements and text nodes: no text ever becomes markup.

import { icon } from "./icons.js";
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
