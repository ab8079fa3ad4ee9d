import { percent, rate, seconds, whole } from "../numbers.js";

const count = (number, thing) => `${whole(number)} ${thing}${number === 1 ? "" : "s"}`;
const tokens = (number) => count(number, "token");

const LANES = {
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

const SEGMENTS = {
  typing: "being typed",
  finished: "finished",
  thinking: "thinking",
  noted: "noted",
  waiting: "waits for more",
  "rolled-back": "rolled back",
  cut: "cut short",
};

const LANE_STATUS = {
  queued: "waits its turn",
  reading: "reading the prompt",
  writing: "writing",
  done: "done",
  interrupted: "interrupted",
  stopped: "stopped",
  failed: "failed",
};

const MODEL_STATES = {
  missing: "not here yet",
  fetching: "downloading",
  loading: "loading into memory",
  ready: "ready",
  failed: "failed",
};

const ROLES = { llm: "Large model", slm: "Small model" };

const MODELS = {
  list: "Models",
  failed: "A model could not be loaded: see above.",
  loading: "The models are getting ready; you can type already.",
};

const PAGE = {
  tagline: "Thinks while you type, so the answer is there sooner.",
  tools: "Page",
  language: "Language",
  dark: "Switch between light and dark",
  help: "Keyboard shortcuts",
  prompt: "Your prompt",
  placeholder: "Type a few sentences…",
  new: "New chat",
  stop: "Stop",
  send: "Send",
  connecting: "Still connecting; your prompt is sent as soon as that is done.",
  renewed: "The server had ended this session; a new one has begun. Your text was kept.",
};

const DROP = {
  binary: (name) => `${name} holds no plain text; nothing was put into the box.`,
  long: (name) => `${name} is too long for one prompt; nothing was put into the box.`,
};

const EXAMPLES = [
  {
    name: "A word problem",
    text: "A bakery bakes 240 rolls every morning. It sells two thirds of them before noon. In the afternoon it sells half of what is left, and five more go to the baker's family. How many rolls remain in the evening?",
  },
  {
    name: "Two trains",
    text: "A train leaves Aville at 9:00 and travels at 80 km/h. A second train leaves Beeton, 300 km away, at 10:00 and comes towards it at 120 km/h. Both keep their speed and do not stop. When and where do they meet?",
  },
  {
    name: "Plan a trip",
    text: "We are two adults and a child of six. We have four days in Lisbon in May and travel by train and on foot only. We like small museums, and the child likes boats. What would you do on each day?",
  },
  {
    name: "Find the bug",
    text: "My Python function should return the largest number in a list. It starts with best = 0 and walks through the list. Whenever a number is greater than best, it replaces best. For the list [-3, -1, -7] it returns 0. What is wrong, and how do I fix it?",
  },
];

const INTRO = {
  title: "What is special here",
  line: "Other chats start working when you press Enter. This one reads and thinks while you are still typing, and shows what that saves.",
  watch: "Type an example for me",
  stop: "Stop typing",
  examples: "Examples",
};

const CONSENT = {
  label: "Think while I type",
  open: "on: half-typed text goes to the server as you type",
  closed: "off: nothing is sent before Enter",
};

const DRAWER = {
  title: "Options",
  groups: { typing: "While I type", answers: "Answers", sampling: "Sampling", budgets: "Budgets" },
  copy: "Copy a link with these options",
  copied: "The link is copied.",
  reset: "Back to the defaults",
  none: "none",
  refused: (names) => `The link asks for what cannot be: ${names.join(", ")}. The rest holds.`,
  off: {
    still: "Off: nothing is done while you type.",
    noNotes: "Off: no notes are taken in this mode.",
    noGate: "Off: only the format append asks whether to think.",
    greedy: "Off: at temperature 0 the likeliest word is always taken.",
    noSpeculation: "Off: no answers are begun before Enter.",
  },
};

const OPTIONS = {
  mode: {
    label: "What happens",
    help: "Notes change the answer; the exact one is the conventional answer, only earlier. Nothing: no text is sent.",
    values: { infer: "Take notes", exact: "Get the exact answer ready", off: "Nothing" },
  },
  granularity: {
    label: "Granularity",
    help: "What must be complete before it is thought about.",
    values: { char: "character", word: "word", sentence: "sentence", clause: "clause" },
  },
  min_length: { label: "Minimum length", help: "Characters that a part has at least." },
  format: {
    label: "Format",
    help: "How prompt and notes are laid out for the model.",
    values: {
      append: "append: notes follow their sentences",
      "u-pi": "u-pi: prompt, then notes",
      "u-pli": "u-pli: prompt, last sentence, then notes",
      "u-spi": "u-spi: each sentence with its note",
      "ua-pil": "ua-pil: prompt and notes, the last sentence apart",
      "ua-spi": "ua-spi: sentences and notes as a conversation",
    },
  },
  note_tokens: { label: "Longest note", help: "In tokens; fewer when you type fast." },
  think_threshold: { label: "Readiness to think", help: "How likely thinking must be, over waiting, for a note to be written." },
  answered_by: {
    label: "Answered by",
    help: "Who writes LiveMind's answer; the notes are always the large model's.",
    values: { live: "Large model", "live-slm": "Small model" },
  },
  compared: {
    label: "Compare with",
    help: "Answered after LiveMind, one by one, to measure what they cost.",
    values: { conventional: "Conventional way", slm: "Small model alone", exact: "Exact", "exact-slm": "Exact, small model", "llm-to-slm": "Guided small model" },
  },
  max_tokens: { label: "Longest answer", help: "In tokens, about ¾ of a word each." },
  lookahead: { label: "Lookahead", help: "Drafts several words at once; the model confirms each. The answer stays the same." },
  temperature: { label: "Temperature", help: "0 always takes the likeliest word; more is more varied." },
  top_p: { label: "Top p", help: "Only the likeliest words that together have this probability. 1: all." },
  top_k: { label: "Top k", help: "Only so many of the likeliest words. 0: all." },
  seed: { label: "Seed", help: "The same number gives the same answer again. None: another one each time." },
  repetition_penalty: { label: "Repetition penalty", help: "Held against words that were said before. 1: none." },
  speculate_tokens: { label: "Ahead, for one prompt", help: "Tokens of answers that are begun before Enter. 0: none." },
  speculate_per_minute: { label: "Ahead, in a minute", help: "The same, of all prompts and lanes together." },
};

const HELP = {
  title: "Keyboard",
  close: "Close",
  keys: [
    [["Enter"], "send"],
    [["Shift", "Enter"], "new line"],
    [["Esc"], "stop the answer, or the example that types itself"],
    [["↑"], "in an empty box: your last prompt again"],
    [["?"], "outside of the box: this sheet"],
    [["←", "→", "↑", "↓"], "on the timeline: from one to the next"],
    [["+", "−", "Home"], "on the timeline: zoom, show everything"],
  ],
};

const CHATS = {
  title: "Chats",
  hint: "Kept in this browser only.",
  export: "Export chats",
  import: "Import chats",
  csv: "Figures as CSV",
  json: "Figures as JSON",
  rename: "Rename",
  remove: "Delete",
  name: "Name of the chat",
  sure: (title) => `Delete “${title}”? It is nowhere else.`,
  when: (turns, at) => `${count(turns, "turn")} · ${at.toLocaleString("en")}`,
  unreadable: "This file holds no chats of LiveMind; nothing was changed.",
  brought: (chats) => `${count(chats, "chat")} imported.`,
  refused: "This browser would not keep or give back the chat: its storage is full, or off for this page.",
};

const RUNS = {
  title: "Runs of this chat",
  columns: ["Lane", "Runs", "First word, median", "Complete, median", "Against conventional, median", "Tokens thrown away"],
  axis: "characters of the prompt → time to the complete answer",
  described: (runs) => `${count(runs, "answer")}: time to the complete answer by the length of the prompt`,
  point: (lane, length, latency) => `${LANES[lane].title}: ${count(length, "character")}, ${seconds(latency)}`,
};

const STATUS = {
  offline: "Offline. Your text is kept here and sent when the connection is back.",
  off: "Thinking while you type is off: nothing is sent before Enter.",
  thinking: (part, of) => `Thinking about part ${part} of ${of}.`,
  ahead: (ready) => `Answering ahead: ${tokens(ready)} ready. Enter shows them.`,
  ready: (ready) => `The answer is ready: ${tokens(ready)}. Enter shows it.`,
  starting: "Starting…",
  lane: (name, status) => `${LANES[name].title} is ${status}.`,
  noted: (notes) => `Ready: ${notes === 1 ? "1 note is" : `${notes} notes are`} written. Enter sends.`,
  listening: "Listening. Enter sends, Shift+Enter starts a new line.",
  answered: "All answers are there. Ask on, or start a new chat.",
  idle: "Ready. Start typing.",
};

const TURN = {
  title: "This turn",
  asked: "You asked",
  bars: "Time per lane",
  before: "thought before Enter",
  first: "Enter to first word",
  rest: "writing",
  notes: (notes) => `${count(notes, "note")} written before Enter`,
  headline: (saved, reduction) =>
    `Ready ${seconds(Math.abs(saved))} ${saved >= 0 ? "sooner" : "later"} than the conventional way (${percent(-reduction)})`,
  waits: "waits",
  again: "Ask again",
  edit: "Edit and resend",
  compare: "Mark differences",
  failed: "failed",
};

const PANE = {
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
  prompt: "Prompt",
  read: "Read after Enter",
  ready: "Ready at Enter",
  thought: "Thought before Enter",
  wasted: "Thrown away",
  waited: "Waited for a step to stop",
};

const NOTES = {
  title: "Notes while you type",
  list: "Notes",
  parts: "Segments of the prompt",
  cut: "cut short",
  "rolled-back": "rolled back",
};
const HISTORY = { title: "Earlier in this chat" };
const TABS = { title: "Lane shown" };

const span = (from, to) => (to === null ? "not over yet" : seconds(to - from));

const DESCRIBE = {
  typing: ({ grown, changes, from, to }) => [
    `${count(grown, "character")} typed`,
    changes > 1 ? `in ${count(changes, "change")}, ${seconds(to - from)}` : "at once",
  ],
  segments: ({ number, text, from, to, gone }) => [
    `Part ${number}${gone ? ", deleted" : ""}`,
    text.trim(),
    `typed in ${span(from, to)}`,
  ],
  notes: ({ index, text, kind, status, tokens: written, seconds: computed }) => [
    kind === "wait" && status === "done" ? `Part ${index + 1}: nothing to note yet` : `Note on part ${index + 1}`,
    text.trim(),
    `${STATES[status]} · ${tokens(written)} · ${seconds(computed)} computed`,
  ],
  ahead: ({ lane, from, to, tokens: written, ready, status }) => [
    `${LANES[lane].title}: answer begun before Enter`,
    STATES[status],
    `${tokens(written)} in ${span(from, to)} · ${tokens(ready)} ready`,
  ],
  submit: ({ prompt }) => ["Enter", prompt],
  lane: (name, { metrics, status, from, to }) => [
    LANES[name].title,
    STATES[status] ?? status,
    ...(metrics
      ? [
          `first word ${seconds(metrics.ttft)}, complete ${seconds(metrics.latency)}`,
          `${tokens(metrics.tokens)} · ${rate(metrics.tokens_per_s)}`,
          ...(metrics.overhead_s ? [`waited ${seconds(metrics.overhead_s)} for a step to stop`] : []),
        ]
      : [span(from, to)]),
  ],
};

const STATES = {
  running: "running",
  done: "done",
  cut: "cut short by Enter",
  dropped: "dropped at Enter: it had said nothing",
  "rolled-back": "rolled back: the text before it changed",
  making: "part of it",
  ready: "all of it",
  used: "shown at Enter, if the text was the same",
  discarded: "thrown away: the text changed",
  interrupted: "interrupted by another session",
  stopped: "stopped",
  failed: "failed",
};

const TIMELINE = {
  title: "Timeline",
  hint: "Drag to move, Ctrl and wheel or + and − to zoom; with the keyboard, arrows go from one to the next.",
  rows: { typing: "Typing", segments: "Parts", notes: "Notes", ahead: "Ahead" },
  prompt: "This prompt",
  everything: "Everything",
  closer: "Zoom in",
  farther: "Zoom out",
  export: (kind) => `Export ${kind}`,
  submit: "Enter",
  preempted: STATES,
  figures: ({ ttft, tokens: written }) => `${seconds(ttft)} to first · ${tokens(written)}`,
  describe: (row, item) => (DESCRIBE[row] ? DESCRIBE[row](item) : DESCRIBE.lane(row, item)),
  summary: (prompts, parts, notes, preempted) =>
    `${count(prompts, "prompt")}, ${count(parts, "part")}, ${count(notes, "note")}, ${count(preempted, "step")} thrown away or cut`,
  legend: {
    first: "until the first word",
    rest: "writing",
    bad: "thrown away or cut short",
    enter: "Enter",
  },
};

export default {
  LANES,
  SEGMENTS,
  LANE_STATUS,
  MODEL_STATES,
  ROLES,
  MODELS,
  PAGE,
  DROP,
  EXAMPLES,
  INTRO,
  CONSENT,
  DRAWER,
  OPTIONS,
  HELP,
  CHATS,
  RUNS,
  STATUS,
  TURN,
  PANE,
  NOTES,
  HISTORY,
  TABS,
  TIMELINE,
};
