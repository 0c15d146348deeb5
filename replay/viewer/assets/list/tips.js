// Notes that show while something is pointed at or focused; Escape hides them. The text is in `data-tip`.

import { h } from "../common/ui.js";

const GAP_PX = 8;

/** Let everything with `data-tip` have its note. The same text is in its label, so that the note is for the eye only. */
export function startTips() {
  const tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });
  document.body.append(tip);
  /** @type {Element | null} */
  let owner = null;

  /** @param {EventTarget | null} target */
  const show = (target) => {
    owner = target instanceof Element ? target.closest("[data-tip]") : null;
    tip.hidden = owner === null;
    if (owner) {
      tip.textContent = owner.getAttribute("data-tip");
      place(tip, owner.getBoundingClientRect());
    }
  };
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "touch") {
      show(event.target);
    }
  });
  document.addEventListener("focusin", (event) => show(event.target));
  document.addEventListener("focusout", () => show(null));
  document.addEventListener("scroll", () => show(null), { capture: true, passive: true });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && owner) {
      show(null);
    }
  });
}

/**
 * @param {HTMLElement} tip
 * @param {DOMRect} at
 */
function place(tip, at) {
  const { width, height } = tip.getBoundingClientRect();
  const left = at.left + at.width / 2 - width / 2;
  const above = at.top - height - GAP_PX;
  tip.style.left = `${Math.max(GAP_PX, Math.min(left, document.documentElement.clientWidth - width - GAP_PX))}px`;
  tip.style.top = `${above < GAP_PX ? at.bottom + GAP_PX : above}px`;
}
