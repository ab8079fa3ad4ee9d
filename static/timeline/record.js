// What happened when, from the events of a session: rows of spans on the session's clock, in seconds.
//
//   typing      points {at, grown}: each draft that arrived, and by how many characters it differed
//   segments    {from, to, number, text, gone}                 from its first character to when it was finished
//   notes       {from, to, first, index, status, kind, …}      what was computed for a note
//   ahead       {from, to, lane, tokens, status}               answers begun before Enter
//   <lane>      {from, first, to, status, metrics, tokens}     from the lane's own submit
//
// A span that is not over has `to: null`. Spans of a row do not overlap and are in the order of time.
import { FINAL } from "../store.js";

export class Record {
  typing = [];
  rows = { segments: [], notes: [], ahead: [] };
  submits = []; // {at, began, turn, prompt}: `began` is when its typing did
  preempted = []; // {at, row, why}
  end = 0; // of the newest event
  began = null; // when the typing of the present draft did
  #draft = new Draft();
  #turns = new Set(); // ids of those that are told here

  get begin() {
    return Math.min(this.typing[0]?.at ?? Infinity, this.submits[0]?.at ?? Infinity);
  }

  get empty() {
    return this.begin === Infinity;
  }

  get lanes() {
    return Object.keys(this.rows).filter((name) => !["segments", "notes", "ahead"].includes(name));
  }

  see(event) {
    this.end = Math.max(this.end, event.at);
    switch (event.type) {
      case "segments":
        return this.#typed(event);
      case "action":
        return this.#thought(event);
      case "prepared":
        return this.#prepared(event);
      case "turn":
        return event.done ? undefined : this.#submitted(event);
      case "lane":
        return this.#lane(event);
      case "answer":
        return this.#answered(event);
      case "state":
        return this.#restored(event);
    }
  }

  #typed({ at, segments, kept }) {
    const grown = this.#draft.change(segments);
    if (grown) this.typing.push({ at, grown });
    this.began = segments.length ? (this.began ?? at) : null;
    for (const span of this.#draft.follow(at, segments)) this.rows.segments.push(span);
    for (const span of this.#openNotes()) if (span.index >= kept) this.#rollBack(span, at);
    if (grown) this.#supersede(at);
    if (!segments.length) this.#draft = new Draft();
  }

  #openNotes() {
    const { notes } = this.rows;
    const since = this.submits.at(-1)?.at ?? -Infinity;
    const before = notes.findLastIndex((span) => span.from < since);
    return notes.slice(before + 1).filter((span) => span.status !== "rolled-back");
  }

