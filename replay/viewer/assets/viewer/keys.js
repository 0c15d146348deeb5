// The keys of the viewer. Nothing happens while somebody writes, in menus and in dialogs.

import { SPEEDS } from "./controls.js";

/** Keys of controls that have the focus: they mean what they mean there. */
const OWN_KEYS = new Set([" ", "Enter"]);

/**
 * @param {import("./clock.js").Clock} clock
 * @param {import("./controls.js").Actions & {seek: (t: number) => void, nextTab: () => void, sideBySide: () => void}} actions
 */
export function listenForKeys(clock, actions) {
  const step = (/** @type {number} */ ms) => () => actions.seek(clock.t + ms);
  const speed = (/** @type {1 | -1} */ by) => () => {
    const place = SPEEDS.indexOf(clock.speed) + by;
    actions.speed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, place))]);
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    " ": actions.toggle,
    k: actions.toggle,
    n: () => actions.moment(1),
    p: () => actions.moment(-1),
    ArrowLeft: step(-5_000),
    ArrowRight: step(5_000),
    "Shift+ArrowLeft": step(-30_000),
    "Shift+ArrowRight": step(30_000),
    ",": step(-100),
    ".": step(100),
    Home: () => actions.seek(clock.start),
    End: () => actions.seek(clock.end),
    "<": speed(-1),
    ">": speed(1),
    "-": speed(-1),
    "+": speed(1),
    i: actions.skip,
    t: actions.nextTab,
    b: actions.sideBySide,
    l: actions.goLive,
    c: actions.copyMoment,
    f: actions.fullscreen,
    "?": actions.help,
  };
  for (let digit = 0; digit <= 9; digit += 1) {
    keys[String(digit)] = () => actions.seek(clock.start + ((clock.end - clock.start) * digit) / 10);
  }
  addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
    if (target.closest("input:not([type=checkbox]), select, textarea, dialog, .menu, [role=tablist]")) return;
    if (OWN_KEYS.has(event.key) && target.closest("button, a, summary, input")) return;
    const isArrow = event.key.startsWith("Arrow");
    const act = keys[isArrow && event.shiftKey ? `Shift+${event.key}` : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
