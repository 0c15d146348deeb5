// What detectors are called, and what each means to somebody who has never heard of it.

/** @type {Readonly<Record<string, readonly [string, string]>>} name and meaning */
const DETECTORS = {
  rage_click: ["Rage click", "Clicked the same place again and again, and nothing answered."],
  dead_click: ["Dead click", "Clicked something that looks as if it does something, and nothing happened."],
  error_click: ["Error click", "A click was followed at once by an error of the page."],
  js_error: ["Script error", "The page's own script failed."],
  network_error: ["Failed request", "A request of the page failed or was refused."],
  slow_response: ["Slow answer", "Waited long for an answer."],
  thrashed_cursor: ["Shaken pointer", "Shook the pointer back and forth, as people do who wait or search."],
  quick_back: ["Quick back", "Went to a page and came straight back."],
  form_abandonment: ["Abandoned form", "Began to fill in a form and left without sending it."],
  form_error_loop: ["Form error loop", "Sent a form again and again, and it was refused each time."],
  rapid_reload: ["Rapid reload", "Loaded the same page again and again."],
  scroll_thrash: ["Scroll thrash", "Scrolled up and down in search of something."],
  idle: ["Idle", "Nothing happened for a long time."],
  error: ["Error", "An error of the page."],
  page: ["Page", "A page was entered."],
  window: ["Tab", "A tab was opened."],
  hole: ["Missing part", "A part of the session is known to be missing."],
};

/** Detectors in the order in which lists and legends show them. */
export const DETECTOR_ORDER = Object.freeze(
  Object.keys(DETECTORS).filter((name) => !["error", "page", "window", "hole"].includes(name)),
);

/** @param {string} detector */
export const detectorName = (detector) =>
  Object.hasOwn(DETECTORS, detector) ? DETECTORS[detector][0] : detector.replaceAll("_", " ");

/** @param {string} detector */
export const detectorMeaning = (detector) => (Object.hasOwn(DETECTORS, detector) ? DETECTORS[detector][1] : "");
