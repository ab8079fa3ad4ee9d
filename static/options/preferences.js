// What the user wants of the options: kept for a reload, carried by the address, told to the server.
import { copyText } from "../clipboard.js";
import { good } from "../notices.js";
import { memory } from "../session.js";
import { DRAWER } from "../words.js";
import { Options } from "./changes.js";
import * as link from "./link.js";

const CONSENT = "livemind.typing"; // "off" outlives the tab

export class Preferences {
  offered = {}; // the options there are
  #changes;
  #held;

  // held() → the options that the server holds; send(changes) → resolves when it has taken them
  // on: changed(), notice(text), refused(error)
  constructor(held, send, on) {
    this.on = on;
    this.#held = held;
    this.#changes = new Options(send, { changed: () => this.changed(), refused: on.refused });
    window.addEventListener("hashchange", () => held() && this.#changes.change(this.wanted() ?? {}));
  }

  // Null until the server has told its options.
  get now() {
    return this.#changes.over(this.#held());
  }

  // Whether half-typed text may leave the browser: not before the options are known and allow it.
  get mayType() {
    return (this.now?.mode ?? "off") !== "off";
  }

  // Those of the address over the defaults, or those of before a reload; "off" for good is stronger than either.
  wanted() {
    const { options: named, refused: unknown } = link.read(location.hash, this.offered);
    if (unknown.length) this.on.notice(DRAWER.refused(unknown));
    const before = JSON.parse(memory.get("options") ?? "null");
    const wanted = Object.keys(named).length ? { ...this.#defaults(), ...named } : before;
    return localStorage.getItem(CONSENT) === "off" ? { ...wanted, mode: "off" } : wanted;
  }

  // "Nothing while I type" is kept for good, so that no new tab and no link sends what this user did not mean to.
  choose(changes) {
    if (changes.mode) {
      localStorage.setItem(CONSENT, changes.mode === "off" ? "off" : "on");
      if (this.mayType) memory.set("mode", this.now.mode);
    }
    this.#changes.change(changes);
  }

  consent(allowed) {
    const usual = this.#defaults().mode;
    this.choose({ mode: allowed ? (memory.get("mode") ?? usual) : "off" });
  }

  reset() {
    const { mode, ...others } = this.#defaults();
    this.#changes.change(this.mayType ? { mode, ...others } : others);
  }

  // Resolves when the server has answered every change so far.
  flush() {
    return this.#changes.flush();
  }

  async copyLink() {
    await copyText(location.href);
    this.on.notice(good(DRAWER.copied));
  }

  changed() {
    if (!this.now) return;
    memory.set("options", JSON.stringify(this.now));
    const fragment = link.write(this.now, this.offered);
    if (fragment !== location.hash.slice(1)) {
      history.replaceState(history.state, "", location.pathname + location.search + (fragment && `#${fragment}`));
    }
    this.on.changed();
  }

  #defaults() {
    return Object.fromEntries(Object.entries(this.offered).map(([name, one]) => [name, one.default]));
  }
}
