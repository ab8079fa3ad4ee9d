import { holding, thoughtsOn } from "./thoughts.js";

// Events folded into what the page shows. Pure: `fold(state, event)` returns a new state.

export const FINAL = ["done", "interrupted", "stopped", "failed"];
export const AHEAD_LANES = ["live", "live-slm", "exact", "exact-slm", "llm-to-slm"];
export const ROLLBACK_SHOWN_S = 1.8;

export const EMPTY = {
  revision: -1,
  segments: [],
  actions: [],
  gone: [], // notes rolled back, shown for a moment
  prepared: {}, // by lane, what is ready of the answer to the draft
  turns: [],
  options: null, // this tab's: a replayed event may tell of older ones
};

export function fold(state, event) {
  switch (event.type) {
    case "state":
      return { ...EMPTY, options: state.options, ...picture(event, state.turns) };
    case "segments":
      return draft(state, event);
    case "action":
      return action(state, event);
    case "prepared":
      return prepared(state, event);
    case "turn":
      return event.done ? inTurn(state, event.id, (turn) => ({ ...turn, done: true })) : begin(state, event);
    case "answer":
      return inLane(state, event, (lane) => ({
        ...lane,
        text: lane.text + event.delta,
        drafted: event.drafted ? spans(lane.drafted, lane.text.length, event.delta.length) : lane.drafted,
        firstAt: lane.firstAt ?? event.at,
        written: written(lane.written, event),
      }));
    case "retry":
      return retried(state, event);
    case "lane":
      return inLane(state, event, (lane) => ({
        ...lane,
        status: event.status,
        metrics: event.metrics ?? lane.metrics,
        models: event.models ?? lane.models,
        startedAt: lane.startedAt ?? event.started_at,
      }));
    case "error":
      return event.lane && currentTurn(state)
        ? inLane(state, { turn: currentTurn(state).id, lane: event.lane }, (lane) => ({ ...lane, error: event.message }))
        : state;
    default:
      return state;
  }
}

// Tokens behind the first ones that were written after Enter, and from when to when.
function written(before, { at, tokens }) {
  if (!tokens) return before;
  return before ? { ...before, to: at, tokens: before.tokens + tokens } : { from: at, to: at, tokens: 0 };
}

// One more piece of drafted text; pieces side by side are one.
function spans(before, start, length) {
  const last = before.at(-1);
  if (last && last[1] === start) return [...before.slice(0, -1), [last[0], start + length]];
  return [...before, [start, start + length]];
}

// A chat with these turns, over and numbered anew: what they hold of another session's clock stays with them.
export const begun = (state, turns) => ({
  ...EMPTY,
  revision: state.revision,
  options: state.options,
  turns: turns.map((turn, index) => ({ ...over(turn), id: index + 1, restored: true })),
});

// As it stands when its chat is left: what was still to be answered was stopped.
export const over = (turn) => ({
  ...turn,
  done: true,
  lanes: Object.fromEntries(
    Object.entries(turn.lanes).map(([name, lane]) => [name, isFinal(lane) ? lane : { ...lane, status: "stopped" }]),
  ),
});

function picture({ revision, segments, actions, prepared, turns }, known) {
  return {
    revision,
    segments,
    actions: actions.filter((note) => note.status !== "dropped"),
    prepared,
    turns: turns.map((turn, index) => (isSame(turn, known[index]) ? known[index] : fromWire(turn))),
  };
}

// Of a turn of another session the server knows prompt and answer only; here its figures may be known.
const isSame = (turn, known) => turn.restored && known?.restored && turn.prompt === known.prompt;

function fromWire({ actions, prepared, ...turn }) {
  const lanes = Object.entries(turn.lanes).map(([name, { started_at: startedAt, first_at: firstAt, ...lane }]) => [
    name,
    { ...lane, startedAt, firstAt },
  ]);
  return { ...turn, notes: thoughtsOn(actions, answerFrom(prepared, Object.keys(turn.lanes))), lanes: Object.fromEntries(lanes) };
}

const textOf = (segments) => segments.map((segment) => segment.text).join("");

function draft(state, { at, revision, segments, kept }) {
  const isKept = (note) => note.index < kept;
  const [before, after] = [textOf(state.segments), textOf(segments)];
  const next = {
    ...state,
    revision,
    segments,
    prepared: before === after ? state.prepared : unready(state.prepared, before, after),
    actions: state.actions.filter(isKept),
  };
  const dropped = state.actions.filter((note) => !isKept(note));
  return { ...next, gone: rolledBack(state, [...dropped, ...lost(ready(state), ready(next))], at) };
}

// Of the parts that a draft of the answer was made of, those that an edit took back. Text that was sent or deleted takes
// nothing back.
function lost(before, after) {
  if (!before?.draft || !after) return [];
  return thoughtsOn([], before).slice(after.thoughts.length);
}

// What was made ready answered another text. Its cost stays, until there is a new prompt; so do drafts.
function unready(lanes, before, after) {
  if (!after) return {};
  const changed = (one) =>
    one.draft
      ? { ...one, thoughts: holding(one.thoughts, before, after) }
      : { ...one, ready: 0, done: false, text: "", thoughts: [] };
  return Object.fromEntries(Object.entries(lanes).map(([lane, one]) => [lane, changed(one)]));
}

