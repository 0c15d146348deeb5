// Replays one recording with rrweb's own player, says what the player complained about and what the page looked like.
// One page load is one recording, so that nothing of one, not even a late error, can reach the next.
"use strict";

const SETTLE_MS = 25;
const TASKS_MS = 4;
const MAX_TEXT = 400;
const MAX_MESSAGES = 2000;

let messages = [];
let current = null;

function note(level, text) {
  if (messages.length < MAX_MESSAGES) {
    messages.push({ level, text: text.slice(0, MAX_TEXT), event: current });
  }
}

// Recorded data among the arguments differs by what was masked; of it only the id of a node is told.
function describe(value) {
  if (typeof value === "string") return value;
  if (value && typeof value.message === "string") return `${value.name || "Error"}: ${value.message}`;
  if (value && typeof value.nodeName === "string") return `<${value.nodeName.toLowerCase()}>`;
  if (value && typeof value === "object") return typeof value.id === "number" ? `{id: ${value.id}}` : "{}";
  return String(value);
}

for (const [method, level] of [["warn", "warning"], ["error", "error"], ["log", "debug"]]) {
  console[method] = (...values) => note(level, values.map(describe).join(" ").trim());
}
window.addEventListener("error", (event) => note("exception", describe(event.error || event.message)));
window.addEventListener("unhandledrejection", (event) => note("rejection", describe(event.reason)));

// Knows which event is being applied, to name it beside a complaint.
class Probe extends rrweb.Replayer {
  applyIncremental(event, isSync) {
    return during(event, () => super.applyIncremental(event, isSync));
  }
  rebuildFullSnapshot(event, isSync) {
    return during(event, () => super.rebuildFullSnapshot(event, isSync));
  }
}

let places = new Map();

function during(event, apply) {
  const outer = current;
  current = places.get(event) ?? null;
  const done = apply();
  current = outer; // left as it is after an exception, which is thus blamed on its event
  return done;
}

async function run(text, kind, stops) {
  const events = JSON.parse(text); // anew for each run: the player changes what it is given
  events.forEach(forgetPath);
  places = new Map(events.map((event, place) => [event, place]));
  messages = [];
  current = null;
  const looks = [];
  const start = Math.min(...events.map((event) => event.timestamp));
  const replayer = attempt(() => new Probe(events, {
    mouseTail: false, showWarning: true, showDebug: true, useVirtualDom: kind === "seeking",
  }));
  if (replayer) {
    for (const stop of stops) {
      if (stop.at < start) continue;
      attempt(() => replayer.pause(stop.at - start));
      if (!stop.look) continue;
      await pause(TASKS_MS); // replaced sheets and frames are ready only after the task that asked for them
      looks.push(attempt(() => look(replayer, stop.at)));
    }
    await pause(SETTLE_MS);
    attempt(() => replayer.destroy());
  }
  return { kind, messages, looks: looks.filter(Boolean) };
}

// A player that goes on after a mouse move goes on at the beginning of that move's path and applies once more what lies
// within it. Whether a move is the last event before a stop depends on which others are published: that is no fault.
function forgetPath(event) {
  const first = event.type === 3 && event.data?.source === 1 ? event.data.positions?.[0] : null;
  if (first) first.timeOffset = 0;
}

function pause(time_ms) {
  return new Promise((done) => setTimeout(done, time_ms));
}

function attempt(action) {
  try {
    return action();
  } catch (error) {
    note("exception", describe(error));
    return null;
  } finally {
    current = null;
  }
}

// What the page shows at one time: its elements with their boxes, its style sheets, the length of its text.
function look(replayer, at) {
  const mirror = replayer.getMirror();
  const seen = { at, elements: [], sheets: [], text: 0 };
  const root = replayer.iframe.contentDocument;
  sheets(root, mirror.getId(root), mirror, seen);
  children(root, mirror.getId(root), mirror, seen);
  return seen;
}

function children(parent, parentId, mirror, seen) {
  for (const node of parent.childNodes) {
    if (node.nodeType === Node.ELEMENT_NODE) element(node, parentId, mirror, seen);
    else if (node.nodeType === Node.TEXT_NODE && !["style", "noscript", "title"].includes(parent.localName)) {
      seen.text += node.data.trim().length;
    }
  }
}

function element(node, parentId, mirror, seen) {
  const id = mirror.getId(node);
  if (id > 0) { // the player's own style elements are no part of the recording
    const box = node.getBoundingClientRect();
    const names = Object.keys(mirror.getMeta(node)?.attributes ?? {});
    const bare = names.every((name) => name === "rr_width" || name === "rr_height");
    seen.elements.push([id, node.localName, parentId, bare, ...[box.x, box.y, box.width, box.height].map(Math.round)]);
  }
  if (node.shadowRoot) {
    sheets(node.shadowRoot, id, mirror, seen);
    children(node.shadowRoot, id, mirror, seen);
  }
  const inner = node.localName === "iframe" ? node.contentDocument : null;
  if (inner) {
    sheets(inner, id, mirror, seen);
    children(inner, id, mirror, seen);
  }
  children(node, id, mirror, seen);
}

function sheets(root, id, mirror, seen) {
  for (const sheet of root.styleSheets) {
    const owner = sheet.ownerNode ? mirror.getId(sheet.ownerNode) : -1;
    if (owner > 0) seen.sheets.push([owner, ...rules(sheet)]);
  }
  for (const sheet of root.adoptedStyleSheets) seen.sheets.push([id, ...rules(sheet)]);
}

function rules(group) {
  let count = 0;
  let declarations = 0;
  for (const rule of readable(group)) {
    count += 1;
    declarations += rule.style ? rule.style.length : 0;
    if (rule.cssRules) {
      const [inner, within] = rules(rule);
      count += inner;
      declarations += within;
    }
  }
  return [count, declarations];
}

function readable(group) {
  try {
    return group.cssRules;
  } catch (error) {
    return []; // a sheet of another origin, which the page may not read nor, by its policy, load
  }
}

async function main() {
  const answer = await fetch("/job");
  if (answer.status !== 200) return;
  const job = await answer.json();
  const runs = [];
  for (const kind of ["seeking", "playing"]) runs.push(await run(job.events, kind, job.plan[kind]));
  await fetch("/result", { method: "POST", body: JSON.stringify({ number: job.number, runs }) });
  location.reload();
}

main();
