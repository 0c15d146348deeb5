// What is shown in place of sessions: why there are none, and what to do about it.

import { ApiError } from "../common/api.js";
import { plural } from "../common/format.js";
import { button, fill, h, loading, plain, recorded, state } from "../common/ui.js";
import { filterName } from "./filters.js";
import { withoutFilter } from "./query.js";

/** Filters of which it is counted what leaving them out would bring. */
const TRIED = 8;

const RETRY_S = 5;

/** There is no project yet. */
export function noProject() {
  return state({
    icon: "layers",
    title: "No sessions yet",
    text: h(
      "span",
      {},
      "Sessions appear here by themselves as soon as a worker has seen their first events. ",
      "Send events to Kafka and start ",
      h("code", {}, "wince worker"),
      "; to look around with recorded visits, run ",
      h("code", {}, "wince demo"),
      ".",
    ),
  });
}

/**
 * The project is there, and empty.
 * @param {string} projectId
 */
export function emptyProject(projectId) {
  return state({
    icon: "layers",
    title: "This project has no sessions",
    text: h(
      "span",
      {},
      "Of ",
      recorded(projectId, 100),
      " none was recorded yet, or all have expired or were deleted. New ones appear here by themselves.",
    ),
  });
}

/**
 * Nothing matches: say which filter stands in the way.
 * @param {import("./query.js").Query} query
 * @param {(query: import("./query.js").Query) => Promise<number | null>} count what it finds; null: not known
 * @param {(query: import("./query.js").Query) => void} go
 */
export function noMatch(query, count, go) {
  const ways = h(
    "div",
    { class: "ways", "aria-live": "polite" },
    loading("Looking for the filter that stands in the way"),
  );
  offerWays(ways, query, count, go);
  return state({
    icon: "search",
    title: "No session matches",
    text: query.filters.length > 1 ? "No session has all of these at once." : "No session has this.",
    actions: [ways],
  });
}

/**
 * @param {HTMLElement} ways
 * @param {import("./query.js").Query} query
 * @param {(query: import("./query.js").Query) => Promise<number | null>} count
 * @param {(query: import("./query.js").Query) => void} go
 */
async function offerWays(ways, query, count, go) {
  const tried = query.filters.slice(0, TRIED).map(async ([name, value]) => {
    const wider = withoutFilter(query, name, value);
    return { name, value, wider, total: await count(wider).catch(() => null) };
  });
  const better = (await Promise.all(tried)).filter((way) => way.total !== 0);
  better.sort((a, b) => (b.total ?? 0) - (a.total ?? 0));
  const offer = (/** @type {typeof better[number]} */ way) =>
    h(
      "button",
      { type: "button", class: "button", on: { click: () => go(way.wider) } },
      "Drop ",
      recorded(filterName(way.name, way.value), 60),
      way.total === null ? null : h("span", { class: "faint" }, plural(way.total, "session")),
    );
  const isOnlyOne = query.filters.length === 1;
  fill(
    ways,
    better.map(offer),
    isOnlyOne ? null : button("Clear all filters", { onClick: () => go({ ...query, filters: [] }) }),
  );
}

/**
 * Something failed: say what, and what to do. What may pass is tried again by itself while the state is shown.
 * @param {unknown} error
 * @param {() => void} retry
 * @returns {HTMLElement}
 */
export function failed(error, retry) {
  const problem =
    error instanceof ApiError
      ? error
      : new ApiError(-1, "Something went wrong", "The page could not make sense of the answer.");
  const again = button("Try again", { icon: "refresh", onClick: retry });
  const home = h("a", { class: "button", href: "/" }, "Start anew");
  switch (problem.status) {
    case 0:
      return repeated("The server does not answer", "It may be restarting, or you are offline.", RETRY_S, retry, again);
    case 400:
      return state({
        failed: true,
        title: "This address asks for something impossible",
        text: plain(problem.detail, 300),
        actions: [home],
      });
    case 401:
      return state({
        failed: true,
        title: "You are not signed in",
        text: "Sign in with a token, and you come back to this very list.",
        actions: [
          h(
            "a",
            {
              class: "button primary",
              href: `/login?${new URLSearchParams({ next: location.pathname + location.search })}`,
            },
            "Sign in",
          ),
        ],
      });
    case 403:
      return state({
        failed: true,
        title: "Your token is not for this",
        text: "It may not read this project. Choose another one above, or sign in with another token.",
        actions: [home],
      });
    case 429:
      return repeated(
        "Too many requests",
        "The server asks to slow down; the list goes on by itself.",
        problem.retryAfterS || RETRY_S,
        retry,
        again,
      );
    case 503:
      return repeated(
        "The store can’t be reached",
        "Redis does not answer; what is stored is not lost. Its log and /readyz tell who runs this server why.",
        RETRY_S,
        retry,
        again,
      );
    default:
      return state({
        failed: true,
        title: plain(problem.title, 100),
        text: plain(problem.detail, 300),
        actions: [again],
      });
  }
}

/**
 * @param {string} title
 * @param {string} text
 * @param {number} seconds until the next try
 * @param {() => void} retry
 * @param {HTMLElement} again
 */
function repeated(title, text, seconds, retry, again) {
  let left = Math.max(1, Math.round(seconds));
  // Not announced each second: readers of the page hear the state once.
  const tell = h("span", { class: "faint numeric", "aria-hidden": "true" }, `Next try in ${left} s`);
  const shown = state({ failed: true, title, text, actions: [again, tell] });
  const timer = setInterval(() => {
    left -= 1;
    tell.textContent = `Next try in ${left} s`;
    if (!shown.isConnected || left <= 0) clearInterval(timer);
    if (shown.isConnected && left <= 0) retry();
  }, 1_000);
  return shown;
}
