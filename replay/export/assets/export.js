// Plays an exported file. `Replayer` (rrweb) and `Cleaner` (what is taken out of events first) stand before this.

/** Milliseconds that are shown before a moment, so that one sees it come. */
const BEFORE_MS = 3000;
/** After this many events that rrweb cannot play, the rest of them is not worth trying. */
const MAX_FAILURES = 20;
/** An event that never comes: a player that has played its last event stops for good, but here one may go back. */
const SENTINEL = { type: 5, data: { tag: "wince-end", payload: {} }, timestamp: 8.64e15 };

/** @param {string} id */
const element = (id) => /** @type {any} */ (document.getElementById(id));

/** @type {{from_t: number, to_t: number, windows: string[], moments: {t: number, window: number, text: string}[]}} */
const meta = JSON.parse(element("meta").textContent);
const length = meta.to_t - meta.from_t;
const parts = { sheet: element("sheet"), stage: element("stage"), note: element("note"), seek: element("seek") };
const state = { t: 0, playing: false, speed: 1, window: 0, failures: 0, size: { width: 0, height: 0 } };
/** @type {any} */
let replayer = null;
/** Opening a window takes time; only the last one that was asked for is shown. */
let opening = 0;

/** @param {string} text */
const say = (text) => {
  parts.note.textContent = text;
};

/**
 * @param {string} base64 of gzipped JSON lines
 * @returns {Promise<string>}
 */
async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** @param {number} place of the window */
async function read(place) {
  const cleaner = new Cleaner();
  const events = [];
  for (const piece of document.querySelectorAll(`script[data-window="${place}"]`)) {
    for (const line of (await unpack(piece.textContent ?? "")).split("\n")) {
      try {
        const event = JSON.parse(line);
        if (cleaner.clean(event)) events.push(event);
      } catch {
        // A line that is no event is left out; the rest of the recording is none the worse for it.
      }
    }
  }
  return events;
}

/** @param {number} place of the window */
async function open(place) {
  const turn = ++opening;
  const events = await read(place);
  if (turn !== opening) return;
  try {
    replayer?.destroy();
  } catch {
    // What could not be built may not be taken apart either: the next line does it.
  }
  parts.sheet.replaceChildren();
  Object.assign(state, { window: place, failures: 0 });
  replayer = null;
  if (!events.length) {
    say("Nothing of this tab can be shown.");
    return;
  }
  say("");
  build(events);
  go();
}

/** @param {any[]} events */
function build(events) {
  const quiet = () => undefined;
  try {
    replayer = new Replayer([...events, SENTINEL], {
      root: parts.sheet,
      speed: state.speed,
      triggerFocus: false,
      UNSAFE_replayCanvas: false,
      showWarning: false,
      mouseTail: false,
      logger: { log: quiet, warn: quiet },
    });
    replayer.iframe.setAttribute("tabindex", "-1");
    replayer.iframe.setAttribute("title", "Replayed page");
    replayer.on("resize", (/** @type {any} */ size) => {
      if (!(size.width > 0 && size.height > 0)) return;
      state.size = { width: size.width, height: size.height };
      fit();
    });
  } catch {
    say("This recording cannot be played.");
  }
}

/** One more than the moment, which itself belongs to what is shown; a recording's first event (its size) always does. */
const offset = () => Math.max(1, meta.from_t + state.t + 1 - replayer.service.state.context.events[0].timestamp);

function go() {
  if (!replayer) return;
  try {
    if (state.playing) replayer.play(offset());
    else replayer.pause(offset());
  } catch {
    failed();
  }
}

/** An event could not be played: leave it out and go on, or say that it is over. */
function failed() {
  if (!replayer) return;
  state.failures += 1;
  if (state.failures > MAX_FAILURES) {
    say("The rest of this recording cannot be played.");
    return;
  }
  const { events, lastPlayedEvent } = replayer.service.state.context;
  const culprit = lastPlayedEvent ? events.indexOf(lastPlayedEvent) + 1 : 0;
  if (culprit >= 0 && events[culprit] !== SENTINEL) events.splice(culprit, 1);
  go();
}

