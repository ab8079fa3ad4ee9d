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
