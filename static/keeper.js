// The present chat in the browser's store: saved when a turn is over, found again after a reload.
import * as chats from "./chats.js";
import { downloadText } from "./download.js";
import { good } from "./notices.js";
import { memory } from "./session.js";
import { over } from "./store.js";
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
  #saved = ""; // mark of the turns that this tab read or wrote last
  #writing = Promise.resolve();

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
    if (turns.every((turn) => turn.done)) this.#keep(turns);
  }

  // Before another chat takes its place: answers that are still being written are kept as far as they are.
  leave(turns) {
    this.#keep(turns.map(over));
  }

  #keep(turns) {
    const [before, mark] = [this.#saved, markOf(turns)];
    if (!turns.length || mark === before) return;
    this.#choose(this.id ?? chats.newId());
    this.#saved = mark;
    const id = this.id;
    this.#writing = this.#writing.then(() => this.#told(() => this.#save(id, turns, before)));
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
      await this.#writing;
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
      await this.#writing;
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

  // A chat that another tab has gone on with stays as that left it: this one's is kept beside it.
  async #save(id, turns, before) {
    const stored = await chats.get(id);
    const own = !stored || markOf(stored.turns) === before;
    const chat = { id: own ? id : chats.newId(), title: stored?.title ?? chats.titleOf(turns), turns };
    await chats.put({ ...chat, at: new Date().toISOString() });
    if (this.id === id) this.#choose(chat.id);
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
