// What can be done with a session: share it, export it, delete it; and the list of keys.

import { ApiError, getJson, send, sendFor } from "../common/api.js";
import { clock as clockText, dateTime } from "../common/format.js";
import { confirm, copyText, dialog, toast } from "../common/overlays.js";
import { button, failure, fill, find, h, icon, loading, recorded } from "../common/ui.js";

const EXPIRIES = [
  ["1 hour", 3600],
  ["1 day", 86_400],
  ["7 days", 7 * 86_400],
  ["30 days", 30 * 86_400],
];
const AROUND_MS = 30_000;

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./clock.js").Clock} Clock */

/**
 * A choice of a range: all of the session, or what is around the moment.
 * @param {Clock} clock
 * @returns {{element: HTMLElement, read: () => {from: number, to: number} | null}}
 */
function rangeField(clock) {
  const from = Math.max(clock.start, clock.t - AROUND_MS);
  const to = Math.min(clock.end, clock.t + AROUND_MS);
  const around = `${clockText(from - clock.start)} to ${clockText(to - clock.start)}, around this moment`;
  const select = h(
    "select",
    { class: "select", id: "range-field" },
    h("option", { value: "all" }, "The whole session"),
    h("option", { value: "around" }, around),
    h("option", { value: "own" }, "From … to …"),
  );
  const start = timeInput("From", clockText(from - clock.start));
  const end = timeInput("To", clockText(to - clock.start));
  const own = h("div", { class: "row", hidden: true }, start, h("span", { class: "soft" }, "to"), end);
  select.addEventListener("change", () => (own.hidden = select.value !== "own"));
  const element = h("div", { class: "field" }, h("label", { for: "range-field" }, "What"), select, own);
  const read = () => {
    if (select.value === "all") return null;
    if (select.value === "around") return { from: Math.round(from), to: Math.round(to) };
    return {
      from: Math.round(clock.start + parseTime(start.value)),
      to: Math.round(clock.start + parseTime(end.value)),
    };
  };
  return { element, read };
}

/**
 * @param {string} label
 * @param {string} value
 */
const timeInput = (label, value) =>
  h("input", { class: "input numeric", "aria-label": label, value, inputmode: "numeric" });

/**
 * `1:02:03`, `2:03` or `123` as milliseconds.
 * @param {string} text
 */
function parseTime(text) {
  const parts = text.trim().split(":").map(Number);
  if (!parts.length || parts.length > 3 || parts.some((part) => !Number.isFinite(part) || part < 0)) {
    throw new ApiError(0, "No time", "Times are written as 1:23 or 1:02:03.");
  }
  return parts.reduce((sum, part) => sum * 60 + part, 0) * 1000;
}

/**
 * @param {Session} session
 * @param {Clock} clock
 */
export function shareDialog(session, clock) {
  const range = rangeField(clock);
  const expiry = h(
    "select",
    { class: "select", id: "share-expiry" },
    EXPIRIES.map(([label, seconds]) => h("option", { value: seconds, selected: seconds === 7 * 86_400 }, label)),
  );
  const made = h("div", { class: "column", role: "status" });
  const links = h("div", { class: "column" });
  const create = button("Make link", { icon: "link", kind: "primary", onClick: () => void attempt() });
  async function attempt() {
    create.disabled = true;
    try {
      const share = await send("POST", `${session.api}/shares`, {
        ...range.read(),
        expires_in_s: Number(expiry.value),
      });
      const field = h("input", { class: "input mono", readonly: true, value: share.url, "aria-label": "The link" });
      fill(
        made,
        h(
          "div",
          { class: "row" },
          field,
          button("Copy", { icon: "copy", onClick: () => void copyText(share.url, "Link copied") }),
        ),
        h("p", { class: "soft small" }, `It works until ${dateTime(share.expires_at)} and is shown only now.`),
      );
      field.select();
      void listShares(session, links);
    } catch (error) {
      fill(made, problem(error));
    } finally {
      create.disabled = false;
    }
  }
  dialog({
    title: "Share this session",
    body: [
      h(
        "p",
        { class: "soft" },
        "Anyone with the link can watch this one session, masked as you see it, without signing in.",
      ),
      range.element,
      h("div", { class: "field" }, h("label", { for: "share-expiry" }, "For how long"), expiry),
      made,
      links,
    ],
    actions: [create],
  });
  void listShares(session, links);
}

/** @param {unknown} error */
const problem = (error) =>
  h(
    "p",
    { class: "notice danger", role: "alert" },
    icon("warn"),
    h("span", {}, recorded(error instanceof Error ? error.message : error, 300)),
  );

/**
 * @param {Session} session
 * @param {HTMLElement} place
 */
