// What the status line tells of the connection, and what was refused: a notice goes away by itself.

const NOTICE_MS = 8000;

export class Notices {
  offline = false;
  sending = false;
  notice = "";
  #timer = 0;

  constructor(changed) {
    this.changed = changed;
  }

  set(changes) {
    Object.assign(this, changes);
    this.changed();
  }

  tell(text) {
    clearTimeout(this.#timer);
    if (text) this.#timer = setTimeout(() => this.tell(""), NOTICE_MS);
    this.set({ notice: text });
  }

  refused(error) {
    if (error.offline) this.set({ offline: true });
    else this.tell(error.message);
  }
}
