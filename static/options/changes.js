// The user's options: a change holds here at once, is collected for a moment and sent one request after another.

const GATHER_MS = 120;

export class Options {
  #pending = {};
  #underway = {};
  #timer = 0;
  #sending = Promise.resolve();

  // send(changes) → resolves when the server has taken them; on.changed(), on.refused(error)
  constructor(send, on) {
    this.send = send;
    this.on = on;
  }

  // As the user wants them: those that the server holds, and what it has not answered yet.
  over(held) {
    return held && { ...held, ...this.#underway, ...this.#pending };
  }

  change(changes) {
    Object.assign(this.#pending, changes);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), GATHER_MS);
    this.on.changed();
  }

  // Resolves when every change so far has been answered.
  flush() {
    clearTimeout(this.#timer);
    this.#sending = this.#sending.then(() => this.#send());
    return this.#sending;
  }

  async #send() {
    if (!Object.keys(this.#pending).length) return;
    this.#underway = this.#pending;
    this.#pending = {};
    try {
      await this.send(this.#underway);
    } catch (error) {
      this.on.refused(error);
    }
    this.#underway = {};
    this.on.changed();
  }
}
