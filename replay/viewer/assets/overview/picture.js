// Where on a page people clicked: warmth over the masked page, as one of its sessions had it.

import { getJson, lines, query as written } from "../common/api.js";
import { number, plural } from "../common/format.js";
import { failure, fill, h, icon, loading, plain, state } from "../common/ui.js";
import { Stage } from "../common/stage.js";
import { drawHeat } from "./heat.js";

/** @type {Readonly<Record<string, string>>} */
const KINDS = { rage: "Rage clicks", dead: "Dead clicks", click: "All clicks" };

/** A page is drawn at most this long, in recorded pixels: browsers refuse larger canvases, and nobody scrolls there. */
const LONGEST_PX = 12_000;

/** Pixels of the canvas for each cell of the grid: smooth enough, and small. */
const CELL_PX = 6;
const MOST_CANVAS_PX = 4_096;

const DRAWN_WITHIN_MS = 15_000;

/**
 * @typedef {object} Wish what the picture is to show
 * @property {string} path of the project in the API
 * @property {string} page
 * @property {string} title
 * @property {string} about
 * @property {string} kind
 * @property {{from?: number}} times
 * @property {string} sessionsHref
 */

/**
 * @typedef {object} Heatmap as the API gives it
 * @property {string} session_id
 * @property {string} window_id
 * @property {number} t
 * @property {[number, number]} viewport
 * @property {[number, number]} page_size
 * @property {number} columns
 * @property {number} rows
 * @property {number[]} counts
 * @property {number} points
 * @property {number} sessions
 * @property {boolean} is_partial
 */

/** The panel with the picture. */
export class Picture {
  /** @param {(kind: string) => void} chosen told when another kind of click is to be shown */
  constructor(chosen) {
    this.chosen = chosen;
    /** @type {Stage | null} */
    this.stage = null;
    this.abort = new AbortController();
    /** @type {Wish | null} */
    this.wish = null;
    this.title = h("h2", {});
    this.about = h("p", { class: "faint small truncate" });
    this.kinds = h("div", { class: "segmented", role: "group", "aria-label": "Clicks" });
    this.sessions = h("a", { class: "button" }, icon("list"), "Sessions");
    this.legend = h("div", { class: "heat-legend small soft", role: "status" });
    this.box = h("div", { class: "heat-box", tabindex: "0", role: "region", "aria-label": "Picture of the page" });
    this.element = h(
      "section",
      { class: "panel detail", "aria-label": "Where on the page" },
      h(
        "div",
        { class: "panel-head" },
        h("div", { class: "detail-title" }, this.title, this.about),
        this.kinds,
        this.sessions,
      ),
      this.legend,
      this.box,
    );
  }

  /** @param {Wish} wish */
  async show(wish) {
    this.wish = wish;
    this.abort.abort();
    const abort = (this.abort = new AbortController());
    this.clear();
    fill(this.title, h("bdi", {}, plain(wish.title, 120)));
    fill(this.about, h("bdi", {}, plain(wish.about, 300)));
    this.sessions.setAttribute("href", wish.sessionsHref);
    this.showKinds(wish);
    fill(this.legend, "Counting clicks…");
    fill(this.box, loading("Counting clicks"));
    try {
      const { page, kind, times } = wish;
      /** @type {Heatmap} */
      const map = await getJson(`${wish.path}/heatmap${written({ page, kind, ...times })}`, { signal: abort.signal });
      if (abort.signal.aborted) return;
      this.showLegend(map, kind);
      if (map.points) await this.draw(map, abort.signal);
      else fill(this.box, this.nothing(kind));
    } catch (error) {
      if (abort.signal.aborted) return;
      fill(this.legend);
      fill(
        this.box,
        failure(error, () => this.show(wish)),
      );
    }
  }

  clear() {
    this.stage?.destroy();
    this.stage = null;
  }

  /** @param {Wish} wish */
  showKinds(wish) {
    const focused = this.kinds.contains(document.activeElement);
    const choose = (/** @type {string} */ kind) => {
      this.chosen(kind);
      this.show({ ...wish, kind });
    };
    fill(
      this.kinds,
      Object.entries(KINDS).map(([kind, name]) =>
        h(
          "button",
          {
            type: "button",
            class: "button",
            "aria-pressed": String(kind === wish.kind),
            on: { click: () => choose(kind) },
          },
          name,
        ),
      ),
    );
    const pressed = this.kinds.querySelector('[aria-pressed="true"]');
    if (focused && pressed instanceof HTMLElement) pressed.focus();
  }

