// The bar on top of every page.

import { mark } from "./icons.js";
import { button, h, icon } from "./ui.js";

/** @typedef {import("./ui.js").Child} Child */

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
