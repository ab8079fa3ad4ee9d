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
    this.notices.clear();
    const submitted = this.connection.draft.submit(text, this.preferences.flush());
    this.composer.write("");
    try {
      await submitted;
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
    return this.#takeBack(this.chat.state.turns.length - 1);
  }

  // An earlier one: what came after it stays in the chat that there was, and a new chat goes on from here.
  async branch(id) {
    const { turns } = this.chat.state;
    const index = turns.findIndex((turn) => turn.id === id);
    const join = this.keeper.fork(turns.slice(0, index));
    if (!(await this.#takeBack(index))) join();
  }

  async #takeBack(index) {
    const { turns } = this.chat.state;
    if (!(await this.goOn(turns.slice(0, index)))) return false;
    this.composer.write(turns[index].prompt);
    this.composer.focus();
    return true;
  }

  async askAgain() {
    if (await this.edit()) this.send();
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
    if (!(await this.#told(this.connection.clear()))) return this.composer.write(text + this.composer.text);
    this.keeper.begin();
    this.notices.clear();
  }

  // An earlier chat is shown, and the next prompt goes on after it. Resolves to whether the server agreed.
  async goOn(turns) {
    if (!this.connection.token) return false;
    this.takeOver();
    const before = this.chat.state;
    this.chat.begin(turns);
    if (!(await this.#told(this.connection.clear(said(turns))))) {
      this.chat.state = before;
      return false;
    }
    this.chat.forgetTimes();
    return true;
  }

  // With the chat that is open go its turns; what is being typed stays.
  async remove(id) {
    const present = id === this.keeper.id;
    await this.keeper.remove(id);
    if (present) await this.goOn([]);
  }

  // A new session learns what was said in the one before.
  async restore() {
    const { turns } = this.chat.state;
    if (turns.length) await this.#told(this.connection.restore(said(turns)));
  }

  // Resolves to whether the server agreed; what it refused is told.
  #told(request) {
    return request.then(
      () => true,
      (error) => (this.notices.refused(error), false),
    );
  }
}
