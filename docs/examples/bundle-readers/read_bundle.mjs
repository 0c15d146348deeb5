// Reads a bundle, straight from Redis or over HTTP; written from docs/bundle-format.md alone.
//
//     node read_bundle.mjs redis://127.0.0.1:6379 SESSION_ID
//     node read_bundle.mjs http://127.0.0.1:8080 SESSION_ID WINDOW_ID TIME
//
// The first writes the whole bundle, a line {"window_id":...,"event":...} for each event. The second writes the events
// that show a window at a moment (epoch ms). Over HTTP, WINCE_TOKEN holds a token. Needs Node 18 or newer, nothing else.

import { createHash } from "node:crypto";
import { connect } from "node:net";

import { decompress } from "./vendor/fzstd/fzstd.mjs";

/** The bundle was compacted or deleted between reading its index and its data. */
class Changed extends Error {}

/** As much of a Redis client as two commands need: replies are strings of bytes, numbers, lists or errors. */
class Redis {
  constructor(url) {
    const { hostname, port, username, password, pathname } = new URL(url);
    this.socket = connect(Number(port || 6379), hostname);
    this.chunks = this.socket[Symbol.asyncIterator]();
    this.buffer = Buffer.alloc(0);
    this.opening = [];
    if (password) this.opening.push(["AUTH", ...(username ? [username] : []), password]);
    if (pathname.length > 1) this.opening.push(["SELECT", pathname.slice(1)]);
  }

  async call(...words) {
    for (const opening of this.opening.splice(0)) await this.send(opening);
    return this.send(words);
  }

  send(words) {
    const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
    this.socket.write(`*${words.length}\r\n${parts.join("")}`);
    return this.reply();
  }

  async reply() {
    const end = () => this.buffer.indexOf("\r\n");
    const line = (await this.take(() => (end() < 0 ? Infinity : end() + 2))).toString().slice(0, -2);
    const rest = line.slice(1);
    if (line[0] === "-") throw new Error(rest);
    if (line[0] === "$") return rest === "-1" ? null : (await this.take(() => Number(rest) + 2)).subarray(0, -2);
    if (line[0] !== "*") return rest;
    const list = [];
    for (let left = Number(rest); left > 0; left -= 1) list.push(await this.reply());
    return list;
  }

  /** Take a number of bytes, when they are there; how many may only be known when more have come. */
  async take(count) {
    while (count() > this.buffer.length) {
      const { value, done } = await this.chunks.next();
      if (done) throw new Error("the server closed the connection");
      this.buffer = Buffer.concat([this.buffer, value]);
    }
    const taken = this.buffer.subarray(0, count());
    this.buffer = this.buffer.subarray(taken.length);
    return taken;
  }
}

/** A bundle in Redis: one LRANGE for the index, one GETRANGE for a range. */
class FromRedis {
  constructor(url, sessionId) {
    this.redis = new Redis(url);
    this.key = `wince:session:{${nameOf(sessionId)}}:index`;
  }

  /** The list has a head, the holes, then a block each. */
  async index() {
    const [head, , ...blocks] = (await this.redis.call("LRANGE", this.key, 0, -1)).map((text) => JSON.parse(text));
    if (!head) throw new Error("there is no such session");
    if (head.format !== 1) throw new Error(`format ${head.format} is not known`);
    return { blocks, name: head.data };
  }

  async data(name, offset, length) {
    const data = await this.redis.call("GETRANGE", name, offset, offset + length - 1);
    if (data.length !== length) throw new Changed();
    return data;
  }

  close() {
    this.redis.socket.destroy();
  }
}

/** A bundle over HTTP: the same index as JSON, the same bytes by `Range`. */
class FromHttp {
  constructor(url, sessionId) {
    this.session = `${url}/api/v1/sessions/${encodeURIComponent(sessionId)}`;
  }