  #rollBack(span, at) {
    if (span.to === null) span.to = at;
    span.status = "rolled-back";
    this.preempted.push({ at, row: "notes", why: "rolled-back" });
  }

  // What was ready answered another text; a draft goes on into the next.
  #supersede(at) {
    const span = this.rows.ahead.at(-1);
    if (span?.status !== "making" && span?.status !== "ready") return;
    if (span.from < (this.submits.at(-1)?.at ?? -Infinity)) return;
    span.status = span.draft ? "passed-on" : "discarded";
    if (!span.draft) this.preempted.push({ at, row: "ahead", why: "discarded" });
  }

  #thought({ at, first, index, kind, delta, status, tokens, seconds }) {
    let span = this.rows.notes.at(-1);
    if (!span || span.to !== null || span.index !== index) {
      span = { from: Math.max(at - seconds, span?.to ?? 0), to: null, first, index, text: "" };
      this.rows.notes.push(span);
    }
    span.text += delta;
    Object.assign(span, { kind, status, tokens, seconds });
    if (status !== "running") span.to = at;
    if (status === "cut" || status === "dropped") this.preempted.push({ at, row: "notes", why: status });
  }

  #prepared({ at, lane, ready, done, tokens, seconds, draft }) {
    const before = this.#draft.spent[lane] ?? { tokens: 0, seconds: 0 };
    const from = at - Math.max(seconds - before.seconds, 0);
    const last = this.rows.ahead.at(-1);
    const open = last?.lane === lane && last.status === "making" && from - last.to < 0.05;
    if (open) Object.assign(last, { to: at, tokens: last.tokens + tokens - before.tokens });
    else this.rows.ahead.push({ from, to: at, lane, tokens: tokens - before.tokens, ready, draft });
    Object.assign(this.rows.ahead.at(-1), { ready, status: done ? "ready" : "making" });
    this.#draft.spent[lane] = { tokens, seconds };
  }

  #submitted({ at, id, prompt, lanes }) {
    this.#turns.add(id);
    this.submits.push({ at, began: this.began ?? at, turn: id, prompt });
    this.began = null;
    const last = this.rows.ahead.at(-1);
    if (last && this.#draft.spent[last.lane] && last.status !== "discarded") last.status = "used";
    this.#draft.close(at);
    this.#draft = new Draft();
    for (const name of lanes) this.rows[name] ??= [];
  }

  #lane({ at, turn, lane, status, metrics, started_at: started }) {
    const spans = (this.rows[lane] ??= []);
    let span = spans.at(-1);
    if (status === "running") {
      spans.push({ from: started ?? at, first: null, to: null, turn, status, metrics: null, letters: 0 });
      return;
    }
    if (span?.turn !== turn || !FINAL.includes(status)) return;
    if (status === "interrupted") this.preempted.push({ at, row: lane, why: status });
    Object.assign(span, { status, metrics: metrics ?? span.metrics }, measured(span, metrics, at));
  }

  #answered({ at, turn, lane, delta }) {
    const span = this.rows[lane]?.at(-1);
    if (span?.turn !== turn) return;
    span.first ??= at;
    span.letters += delta.length;
  }

  // A snapshot: what is not known yet is taken from it; a new chat begins anew.
  #restored({ turns, segments, actions, at }) {
    const here = new Set(turns.filter((turn) => !turn.restored).map((turn) => turn.id));
    if ([...this.#turns].some((id) => !here.has(id))) this.#forget();
    for (const turn of turns) if (here.has(turn.id) && !this.#turns.has(turn.id)) this.#missed(turn);
    if (!segments.length || this.typing.length) return;
    this.typing.push({ at, grown: 0 });
    this.began = at;
    for (const span of this.#draft.follow(at, segments)) this.rows.segments.push(span);
    for (const note of actions) if (note.at != null) this.rows.notes.push(noteSpan(note));
  }

  #missed(turn) {
    this.#submitted({ at: turn.at, id: turn.id, prompt: turn.prompt, lanes: Object.keys(turn.lanes) });
    for (const note of turn.actions) this.rows.notes.push(noteSpan(note));
    for (const [name, lane] of Object.entries(turn.lanes)) {
      if (lane.started_at === null) continue;
      const span = { from: lane.started_at, first: lane.first_at, to: null, turn: turn.id, letters: lane.text.length };
      const over = FINAL.includes(lane.status) ? measured(span, lane.metrics, lane.first_at ?? span.from) : {};
      this.rows[name].push({ ...span, status: lane.status, metrics: lane.metrics, ...over });
    }
  }

  #forget() {
    Object.assign(this, { typing: [], rows: { segments: [], notes: [], ahead: [] }, submits: [], preempted: [], began: null });
    this.#draft = new Draft();
    this.#turns.clear();
  }
}

const noteSpan = ({ at, ...note }) => ({ ...note, from: at, to: note.status === "running" ? null : at + note.seconds });

// Where the figures say that the first and the last token were.
function measured(span, metrics, at) {
  if (!metrics) return { to: span.to ?? at };
  const first = metrics.ttft === null ? span.first : span.from + metrics.ttft;
  return { first, to: span.from + metrics.latency, tokens: metrics.tokens };
}

// The text that is being typed: its segments' open spans, and what was spent on answers to it.
class Draft {
  spent = {};
  #spans = [];
  #text = "";

  // By how many characters the text differs from the one before: those put in or taken out in one place.
  change(segments) {
    const [old, text] = [this.#text, segments.map((segment) => segment.text).join("")];
    this.#text = text;
    const shorter = Math.min(old.length, text.length);
    let head = 0;
    while (head < shorter && old[head] === text[head]) head++;
    let tail = 0;
    while (tail < shorter - head && old.at(-1 - tail) === text.at(-1 - tail)) tail++;
    return Math.max(old.length, text.length) - head - tail;
  }

  // The spans that begin now; those before them are brought up to date.
  follow(at, segments) {
    const begun = [];
    segments.forEach(({ text, finished }, index) => {
      let span = this.#spans[index];
      if (!span) {
        span = { from: at, to: null, number: index + 1, text: "", gone: false };
        this.#spans.push(span);
        begun.push(span);
      }
      if (finished && span.to === null) span.to = at;
      span.text = text;
    });
    for (const span of this.#spans.splice(segments.length)) this.#end(span, at, true);
    return begun;
  }

  close(at) {
    for (const span of this.#spans) this.#end(span, at, false);
  }

  #end(span, at, gone) {
    span.to ??= at;
    span.gone = gone;
  }
}
