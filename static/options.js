// The user's options: changes are collected for a moment and sent one request after another.

const GATHER_MS = 120;

export class Options {
  #pending = {};
  #timer = 0;
  #sending = Promise.resolve();

  // send(changes) → the options as the server holds them; refused(error)
  constructor(send, refused) {
    this.send = send;
    this.refused = refused;
  }

  change(changes) {
    Object.assign(this.#pending, changes);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), GATHER_MS);
  }

  // Resolves when every change so far has been answered.
  flush() {
    clearTimeout(this.#timer);
    const changes = this.#pending;
    this.#pending = {};
    if (Object.keys(changes).length) {
      this.#sending = this.#sending.then(() => this.send(changes)).catch((error) => this.refused(error));
    }
    return this.#sending;
  }
}

export function lanes(answeredBy, compared) {
  return [answeredBy, ...compared];
}
