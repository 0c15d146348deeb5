// Numbers, times and addresses as people read them.

/**
 * A place in a session: `1:04`, `1:02:03`; with tenths `1:04.5`.
 * @param {number} ms from the start
 * @param {boolean} [tenths]
 */
export function clock(ms, tenths = false) {
  const total = Math.max(0, tenths ? Math.floor(ms / 100) : Math.floor(ms / 1000) * 10);
  const seconds = Math.floor(total / 10);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const whole = hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
  return tenths ? `${whole}.${total % 10}` : whole;
}

/**
 * A span: `340 ms`, `4.2 s`, `3 min 5 s`, `1 h 12 min`, `2 d 3 h`.
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${Math.round(ms / 100) / 10} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${Math.floor(hours / 24)} d`;
}

const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const DATE_TIME_EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const NUMBER = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** @param {number} ms epoch */
export const dateTime = (ms) => DATE_TIME.format(ms);

/** @param {number} ms epoch */
export const exactDateTime = (ms) => DATE_TIME_EXACT.format(ms);

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/**
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

/** @param {number} bytes */
export function byteCount(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${number(bytes / 1000)} kB`;
  return `${number(bytes / 1_000_000)} MB`;
}

/**
 * How long ago: `just now`, `4 min ago`, `3 h ago`, `2 d ago`, then the date.
 * @param {number} ms epoch
 * @param {number} now epoch ms
 */
export function ago(ms, now) {
  const minutes = Math.floor((now - ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  if (minutes < 14 * 24 * 60) return `${Math.floor(minutes / 1440)} d ago`;
  return dateTime(ms);
}

/**
 * The part of an address people tell pages apart by: path and query, or all of it where it is no URL.
 * @param {string} url
 */
export function pagePath(url) {
  try {
    const parsed = new URL(url);
    return parsed.host ? readable(`${parsed.pathname}${parsed.search}`) : url;
  } catch {
    return url;
  }
}

/**
 * An address in the letters it was written in. It is for reading only: what is shown of it goes through `plain`.
 * @param {string} path
 */
function readable(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** @param {string} url */
export function hostOf(url) {
  try {
    return new URL(url).host;
  } catch {
    return "";
  }
}

/**
 * @param {number} score 0 to 100
 * @returns {"calm" | "sore" | "painful"}
 */
export const scoreLevel = (score) => (score >= 50 ? "painful" : score >= 20 ? "sore" : "calm");
