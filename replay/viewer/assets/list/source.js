// What the list asks of the server.

import { getJson, query as written } from "../common/api.js";
import { apiParameters } from "./query.js";

export const PAGE_SESSIONS = 50;

/** Sessions one answer can list. */
const LARGEST_PAGE = 200;

/** @typedef {import("./session.js").SessionRecord} SessionRecord */
/** @typedef {{sessions: SessionRecord[], cursor: string, total: number | null}} SessionsPage */

/** @param {string} projectId */
const pathOf = (projectId) => `/api/v1/projects/${encodeURIComponent(projectId)}`;

/** @returns {Promise<{project_id: string, sessions: number}[]>} */
export const getProjects = async () => (await getJson("/api/v1/projects")).projects;

/**
 * @param {import("./query.js").Query} query
 * @param {{sort?: string, limit?: number, cursor?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<SessionsPage>}
 */
export function getSessions(query, options = {}) {
  const parameters = apiParameters(query, Date.now());
  parameters.set("sort", options.sort ?? query.sort);
  parameters.set("limit", String(options.limit ?? PAGE_SESSIONS));
  if (options.cursor) parameters.set("cursor", options.cursor);
  return getJson(`${pathOf(query.project)}/sessions?${parameters}`, { signal: options.signal });
}

/**
 * Gather the ids of all sessions a query finds.
 * @param {import("./query.js").Query} query
 * @param {number} most at which to stop: there may be some more than these
 * @returns {Promise<string[]>}
 */
export async function gatherIds(query, most) {
  /** @type {string[]} */
  const ids = [];
  let cursor = "";
  do {
    const page = await getSessions(query, { sort: "time", limit: LARGEST_PAGE, cursor });
    ids.push(...page.sessions.map((record) => record.session_id));
    cursor = page.cursor;
  } while (cursor && ids.length <= most);
  return ids;
}

/**
 * @param {import("./query.js").Query} query
 * @param {AbortSignal} signal
 * @returns {Promise<Record<string, unknown>>}
 */
export const getFacets = (query, signal) =>
  getJson(`${pathOf(query.project)}/facets?${apiParameters(query, Date.now())}`, { signal });

/**
 * @param {string} projectId
 * @param {string[]} sessionIds at most as many as a page has
 * @returns {Promise<Map<string, import("./strip.js").Moments>>}
 */
export async function getMoments(projectId, sessionIds) {
  if (!sessionIds.length) return new Map();
  const found = await getJson(`${pathOf(projectId)}/moments${written({ session_id: sessionIds })}`);
  return new Map(found.sessions.map((/** @type {any} */ each) => [each.session_id, each]));
}

/**
 * @param {string} sessionId
 * @returns {Promise<SessionRecord>}
 */
export const getRecord = (sessionId) => getJson(`/api/v1/sessions/${encodeURIComponent(sessionId)}`);

/**
 * @param {string} projectId
 * @param {string[]} fingerprints of script errors, at most a hundred
 * @returns {Promise<[string, string][]>} those that are known, each with what it is in words
 */
export async function getErrorNames(projectId, fingerprints) {
  if (!fingerprints.length) return [];
  const found = await getJson(`${pathOf(projectId)}/errors${written({ fingerprint: fingerprints })}`);
  return found.errors.map((/** @type {any} */ each) => [each.fingerprint, each.what]);
}
