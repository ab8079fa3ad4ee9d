// What the status line tells of the connection, and what was refused: a notice goes away by itself.

const NOTICE_MS = 8000;

// What went well. A mere text says that something did not.
export const good = (text) => ({ kind: "good", text });

export class Notices {
  offline = false;
  sending = false;
  notice = null; // {kind: "good" or "error", text}
  #timer = 0;

  constructor(changed) {
    this.changed = changed;
  }

  set(changes) {
    Object.assign(this, changes);
    this.changed();
  }

  tell(said) {
    clearTimeout(this.#timer);
    const notice = typeof said === "string" ? { kind: "error", text: said } : said;
    this.#timer = setTimeout(() => this.clear(), NOTICE_MS);
    this.set({ notice });
  }

  clear() {
    clearTimeout(this.#timer);
    this.set({ notice: null });
  }

  refused(error) {
    if (error.offline) this.set({ offline: true });
    else this.tell(error.message);
  }
}
