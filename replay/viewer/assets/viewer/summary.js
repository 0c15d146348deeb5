// The account of the session.

import { clock as clockText, number } from "../common/format.js";
import { badge, failure, fill, h, icon, loading, recorded, state } from "../common/ui.js";
import { optional } from "./session.js";

/** The account of the session in sentences, each of which leads to its moment. */
export class SummaryPanel {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./clock.js").Clock} clock
   * @param {(t: number, windowId: string) => void} onSeek
   */
  constructor(session, clock, onSeek) {
    this.session = session;
    this.clock = clock;
    this.onSeek = onSeek;
    this.body = h("div", { class: "panel-pad column" });
    this.element = h("div", { class: "panel-scroll" }, this.body);
    this.isLoaded = false;
  }

  async load() {
    if (this.isLoaded) return;
    this.isLoaded = true;
    fill(this.body, loading("Reading the session"));
    try {
      this.draw(await optional(`${this.session.api}/summary`));
    } catch (error) {
      this.isLoaded = false;
      fill(
        this.body,
        failure(error, () => void this.load()),
      );
    }
  }

  /** @param {any} summary */
  draw(summary) {
    if (!summary) {
      fill(
        this.body,
        state({ icon: "spark", title: "No account of this session", text: "This server does not write summaries." }),
      );
      return;
    }
    fill(
      this.body,
      h("h2", {}, recorded(summary.headline, 400)),
      summary.rephrased ? this.rephrased(summary.rephrased) : null,
      summary.friction_points?.length
        ? [
            h("h3", { class: "eyebrow section" }, "What hurt, worst first"),
            h(
              "ol",
              { class: "friction" },
              summary.friction_points.map((/** @type {any} */ point) => this.point(point)),
            ),
          ]
        : null,
      h("h3", { class: "eyebrow section" }, "What happened"),
      h(
        "ol",
        { class: "sentences" },
        summary.sentences.map((/** @type {any} */ sentence) => this.sentence(sentence)),
      ),
    );
  }

  /** @param {{text: string, by: string}} rephrased */
  rephrased(rephrased) {
    return h(
      "div",
      { class: "notice" },
      icon("spark"),
      h(
        "div",
        {},
        h("p", {}, recorded(rephrased.text)),
        h(
          "p",
          { class: "faint small" },
          "In the words of ",
          recorded(rephrased.by, 80),
          ". Only its numbers are checked.",
        ),
      ),
    );
  }

  /** @param {any} point */
  point(point) {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "friction-point", on: { click: () => this.onSeek(point.t, point.window_id) } },
        h("span", { class: "friction-rank numeric" }, String(point.rank)),
        h(
          "span",
          { class: "column grow" },
          h(
            "span",
            { class: "row wrap" },
            badge(point.detector),
            h("span", { class: "faint numeric small" }, clockText(point.t - this.clock.start)),
          ),
          h("span", {}, recorded(point.text, 400)),
        ),
        h("span", { class: "faint numeric small", title: "Its share of the score" }, `${number(point.weight)} p`),
      ),
    );
  }

  /** @param {any} sentence */
  sentence(sentence) {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "sentence", on: { click: () => this.onSeek(sentence.t, sentence.window_id) } },
        h("span", { class: "moment-time numeric" }, clockText(sentence.t - this.clock.start)),
        h("span", {}, recorded(sentence.text, 600)),
      ),
    );
  }
}
