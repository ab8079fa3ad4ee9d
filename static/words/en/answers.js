// The turn and its lanes.
import { percent, seconds } from "../../numbers.js";
import { count, tokens } from "./counts.js";

export const LANES = {
  live: { title: "LiveMind", hint: "worked while you typed, answered by the large model", bar: "LiveMind" },
  "live-slm": {
    title: "LiveMind + small model",
    hint: "the large model worked while you typed, the small one answered",
    bar: "LiveMind + small",
  },
  exact: { title: "Exact", hint: "the conventional answer, begun before Enter", bar: "Exact" },
  "exact-slm": {
    title: "Exact, small model",
    hint: "the small model’s own answer, begun before Enter",
    bar: "Exact small",
  },
  "llm-to-slm": {
    title: "Guided small model",
    hint: "the large model read while you typed, the small one wrote from what it saw",
    bar: "Guided small",
  },
  conventional: {
    title: "Conventional",
    hint: "the large model reads your complete prompt after Enter",
    bar: "Conventional",
  },
  slm: { title: "Small model alone", hint: "reads your complete prompt after Enter", bar: "Small alone" },
};

export const SEGMENTS = {
  typing: "being typed",
  finished: "finished",
  thinking: "thinking",
  noted: "noted",
  waiting: "waits for more",
  "rolled-back": "rolled back",
  cut: "cut short",
  drafting: "drafting along",
  drafted: "in the draft",
  rewritten: "written anew",
  unchanged: "read: nothing new",
};

export const LANE_STATUS = {
  queued: "waits its turn",
  reading: "reading the prompt",
  writing: "writing",
  done: "done",
  interrupted: "interrupted",
  stopped: "stopped",
  failed: "failed",
};

export const TURN = {
  title: "This turn",
  asked: "You asked",
  bars: "Time per lane",
  before: "thought before Enter",
  first: "Enter to first word",
  rest: "writing",
  notes: (notes) => `${count(notes, "note")} written before Enter`,
  drafts: (steps) => `Begun before Enter, in ${count(steps, "step")}`,
  headline: (saved, reduction) =>
    `Ready ${seconds(Math.abs(saved))} ${saved >= 0 ? "sooner" : "later"} than the conventional way (${percent(-reduction)})`,
  waits: "waits",
  again: "Ask again",
  edit: "Edit and resend",
  compare: "Mark differences",
  failed: "failed",
};

export const PANE = {
  after: "after Enter",
  sofar: "so far",
  versus: (reduction) => `${percent(-reduction)} vs conventional`,
  underlined: "underlined",
  drafted: ": drafted by lookahead, confirmed by the model",
  marked: "marked",
  different: ": not so in the first answer",
  copy: "Copy",
  copied: "Copied",
  copyOf: (title) => `Copy the answer of ${title}`,
  retry: "Retry",
  retryOf: (title) => `Have ${title} answer again`,
  stop: "Stop",
  stopOf: (title) => `Stop ${title}`,
  idle: (title) => `${title}’s answer appears here.`,
  queued: "Runs after the others, so that none slows another down.",
  reading: "Reading the prompt…",
  stopped: "Stopped before the first word.",
  interrupted: "Interrupted before the first word.",
  failed: "No answer: something went wrong.",
  tokens,
  first: "First word",
  complete: "Complete answer",
  speed: "Speed",
  answer: "Answer",
  lookahead: "Lookahead",
  forwards: (each, saved) => `${each.toFixed(2)} tokens a forward · ${count(saved, "forward")} saved`,
  cache: "Cache at the end",
  cached: (positions, megabytes, saved) =>
    `${count(positions, "position")}, ${megabytes} MB${saved === null ? "" : ` (${percent(-saved)} of token by token)`}`,
  prompt: "Prompt",
  read: "Read after Enter",
  ready: "Ready at Enter",
  thought: "Thought before Enter",
  wasted: "Thrown away",
  waited: "Waited for a step to stop",
};

export const NOTES = {
  title: "Notes while you type",
  list: "Notes",
  drafts: "What each part brought to your answer",
  parts: "Segments of the prompt",
  states: { running: "thinking", done: "noted", cut: "cut short", "rolled-back": "rolled back", drafting: "drafting", drafted: "drafted", rewritten: "written anew", unchanged: "nothing new" },
};

export const BEGUN = { title: "Your answer, begun before Enter" };

export const HISTORY = {
  title: "Earlier in this chat",
  edit: "Edit and resend",
  branch: "In a new chat that goes on from here; this one is kept.",
};

export const TABS = { title: "Lane shown" };
