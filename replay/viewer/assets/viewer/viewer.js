// The page of one session: reads what is needed before anything can be shown, or says why there is nothing to show.

import { ApiError } from "../common/api.js";
import { pagePath } from "../common/format.js";
import { appHeader } from "../common/header.js";
import { button, failure, fill, h, loading, state } from "../common/ui.js";
import { whyNot } from "./about.js";
import { Session } from "./session.js";
import { View } from "./view.js";

const { sessionId, shareToken, from, to } = document.body.dataset;
const isShared = shareToken !== undefined;
const api = isShared
  ? `/api/v1/shared/${encodeURIComponent(shareToken)}`
  : `/api/v1/sessions/${encodeURIComponent(sessionId ?? "")}`;
const session = new Session(api, isShared, isShared ? [Number(from ?? -Infinity), Number(to ?? Infinity)] : undefined);
const places = {
  main: h("main", { id: "main", class: "viewer" }, loading("Opening the session")),
  title: h("div", { class: "row grow session-title" }),
  actions: h("div", { class: "row session-actions" }),
};
const again = () => location.reload();

document.body.prepend(
  h("a", { class: "button skip-link", href: "#main" }, "Skip to the replay"),
  appHeader({ bare: isShared, middle: [places.title], actions: [places.actions] }),
  places.main,
);
void open();

async function open() {
  try {
    await session.load();
  } catch (error) {
    fill(places.main, await notThere(error));
    return;
  }
  const { score } = session.record;
  document.title = `${score ? `${Math.round(score)} · ` : ""}${pagePath(session.pages[0]?.url ?? "Session")} · Wince`;
  if (!session.index.blocks.length) {
    const look = button("Look again", { icon: "refresh", onClick: again });
    const text = "Its recording was left out or has not arrived yet.";
    fill(places.main, state({ icon: "hole", title: "Nothing of this session can be played", text, actions: [look] }));
    return;
  }
  try {
    await new View(session, places).open(new URLSearchParams(location.search));
  } catch (error) {
    fill(places.main, failure(error, again));
    throw error;
  }
}

/**
 * @param {unknown} error
 * @returns {Promise<HTMLElement>}
 */
async function notThere(error) {
  if (!(error instanceof ApiError) || error.status !== 404) return failure(error, again);
  if (!isShared) return whyNot(api);
  const text = "It has expired, was revoked, or its session was deleted. Ask whoever sent it for a new one.";
  return state({ icon: "clock", title: "This link does not work any more", text });
}
