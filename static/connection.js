// This tab's line to the server: a session, the draft that goes up, the events that come down.
import * as api from "./api.js";
import { Draft } from "./draft.js";
import { Session, memory } from "./session.js";
import { Stream } from "./stream.js";

export class Connection {
  #session = new Session();
  #stream;

  // on: event(event), up(), sending(flag), offline(flag), refused(error), wanted() → options of a new session,
  // renewed(options) when one has taken the place of a lost one
  constructor(on) {
    this.on = on;
    this.#stream = new Stream({ event: on.event, up: () => this.#up(), down: (token) => this.#down(token) });
    this.draft = new Draft(
      {
        put: (revision, text) => api.putDraft(this.token, revision, text),
        submit: (revision, text) => api.submit(this.token, revision, text),
        renew: () => this.#renew(this.token),
      },
      {
        sending: on.sending,
        offline: on.offline,
        refused: on.refused,
        revision: (number) => memory.set("revision", number),
      },
      Number(memory.get("revision") ?? 0),
    );
    window.addEventListener("online", () => this.#hurry());
    window.addEventListener("offline", () => this.draft.lost());
    window.addEventListener("pageshow", (event) => event.persisted && this.#stream.hurry());
  }

  // Null until start() has found a session.
  get token() {
    return this.#session.token;
  }

  // Resolves to whether the session is a new one, and the options that it has.
  async start(wanted) {
    const fresh = await this.reached(() => this.#session.start(wanted));
    const options = this.#session.options ?? (await this.reached(() => this.#configured(wanted)));
    return { fresh, options };
  }

  // What the server does not take any more is left as the session has it.
  async #configured(wanted) {
    try {
      return await this.configure(wanted ?? {});
    } catch (error) {
      if (error.status !== 422) throw error;
      return this.configure({});
    }
  }

  // From here on events come. Of a session that is not new nobody knows which draft it holds.
  open(fresh) {
    this.#stream.open(this.token);
    this.draft.resend(fresh ? "" : null);
  }

  // Asked again until the server is there; `final(error)`: whether it has said no for good, which is thrown.
  async reached(ask, final = () => false) {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (final(error)) throw error;
        this.on.refused(error);
        await new Promise((resolve) => setTimeout(resolve, error.retryAfter * 1000 || 1000));
      }
    }
  }

  configure(changes) {
    return api.changeOptions(this.token, changes).then(({ options }) => options);
  }

  // The session goes on after these turns, without a draft until the box's is sent again.
  clear(turns) {
    return this.draft.alone(() => api.clear(this.token, turns));
  }

  // The same for a session that is not open yet.
  restore(turns) {
    return this.reached(() => api.clear(this.token, turns), ({ status }) => status >= 400 && status < 500 && status !== 429);
  }

  // All answers, or that of one lane.
  stop(lane) {
    return api.stop(this.token, lane);
  }

  retry(lane) {
    return api.retry(this.token, lane);
  }

  #hurry() {
    this.#stream.hurry();
    this.draft.hurry();
  }

  #up() {
    this.draft.hurry();
    this.on.up();
  }

  // The stream was lost: is the session still there?
  async #down(token) {
    try {
      await api.probe(token);
    } catch (error) {
      if (error.code === "unknown_session") await this.#renew(token);
      else this.on.offline(true);
    }
  }

  // Resolves to whether there is a session to go on with.
  async #renew(lost) {
    try {
      if (await this.#session.renew(lost, this.on.wanted())) {
        await this.on.renewed(this.#session.options);
        this.open(true);
      }
      return true;
    } catch (error) {
      this.on.refused(error);
      return false;
    }
  }
}
