// What lies below the answers: chats and runs.
import { seconds } from "../../numbers.js";
import { LANES } from "./answers.js";
import { count } from "./counts.js";

export const CHATS = {
  title: "Chats",
  hint: "Kept in this browser only.",
  export: "Export chats",
  import: "Import chats",
  csv: "Figures as CSV",
  json: "Figures as JSON",
  png: "Comparison as PNG",
  rename: "Rename",
  remove: "Delete",
  name: "Name of the chat",
  sure: (title) => `Delete “${title}”? It is nowhere else.`,
  when: (turns, at) => `${count(turns, "turn")} · ${at.toLocaleString("en")}`,
  unreadable: "This file holds no chats of LiveMind; nothing was changed.",
  brought: (chats) => `${count(chats, "chat")} imported.`,
  refused: "This browser would not keep or give back the chat: its storage is full, or off for this page.",
};

export const RUNS = {
  title: "Runs of this chat",
  columns: ["Lane", "Runs", "First word, median", "Complete, median", "Against conventional, median", "Tokens thrown away"],
  axis: "characters of the prompt → time to the complete answer",
  described: (runs) => `${count(runs, "answer")}: time to the complete answer by the length of the prompt`,
  point: (lane, length, latency) => `${LANES[lane].title}: ${count(length, "character")}, ${seconds(latency)}`,
};

export const BENCHMARK = {
  title: "Run the benchmark on my prompts",
  label: "Your prompts, one a line",
  placeholder: "Anna has five apples. She gives two to Ben. How many are left?",
  hint: "Each is typed at 240 characters a minute and answered in every lane of the options, in a session of its own. Typing is simulated and takes no time where nothing is computed. A chat meanwhile would disturb the times.",
  start: "Run",
  cancel: "Cancel",
  report: "Download the report",
  progress: "Answers measured",
  figures: "Figures of the benchmark",
  told: {
    idle: () => "",
    running: (done, total) => `${done} of ${count(total, "answer")} measured`,
    done: (done) => `${count(done, "answer")} measured.`,
    cancelled: () => "Cancelled; nothing is kept of it.",
    failed: () => "",
  },
  columns: ["Lane", "Prompts", "First word, median", "Complete, mean", "95 % interval", "Against conventional", "Thrown away, tokens each"],
};

export const INSPECTOR = {
  title: "Look into SentenceVAE",
  hint: "A sentence becomes a few vectors and is written again from these alone.",
  first: "A text",
  example: "The bakery bakes 120 rolls in the morning.",
  second: "Another sentence",
  other: "By noon it has sold half of them.",
  encode: "Encode and decode",
  blend: "From the first to the second",
  returned: "What comes back",
  between: "Between the two",
  computing: "Computing…",
  latent: (index, count) => `Latent ${index} of ${count}`,
  right: (right, tokens, latents) => `${right} of ${count(tokens, "token")} right, from ${count(latents, "vector")}`,
};
