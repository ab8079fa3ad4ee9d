// How the models are: asked until they are ready.
import { health } from "./api.js";

const INTERVAL_MS = 1000;

export class Health {
  latest = null; // null: the server cannot be asked
  models; // whose; undefined: the server's own
  #timer = 0;
  #asked = 0;

  constructor(changed) {
    this.changed = changed;
  }

  // From now on these.
  follow(models) {
    if (models === this.models) return;
    this.models = models;
    this.watch();
  }

  async watch() {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    const latest = await health(this.models).catch(() => null); // the stream says whether the server is there
    if (asked !== this.#asked) return;
    this.latest = latest;
    this.changed();
    if (!this.ready) this.#timer = setTimeout(() => this.watch(), INTERVAL_MS);
  }

  get ready() {
    return this.latest?.status === "ready";
  }
}
