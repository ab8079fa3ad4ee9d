// The present chat in the browser's store: saved when a turn is over, found again after a reload.
import * as chats from "./chats.js";
import { downloadText } from "./download.js";
import { good } from "./notices.js";
import { memory } from "./session.js";
import { CHATS } from "./words.js";

// Equal where there is nothing new to save.
function markOf(turns) {
  const last = turns.at(-1);
  const lanes = Object.values(last?.lanes ?? {}).map(({ status, text, metrics }) => [status, text.length, metrics]);
  return JSON.stringify([turns.length, last?.prompt, lanes]);
}

export class Keeper {
  list = [];
  id = memory.get("chat") || null;
  #saved = "";

  // on: changed(), notice(text), open(turns) → resolves when the server goes on after them
  constructor(on) {
    this.on = on;
  }

  // The turns of the chat that this tab had open.
  async start() {
    return this.#told(async () => {
      await this.#refresh();
      const turns = this.list.find((chat) => chat.id === this.id)?.turns ?? [];
      this.#saved = markOf(turns);
      return turns;
    }, []);
  }

  // After every event: what is over is kept.
  see(turns) {
    const over = turns.length > 0 && turns.every((turn) => turn.done);
    if (!over || markOf(turns) === this.#saved) return;
    this.#choose(this.id ?? chats.newId());
    this.#saved = markOf(turns);
    this.#told(() => this.#save(this.id, turns));
  }

  begin() {
    this.#take(null, "");
  }

  // What comes is another chat, which begins with these turns. Returns the way back.
  fork(turns) {
    const before = [this.id, this.#saved];
    this.#take(null, markOf(turns));
    return () => this.#take(...before);
  }

  #take(id, saved) {
    this.#choose(id);
    this.#saved = saved;
  }

  open(id) {
    return this.#told(async () => {
      const chat = await chats.get(id);
      if (!chat) return;
      const before = [this.id, this.#saved];
      this.#take(id, markOf(chat.turns)); // before the server tells of its turns: they are this chat's
      if (!(await this.on.open(chat.turns))) this.#take(...before);
      this.on.changed();
    });
  }

  rename(id, title) {
    return this.#told(async () => {
      await chats.put({ ...(await chats.get(id)), title });
      await this.#refresh();
    });
  }

  remove(id) {
    return this.#told(async () => {
      await chats.remove(id);
      if (id === this.id) this.#choose(null);
      await this.#refresh();
    });
  }

  exportAll() {
    downloadText("livemind-chats.json", "application/json", chats.pack(this.list));
  }

  async bring(file) {
    let found;
    try {
      found = chats.unpack(await file.text());
    } catch {
      return this.on.notice(CHATS.unreadable);
    }
    return this.#told(async () => {
      for (const chat of found) await chats.put(chat);
      await this.#refresh();
      this.on.notice(good(CHATS.brought(found.length)));
    });
  }

  #choose(id) {
    this.id = id;
    memory.set("chat", id ?? "");
  }

  async #save(id, turns) {
    const before = await chats.get(id);
    const title = before?.title ?? chats.titleOf(turns);
    await chats.put({ id, title, at: new Date().toISOString(), turns });
    await this.#refresh();
  }

  async #refresh() {
    this.list = await chats.all();
    this.on.changed();
  }

  // A browser may refuse to keep anything; the chat itself goes on.
  async #told(work, otherwise) {
    try {
      return await work();
    } catch {
      this.on.notice(CHATS.refused);
      return otherwise;
    }
  }
}
