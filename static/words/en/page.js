// The page itself: models, composer, first minute, status line.
import { LANES } from "./answers.js";
import { tokens } from "./counts.js";

export const MODEL_STATES = {
  missing: "not here yet",
  fetching: "downloading",
  loading: "loading into memory",
  ready: "ready",
  failed: "failed",
};

export const ROLES = { llm: "Large model", slm: "Small model" };

export const MODELS = {
  chosen: "Chosen where the server is started: livemind serve --preset, or --llm and --slm; with --offer you could choose here.",
  list: "Models",
  failed: "A model could not be loaded: see below.",
  loading: "The models are getting ready; you can type already.",
};

export const PAGE = {
  tagline: "Thinks while you type, so the answer is there sooner.",
  history: "Run history",
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

export const DROP = {
  binary: (name) => `${name} holds no plain text; nothing was put into the box.`,
  long: (name) => `${name} is too long for one prompt; nothing was put into the box.`,
};

export const EXAMPLES = [
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

export const INTRO = {
  title: "What is special here",
  line: "Other chats start working when you press Enter. This one reads and thinks while you are still typing, and shows what that saves.",
  watch: "Type an example for me",
  examples: "Examples",
};

export const CONSENT = {
  label: "Think while I type",
  open: "on: half-typed text goes to the server as you type",
  closed: "off: nothing is sent before Enter",
};

export const STATUS = {
  offline: "Offline. Your text is kept here and sent when the connection is back.",
  off: "Thinking while you type is off: nothing is sent before Enter.",
  thinking: (part, of) => `Thinking about part ${part} of ${of}.`,
  drafting: "Drafting along. Enter keeps what still holds.",
  ahead: "Answering ahead. Enter shows what is there.",
  ready: (ready) => `The answer is ready: ${tokens(ready)}. Enter shows it.`,
  starting: "Starting…",
  lane: (name, status) => `${LANES[name].title} is ${status}.`,
  noted: (notes) => `Ready: ${notes === 1 ? "1 note is" : `${notes} notes are`} written. Enter sends.`,
  listening: "Listening. Enter sends, Shift+Enter starts a new line.",
  answered: "All answers are there. Ask on, or start a new chat.",
  idle: "Ready. Start typing.",
};

export const HELP = {
  title: "Keyboard",
  close: "Close",
  byKey: "The key ? opens this sheet",
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

export const SPEECH = {
  start: "Speak",
  stop: "Stop listening",
  title: "Speak instead of typing?",
  warning: "Your browser turns speech into text, and may send what you say to its vendor to do so. LiveMind gets the text only, as if you had typed it.",
  agree: "Listen",
  refuse: "Not now",
  failed: "The browser could not turn speech into text.",
  errors: {
    "not-allowed": "The browser may not use the microphone for this page.",
    "service-not-allowed": "This browser has no speech recognition for this page.",
    "audio-capture": "There is no microphone.",
    network: "The browser's speech recognition cannot be reached.",
    "no-speech": "Nothing was heard.",
    "language-not-supported": "The browser does not understand speech in this language.",
  },
};