function prepared(state, { lane, ready, done, tokens, seconds, draft, text, thoughts }) {
  return { ...state, prepared: { ...state.prepared, [lane]: { ready, done, tokens, seconds, draft, text, thoughts } } };
}

function rolledBack(state, notes, at) {
  const written = notes.filter((note) => note.kind !== "wait" && note.text && note.tokens);
  const about = (note) => quoted(state.segments, note);
  return [...state.gone, ...written.map((note) => ({ ...note, about: about(note), goneAt: at }))].slice(-12);
}

function action(state, event) {
  const last = state.actions.at(-1);
  const same = last?.status === "running" && last.index === event.index;
  const before = same ? state.actions.slice(0, -1) : state.actions;
  const note = {
    first: event.first,
    index: event.index,
    kind: event.kind,
    text: (same ? last.text : "") + event.delta,
    status: event.status,
    tokens: event.tokens,
    seconds: event.seconds,
    probability: event.probability ?? (same ? last.probability : null),
    at: same ? last.at : event.at,
  };
  if (event.status !== "dropped") return { ...state, actions: [...before, note] };
  return { ...state, actions: before, gone: same ? rolledBack(state, [note], event.at) : state.gone };
}

const QUEUED = { status: "queued", text: "", drafted: [], metrics: null, models: null, startedAt: null, firstAt: null, written: null };

function retried(state, { turn, lane }) {
  return inTurn(inLane(state, { turn, lane }, () => QUEUED), turn, (one) => ({ ...one, done: false }));
}

function begin(state, event) {
  const lanes = event.lanes.map((name) => [name, QUEUED]);
  const turn = {
    id: event.id,
    at: event.at,
    prompt: event.prompt,
    done: false,
    lanes: Object.fromEntries(lanes),
    notes: thoughts(state),
    segments: state.segments,
  };
  const before = state.turns.filter(({ id }) => id < turn.id); // a replay tells of a turn again
  return { ...state, turns: [...before, turn], segments: [], actions: [], gone: [], prepared: {} };
}

function inTurn(state, id, change) {
  return { ...state, turns: state.turns.map((turn) => (turn.id === id ? change(turn) : turn)) };
}

function inLane(state, { turn: id, lane: name }, change) {
  return inTurn(state, id, (turn) => {
    const lane = turn.lanes[name];
    return lane ? { ...turn, lanes: { ...turn.lanes, [name]: change(lane) } } : turn;
  });
}

// What follows from the state.

export function quoted(segments, { first, index }) {
  return textOf(segments.slice(first, index + 1)).trim();
}

export const isFinal = (lane) => FINAL.includes(lane.status);
export const currentTurn = (state) => state.turns.at(-1) ?? null;
export const runningNote = (state) => state.actions.find((note) => note.status === "running") ?? null;
export const running = (turn) => turn !== null && Object.values(turn.lanes).some((lane) => !isFinal(lane));

// Of the lane whose answer comes first; null while nothing is ready.
export function ready(state) {
  const answer = answerFrom(state.prepared, state.options?.lanes ?? []);
  return answer?.ready ? answer : null;
}

const answerFrom = (prepared, lanes) => prepared[AHEAD_LANES.find((name) => lanes.includes(name))];

// Of the draft: notes, or what its parts gave to the answer that comes first.
export const thoughts = (state) => thoughtsOn(state.actions, ready(state));

// Is there anything of a draft to show: its parts, or what was just rolled back?
export const draftShown = (state, now) =>
  state.segments.length > 0 || state.gone.some((note) => now - note.goneAt < ROLLBACK_SHOWN_S);

export function shownLanes(state) {
  const turn = currentTurn(state);
  return turn ? Object.keys(turn.lanes) : (state.options?.lanes ?? ["live", "conventional", "slm"]);
}

// [{text, status}]: typing, finished, thinking, noted, waiting, drafting, drafted, rewritten, unchanged, rolled-back or cut.
export function segmentStates(state, now) {
  const fresh = state.gone.filter((note) => now - note.goneAt < ROLLBACK_SHOWN_S);
  const made = thoughts(state);
  return state.segments.map(({ text, finished }, index) => {
    const note = made.findLast((one) => one.first <= index && index <= one.index);
    return { text, status: segmentStatus(note, finished, fresh.some((one) => one.first <= index && index <= one.index)) };
  });
}

function segmentStatus(note, finished, rolledBackNow) {
  if (note?.kind === "draft") return finished || note.status === "drafting" ? note.status : "typing";
  if (note?.status === "running") return "thinking";
  if (note?.kind === "wait") return "waiting";
  if (note?.status === "cut") return "cut";
  if (note) return "noted";
  if (rolledBackNow) return "rolled-back";
  return finished ? "finished" : "typing";
}

// How much sooner the live answer was complete than the conventional one; null unless both were measured.
export function saving(turn) {
  const name = AHEAD_LANES.find((lane) => turn?.lanes[lane]);
  const live = turn?.lanes[name];
  const baseline = turn?.lanes.conventional;
  if (live?.status !== "done" || baseline?.status !== "done" || live.metrics?.reduction == null) return null;
  return { seconds: baseline.metrics.latency - live.metrics.latency, reduction: live.metrics.reduction };
}
