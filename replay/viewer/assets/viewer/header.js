// What the bar on top says of the session, and what can be done with it.

import { dateTime, duration, pagePath } from "../common/format.js";
import { copyText, menu, menuItem } from "../common/overlays.js";
import { badge, button, fill, h, icon, recorded, scoreBadge } from "../common/ui.js";
import { deleteDialog, exportDialog, shareDialog } from "./dialogs.js";

/**
 * @param {{title: HTMLElement, actions: HTMLElement}} place
 * @param {import("./session.js").Session} session
 * @param {(t: number) => string} linkTo
 * @param {import("./clock.js").Clock} clock
 * @param {import("./player.js").Player} player
 */
export function drawHeader(place, session, linkTo, clock, player) {
  const { record } = session;
  const first = session.pages[0];
  fill(
    place.title,
    scoreBadge(record.score),
    h(
      "div",
      { class: "title-lines" },
      h("h1", { class: "truncate" }, recorded(first ? pagePath(first.url) : "Session", 120)),
      h(
        "p",
        { class: "soft small truncate" },
        `${dateTime(record.started_at)} · ${duration(session.end - session.start)}`,
        record.user_id ? [" · ", recorded(record.user_id, 60)] : null,
      ),
    ),
    h(
      "div",
      { class: "row title-badges" },
      Object.entries(record.tags)
        .slice(0, 4)
        .map(([tag, count]) => badge(tag, Number(count))),
    ),
  );
  if (place.actions.childElementCount) return;
  const scopes = new Set((document.body.dataset.scopes ?? "").split(" "));
  const canShare = scopes.has("share") && !session.isShared;
  const canDelete = scopes.has("delete") && !session.isShared;
  const share = canShare ? button("Share", { icon: "share", onClick: () => shareDialog(session, clock) }) : null;
  const more = button("More", { icon: "down", iconOnly: true, kind: "ghost", title: "Export, delete" });
  fill(place.actions, share, session.isShared ? null : h("span", { class: "anchor" }, more));
  if (session.isShared) return;
  const windowNow = () => player.visible[0] ?? "";
  menu(more, () => [
    menuItem("Copy link to this moment", () => void copyText(linkTo(clock.t), "Link to this moment copied"), {
      icon: "link",
    }),
    menuItem("Export as HTML", () => exportDialog(session, clock, "html", windowNow()), { icon: "download" }),
    menuItem("Export as GIF", () => exportDialog(session, clock, "gif", windowNow()), { icon: "download" }),
    menuItem("Export as MP4", () => exportDialog(session, clock, "mp4", windowNow()), { icon: "download" }),
    ...(canDelete
      ? [h("hr"), menuItem("Delete session", () => void deleteDialog(session), { icon: "trash", danger: true })]
      : []),
  ]);
}

/**
 * Who watches through a link sees until when.
 * @param {import("./session.js").Session} session
 */
export function watermark(session) {
  if (!session.isShared) return null;
  const until = Number(document.body.dataset.expiresAt);
  return h(
    "p",
    { class: "watermark" },
    icon("share"),
    until ? `Shared with you until ${dateTime(until)}` : "Shared with you",
  );
}
