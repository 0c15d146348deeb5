// Facts of the session, and why something of it is missing.

import { getJson } from "../common/api.js";
import {
  byteCount,
  clock as clockText,
  dateTime,
  duration,
  exactDateTime,
  number,
  pagePath,
  plural,
} from "../common/format.js";
import {
  badge,
  button,
  failure,
  fill,
  h,
  icon,
  loading,
  recorded,
  recordedLink,
  scoreBadge,
  state,
} from "../common/ui.js";
import { fact } from "./moments.js";

/** The facts of the session, how its score came about, and why something of it is missing. */
export class AboutPanel {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./player.js").Player} player
   */
  constructor(session, player) {
    this.session = session;
    this.player = player;
    this.facts = h("div", { class: "column" });
    this.missing = h("div", { class: "column" });
    this.withheld = h("div", {});
    this.element = h(
      "div",
      { class: "panel-scroll" },
      h(
        "div",
        { class: "panel-pad column" },
        this.facts,
        h("h2", { class: "eyebrow section" }, "Why is something missing?"),
        this.withheld,
        this.missing,
      ),
    );
    this.isLoaded = false;
  }

  draw() {
    const { record, index } = this.session;
    const length = this.session.end - this.session.start;
    const visitor = record.user_id ?? record.anonymous_id;
    fill(
      this.facts,
      h(
        "dl",
        { class: "facts" },
        fact(
          "Score",
          h("span", { class: "row" }, scoreBadge(record.score), h("span", { class: "faint small" }, "of 100")),
        ),
        visitor ? fact("Visitor", recorded(visitor, 128)) : null,
        fact("Started", exactDateTime(record.started_at)),
        fact("Lasted", duration(length)),
        fact(
          "State",
          record.status === "open"
            ? "open: more may come"
            : `ended (${String(record.end_reason ?? "").replaceAll("_", " ")})`,
        ),
        ...["device", "release", "country"].map((name) =>
          record[name] ? fact(name.charAt(0).toUpperCase() + name.slice(1), recorded(record[name], 128)) : null,
        ),
        fact("Project", recorded(record.project_id, 128)),
        fact(
          "Events",
          `${number(record.totals.events)} in ${plural(index.blocks.length, "block")}, ${byteCount(record.totals.bytes)}`,
        ),
        fact(
          "Clicks, inputs, errors",
          `${number(record.totals.clicks)}, ${number(record.totals.inputs)}, ${number(record.totals.errors)}`,
        ),
        fact(
          "Privacy",
          h(
            "span",
            {},
            `masked at level ${record.privacy_level} `,
            h("code", { class: "faint" }, recorded(record.policy_version, 40)),
          ),
        ),
        fact("Session id", h("code", {}, recorded(record.session_id, 128))),
      ),
      record.score_parts.length
        ? [h("h2", { class: "eyebrow section" }, "What makes the score"), this.scoreParts(record)]
        : null,
      h("h2", { class: "eyebrow section" }, "Pages"),
      h(
        "ol",
        { class: "page-list" },
        this.session.pages.map((page) =>
          h(
            "li",
            { class: "row" },
            h("span", { class: "moment-time numeric" }, clockText(page.t - this.session.start)),
            h("span", { class: "truncate" }, recordedLink(page.url, pagePath(page.url))),
          ),
        ),
      ),
    );
    this.drawWithheld();
  }

  /** @param {any} record */
  scoreParts(record) {
    const most = Math.max(...record.score_parts.map((/** @type {any} */ part) => part.points), 1);
    return h(
      "ul",
      { class: "score-parts" },
      record.score_parts.map((/** @type {any} */ part) => {
        const bar = h("span", { class: "score-bar", data: { detector: part.detector } });
        bar.style.setProperty("width", `${(part.points / most) * 100}%`);
        return h(
          "li",
          {},
          badge(part.detector, part.count),
          h("span", { class: "score-rail" }, bar),
          h("span", { class: "numeric" }, number(part.points)),
        );
      }),
    );
  }

  /** What the viewer itself did not show. */
  drawWithheld() {
    const { withheld, failures } = this.player;
    fill(
      this.withheld,
      withheld
        ? h(
            "p",
            { class: "statement" },
            icon("eye"),
            h(
              "span",
              {},
              `${plural(withheld, "picture or style", "pictures and styles")} of other hosts ${withheld === 1 ? "is" : "are"} not loaded: a replay asks nobody for anything.`,
            ),
          )
        : null,
      failures
        ? h(
            "p",
            { class: "statement" },
            icon("warn"),
            h(
              "span",
              {},
              `${plural(failures, "event")} could not be played and ${failures === 1 ? "was" : "were"} left out.`,
            ),
          )
        : null,
    );
  }

  async load() {
    this.draw();
    if (this.isLoaded || this.session.isShared) return;
    this.isLoaded = true;
    fill(this.missing, loading());
    try {
      const explanation = await getJson(`${this.session.api}/explain`);
      fill(this.missing, h("ul", { class: "column" }, explanation.statements.map(statement)));
    } catch (error) {
      this.isLoaded = false;
      fill(
        this.missing,
        failure(error, () => void this.load()),
      );
    }
  }
}

/** @param {{about: string, reason: string, sentence: string, count: number}} said */
function statement(said) {
  return h(
    "li",
    { class: "statement" },
    icon(
      said.about === "open" || said.about === "compacted" ? "info" : said.about.startsWith("hole") ? "hole" : "info",
    ),
    h(
      "span",
      { class: "column" },
      h(
        "span",
        { class: "row wrap" },
        h("span", { class: "strong" }, recorded(capital(aboutWords(said.about)), 200)),
        said.reason ? h("code", { class: "faint" }, recorded(said.reason, 80)) : null,
        said.count ? h("span", { class: "badge neutral numeric" }, `×${number(said.count)}`) : null,
      ),
      h("span", { class: "soft" }, recorded(said.sentence, 400)),
    ),
  );
}

/** @param {string} about the moment of a hole is told as a date */
const aboutWords = (about) => about.replace(/, at (\d{12,14}) ms$/, (_, ms) => `, ${dateTime(Number(ms))}`);

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * Why a session that is not there is not there.
 * @param {string} api
 */
export async function whyNot(api) {
  const box = h(
    "div",
    { class: "panel why-not" },
    state({ icon: "search", title: "There is no such session", text: "This is what is known of it:" }),
    loading(),
  );
  try {
    const explanation = await getJson(`${api}/explain`);
    box.lastElementChild?.replaceWith(h("ul", { class: "column panel-pad" }, explanation.statements.map(statement)));
  } catch (error) {
    fill(box, failure(error));
  }
  box.append(
    h("div", { class: "row panel-pad" }, button("All sessions", { icon: "list", onClick: () => location.assign("/") })),
  );
  return box;
}
