// Replays one window in a document of its own: events come by message from the page around it, and nothing else does.

import { Replayer } from "../vendor/rrweb/replayer.js";
import { Cleaner } from "./clean.js";

/** After this many events that rrweb cannot play, the rest of them is not worth trying. */
const MAX_FAILURES = 20;
/** Milliseconds the player may be off the page's clock before it is set right. */
const MAX_DRIFT_MS = 400;
const LONGEST_MESSAGE = 300;
const FULL_SNAPSHOT = 2;
/** An event that never comes: a player that has played its last event stops, but here more is always on its way. */
const SENTINEL = { type: 5, data: { tag: "wince-end", payload: {} }, timestamp: 8.64e15 };

/** Origins that recordings may load from: the operator's choice, told by the server in this document. */
const HOSTS = (document.body.dataset.hosts ?? "").split(" ").filter(Boolean);

const stage = /** @type {HTMLElement} */ (document.getElementById("stage"));

/** @type {{replayer: any, generation: number, failures: number, cleaner: Cleaner, playing: boolean, speed: number} | null} */
let show = null;
let size = { width: 0, height: 0 };

/** @param {Record<string, unknown>} message */
const tell = (message) =>
  parent.postMessage({ wince: true, generation: show?.generation ?? 0, ...message }, location.origin);

const COMMANDS = { load, add, play, pause, sync };

addEventListener("message", (message) => {
  if (message.source !== parent || message.origin !== location.origin || !message.data?.wince) return;
  const command = COMMANDS[/** @type {keyof typeof COMMANDS} */ (message.data.kind)];
  if (!command || (message.data.kind !== "load" && message.data.generation !== show?.generation)) return;
  attempt(() => command(message.data));
});
addEventListener("error", (event) => failed(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => {
  // A film that may not start by itself is no failure of the replay.
  if (event.reason instanceof DOMException) event.preventDefault();
  else failed(event.reason);
});
addEventListener("resize", fit);

/** @param {any} event */
const isPage = (event) => event.type === FULL_SNAPSHOT;

/** @param {() => void} action */
function attempt(action) {
  try {
    action();
  } catch (error) {
    failed(error);
  }
}

/**
 * An event could not be played: leave it out and go on, or say that it is over.
 * @param {unknown} error
 */
function failed(error) {
  if (!show) return;
  show.failures += 1;
  const isOver = show.failures > MAX_FAILURES || !show.replayer || !leaveOut(show.replayer);
  tell({ kind: "failed", message: String(error).slice(0, LONGEST_MESSAGE), over: isOver });
  if (isOver) return;
  const at = show.replayer.getCurrentTime();
  attempt(() => (show?.playing ? show.replayer.play(at) : show?.replayer.pause(at)));
}

/**
 * Leave out the event that could not be played: the one after the last that could.
 * @param {any} replayer
 * @returns {boolean} whether there is still a page to show
 */
function leaveOut(replayer) {
  const { events, lastPlayedEvent } = replayer.service.state.context;
  const culprit = lastPlayedEvent ? events.indexOf(lastPlayedEvent) + 1 : events.findIndex(isPage);
  if (culprit >= 0 && events[culprit] !== SENTINEL) events.splice(culprit, 1);
  return events.some(isPage);
}

/**
 * @param {readonly string[]} lines
 * @param {Cleaner} cleaner
 * @returns {any[]}
 */
function read(lines, cleaner) {
  const events = [];
  for (const line of lines) {
    try {
      const event = JSON.parse(line);
      if (cleaner.clean(event)) events.push(event);
    } catch {
      // A line that is no event is left out; the rest of the recording is none the worse for it.
    }
  }
  return events;
}

/** @param {{generation: number, lines: string[], t: number, playing: boolean, speed: number}} command */
function load({ generation, lines, t, playing, speed }) {
  end();
  const cleaner = new Cleaner(HOSTS);
  show = { replayer: null, generation, failures: 0, cleaner, playing, speed };
  const events = read(lines, cleaner);
  if (!events.some(isPage)) {
    tell({ kind: "empty" });
    return;
  }
  const quiet = () => undefined;
  const replayer = new Replayer([...events, SENTINEL], {
    root: stage,
    speed,
    triggerFocus: false,
    UNSAFE_replayCanvas: false,
    showWarning: false,
    mouseTail: { duration: 500, lineCap: "round", lineWidth: 3, strokeStyle: "#6b5cf0" },
    logger: { log: quiet, warn: quiet },
  });
  show.replayer = replayer;
  replayer.iframe.setAttribute("tabindex", "-1");
  replayer.iframe.setAttribute("title", "Replayed page");
  replayer.on("resize", (/** @type {any} */ dimension) => resized(dimension));
  replayer.on("fullsnapshot-rebuilded", () => tell({ kind: "drawn" }));
  go(t);
  tell({ kind: "loaded", events: events.length, withheld: cleaner.withheld });
}

/** @param {{lines: string[]}} command */
function add({ lines }) {
  if (!show?.replayer) return;
  for (const event of read(lines, show.cleaner)) show.replayer.addEvent(event);
  tell({ kind: "added", withheld: show.cleaner.withheld });
}

/** @param {{t: number, speed: number}} command */
function play({ t, speed }) {
  if (!show?.replayer) return;
  if (speed !== show.speed) show.replayer.setConfig({ speed });
  Object.assign(show, { playing: true, speed });
  go(t);
}

/** @param {{t: number}} command */
function pause({ t }) {
  if (!show?.replayer) return;
  show.playing = false;
  go(t);
}

/**
 * The page's clock says where it is: jump if the player went elsewhere.
 * @param {{t: number}} command
 */
function sync({ t }) {
  if (!show?.replayer || !show.playing) return;
  if (Math.abs(show.replayer.getCurrentTime() - offsetOf(t)) > MAX_DRIFT_MS * Math.max(1, show.speed)) go(t);
}

/** @param {number} t epoch ms */
function go(t) {
  if (!show?.replayer) return;
  const { replayer, playing } = show;
  attempt(() => (playing ? replayer.play(offsetOf(t)) : replayer.pause(offsetOf(t))));
  tell({ kind: "at", t });
}

/**
 * Never zero, so that the event a recording begins with (its size) is always played.
 * @param {number} t epoch ms
 */
const offsetOf = (t) => Math.max(1, t - show?.replayer.service.state.context.events[0].timestamp);

/** @param {{width: number, height: number}} dimension */
function resized({ width, height }) {
  if (!(width > 0 && height > 0)) return;
  size = { width, height };
  fit();
  tell({ kind: "size", width, height });
}

function fit() {
  const wrapper = /** @type {HTMLElement | null} */ (stage.querySelector(".replayer-wrapper"));
  if (wrapper && size.width) wrapper.style.setProperty("transform", `scale(${innerWidth / size.width})`);
}

function end() {
  const replayer = show?.replayer;
  show = null;
  if (!replayer) return;
  try {
    replayer.destroy();
  } catch {
    // What could not be built may not be taken apart either: the next line does it.
  }
  stage.replaceChildren();
}

tell({ kind: "ready" });
