// The one event stream of a session: opens it, keeps the position, opens it again after a loss.
import { eventsUrl } from "./api.js";

const TYPES = ["segments", "action", "prepared", "turn", "answer", "lane", "retry", "state", "error"];
const RETRY_MS = [250, 500, 1000, 2000, 4000];

export class Stream {
  #source = null;
  #token = null;
  #last = null;
  #losses = 0;
  #timer = 0;

  // on.event(event), on.up(), on.down(token): after a loss, `on.down` may call open() with another session.
  constructor(on) {
    this.on = on;
  }

  open(token) {
    if (token !== this.#token) this.#last = null;
    this.#token = token;
    this.#connect();
  }

  // Connect now: the network changed, so an open connection may be dead without knowing it.
  hurry() {
    if (this.#token) this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource(eventsUrl(this.#token, this.#last));
    this.#source = source;
    source.onopen = () => {
      this.#losses = 0;
      this.on.up();
    };
    source.onerror = () => this.#lost(source);
    for (const type of TYPES) source.addEventListener(type, (frame) => this.#receive(source, frame));
  }

  #receive(source, frame) {
    // A lost connection is an `error` event as well, without data.
    if (source !== this.#source || typeof frame.data !== "string") return;
    if (frame.lastEventId) this.#last = frame.lastEventId;
    this.on.event(JSON.parse(frame.data));
  }

  #lost(source) {
    if (source !== this.#source) return;
    source.close();
    const delay = RETRY_MS[Math.min(this.#losses++, RETRY_MS.length - 1)];
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      await this.on.down(this.#token);
      if (source === this.#source) this.#connect();
    }, delay);
  }
}
