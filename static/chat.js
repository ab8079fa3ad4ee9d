// The chat that this tab shows: its events folded into a state, and the record of when they were.
import * as clock from "./clock.js";
import { EMPTY, begun, currentTurn, fold, running } from "./store.js";
import { Record } from "./timeline/record.js";

export class Chat {
  state = EMPTY;
  record = new Record();

  get turn() {
    return currentTurn(this.state);
  }

  get answering() {
    return running(this.turn);
  }

  see(event) {
    clock.see(event.at);
    this.state = fold(this.state, event);
    this.record.see(event);
  }

  // The options that the server holds.
  hold(options) {
    this.state = { ...this.state, options };
  }

  begin(turns) {
    this.state = begun(this.state, turns);
  }

  // A time axis of its own for what comes.
  forgetTimes() {
    this.record = new Record();
  }

  // Another session goes on after the same turns, on another clock.
  moved(options) {
    clock.reset();
    this.forgetTimes();
    this.begin(this.state.turns);
    this.hold(options);
  }
}

// Prompts and answers, as a session is told of an earlier chat.
export const said = (turns) =>
  turns.map(({ prompt, lanes }) => ({ prompt, answer: Object.values(lanes)[0].text })).filter(({ answer }) => answer.trim());
