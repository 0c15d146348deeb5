// Following a project: what is new is announced, never pushed between what somebody is reading.

import { follow } from "../common/api.js";

/** Signals come in bursts: so long is waited before the list is asked about them. */
const GATHER_MS = 1_200;

/** Sessions without signals are told by nobody: so often the list is asked anyway. */
const ASK_MS = 20_000;

const RETRY_MS = [2_000, 5_000, 15_000, 30_000];

/**
 * @typedef {Object} Page what is told of it
 * @property {(state: "live" | "connecting") => void} connection
 * @property {(sessionIds: Set<string>) => void} stirred sessions of which there are new signals, maybe none
 */

/** Follows one project while the page is seen: connections are few, and a page nobody looks at needs none. */
export class Follower {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.projectId = "";
    /** @type {Set<string>} */
    this.gathered = new Set();
    this.failures = 0;
    this.isConnected = false;
    /** @type {(() => void) | null} */
    this.end = null;
    /** @type {number | undefined} */
    this.gathering = undefined;
    /** @type {number | undefined} */
    this.asking = undefined;
    /** @type {number | undefined} */
    this.retrying = undefined;
    document.addEventListener("visibilitychange", () => this.turn());
    window.addEventListener("pagehide", () => this.stop());
    window.addEventListener("pageshow", () => this.turn());
  }

  /** @param {string} projectId */
  follow(projectId) {
    this.stop();
    this.projectId = projectId;
    this.turn(true);
  }

  /** @param {boolean} [isRead] the list was read just now, so that there is nothing to tell yet */
  turn(isRead = false) {
    if (document.visibilityState === "hidden" || !this.projectId) {
      this.stop();
    } else if (!this.end) {
      this.connect();
      this.asking = setInterval(() => this.tell(), ASK_MS);
      if (!isRead) this.tell();
    }
  }

  stop() {
    this.end?.();
    this.end = null;
    this.isConnected = false;
    clearInterval(this.asking);
    clearTimeout(this.gathering);
    clearTimeout(this.retrying);
    this.gathering = undefined;
    this.retrying = undefined;
  }

  connect() {
    this.end?.();
    this.page.connection("connecting");
    this.end = follow(
      `/api/v1/projects/${encodeURIComponent(this.projectId)}/live`,
      { signal: (signal) => this.heard(signal) },
      (isConnected) => this.changed(isConnected),
    );
  }

  /** @param {boolean} isConnected */
  changed(isConnected) {
    this.isConnected = isConnected;
    this.page.connection(isConnected ? "live" : "connecting");
    clearTimeout(this.retrying);
    this.retrying = undefined;
    if (isConnected) {
      this.failures = 0;
      return;
    }
    // The browser gives up for good where the answer is no stream, such as that of a proxy during a restart.
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.retrying = setTimeout(() => this.connect(), wait);
  }

  /** @param {{session_id?: unknown} | null} signal */
  heard(signal) {
    if (typeof signal?.session_id === "string") this.gathered.add(signal.session_id);
    this.gathering ??= setTimeout(() => this.tell(), GATHER_MS);
  }

  tell() {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    const gathered = this.gathered;
    this.gathered = new Set();
    this.page.stirred(gathered);
  }
}
