// The page of one session: reads what is needed, puts the parts together, and keeps the address in step.

import { ApiError, follow } from "../common/api.js";
import { dateTime, duration, pagePath } from "../common/format.js";
import { appHeader, badge, button, copyText, failure, fill, h, icon, loading, menu, menuItem, recorded, scoreBadge, state, tabs, toast } from "../common/ui.js";
import { Clock } from "./clock.js";
import { Controls } from "./controls.js";
import { deleteDialog, exportDialog, helpDialog, shareDialog } from "./dialogs.js";
import { listenForKeys } from "./keys.js";
import { MomentList } from "./moments.js";
import { AboutPanel, SummaryPanel, consolePanel, networkPanel, whyNot } from "./panels.js";
import { Player } from "./player.js";
import { Session } from "./session.js";
import { LEAD_MS, Timeline } from "./timeline.js";

/** How far behind the end a live session is followed: what comes is on its way for a while. */
const LIVE_LAG_MS = 3_000;
const REFRESH_AFTER_MS = 300;

const { sessionId, shareToken } = document.body.dataset;
const isShared = shareToken !== undefined;
const api = isShared ? `/api/v1/shared/${encodeURIComponent(shareToken)}` : `/api/v1/sessions/${encodeURIComponent(sessionId ?? "")}`;
const scopes = new Set((document.body.dataset.scopes ?? "").split(" "));

const { from, to } = document.body.dataset;
const session = new Session(api, isShared, isShared ? [Number(from ?? -Infinity), Number(to ?? Infinity)] : undefined);
const main = h("main", { id: "main", class: "viewer" }, loading("Opening the session"));
const headerMiddle = h("div", { class: "row grow session-title" });
const headerActions = h("div", { class: "row session-actions" });
document.body.prepend(
  h("a", { class: "button skip-link", href: "#main" }, "Skip to the replay"),
  appHeader({ bare: isShared, middle: [headerMiddle], actions: [headerActions] }),
  main,
);

void open();

async function open() {
  try {
    await session.load();
  } catch (error) {
    await notThere(error);
    return;
  }
  document.title = `${session.record.score ? `${Math.round(session.record.score)} · ` : ""}${pagePath(session.pages[0]?.url ?? "Session")} · Wince`;
  if (!session.index.blocks.length) {
    fill(main, state({ icon: "hole", title: "Nothing of this session can be played", text: "Its recording was left out or has not arrived yet.", actions: [button("Look again", { icon: "refresh", onClick: () => location.reload() })] }));
    return;
  }
  try {
    await compose();
  } catch (error) {
    fill(main, failure(error, () => location.reload()));
    throw error;
  }
}

/** @param {unknown} error */
async function notThere(error) {
  const isMissing = error instanceof ApiError && error.status === 404;
  if (isMissing && isShared) {
    fill(main, state({ icon: "clock", title: "This link does not work any more", text: "It has expired, was revoked, or its session was deleted. Ask whoever sent it for a new one." }));
  } else if (isMissing) {
    fill(main, await whyNot(api, error));
  } else {
    fill(main, failure(error, () => location.reload()));
  }
}

