// Where sessions and their moments are shown.

/** Moments are entered a little before they happen. */
export const LEAD_MS = 3_000;

/** @param {string} sessionId */
export const sessionHref = (sessionId) => `/s/${encodeURIComponent(sessionId)}`;

/**
 * @param {string} sessionId
 * @param {number} t epoch ms
 * @param {string} windowId
 */
export const momentHref = (sessionId, t, windowId) =>
  `${sessionHref(sessionId)}?${new URLSearchParams({ t: String(t - LEAD_MS), window: windowId })}`;
