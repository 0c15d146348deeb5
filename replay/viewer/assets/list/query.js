/**
 * What the list shows, as it stands in the address: everything, so that an address is all one has to share.
 *
 * @typedef {Object} Query
 * @property {string} project  Empty: the first project there is.
 * @property {string} sort  One of SORTS.
 * @property {Array<[string, string]>} filters  Name and value of each; names are those of FILTERS.
 */

/** Names of filters, in the order in which they are written. `tag` may be there several times. */
export const FILTERS = Object.freeze([
  "q",
  "tag",
  "page",
  "error",
  "user",
  "device",
  "release",
  "country",
  "status",
  "min_score",
  "max_score",
  "min_duration_ms",
  "max_duration_ms",
  "range",
  "from",
  "to",
]);

export const SORTS = Object.freeze({ score: "Most painful", time: "Latest", duration: "Longest" });

/** Ranges that move with the clock, in milliseconds. @type {Readonly<Record<string, number>>} */
export const RANGES = Object.freeze({
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
  "30d": 2_592_000_000,
});

const REPEATED = new Set(["tag"]);
const MAX_FILTERS = 30;
const MAX_LENGTH = 2_000;

/** What numbers look like; scores may have a decimal, times are whole. @type {Readonly<Record<string, RegExp>>} */
const NUMBERS = {
  min_score: /^\d{1,3}(\.\d)?$/,
  max_score: /^\d{1,3}(\.\d)?$/,
  min_duration_ms: /^\d{1,15}$/,
  max_duration_ms: /^\d{1,15}$/,
  from: /^\d{1,15}$/,
  to: /^\d{1,15}$/,
};

/**
 * Read the part of an address after the question mark. What cannot be a filter is left out.
 * @param {string} search
 * @returns {Query}
 */
export function parseQuery(search) {
  const read = new URLSearchParams(search);
  const sort = read.get("sort") ?? "";
  /** @type {Query} */
  let query = { project: read.get("project") ?? "", sort: Object.hasOwn(SORTS, sort) ? sort : "score", filters: [] };
  for (const [name, value] of read) {
    if (FILTERS.includes(name) && isPossible(name, value) && query.filters.length < MAX_FILTERS) {
      query = withFilter(query, name, value);
    }
  }
  return query;
}

/**
 * @param {string} name
 * @param {string} value
 */
function isPossible(name, value) {
  if (!value || value.length > MAX_LENGTH) {
    return false;
  }
  if (name === "range") {
    return Object.hasOwn(RANGES, value);
  }
  if (name === "status") {
    return value === "open" || value === "ended";
  }
  return !Object.hasOwn(NUMBERS, name) || NUMBERS[name].test(value);
}

/**
 * Write a query as the part of an address after the question mark; the default sort is left out.
 * @param {Query} query
 * @returns {string}
 */
export function writeQuery(query) {
  const written = new URLSearchParams();
  if (query.project) {
    written.set("project", query.project);
  }
  for (const name of FILTERS) {
    for (const value of valuesOf(query, name)) {
      written.append(name, value);
    }
  }
  if (query.sort !== "score") {
    written.set("sort", query.sort);
  }
  return written.toString();
}

/**
 * Write the filters as the API takes them. Ranges that move with the clock become moments, by the minute.
 * @param {Query} query
 * @param {number} nowMs
 * @returns {URLSearchParams}
 */
export function apiParameters(query, nowMs) {
  const parameters = new URLSearchParams();
  for (const [name, value] of query.filters) {
    if (name === "range") {
      parameters.set("from", String(Math.floor((nowMs - RANGES[value]) / 60_000) * 60_000));
    } else {
      parameters.append(name, value);
    }
  }
  return parameters;
}

/**
 * @param {Query} query
 * @param {string} name
 * @returns {string[]}
 */
export function valuesOf(query, name) {
  return query.filters.filter((filter) => filter[0] === name).map((filter) => filter[1]);
}

/**
 * Add a filter, or replace the one of that name; an empty value takes it away. A moving range and fixed moments
 * exclude each other.
 * @param {Query} query
 * @param {string} name
 * @param {string} value
 * @returns {Query}
 */
export function withFilter(query, name, value) {
  const excluded =
    name === "range" ? ["range", "from", "to"] : name === "from" || name === "to" ? [name, "range"] : [name];
  const filters = query.filters.filter(([other, old]) =>
    REPEATED.has(name) ? other !== name || old !== value : !excluded.includes(other),
  );
  return { ...query, filters: value ? [...filters, [name, value]] : filters };
}

/**
 * Take one filter away.
 * @param {Query} query
 * @param {string} name
 * @param {string} value
 * @returns {Query}
 */
export function withoutFilter(query, name, value) {
  return { ...query, filters: query.filters.filter((filter) => filter[0] !== name || filter[1] !== value) };
}