async function compose() {
  const clock = new Clock(session.start, session.end);
  const parameters = new URLSearchParams(location.search);
  const player = new Player(session, clock, { onTold: () => about.drawWithheld(), onReplaced: () => void refresh() });
  player.chosen = session.windows.some((window) => window.id === parameters.get("window")) ? (parameters.get("window") ?? "") : "";
  const isAsked = parameters.has("t");
  clock.t = startingAt(parameters.get("t"), clock, session);

  /** @param {number} t @param {string} [windowId] */
  const linkTo = (t, windowId = player.chosen) => {
    const address = new URL(location.pathname, location.origin);
    address.searchParams.set("t", String(Math.round(t)));
    if (windowId && session.windows.length > 1) address.searchParams.set("window", windowId);
    return address.href;
  };
  let followsLive = false;
  const seek = (/** @type {number} */ t) => {
    followsLive = false;
    clock.seek(t);
    void player.refresh();
    showLive();
  };
  const toMoment = (/** @type {import("./session.js").Moment} */ moment) => {
    if (player.chosen && moment.window_id && moment.window_id !== player.chosen) player.chosen = "";
    list.open(moment.id);
    seek(moment.t - LEAD_MS);
  };
  const actions = {
    seek,
    toggle: () => {
      clock.toggle();
      void player.refresh();
    },
    moment: (/** @type {1 | -1} */ direction) => {
      // A jump lands before its moment: from there, the next one is the one after it.
      const here = list.openId && list.stops.find((stop) => stop.id === list.openId && Math.abs(stop.t - LEAD_MS - clock.t) < LEAD_MS + 1500);
      const next = here
        ? list.stops[list.stops.indexOf(here) + direction]
        : direction > 0
          ? list.stops.find((stop) => stop.t > clock.t)
          : list.stops.findLast((stop) => stop.t < clock.t);
      if (next) toMoment(next);
      else toast(direction > 0 ? "No moment after this one" : "No moment before this one", "info");
    },
    speed: (/** @type {number} */ speed) => {
      clock.setSpeed(speed);
      remember("wince-speed", String(speed));
    },
    skip: () => {
      player.skipsInactivity = !player.skipsInactivity;
      controls.show();
      toast(player.skipsInactivity ? "Inactivity is skipped" : "Inactivity is played", "skip");
    },
    mode: (/** @type {"merged" | "side"} */ mode) => void player.setMode(mode),
    choose: (/** @type {string} */ windowId) => void player.choose(windowId),
    nextTab: () => {
      const ids = ["", ...session.windows.map((window) => window.id)];
      if (ids.length < 3) return;
      const next = ids[(ids.indexOf(player.chosen) + 1) % ids.length];
      void player.choose(next);
      toast(next ? `Tab ${ids.indexOf(next)} only` : "Following the visitor", "window");
    },
    sideBySide: () => {
      if (session.windows.length > 1) void player.setMode(player.mode === "side" ? "merged" : "side");
    },
    help: helpDialog,
    copyMoment: () => void copyText(linkTo(clock.t), "Link to this moment copied"),
    fullscreen: () => {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void stage.requestFullscreen?.();
    },
    goLive: () => {
      if (!session.isOpen) return;
      seek(clock.end - LIVE_LAG_MS);
      followsLive = true;
      clock.play();
      showLive();
    },
  };
  const timeline = new Timeline(session, clock, { onSeek: seek, onMoment: toMoment });
  const controls = new Controls(session, clock, player, actions);
  const showLive = () => controls.liveButton.setAttribute("aria-pressed", String(followsLive));
  const list = new MomentList(session, clock, { onMoment: toMoment, linkTo });
  const logs = { console: consolePanel(session, clock, seek), network: networkPanel(session, clock, seek) };
  const summary = new SummaryPanel(session, clock, (t) => seek(t - LEAD_MS));
  const about = new AboutPanel(session, player);
  const side = tabs(
    "Panels",
    [
      { id: "moments", label: "Moments", panel: list.element },
      { id: "summary", label: "Summary", panel: summary.element },
      { id: "console", label: "Console", panel: logs.console.element },
      { id: "network", label: "Network", panel: logs.network.element },
      { id: "about", label: "About", panel: about.element },
    ],
    (id) => {
      if (id === "summary") void summary.load();
      if (id === "about") void about.load();
    },
  );
  const notice = h("div", { class: "skip-notice", role: "status", hidden: true });
  const stage = h("section", { class: "stage-area", "aria-label": "Replay" }, watermark(), player.element, notice, timeline.element, controls.element);
  fill(main, stage, h("section", { class: "side", "aria-label": "About this session" }, side.bar, list.element, summary.element, logs.console.element, logs.network.element, about.element));
  document.body.classList.add("viewing");

  const draw = () => {
    drawHeader(linkTo, clock, player);
    timeline.draw();
    controls.show();
    list.draw();
    logs.console.draw();
    logs.network.draw();
    if (!about.element.hidden) about.draw();
    side.setCount("moments", session.signals.length);
    side.setCount("console", logs.console.entries.length);
    side.setCount("network", logs.network.entries.length);
  };
  const refresh = async () => {
    await Promise.all([session.load(), session.loadTimeline()]);
    clock.end = session.end;
    player.grown();
    draw();
    if (followsLive) clock.play();
    else void player.refresh();
  };
  player.element.addEventListener("skipped", (event) => {
    notice.textContent = `Skipped ${duration(/** @type {CustomEvent} */ (event).detail)} without activity`;
    notice.hidden = false;
    setTimeout(() => (notice.hidden = true), 1800);
  });
  clock.ticks.add(() => {
    const panes = player.visible.map((id) => player.panes.get(id)).filter((pane) => pane !== undefined);
    timeline.showLoaded(Math.max(...panes.map((pane) => pane.loader.heldFrom)), Math.min(...panes.map((pane) => pane.loader.heldTo)));
  });
  listenForKeys(clock, actions);
  clock.speed = Number(recall("wince-speed")) || 1;
  draw();
  if (!isAsked) list.open(list.stops.find((stop) => stop.t - LEAD_MS <= clock.t + 1 && stop.t > clock.t)?.id ?? "");
  await player.refresh();
  clock.seek(clock.t);
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) clock.play();
  // The first frame does not wait for what only the panels show.
  await session.loadTimeline();
  draw();
  if (session.isOpen && !isShared) followSession(refresh);
}

