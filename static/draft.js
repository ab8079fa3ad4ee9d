// Sends the draft: always the whole text, one request at a time, the newest wins, the revision grows.

const RETRY_MS = [500, 1000, 2000, 4000];

export class Draft {
  submitting = false;
  #text = ""; // what the box holds
  #sent = ""; // what the server holds; null: unknown
  #revision;
  #failures = 0;
  #losses = 0; // of the network; what was asked before one says nothing about it
  #pumping = null;
  #alone = null; // a promise, while something goes on beside which no draft may be sent
  #wake = null;

  // server: put(revision, text), submit(revision, text), renew()
  // on: sending(flag), offline(flag), refused(error), revision(number)
  constructor(server, on, revision) {
    this.server = server;
    this.on = on;
    this.#revision = revision;
  }

  change(text) {
    this.#text = text;
    if (!this.#alone && !this.#pumping && text !== this.#sent) this.#pumping = this.#pump();
  }

  // The server holds no draft (a new session), or nobody knows which (after a reload): send what there is.
  resend(known = "") {
    this.#sent = known;
    this.change(this.#text);
  }

  // The server's newest revision, from its events.
  see(revision) {
    this.#revision = Math.max(this.#revision, revision);
  }

  // The browser says that there is no network.
  lost() {
    this.#losses += 1;
    this.on.offline(true);
  }

  // The connection may be back: do not wait for the next attempt.
  hurry() {
    this.#wake?.();
  }

  async submit(text, prepared) {
    this.submitting = true;
    try {
      await this.alone(() => this.#submit(text, prepared));
    } finally {
      this.submitting = false;
    }
  }

  async #submit(text, prepared) {
    try {
      await prepared;
      await this.#submitted(text);
    } catch (error) {
      this.#text = text + this.#text;
      throw error;
    }
  }

  // No draft is sent from now until `work` is done, which leaves the server without one; what is typed meanwhile
  // follows then. Works come one after the other.
  async alone(work) {
    const mine = this.#after(this.#alone, work);
    this.#alone = mine;
    try {
      await mine;
    } finally {
      if (this.#alone === mine) this.#alone = null;
      this.change(this.#text);
    }
  }

  async #after(before, work) {
    this.hurry();
    await before?.catch(() => {}); // told to whoever asked for it
    await this.#pumping;
    this.#sent = null; // should it fail, nobody knows
    await work();
    this.#sent = "";
  }

  async #submitted(text) {
    for (;;) {
      const losses = this.#losses;
      try {
        await this.server.submit(this.#next(), text);
        return this.#reached(losses);
      } catch (error) {
        if (!(await this.#recovered(error))) throw error;
      }
    }
  }

  async #pump() {
    this.on.sending(true);
    while (!this.#alone && this.#text !== this.#sent) {
      const [text, losses] = [this.#text, this.#losses];
      try {
        await this.server.put(this.#next(), text);
        this.#sent = text;
        this.#reached(losses);
      } catch (error) {
        if (await this.#recovered(error)) continue;
        if (error.offline || error.status === 429) await this.#pause(error);
        else {
          this.on.refused(error);
          this.#sent = text;
        }
      }
    }
    // In the same step as the last look at the text: a change from here on starts anew.
    this.#pumping = null;
    this.on.sending(false);
  }

  #next() {
    this.#revision += 1;
    this.on.revision(this.#revision);
    return this.#revision;
  }

  #reached(losses) {
    this.#failures = 0;
    if (losses === this.#losses) this.on.offline(false);
  }

  // True when the same request may be repeated at once.
  async #recovered(error) {
    if (error.code === "stale_revision") {
      this.#revision = error.revision;
      return true;
    }
    if (error.code !== "unknown_session") return false;
    this.#sent = "";
    return this.server.renew();
  }

  async #pause(error) {
    this.on.offline(error.offline);
    if (!error.offline) this.on.refused(error);
    const delay = error.retryAfter * 1000 || RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
    await new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, delay);
    });
    this.#wake = null;
  }
}