  /** @param {string} kind */
  nothing(kind) {
    return state({
      icon: "pointer",
      title: `No ${KINDS[kind].toLowerCase()} on this page`,
      text: kind === "click" ? "Nobody clicked here while it was recorded." : "Look at all clicks instead.",
    });
  }

  /**
   * @param {Heatmap} map
   * @param {string} kind
   */
  showLegend(map, kind) {
    const most = map.counts.reduce((largest, count) => Math.max(largest, count), 0);
    fill(
      this.legend,
      h(
        "span",
        {},
        `${KINDS[kind]}: ${plural(map.points, "point")} in `,
        `${map.is_partial ? "a sample of " : ""}${plural(map.sessions, "session")}`,
      ),
      map.points
        ? h(
            "span",
            { class: "heat-scale" },
            "1",
            h("i", {}),
            number(most),
            h("span", { class: "visually-hidden" }, " clicks in one place"),
          )
        : null,
    );
  }

  /**
   * @param {Heatmap} map
   * @param {AbortSignal} signal
   */
  async draw(map, signal) {
    const [viewWidth, viewHeight] = map.viewport;
    const width = Math.max(1, viewWidth, map.page_size[0]);
    const height = Math.min(LONGEST_PX, Math.max(1, viewHeight, map.page_size[1]));
    const canvas = h("canvas", { role: "img", "aria-label": `${plural(map.points, "click")} on the page` });
    const scale = Math.min(CELL_PX, MOST_CANVAS_PX / Math.max(map.columns, map.rows));
    canvas.width = Math.max(1, Math.round(map.columns * scale));
    canvas.height = Math.max(1, Math.round(map.rows * scale));
    const notes = h(
      "p",
      { class: "notice warn small", hidden: true },
      icon("warn"),
      "The page behind could not be drawn; the clicks are in their places all the same.",
    );
    const heat = h("div", { class: "heat" }, canvas);
    heat.style.setProperty("max-width", `${width}px`);
    heat.style.setProperty("aspect-ratio", `${width} / ${height}`);
    fill(this.box, notes, heat);
    drawHeat(canvas, map);
    const failed = () => {
      notes.hidden = false;
    };
    const late = setTimeout(failed, DRAWN_WITHIN_MS);
    const stage = (this.stage = new Stage("The page the clicks are drawn over", {
      onDrawn: () => {
        clearTimeout(late);
        notes.hidden = true;
        heat.dataset.drawn = "true";
      },
      onEmpty: failed,
      onFailed: (_, isOver) => isOver && failed(),
    }));
    heat.prepend(stage.element);
    if (!map.session_id) {
      failed();
      return;
    }
    const events = await readPage(map, signal);
    if (!signal.aborted) stage.load(atFullLength(events, width, height), map.t);
  }
}

/**
 * @param {Heatmap} map
 * @param {AbortSignal} signal
 * @returns {Promise<string[]>} events that show the page at the moment, as JSON
 */
async function readPage(map, signal) {
  const asked = written({ window_id: map.window_id, from: map.t, to: map.t });
  const path = `/api/v1/sessions/${encodeURIComponent(map.session_id)}/events${asked}`;
  /** @type {string[]} */
  const events = [];
  for await (const some of lines(path, { signal })) events.push(...some);
  return events.flatMap(eventOf);
}

/**
 * Lines of a bundle wrap their event.
 * @param {string} line
 * @returns {string[]}
 */
function eventOf(line) {
  const { event } = JSON.parse(line);
  return event === undefined ? [line] : [JSON.stringify(event)];
}

const META = 4;
const INCREMENTAL = 3;

/** Sources of incremental events that move the recorded pointer: here it would be one visitor's among all. */
const POINTER_SOURCES = new Set([1, 2, 6, 12]);

/**
 * Let the page be as high as all of it is, so that nothing of it has to be scrolled to, and leave out the pointer.
 * @param {string[]} events
 * @param {number} width
 * @param {number} height
 */
function atFullLength(events, width, height) {
  return events.flatMap((text) => {
    const event = JSON.parse(text);
    if (event.type === INCREMENTAL && POINTER_SOURCES.has(event.data?.source)) return [];
    return event.type === META ? JSON.stringify({ ...event, data: { ...event.data, width, height } }) : text;
  });
}