  async get(path, headers = {}) {
    const token = process.env.WINCE_TOKEN;
    const answer = await fetch(this.session + path, {
      headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer;
  }

  /** The entity tag of the data is read before the index: one that holds later holds for the index too. */
  async index() {
    const first = await this.get("/data", { range: "bytes=0-0" });
    await first.arrayBuffer();
    const index = await (await this.get("/index")).json();
    if (index.format !== 1) throw new Error(`format ${index.format} is not known`);
    return { blocks: index.blocks, name: first.headers.get("etag") };
  }

  /** Where the data is not the same any more, the server would send all of it. */
  async data(name, offset, length) {
    const answer = await this.get("/data", { range: `bytes=${offset}-${offset + length - 1}`, "if-range": name });
    if (answer.status !== 206) throw new Changed();
    return Buffer.from(await answer.arrayBuffer());
  }

  close() {}
}

/** The name that keys have of an id: docs/redis.md, "Names". */
function nameOf(sessionId) {
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/.test(sessionId)) return sessionId;
  const bytes = Buffer.from(sessionId, "utf8");
  const written = (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  };
  const name = [...bytes].map(written).join("");
  return name.length > 0 && name.length <= 128 ? name : `%%${createHash("sha256").update(bytes).digest("hex")}`;
}

/** By code points: by the bytes of UTF-8, not by the units of UTF-16 that `<` compares. */
const compare = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Windows by their first event, in a window by sequence, then by offset. */
function playingOrder(blocks) {
  const starts = new Map();
  for (const { window_id: id, first_t: t } of blocks) starts.set(id, Math.min(t, starts.get(id) ?? t));
  return [...blocks].sort(
    (a, b) =>
      starts.get(a.window_id) - starts.get(b.window_id) ||
      compare(a.window_id, b.window_id) ||
      a.sequence - b.sequence ||
      a.offset - b.offset,
  );
}

/** What shows a window at a moment: from the last keyframe before it, or what comes nearest to that. */
function blocksAt(blocks, windowId, t) {
  const ordered = playingOrder(blocks).filter((block) => block.window_id === windowId);
  const before = ordered.findLastIndex((block) => block.keyframe && block.first_t <= t);
  const start = before >= 0 ? before : Math.max(ordered.findIndex((block) => block.keyframe), 0);
  const end = ordered.findLastIndex((block, place) => place >= start && block.first_t <= t);
  return ordered.slice(start, Math.max(start, end) + 1);
}

/** Blocks by one range that holds them all; the window and the JSON of each event. */
async function events(source, name, blocks) {
  if (!blocks.length) return [];
  const start = Math.min(...blocks.map((block) => block.offset));
  const end = Math.max(...blocks.map((block) => block.offset + block.length));
  const data = await source.data(name, start, end - start);
  return blocks.flatMap((block) => {
    const offset = block.offset - start;
    const lines = unpack(data.subarray(offset, offset + block.length), block.raw_length).toString("utf8");
    return lines.slice(0, -1).split("\n").map((event) => ({ windowId: block.window_id, event }));
  });
}

/** A block is a frame that has the size that the index says. */
function unpack(frame, rawLength) {
  let lines = Buffer.alloc(0);
  try {
    lines = Buffer.from(decompress(frame));
  } catch {
    // No frame: other data is in this place now.
  }
  if (lines.length !== rawLength) throw new Changed();
  return lines;
}

async function read(source, windowId, t) {
  const { blocks, name } = await source.index();
  if (windowId) return (await events(source, name, blocksAt(blocks, windowId, t))).map(({ event }) => event);
  const everything = await events(source, name, playingOrder(blocks));
  return everything.map(({ windowId: id, event }) => `{"window_id":${JSON.stringify(id)},"event":${event}}`);
}

const [url, sessionId, windowId, t] = process.argv.slice(2);
const source = url.startsWith("http") ? new FromHttp(url, sessionId) : new FromRedis(url, sessionId);
try {
  const lines = await read(source, windowId, Number(t)).catch((error) => {
    if (!(error instanceof Changed)) throw error;
    return read(source, windowId, Number(t)); // once more, from a new index
  });
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
} finally {
  source.close();
}
