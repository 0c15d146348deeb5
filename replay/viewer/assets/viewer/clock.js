// The one clock of the viewer. All windows follow it; it follows the screen's frames, so that it rests in hidden tabs.

/** A frame that took longer than this was a pause of the browser, not of the session. */
const MAX_FRAME_MS = 250;

export class Clock {
  /**
   * @param {number} start epoch ms
   * @param {number} end epoch ms
   */
  constructor(start, end) {
    this.start = start;
    this.end = end;
    this.t = start;
    this.speed = 1;
    this.playing = false;
    this.held = false;
    /** @type {Set<(t: number) => void>} called at every frame that moved, and after every jump */
    this.ticks = new Set();
    /** @type {Set<() => void>} called when it starts, stops, jumps or changes speed */
    this.changes = new Set();
    this.last = 0;
    this.step = (/** @type {number} */ now) => this.frame(now);
  }

  play() {
    if (this.playing) return;
    if (this.t >= this.end) this.t = this.start;
    this.playing = true;
    this.last = performance.now();
    requestAnimationFrame(this.step);
    this.changed();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** @param {number} t epoch ms */
  seek(t) {
    this.t = Math.max(this.start, Math.min(this.end, t));
    this.changed();
    for (const tick of this.ticks) tick(this.t);
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    this.changed();
  }

  /**
   * Stand still while events are on their way, without being paused.
   * @param {boolean} held
   */
  hold(held) {
    if (this.held === held) return;
    this.held = held;
    this.changed();
  }

  changed() {
    for (const change of this.changes) change();
  }

  /** @param {number} now */
  frame(now) {
    if (!this.playing) return;
    const passed = Math.min(MAX_FRAME_MS, Math.max(0, now - this.last));
    this.last = now;
    if (!this.held) {
      this.t = Math.min(this.end, this.t + passed * this.speed);
      for (const tick of this.ticks) tick(this.t);
      if (this.t >= this.end) this.pause();
    }
    if (this.playing) requestAnimationFrame(this.step);
  }
}