function fit() {
  const wrapper = /** @type {HTMLElement | null} */ (parts.sheet.querySelector(".replayer-wrapper"));
  const { width, height } = state.size;
  if (!wrapper || !width) return;
  const room = parts.stage.getBoundingClientRect();
  const scale = Math.min(room.width / width, room.height / height);
  wrapper.style.transform = `scale(${scale})`;
  wrapper.style.left = `${Math.max(0, (room.width - width * scale) / 2)}px`;
}

/** @param {number} milliseconds */
function clock(milliseconds) {
  const tenths = Math.floor(Math.max(0, milliseconds) / 100);
  const seconds = Math.floor(tenths / 10);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}.${tenths % 10}`;
}

function draw() {
  parts.seek.value = String(state.t);
  element("clock").textContent = `${clock(state.t)} / ${clock(length)}`;
  parts.seek.setAttribute("aria-valuetext", clock(state.t));
  element("play").textContent = state.playing ? "Pause" : "Play";
  element("play").setAttribute("aria-pressed", String(state.playing));
}

/** @param {Partial<typeof state>} changes */
function set(changes) {
  Object.assign(state, changes);
  state.t = Math.min(Math.max(0, state.t), length);
  go();
  draw();
}

let last = 0;
/** @param {number} now */
function tick(now) {
  if (state.playing) {
    state.t = Math.min(length, state.t + (now - last) * state.speed);
    if (state.t >= length) set({ playing: false });
    draw();
  }
  last = now;
  requestAnimationFrame(tick);
}

/** @param {{t: number, window: number}} moment */
async function jump(moment) {
  state.t = Math.max(0, moment.t - meta.from_t - BEFORE_MS);
  if (moment.window >= 0 && moment.window !== state.window) {
    element("tab").value = String(moment.window);
    await open(moment.window);
  }
  set({ playing: true });
}

function controls() {
  parts.seek.max = String(length);
  parts.seek.addEventListener("input", () => set({ t: Number(parts.seek.value) }));
  element("play").addEventListener("click", () => {
    set({ playing: !state.playing, t: state.t >= length ? 0 : state.t });
  });
  element("speed").addEventListener("change", () => {
    state.speed = Number(element("speed").value);
    replayer?.setConfig({ speed: state.speed });
    go();
  });
  meta.windows.forEach((name, place) => element("tab").append(new Option(name.replace(/^Tab /, ""), String(place))));
  element("tabs").hidden = meta.windows.length < 2;
  element("tab").addEventListener("change", () => open(Number(element("tab").value)));
  for (const moment of meta.moments) {
    const button = document.createElement("button");
    button.type = "button";
    const text = document.createElement("bdi");
    text.textContent = moment.text;
    button.append(`${clock(moment.t - meta.from_t)} `, text);
    button.addEventListener("click", () => jump(moment));
    const item = document.createElement("li");
    item.append(button);
    element("moments").append(item);
  }
  addEventListener("keydown", (event) => {
    if (event.target !== document.body || event.key !== " ") return;
    event.preventDefault();
    element("play").click();
  });
}

addEventListener("error", (event) => {
  event.preventDefault();
  failed();
});
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  if (!(event.reason instanceof DOMException)) failed();
});
addEventListener("resize", fit);

/** For whoever makes a film of this file: what to show when, frame by frame. */
const film = {
  size: () => state.size,
  problem: () => parts.note.textContent,
  /** @param {number} t milliseconds after the start */
  seek: async (t) => {
    set({ t });
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  },
};

say("Loading");
controls();
if (location.hash === "#film") document.body.classList.add("film");
await open(0);
draw();
requestAnimationFrame((now) => {
  last = now;
  tick(now);
});
Object.assign(globalThis, { winceFilm: film });
document.documentElement.dataset.ready = "";
