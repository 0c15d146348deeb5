// Where sessions and their moments are shown.

/** Moments are entered a little before they happen. */
export const LEAD_MS = 3_000;

/** @param {string} sessionId */
export const sessionHref = (sessionId) => `/s/${encodeURIComponent(sessionId)}`;

/**
 * @param {string} sessionId
 * @param {number} t epoch ms
 */
export const momentHref = (sessionId, t) => `${sessionHref(sessionId)}?t=${t - LEAD_MS}`;
