// How the models are: asked until they are ready.
import { health } from "./api.js";

const INTERVAL_MS = 1000;

export class Health {
  latest = null; // null: the server cannot be asked

  constructor(changed) {
    this.changed = changed;
  }

  async watch() {
    this.latest = await health().catch(() => null); // the stream says whether the server is there
    this.changed();
    if (!this.ready) setTimeout(() => this.watch(), INTERVAL_MS);
  }

  get ready() {
    return this.latest?.status === "ready";
  }
}
