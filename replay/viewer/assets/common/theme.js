// Runs before the first paint: a page must not flash in the wrong colours.
"use strict";
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("wince-theme");
  } catch {
    // Storage is refused: the system's colours hold.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
