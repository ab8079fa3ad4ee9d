// What the user does with prompts and chats.
import { said } from "./chat.js";
import { good } from "./notices.js";
import { PAGE } from "./words.js";

export class Actions {
  connected = null; // a promise, until the session is open; then true
  #waiting = false;

  // Of app.js: {chat, connection, composer, typist, speech, keeper, preferences, notices, render}
  constructor(page) {
    Object.assign(this, page);
  }

  // The user's own hand ends what else writes into the box.
  takeOver() {
    this.typist.stop();
    this.speech.stop();
  }

  async send() {
    this.takeOver();
    if (!this.composer.text.trim() || this.connection.draft.submitting || this.#waiting) return;
    await this.#connecting();
    const text = this.composer.text;
    if (!text.trim()) return;
    const submitted = this.#submit(text);
    this.composer.write("");
    await submitted;
  }

  async #submit(text) {
    this.notices.clear();
    try {
      await this.connection.draft.submit(text, this.preferences.flush());
    } catch (error) {
      this.composer.write(text + this.composer.text);
      this.notices.refused(error);
    }
  }

  async #connecting() {
    if (this.connected === true) return;
    this.notices.tell(good(PAGE.connecting));
    this.#waiting = true;
    await this.connected;
    this.#waiting = false;
  }

  stop() {
    this.takeOver();
    if (this.connection.token && this.chat.answering) this.#told(this.connection.stop());
    this.render();
  }

  stopLane(lane) {
    this.#told(this.connection.stop(lane));
  }

  retryLane(lane) {
    this.#told(this.connection.retry(lane));
  }

  // The last prompt, to be changed and sent once more.
  recall() {
    if (this.chat.turn) this.composer.write(this.chat.turn.prompt);
  }

  // The newest turn is taken back; its prompt is in the box, before what was typed meanwhile.
  edit() {
    return this.#edit(this.chat.state.turns.length - 1);
  }

  // An earlier one: what came after it stays in the chat that there was, and a new chat goes on from here.
  async branch(id) {
    const { turns } = this.chat.state;
    const index = turns.findIndex((turn) => turn.id === id);
    this.keeper.leave(turns);
    const join = this.keeper.fork(turns.slice(0, index));
    if (!(await this.#edit(index))) join();
  }

  async #edit(index) {
    const prompt = await this.#takeBack(index);
    if (prompt === null) return false;
    this.composer.write([prompt, this.composer.text].filter((text) => text.trim()).join("\n"));
    this.composer.focus();
    return true;
  }

  // Resolves to the prompt that stood there, or null where the server refused.
  async #takeBack(index) {
    const { turns } = this.chat.state;
    return (await this.goOn(turns.slice(0, index))) ? turns[index].prompt : null;
  }

  // What is in the box stays there.
  async askAgain() {
    const prompt = await this.#takeBack(this.chat.state.turns.length - 1);
    if (prompt !== null) await this.#submit(prompt);
  }

  open(id) {
    this.keeper.leave(this.chat.state.turns);
    return this.keeper.open(id);
  }

  typeOut(text) {
    this.typist.type(text);
    this.composer.focus();
    this.render();
  }

  async newChat() {
    if (!this.connection.token) return;
    this.takeOver();
    const text = this.composer.text;
    this.composer.write(""); // at once: what is typed from here on belongs to the new chat
    this.composer.focus();
    this.keeper.leave(this.chat.state.turns);
    if (!(await this.goOn([]))) return this.composer.write(text + this.composer.text);
    this.keeper.begin();
    this.notices.clear();
  }

  // An earlier chat is shown, and the next prompt goes on after it. Resolves to whether the server agreed.
  async goOn(turns) {
    if (!this.connection.token) return false;
    this.takeOver();
    this.chat.await(turns);
    if (await this.#told(this.connection.clear(said(turns)))) return true;
    this.chat.stay();
    return false;
  }

  // With the chat that is open go its turns; what is being typed stays.
  async remove(id) {
    const present = id === this.keeper.id;
    await this.keeper.remove(id);
    if (present) await this.goOn([]);
  }

  // A new session learns what was said in the one before. What it does not take stays among the kept chats as it is.
  async restore() {
    const { turns } = this.chat.state;
    if (!turns.length || (await this.#told(this.connection.restore(said(turns))))) return;
    this.keeper.leave(turns);
    this.keeper.begin();
    this.chat.begin([]);
  }

  // Resolves to whether the server agreed; what it refused is told.
  #told(request) {
    return request.then(
      () => true,
      (error) => (this.notices.refused(error), false),
    );
  }
}
