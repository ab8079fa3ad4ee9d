// Which part of the time axis is shown: it follows what happens until it is moved or zoomed by hand.
import { kept, timeAt, zoomed } from "./scale.js";

const LENGTHS = [10, 20, 30, 60, 120, 300, 600, 1200, 3600]; // seconds: the axis stands still while time goes on
const NARROW = 560; // pixels of the picture

export class Window {
  following = "prompt"; // or "everything", or null: the user chose
  #record = null;
  #now = 0;
  #moving = false;
  #chosen = { from: 0, to: 10 };

  // `moving`: time goes on by itself
  see(record, now, moving) {
    this.#record = record;
    this.#moving = moving;
    this.#now = moving ? Math.max(now, record.end) : record.end;
  }

  // What a picture so many pixels wide shows: the window, its place in pixels, and where time counts from.
  view(width) {
    const left = width < NARROW ? 76 : 104;
    return { ...this.#span(), origin: this.#origin(), now: this.#now, left, right: width - 8, width };
  }

  follow(name) {
    this.following = name;
  }

  // By this factor, with the time at pixel `x` (or the middle) staying where it is.
  zoom(factor, width, x = null) {
    const view = this.view(width);
    const at = x === null ? (view.from + view.to) / 2 : timeAt(view, x);
    this.#choose(zoomed(view, factor, at, this.#limits()));
  }

  move(pixels, width) {
    const view = this.view(width);
    const shift = (pixels * (view.to - view.from)) / (view.right - view.left);
    this.#choose(kept({ from: view.from + shift, to: view.to + shift }, this.#limits()));
  }

  // So that the span is inside.
  bring({ from, to }) {
    const shown = this.#span();
    const length = shown.to - shown.from;
    if (from >= shown.from && (to ?? this.#now) <= shown.to) return;
    this.#choose(kept({ from: from - length * 0.2, to: from + length * 0.8 }, this.#limits()));
  }

  #choose(next) {
    this.#chosen = next;
    this.following = null;
  }

  #span() {
    if (this.following === "everything") return padded(this.#limits());
    if (this.following === "prompt") return this.#prompt();
    return this.#chosen;
  }

  // The text that is being typed, or the newest that was sent.
  #prompt() {
    const { began, submits, begin } = this.#record;
    const from = began ?? submits.at(-1)?.began ?? begin;
    const length = Math.max(this.#now - from, 0.5);
    const open = this.#moving || began !== null;
    return padded({ from, to: from + (open ? LENGTHS.find((one) => one >= length) ?? length : length) });
  }

  #limits() {
    return { from: this.#record.begin, to: Math.max(this.#now, this.#record.begin + 1) };
  }

  #origin() {
    const { began, submits, begin } = this.#record;
    return (this.following === "prompt" && began === null ? submits.at(-1)?.at : null) ?? begin;
  }
}

const padded = ({ from, to }) => ({ from: from - (to - from) * 0.02, to: to + (to - from) * 0.02 });
