// The page's side of the document that replays: an element with a sandboxed frame in it, and messages to and fro.

import { h } from "./ui.js";

/**
 * @typedef {object} StageHandlers
 * @property {(width: number, height: number) => void} [onSize] the recorded window's size, CSS pixels
 * @property {() => void} [onDrawn] a whole page was drawn
 * @property {(withheld: number, events: number) => void} [onLoaded] all events of a load are in the player
 * @property {() => void} [onEmpty] there was no event that can be played
 * @property {(message: string, isOver: boolean) => void} [onFailed] an event could not be played; or nothing more can
 */

/**
 * Shows one window of a session at a time. Times are epoch ms.
 *
 * The frame is a document of its own with a policy of its own (`/replay`). It is `inert`: nobody can click or focus what
 * a recording shows. Messages are taken from that frame's window and our own origin only.
 */
export class Stage {
  /**
   * @param {string} title what readers of the page are told
   * @param {StageHandlers} [handlers]
   * @param {string} [projectId] whose replays may load from where the operator says; without one, nothing loads
   */
  constructor(title, handlers = {}, projectId = "") {
    this.handlers = handlers;
    this.generation = 0;
    this.isReady = false;
    /** @type {Record<string, unknown>[]} */
    this.waiting = [];
    this.frame = h("iframe", {
      class: "stage-frame",
      src: projectId ? `/replay?project=${encodeURIComponent(projectId)}` : "/replay",
      title,
      sandbox: "allow-scripts allow-same-origin",
      referrerpolicy: "no-referrer",
      tabindex: "-1",
      inert: true,
    });
    this.element = h("div", { class: "stage" }, this.frame);
    this.size = { width: 0, height: 0 };
    this.resizing = new ResizeObserver(() => this.fit());
    this.resizing.observe(this.element);
    this.listen = (/** @type {MessageEvent} */ message) => this.receive(message);
    addEventListener("message", this.listen);
  }

  /**
   * Put events in the place of all there were, and show a moment.
   * @param {string[]} lines JSON of masked events; the first is a full snapshot or its Meta event
   * @param {number} t
   * @param {{playing?: boolean, speed?: number}} [options]
   */
  load(lines, t, { playing = false, speed = 1 } = {}) {
    this.generation += 1;
    this.tell({ kind: "load", lines, t, playing, speed });
  }

  /** @param {string[]} lines later events of the same window */
  add(lines) {
    this.tell({ kind: "add", lines });
  }

  /**
   * @param {number} t
   * @param {number} speed
   */
  play(t, speed) {
    this.tell({ kind: "play", t, speed });
  }

  /** @param {number} t */
  pause(t) {
    this.tell({ kind: "pause", t });
  }

  /** @param {number} t where the clock is while it plays */
  sync(t) {
    this.tell({ kind: "sync", t });
  }

  /** Let go of the frame and of everything in it. */
  destroy() {
    removeEventListener("message", this.listen);
    this.resizing.disconnect();
    this.element.remove();
  }

  /** @param {Record<string, unknown>} message */
  tell(message) {
    const whole = { wince: true, generation: this.generation, ...message };
    if (this.isReady) this.frame.contentWindow?.postMessage(whole, location.origin);
    else this.waiting.push(whole);
  }

  /** @param {MessageEvent} message */
  receive({ source, origin, data }) {
    if (source !== this.frame.contentWindow || origin !== location.origin || data?.wince !== true) return;
    if (data.kind === "ready") {
      this.isReady = true;
      for (const each of this.waiting.splice(0)) this.frame.contentWindow?.postMessage(each, location.origin);
      return;
    }
    // What an earlier load says now is of no interest.
    if (data.generation !== this.generation) return;
    if (data.kind === "size") this.resized(Number(data.width), Number(data.height));
    else if (data.kind === "drawn") this.handlers.onDrawn?.();
    else if (data.kind === "loaded") this.handlers.onLoaded?.(Number(data.withheld) || 0, Number(data.events) || 0);
    else if (data.kind === "added") this.handlers.onLoaded?.(Number(data.withheld) || 0, 0);
    else if (data.kind === "empty") this.handlers.onEmpty?.();
    else if (data.kind === "failed") this.handlers.onFailed?.(String(data.message), data.over === true);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  resized(width, height) {
    if (!(width > 0 && height > 0)) return;
    this.size = { width, height };
    this.fit();
    this.handlers.onSize?.(width, height);
  }

  /** Make the frame as large as fits, never larger than the recorded window was. */
  fit() {
    const { width, height } = this.size;
    if (!width) return;
    const scale = Math.min(1, this.element.clientWidth / width, this.element.clientHeight / height);
    this.frame.style.setProperty("width", `${Math.floor(width * scale)}px`);
    this.frame.style.setProperty("height", `${Math.floor(height * scale)}px`);
    this.frame.dataset.shown = "true";
  }
}
