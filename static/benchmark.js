// The benchmark on the user's own prompts: the server runs it, this asks how far it is.
import * as api from "./api.js";
import { inWords } from "./refusals.js";

const INTERVAL_MS = 500;

export class Benchmark {
  status = null; // null: this server runs none for this user
  #asking = false;

  // on: changed(), refused(error)
  constructor(on) {
    this.on = on;
  }

  // One prompt a line.
  start(text, options) {
    const prompts = text.split("\n").map((line) => line.trim()).filter(Boolean);
    return this.#told(api.startBenchmark(prompts, options));
  }

  cancel() {
    return this.#told(api.cancelBenchmark());
  }

  // Asks until nothing runs any more; one may run from before a reload.
  async watch() {
    if (this.#asking) return;
    this.#asking = true;
    do {
      this.#see(await api.benchmark().catch((error) => (error.offline ? this.status : null)));
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    } while (this.status?.state === "running");
    this.#asking = false;
  }

  async #told(request) {
    try {
      this.#see(await request);
      this.watch();
    } catch (error) {
      this.on.refused(error);
    }
  }

  #see(answer) {
    const status = answer?.state === "unavailable" ? null : answer;
    const error = status?.error && inWords({ code: status.code, message: status.error });
    this.status = status && { ...status, error };
    this.on.changed();
  }
}