async function listShares(session, place) {
  try {
    const { shares } = await getJson(`${session.api}/shares`);
    if (!shares.length) {
      fill(place);
      return;
    }
    const rows = shares.map((/** @type {any} */ share) => {
      const covers = share.from === null || share.from === undefined ? "whole session" : "a part";
      const revoke = button("Revoke", {
        small: true,
        kind: "ghost danger",
        onClick: async () => {
          try {
            await send("DELETE", `/api/v1/shares/${encodeURIComponent(share.share_id)}`);
            toast("Link revoked");
          } catch (error) {
            toast(error instanceof Error ? error.message : "This did not work", "warn");
          }
          void listShares(session, place);
        },
      });
      return h(
        "li",
        { class: "row" },
        h("span", { class: "grow" }, `Until ${dateTime(share.expires_at)}, ${covers}`),
        revoke,
      );
    });
    fill(place, h("h3", { class: "eyebrow" }, "Links in force"), h("ul", { class: "column" }, rows));
  } catch (error) {
    fill(place, problem(error));
  }
}

/**
 * @param {Session} session
 * @param {Clock} clock
 * @param {string} format `html`, `gif` or `mp4`
 * @param {string} windowId
 */
export function exportDialog(session, clock, format, windowId) {
  const range = rangeField(clock);
  const said = h("div", { role: "status" });
  const start = button("Export", { icon: "download", kind: "primary", onClick: () => void attempt() });
  const words = {
    html: "One HTML file that plays anywhere, without a network.",
    gif: "A moving picture without sound or controls.",
    mp4: "A film.",
  };
  async function attempt() {
    start.disabled = true;
    fill(said, loading("Exporting"));
    try {
      const answer = await sendFor("POST", `${session.api}/exports`, {
        format,
        ...(range.read() ?? { from: clock.start, to: clock.end }),
        window_id: windowId,
      });
      save(await answer.blob(), `${session.record.session_id}.${format}`);
      box.close();
      toast("Exported");
    } catch (error) {
      fill(said, problem(error));
    } finally {
      start.disabled = false;
    }
  }
  const box = dialog({
    title: `Export as ${format.toUpperCase()}`,
    body: [
      h("p", { class: "soft" }, `${words[/** @type {keyof typeof words} */ (format)]} It holds masked data only.`),
      range.element,
      said,
    ],
    actions: [start],
  });
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name.replace(/[^\w.-]/g, "_") }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** @param {Session} session */
export async function deleteDialog(session) {
  const isSure = await confirm({
    title: "Delete this session?",
    body: [
      h(
        "p",
        {},
        "Its recording, signals and places in all lists are removed at once and for good. Data of it that comes later is refused.",
      ),
      h("p", { class: "soft" }, "Session ", h("code", {}, recorded(session.record.session_id, 128))),
    ],
    action: "Delete session",
    danger: true,
  });
  if (!isSure) return;
  try {
    const receipt = await send("DELETE", session.api);
    deleted(receipt);
  } catch (error) {
    dialog({ title: "It was not deleted", body: failure(error) });
  }
}

/** @param {any} receipt */
function deleted(receipt) {
  const left = receipt?.left?.length ?? 0;
  const main = find("main");
  document.body.classList.remove("viewing");
  fill(
    main,
    h(
      "div",
      { class: "panel why-not" },
      h(
        "div",
        { class: "state" },
        h("span", { class: "state-icon" }, icon("trash")),
        h("h2", {}, "The session was deleted"),
        h("p", {}, left ? "Something of it is left; the receipt says what." : "Nothing of it is left."),
        button("All sessions", { icon: "list", onClick: () => location.assign("/") }),
      ),
      h(
        "details",
        { class: "panel-pad" },
        h("summary", {}, "Receipt"),
        h("pre", { class: "mono receipt" }, JSON.stringify(receipt, null, 2)),
      ),
    ),
  );
}

const KEYS = [
  ["Space", "Play, pause"],
  ["n  p", "Next, previous moment"],
  ["← →", "5 seconds back, on"],
  ["Shift ← →", "30 seconds back, on"],
  [", .", "A tenth of a second back, on"],
  ["Home  End", "Start, end"],
  ["0 … 9", "0 to 90 % of the session"],
  ["< >", "Slower, faster"],
  ["i", "Skip inactivity or not"],
  ["t", "Next tab, then the visitor's again"],
  ["b", "Tabs side by side or one at a time"],
  ["l", "Go to the live end"],
  ["c", "Copy a link to this moment"],
  ["f", "Full screen"],
  ["?", "These keys"],
];

export function helpDialog() {
  dialog({
    title: "Keys",
    body: h(
      "dl",
      { class: "facts keys" },
      KEYS.map(([keys, words]) => [
        h(
          "dt",
          {},
          keys.split("  ").map((key) => h("kbd", {}, key)),
        ),
        h("dd", {}, words),
      ]),
    ),
  });
}