/**
 * Where to begin: at the moment the address asks for; else 3 seconds before the worst of it; else at the start.
 * @param {string | null} asked epoch ms, or seconds from the start as `+12.5`
 * @param {Clock} clock
 * @param {Session} known
 */
function startingAt(asked, clock, known) {
  if (asked !== null) {
    const isOffset = asked.startsWith("+") || asked.startsWith(" ");
    const value = Number(asked.slice(isOffset ? 1 : 0));
    if (asked !== "" && Number.isFinite(value)) {
      return Math.max(clock.start, Math.min(clock.end, isOffset ? clock.start + value * 1000 : value));
    }
  }
  const points = new Map(known.record.score_parts.map((/** @type {any} */ part) => [part.detector, part.points]));
  const worst = [...known.signals].sort((a, b) => (points.get(b.detector) ?? 0) - (points.get(a.detector) ?? 0) || a.t - b.t)[0];
  return worst ? Math.max(clock.start, worst.t - LEAD_MS) : clock.start;
}

/**
 * @param {(t: number) => string} linkTo
 * @param {Clock} clock
 * @param {Player} player
 */
function drawHeader(linkTo, clock, player) {
  const { record } = session;
  const first = session.pages[0];
  fill(
    headerMiddle,
    scoreBadge(record.score),
    h("div", { class: "title-lines" },
      h("h1", { class: "truncate" }, recorded(first ? pagePath(first.url) : "Session", 120)),
      h("p", { class: "soft small truncate" }, `${dateTime(record.started_at)} · ${duration(session.end - session.start)}`, record.user_id ? [" · ", recorded(record.user_id, 60)] : null),
    ),
    h("div", { class: "row title-badges" }, Object.entries(record.tags).slice(0, 4).map(([tag, count]) => badge(tag, Number(count)))),
  );
  if (headerActions.childElementCount) return;
  const canShare = scopes.has("share") && !isShared;
  const canDelete = scopes.has("delete") && !isShared;
  const share = canShare ? button("Share", { icon: "share", onClick: () => shareDialog(session, clock) }) : null;
  const more = button("More", { icon: "down", iconOnly: true, kind: "ghost", title: "Export, delete" });
  fill(headerActions, share, isShared ? null : h("span", { class: "anchor" }, more));
  if (isShared) return;
  const windowNow = () => player.visible[0] ?? "";
  menu(more, () => [
    menuItem("Copy link to this moment", () => void copyText(linkTo(clock.t), "Link to this moment copied"), { icon: "link" }),
    menuItem("Export as HTML", () => exportDialog(session, clock, "html", windowNow()), { icon: "download" }),
    menuItem("Export as GIF", () => exportDialog(session, clock, "gif", windowNow()), { icon: "download" }),
    menuItem("Export as MP4", () => exportDialog(session, clock, "mp4", windowNow()), { icon: "download" }),
    ...(canDelete ? [h("hr"), menuItem("Delete session", () => void deleteDialog(session), { icon: "trash", danger: true })] : []),
  ]);
}

/** Who watches through a link sees until when. */
function watermark() {
  if (!isShared) return null;
  const until = Number(document.body.dataset.expiresAt);
  return h("p", { class: "watermark" }, icon("share"), until ? `Shared with you until ${dateTime(until)}` : "Shared with you");
}

/**
 * Follow a session that is open: what comes is shown as it comes.
 * @param {() => Promise<void>} refresh
 */
function followSession(refresh) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void refresh().catch(() => undefined), REFRESH_AFTER_MS);
  };
  const end = follow(`${api}/live`, {
    index: later,
    signal: later,
    end: () => {
      end();
      later();
      toast("The session has ended", "info");
    },
  });
  addEventListener("pagehide", end);
}

/**
 * @param {string} name
 * @param {string} value
 */
function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Storage is refused: it holds for this page only.
  }
}

/** @param {string} name */
function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
