// The chat that this tab shows: its events folded into a state, and the record of when they were.
import * as clock from "./clock.js";
import { EMPTY, begun, currentTurn, fold, running } from "./store.js";
import { Record } from "./timeline/record.js";

export class Chat {
  state = EMPTY;
  record = new Record();
  #coming = null; // turns of the chat that the server was asked to go on after

  get turn() {
    return currentTurn(this.state);
  }

  get answering() {
    return running(this.turn);
  }

  // While another chat is awaited, events are of the one that is left.
  get leaving() {
    return this.#coming !== null;
  }

  see(event) {
    clock.see(event.at);
    if (this.#coming && event.type === "state" && isOf(event.turns, this.#coming)) this.#arrive();
    this.state = fold(this.state, event);
    this.record.see(event);
  }

  // The server was asked to go on after these turns: they are shown as soon as it says so.
  await(turns) {
    this.#coming = turns;
  }

  stay() {
    this.#coming = null;
  }

  #arrive() {
    this.begin(this.#coming);
    this.forgetTimes();
    this.#coming = null;
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
    this.stay();
    clock.reset();
    this.forgetTimes();
    this.begin(this.state.turns);
    this.hold(options);
  }
}

const isOf = (told, turns) => told.length === turns.length && told.every(({ prompt }, index) => prompt === turns[index].prompt);

// Prompts and answers, as a session is told of an earlier chat. One without an answer keeps its place.
export const said = (turns) => turns.map(({ prompt, lanes }) => ({ prompt, answer: Object.values(lanes)[0].text }));
