// The buttons below the timeline: play, moments, time, speed, what is skipped, tabs.

import { clock as clockText } from "../common/format.js";
import { menu, menuItem } from "../common/overlays.js";
import { button, fill, h, icon } from "../common/ui.js";

export const SPEEDS = Object.freeze([0.5, 1, 2, 4, 8]);

/**
 * @typedef {object} Actions
 * @property {() => void} toggle
 * @property {(direction: 1 | -1) => void} moment
 * @property {(speed: number) => void} speed
 * @property {() => void} skip
 * @property {(mode: "merged" | "side") => void} mode
 * @property {(windowId: string) => void} choose
 * @property {() => void} help
 * @property {() => void} copyMoment
 * @property {() => void} fullscreen
 * @property {() => void} goLive
 */

export class Controls {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./clock.js").Clock} clock
   * @param {import("./player.js").Player} player
   * @param {Actions} actions
   */
  constructor(session, clock, player, actions) {
    this.session = session;
    this.clock = clock;
    this.player = player;
    this.playButton = button("Play", {
      icon: "play",
      iconOnly: true,
      kind: "primary",
      onClick: actions.toggle,
      title: "Play (space)",
    });
    this.time = h("span", { class: "time numeric" });
    this.speedButton = button("1×", {
      kind: "ghost",
      title: "Speed (< and >)",
      attributes: { class: "button ghost numeric speed" },
    });
    this.skipButton = button("Skip inactivity", {
      icon: "skip",
      kind: "ghost",
      onClick: actions.skip,
      title: "Jump over stretches without activity (i)",
      attributes: { "aria-pressed": "true" },
    });
    this.skipButton.classList.add("collapsible");
    this.tabsButton = button("Tabs", { icon: "layers", kind: "ghost", title: "Tabs of this session" });
    this.tabsButton.classList.add("collapsible");
    this.liveButton = button("Live", {
      kind: "ghost",
      onClick: actions.goLive,
      title: "Go to the live end (l)",
      attributes: { "aria-pressed": "false" },
    });
    this.liveButton.prepend(h("span", { class: "dot live", "aria-hidden": "true" }));
    this.element = h(
      "div",
      { class: "controls", role: "toolbar", "aria-label": "Playing" },
      button("Previous moment", {
        icon: "previous",
        iconOnly: true,
        kind: "ghost",
        onClick: () => actions.moment(-1),
        title: "Previous moment (p)",
      }),
      this.playButton,
      button("Next moment", {
        icon: "next",
        iconOnly: true,
        kind: "ghost",
        onClick: () => actions.moment(1),
        title: "Next moment (n)",
      }),
      this.time,
      this.liveButton,
      h("span", { class: "grow" }),
      h("span", { class: "anchor" }, this.tabsButton),
      this.skipButton,
      h("span", { class: "anchor" }, this.speedButton),
      button("Copy a link to this moment", {
        icon: "link",
        iconOnly: true,
        kind: "ghost",
        onClick: actions.copyMoment,
        title: "Copy a link to this moment (c)",
      }),
      button("Full screen", {
        icon: "expand",
        iconOnly: true,
        kind: "ghost",
        onClick: actions.fullscreen,
        title: "Full screen (f)",
      }),
      button("Keys", { icon: "keyboard", iconOnly: true, kind: "ghost", onClick: actions.help, title: "Keys (?)" }),
    );
    menu(this.speedButton, () =>
      SPEEDS.map((speed) => menuItem(`${speed}×`, () => actions.speed(speed), { checked: speed === clock.speed })),
    );
    menu(this.tabsButton, () => this.tabItems(actions));
    clock.ticks.add(() => this.move());
    clock.changes.add(() => this.show());
    this.show();
  }

  /** @param {Actions} actions */
  tabItems(actions) {
    const { player, session } = this;
    const follows = player.mode === "merged" && !player.chosen;
    return [
      menuItem(
        "Follow the visitor",
        () => {
          actions.choose("");
          actions.mode("merged");
        },
        { icon: "eye", checked: follows },
      ),
      menuItem("Side by side", () => actions.mode("side"), { icon: "columns", checked: player.mode === "side" }),
      h("hr"),
      ...session.windows.map((window, place) =>
        menuItem(
          `Tab ${place + 1} only`,
          () => {
            actions.choose(window.id);
            actions.mode("merged");
          },
          { icon: "window", checked: player.mode === "merged" && player.chosen === window.id },
        ),
      ),
    ];
  }

  show() {
    const { clock } = this;
    this.playButton.replaceChildren(icon(clock.playing ? "pause" : "play"));
    const words = clock.playing ? "Pause" : "Play";
    this.playButton.setAttribute("aria-label", words);
    this.playButton.title = `${words} (space)`;
    this.speedButton.textContent = `${clock.speed}×`;
    this.skipButton.setAttribute("aria-pressed", String(this.player.skipsInactivity));
    const { windows, isOpen } = this.session;
    this.tabsButton.hidden = windows.length < 2;
    this.tabsButton.replaceChildren(icon("layers"), `${windows.length} tabs`);
    this.liveButton.hidden = !isOpen;
    this.move();
  }

  move() {
    const { t, start, end } = this.clock;
    fill(
      this.time,
      h("span", { class: "time-now" }, clockText(t - start)),
      h("span", { class: "faint" }, ` / ${clockText(end - start)}`),
    );
  }
}
